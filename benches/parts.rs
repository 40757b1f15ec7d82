//! Benchmarks of single parts: `cargo bench --bench parts`. docs/BENCHMARK.md explains what they measure and how to
//! read them.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App as ActixApp, rt, test, web};
use chrono_tz::Tz;
use diesel::connection::SimpleConnection;
use divan::{Bencher, black_box};
use tempfile::TempDir;
use tessera::access::{Principal, Role, api_key};
use tessera::qr::Code;
use tessera::sheet::fonts::Fonts;
use tessera::sheet::layout::{LabelItem, LayoutOptions, SheetLayout};
use tessera::sheet::pdf;
use tessera::sheet::presets::preset;
use tessera::store::accounts::keys;
use tessera::store::accounts::keys::NewKey;
use tessera::store::connection::transaction;
use tessera::store::tokens::list;
use tessera::store::tokens::list::{TokenFilter, TokenSlice};
use tessera::store::{DatabaseUrl, Store, migrations, tokens};
use tessera::token::input::{Defaults, Origin, RawFields};
use tessera::token::settle::{Ask, Held, Lookup, settle};
use tessera::token::{Micros, Problem, Token, UNLIMITED, Uid};
use tessera::web::client_address::TrustedProxies;
use tessera::web::routes::routes;
use tessera::web::session_cookie;
use tessera::web::state::App;

/// Asks in a batch: the most that the writer takes at once.
const BATCH: usize = 256;
/// Tokens in the database for the pages.
const TOKENS: usize = 1_000;

fn main() {
    divan::main();
}

/// A code and its SVG file.
#[divan::bench(args = ["a uid", "100 characters", "1,000 characters"])]
fn qr_code(bencher: Bencher, what: &str) {
    let text = match what {
        "a uid" => Uid::random().to_string(),
        "100 characters" => words(100),
        _ => words(1_000),
    };
    bencher.bench(|| Code::new(black_box(&text)).map(|code| code.svg()));
}

/// Labels in one layout.
const LABELS: usize = 1_000;

/// The layout of a thousand labels, and all their drawings, page by page.
#[divan::bench(args = ["a label", "a uid", "too long", "Arabic"])]
fn sheets(bencher: Bencher, text: &str) {
    let Some((sheet, fonts)) = preset("avery-l7160").zip(Fonts::new(Vec::new()).ok().map(Arc::new)) else { return };
    let item = |number: usize| {
        let code = Uid::random().to_string();
        let text = match text {
            "a label" => format!("Row {}, seat {}", number / 20, number % 20),
            "a uid" => code.clone(),
            "too long" => words(600),
            _ => format!("مرحبا بالعالم {number}"),
        };
        LabelItem { code, text: Some(text), ..LabelItem::default() }
    };
    let items: Vec<LabelItem> = (0..LABELS).map(item).collect();
    bencher.with_inputs(|| items.clone()).bench_values(|items| {
        SheetLayout::new(sheet, &LayoutOptions::default(), &fonts, true, items)
            .map(|layout| (0..layout.pages()).map(|page| layout.page(page).shapes.len()).sum::<usize>())
    });
}

fn words(characters: usize) -> String {
    "Admit one, row 7, seat 12. ".chars().cycle().take(characters).collect()
}

/// A whole batch, from the held tokens to the answers.
#[divan::bench(args = [1, BATCH])]
fn settle_a_batch(bencher: Bencher, tokens: usize) {
    let tokens: Vec<Token> = (0..tokens).map(|_| token()).collect();
    let who = Principal::key("door-3");
    let ask = |token: &Token| Ask::once(who.clone(), Lookup { uid: Some(token.uid), ..Lookup::default() });
    let asks: Vec<Ask> = tokens.iter().cycle().take(BATCH).map(ask).collect();
    let mut held = Held::default();
    for (id, token) in (1..).zip(tokens) {
        held.insert(id, token);
    }
    bencher.with_inputs(|| held.clone()).bench_refs(|held| settle(&asks, held, Micros::now()));
}

fn token() -> Token {
    let uid = Uid::random();
    let now = Micros::now();
    Token {
        uid,
        value: uid.to_string(),
        label: Some("Ticket 000001".into()),
        valid_from: Some(Micros::EPOCH),
        valid_to: Some(Micros::LAST),
        usage_count: UNLIMITED,
        lock_time: 0,
        last_used: None,
        lock_start: None,
        used: 0,
        last_entry: None,
        creator: "key:bench".into(),
        created: now,
        modified: now,
        batch: None,
        voided: None,
    }
}

/// A time as people and programs write it, in a zone with daylight saving time.
#[divan::bench(sample_size = 100, args = ["2026-09-22", "2026-09-22T10:30", "2026-09-22T10:30:00.123456+02:00"])]
fn read_time(text: &str) -> Result<Micros, Problem> {
    Micros::read(black_box(text), Tz::Europe__Vienna)
}

/// From the fields of an `add_token` request to a token.
#[divan::bench(sample_size = 100)]
fn read_token(bencher: Bencher) {
    let text = |text: &str| Some(text.to_owned());
    let raw = RawFields {
        value: text("ticket-000001"),
        label: text("Row 7, seat 12"),
        valid_from: text("2026-09-22T10:30"),
        valid_to: text("2026-09-22T18:00"),
        usage_count: text("3"),
        lock_time: text("10"),
        add_uses: None,
    };
    let defaults = Defaults { usage_count: 1, lock_time: 0 };
    let origin = || Origin { uid: Uid::random(), creator: "key:bench".into(), created: Micros::now() };
    bencher.with_inputs(origin).bench_values(|origin| raw.new_token(origin, defaults, Tz::Europe__Vienna).is_ok());
}

/// The query for a page of the list, on its own.
#[divan::bench]
fn fifty_tokens_from_sqlite(bencher: Bencher) {
    let database = or_exit(BenchDatabase::make());
    let mut connection = or_exit(database.url().and_then(|url| Ok(url.connect()?)));
    let slice = || TokenSlice::newest(None, 51);
    let all = TokenFilter::default();
    bencher.with_inputs(slice).bench_local_values(|slice| list::page(&mut connection, &all, Micros::now(), &slice));
}

/// A request through routes, guard, handler, database and template, without the network.
#[divan::bench(args = ["tile", "list of 50", "overview of 1,000", "usage, a million entries"])]
fn page(bencher: Bencher, what: &str) {
    let runtime = rt::System::new();
    let database = or_exit(BenchDatabase::make());
    if what.starts_with("usage") {
        or_exit(database.add_a_million_entries());
    }
    let state = or_exit(database.state());
    let for_routes = web::Data::clone(&state);
    let app = ActixApp::new().app_data(state).configure(move |config| routes(config, &for_routes));
    let app = runtime.block_on(test::init_service(app));
    let path = match what {
        "tile" => format!("/{}", database.uid),
        "list of 50" => "/".to_owned(),
        "overview of 1,000" => "/?view=tiles&show=1000".to_owned(),
        _ => "/usage".to_owned(),
    };
    let bearer = format!("Bearer {}", database.key);
    bencher.bench_local(|| {
        let request = test::TestRequest::get().uri(&path).insert_header((AUTHORIZATION, bearer.as_str())).to_request();
        runtime.block_on(async {
            let response = test::call_service(&app, request).await;
            assert!(response.status().is_success(), "{what}: {}", response.status());
            test::read_body(response).await
        })
    });
}

/// Exits if a benchmark cannot be set up: divan has no way to report that.
fn or_exit<T>(result: Result<T, Box<dyn Error>>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("parts: {error}");
        std::process::exit(1)
    })
}

/// A database with tokens, and a key for it.
struct BenchDatabase {
    folder: TempDir,
    key: String,
    uid: Uid,
}

impl BenchDatabase {
    fn make() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let database = Self { folder, key: api_key::generate(), uid: Uid::random() };
        let url = database.url()?;
        url.create()?;
        let mut connection = url.connect()?;
        migrations::migrate(&url, &mut connection)?;
        let hash = api_key::hash(&database.key).ok_or("a key that is none")?;
        let prefix = api_key::shown_prefix(&database.key);
        let new =
            NewKey { name: "bench", hash: &hash, prefix, role: Role::Viewer, expires: None, gate: None, rate: None };
        let mut new_tokens: Vec<Token> = (0..TOKENS).map(|_| token()).collect();
        new_tokens.push(Token { uid: database.uid, value: database.uid.to_string(), ..token() });
        transaction(&mut connection, |connection| {
            keys::add(connection, &new, &Principal::shell("bench"), Micros::now())?;
            tokens::add_all(connection, &new_tokens)
        })?;
        Ok(database)
    }

    /// A million usage entries in the last 29 days, every ninth of them a refusal.
    fn add_a_million_entries(&self) -> Result<(), Box<dyn Error>> {
        let first = Micros::now().get() - 29 * 24 * 3_600 * 1_000_000;
        let mut connection = self.url()?.connect()?;
        Ok(connection.batch_execute(&format!(
            "INSERT INTO usage (uid, token, token_uid, token_value, timestamp, principal, error_code, uses, taken)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
             SELECT 'uid-' || i, i % {TOKENS}, 'token-' || (i % {TOKENS}), 'T-' || (i % {TOKENS}), {first} + i * 2500000,
                 'key:door-' || (i % 7), CASE WHEN i % 9 = 0 THEN 2 END, 1, 1
             FROM n"
        ))?)
    }

    fn url(&self) -> Result<DatabaseUrl, Box<dyn Error>> {
        Ok(format!("sqlite:{}", self.folder.path().join("tessera.db").display()).parse()?)
    }

    fn state(&self) -> Result<web::Data<App>, Box<dyn Error>> {
        let store = Store::start(&self.url()?)?;
        let cookie_key = session_cookie::key(&session_cookie::generate())?;
        let fonts = Arc::new(Fonts::new(Vec::new())?);
        let public_url = "http://127.0.0.1/".parse()?;
        let state = App::new(store, cookie_key, Tz::UTC, public_url, TrustedProxies::default(), fonts);
        Ok(web::Data::new(state))
    }
}

/// Pages of 65 labels from the layout to the PDF: one page, and 10,000 labels.
#[divan::bench(args = [65, 10_000])]
fn sheet_pdf(bencher: Bencher, labels: usize) {
    let item = |_| {
        let code = Uid::random().to_string();
        LabelItem { text: Some(code.clone()), code, ..LabelItem::default() }
    };
    let Some((sheet, fonts)) = preset("avery-l7651").zip(Fonts::new(Vec::new()).ok().map(Arc::new)) else { return };
    let items = (0..labels).map(item).collect();
    let Ok(layout) = SheetLayout::new(sheet, &LayoutOptions::default(), &fonts, true, items) else { return };
    bencher.bench(|| {
        let pages = (0..layout.pages()).map(|page| layout.page(page));
        pdf::write("Labels", &fonts, pages, &mut |_| ControlFlow::Continue(()))
    });
}
