//! Coming back after signing in: to a page that shows what the request was about, with what was chosen or typed. Nothing
//! is done or printed by signing in.

use diesel::prelude::*;
use reqwest::Method;
use tessera::access::Role;
use tessera::store::schema::{print_jobs, print_runs, settings, tokens, usage, users};
use tessera::web::route::{Kind, RouteIndex};
use tessera::web::routes::table;

use crate::support::app::{App, with_required};
use crate::support::browser::{Browser, PageAnswer, add_user};
use crate::support::forms::forms;
use crate::support::imports::send_file;

type Fields = Vec<(String, String)>;

/// Ends every other session of anna's, at once.
pub(super) async fn end_sessions(elsewhere: &mut Browser<'_>) {
    elsewhere.post("/account/sessions/end", &[]).await.check_leads_to("/account");
}

/// Tokens, how many uses, runs, jobs and settings there are, and the users' roles.
pub(super) type State = (Vec<(String, i64, i32)>, [i64; 4], Vec<(String, String)>);

/// What signing in must not touch, but for the user's last sign-in.
pub(super) fn state(app: &App) -> State {
    let connection = &mut app.connection();
    let all = tokens::table.order(tokens::id).select((tokens::uid, tokens::modified, tokens::usage_count));
    let counts = [
        usage::table.count().get_result(connection).unwrap(),
        print_runs::table.count().get_result(connection).unwrap(),
        print_jobs::table.count().get_result(connection).unwrap(),
        settings::table.count().get_result(connection).unwrap(),
    ];
    let roles = users::table.order(users::id).select((users::name, users::role));
    (all.load(connection).unwrap(), counts, roles.load(connection).unwrap())
}

/// Where a browser is after it has signed in, which `answer` leads to.
pub(super) async fn sign_in(browser: &mut Browser<'_>, answer: &PageAnswer) -> (String, PageAnswer) {
    answer.check_leads_to("/login?next=");
    let form = browser.get(&answer.location).await;
    let fields = [("name", "anna"), ("password", crate::support::browser::PASSWORD), ("next", &form.field("next"))];
    let back = browser.post("/login", &fields).await;
    assert_eq!(back.status, 303, "{}", back.text);
    let page = browser.get(&back.location).await;
    (back.location, page)
}

/// Anna's browser, and another one of hers.
pub(super) async fn anna(app: &App) -> (Browser<'_>, Browser<'_>) {
    add_user(app, "anna", Role::Manager);
    let (mut browser, mut elsewhere) = (Browser::new(app), Browser::new(app));
    browser.sign_in("anna").await.check_leads_to("/");
    elsewhere.sign_in("anna").await.check_leads_to("/");
    (browser, elsewhere)
}

/// What stands in the places of addresses: things that are there.
struct Things {
    token: String,
    places: Vec<(&'static str, String)>,
}

impl Things {
    async fn make(app: &App, browser: &mut Browser<'_>) -> Self {
        let token = app.add(&[("label", "Locker 1"), ("usage_count", "5")]).await;
        let set = browser.post(&format!("/{token}/set_count"), &[("usage_count", "7")]).await;
        let action = set.location.split("did-").nth(1).unwrap().to_owned();
        let many = [("count", "2"), ("batch_name", "Party"), ("usage_count", "1"), ("lock_time", "0")];
        let batch = browser.post("/add_many", &many).await;
        let batch = batch.location.split(['/', '?']).nth(2).unwrap().to_owned();
        let job = browser.post("/print_jobs", &[("uid", &token)]).await.location.rsplit('/').next().unwrap().to_owned();
        // Until it is printed, so that nothing goes on beside the test.
        while app
            .request(Role::Viewer, Method::GET, &format!("/print_jobs/{job}"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("<progress")
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let sheet = [
            ("name", "Mine"),
            ("columns", "1"),
            ("rows", "1"),
            ("page_width", "100"),
            ("page_height", "100"),
            ("width", "50"),
            ("height", "30"),
            ("left", "10"),
            ("top", "10"),
            ("pitch_x", ""),
            ("pitch_y", ""),
            ("margin", "1"),
        ];
        browser.post("/sheets/add", &sheet).await.check_leads_to("/sheets?done=added");
        let gate = browser.post("/gates/add", &[("name", "North"), ("undo", "60"), ("open", "1")]).await;
        let gate = gate.location.split(['/', '?']).nth(2).unwrap().to_owned();
        let file = send_file(app, "tokens.csv", b"label\nA\n").await;
        let places = vec![
            ("/import/{uid}", format!("/import/{file}")),
            ("/gates/{uid}", format!("/gates/{gate}")),
            ("/actions/{uid}", format!("/actions/{action}")),
            ("/batches/{uid}", format!("/batches/{batch}")),
            ("/print_jobs/{uid}", format!("/print_jobs/{job}")),
            ("{slug}", "mine".into()),
            ("{setting}", "usage_days".into()),
            ("{uid}", token.clone()),
        ];
        Self { token, places }
    }

    fn fill(&self, path: &str) -> String {
        self.places.iter().fold(path.to_owned(), |path, (place, thing)| path.replace(place, thing))
    }
}

/// What a form at an address sends, and what its page then shows again.
fn sent(path: &str) -> (Vec<(&'static str, &'static str)>, &'static [&'static str]) {
    let typed = vec![
        ("value", "typed-1"),
        ("label", "Typed label"),
        ("valid_from", ""),
        ("valid_to", ""),
        ("usage_count", "4"),
        ("lock_time", "3"),
        ("lock_unit", "minutes"),
        ("count", "12"),
        ("batch_name", "Typed batch"),
    ];
    match path {
        "/add" | "/{uid}/edit" => (typed, &["typed-1", "Typed label"]),
        "/add_many" => (typed, &["Typed label", "Typed batch", "value=\"12\""]),
        "/batches/{uid}/rename" => (vec![("batch_name", "Typed batch")], &["Typed batch"]),
        "/{uid}/void" => (vec![("reason", "Typed reason")], &["Typed reason"]),
        "/bulk" => (vec![("q", "Locker"), ("do", "delete"), ("step", "do")], &["value=\"Locker\""]),
        "/keys/add" | "/users/add" => {
            (vec![("name", "typed-name"), ("role", "viewer"), ("password", "never-shown-1234")], &["typed-name"])
        }
        "/printers" => (
            vec![("name", "Typed printer"), ("offset_x", "1.5"), ("offset_y", "0"), ("dpi", "600")],
            &["Typed printer", "1.5"],
        ),
        "/gates/add" | "/gates/{uid}" => (vec![("name", "Typed gate"), ("undo", "300")], &["Typed gate"]),
        "/sheets/add" | "/sheets/{slug}" => (vec![("name", "Typed sheet"), ("columns", "3")], &["Typed sheet"]),
        "/sheet/calibrate" => (vec![("printer", "Typed printer"), ("measured_x", "29.4")], &["Typed printer", "29.4"]),
        "/users/role" | "/users/password" | "/users/disable" | "/users/enable" | "/users/remove" => {
            (vec![("name", "anna"), ("role", "viewer"), ("password", "never-shown-1234")], &["anna"])
        }
        "/settings/{setting}" => (vec![("usage_days", "123"), ("was", "30")], &["value=\"123\"", "value=\"30\""]),
        "/keys/revoke" => (vec![("name", "viewer")], &["viewer"]),
        _ => (Vec::new(), &[]),
    }
}

#[actix_web::test]
async fn after_every_post_one_comes_back_to_a_page_that_shows_it_and_nothing_is_done() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let things = Things::make(&app, &mut browser).await;
    let before = state(&app);
    let routes = RouteIndex::new(&table());
    let posts = routes.all().filter(|route| route.methods.contains(&Method::POST.as_str().parse().unwrap()));
    let mut seen = 0;
    for route in posts.filter(|route| !route.is_open && route.kind != Kind::View) {
        let (mut form, shows) = sent(route.path);
        if form.is_empty() || route.path == "/bulk" {
            form.push(("uid", things.token.as_str().to_owned().leak()));
        }
        let path = things.fill(route.path);
        end_sessions(&mut elsewhere).await;
        let refused = browser.post(&path, &form).await;
        let (at, page) = sign_in(&mut browser, &refused).await;
        // A token that is there is not among the deleted ones, which is where restoring it begins.
        assert_eq!(page.status, 200, "{path} leads to {at}: {}", page.text);
        for words in shows {
            assert!(page.text.contains(words), "{path} leads to {at}, which does not show {words}");
        }
        assert!(!page.text.contains("never-shown") && !refused.location.contains("never"), "{path}: a password");
        seen += 1;
    }
    assert!(seen >= 38, "{seen} addresses take a POST");
    assert_eq!(state(&app), before);
}

/// The hidden fields of a token's form: what it knew.
fn known_of(page: &PageAnswer) -> Fields {
    forms(&page.text).into_iter().flat_map(|form| form.fields).filter(|(name, _)| name.starts_with("was_")).collect()
}

/// What the form sends when only the label was changed.
fn labelled_mine(known: &Fields) -> Vec<(&str, &str)> {
    let typed =
        [("value", "v-1"), ("label", "Mine"), ("usage_count", "5"), ("lock_time", "0"), ("lock_unit", "seconds")];
    known.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(typed).collect()
}

#[actix_web::test]
async fn what_somebody_else_changed_while_one_signed_in_is_a_conflict() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let uid = app.add(&[("value", "v-1"), ("label", "Locker 1"), ("usage_count", "5")]).await;
    let path = format!("/{uid}/edit");
    let known = known_of(&browser.get(&path).await);
    end_sessions(&mut elsewhere).await;
    let refused = browser.post(&path, &labelled_mine(&known)).await;
    app.post(
        &format!("/{uid}/edit_token"),
        &with_required(&[("label", "Theirs"), ("usage_count", "9"), ("lock_time", "0")]),
    )
    .await
    .check_success();
    let (_, page) = sign_in(&mut browser, &refused).await;
    page.check(200, &["value=\"Mine\""]);
    browser.post(&path, &labelled_mine(&known_of(&page))).await.check(409, &["Theirs"]);
    let token = app.token(&uid).await;
    assert_eq!((token["label"].as_str(), token["usage_count"].as_i64()), (Some("Theirs"), Some(9)));
}

#[actix_web::test]
async fn a_printer_and_time_ranges_come_back_as_what_they_were() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let printer = [("name", "Old"), ("offset_x", "1"), ("offset_y", "0"), ("dpi", "600")];
    browser.post("/printers", &printer).await.check_leads_to("/printers?done=saved");
    end_sessions(&mut elsewhere).await;
    let known = [("was", "Old"), ("was_offset_x", "1"), ("was_offset_y", "0"), ("was_dpi", "300")];
    let renamed = [("name", "New"), ("offset_x", "1"), ("offset_y", "0"), ("dpi", "600")];
    let refused = browser.post("/printers", &[known, renamed].concat()).await;
    let (_, page) = sign_in(&mut browser, &refused).await;
    page.check(200, &["name=\"was\" value=\"Old\"", "name=\"was_dpi\" value=\"300\"", "value=\"New\""]);
    end_sessions(&mut elsewhere).await;
    let ranges = [("was", "[]"), ("name-0", "Morning"), ("from-0", ""), ("to-0", "11:00"), ("name-new", "Night")];
    let refused = browser.post("/settings/time_ranges", &ranges).await;
    let (at, page) = sign_in(&mut browser, &refused).await;
    page.check(200, &["value=\"Morning\"", "value=\"11:00\"", "value=\"Night\""]);
    assert!(at.starts_with("/settings?was="), "{at}");
}

#[actix_web::test]
async fn one_chosen_token_is_still_chosen_and_not_printed() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let [one, _other] = [app.add(&[("label", "Locker 1")]).await, app.add(&[("label", "Locker 2")]).await];
    let form = [("uid", &*one), ("sheet", "avery-l7651"), ("start", "3")];
    for path in ["/sheet.pdf", "/sheet/browser", "/sheet/check", "/print_jobs", "/sheet"] {
        end_sessions(&mut elsewhere).await;
        let refused = browser.post(path, &form).await;
        let (at, page) = sign_in(&mut browser, &refused).await;
        assert!(at.starts_with("/sheet?") && at.contains("avery%2Dl7651"), "{path} leads to {at}");
        page.check(200, &["<strong>1 token</strong>"]);
        assert_eq!(page.field("start"), "3");
    }
    end_sessions(&mut elsewhere).await;
    let refused = browser.get(&format!("/sheet.pdf?uid={one}&start=2")).await;
    let (at, page) = sign_in(&mut browser, &refused).await;
    assert_eq!(at, format!("/sheet?uid={}&start=2", one.replace('-', "%2D")));
    page.check(200, &["<strong>1 token</strong>"]);
    // What is too long for an address is asked for anew, and never in part.
    let many: Vec<(&str, &str)> = (0..200).map(|_| ("uid", &*one)).chain([("q", "Locker")]).collect();
    end_sessions(&mut elsewhere).await;
    let refused = browser.post("/sheet.pdf", &many).await;
    let (at, page) = sign_in(&mut browser, &refused).await;
    assert_eq!(at, "/sheet");
    page.check(200, &["What do you want to print?"]);
    assert_eq!(state(&app).1[1..3], [0, 0], "no run and no job");
}

#[actix_web::test]
async fn ticked_tokens_are_ticked_again() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let [one, other] = [app.add(&[]).await, app.add(&[]).await];
    end_sessions(&mut elsewhere).await;
    let refused = browser.post("/bulk", &[("uid", &one), ("do", "void"), ("select", "ticked")]).await;
    let (at, page) = sign_in(&mut browser, &refused).await;
    assert!(at.starts_with("/?"), "{at}");
    page.check(200, &[&format!("value=\"{one}\" checked")]);
    assert!(!page.text.contains(&format!("value=\"{other}\" checked")));
}

#[actix_web::test]
async fn the_way_back_does_nothing_by_itself_whatever_it_says() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2")]).await;
    add_user(&app, "anna", Role::Manager);
    for (next, at) in [
        (format!("/{uid}/consume_token"), "/".to_owned()),
        (format!("/sheet.pdf?uid={uid}"), format!("/sheet?uid={}", uid.replace('-', "%2D"))),
        (format!("/{uid}/use"), format!("/{uid}")),
        ("/logout".into(), "/".into()),
        ("/bulk?q=x".into(), "/?q=x".into()),
        (format!("/{uid}?done=used"), format!("/{uid}?done=used")),
        ("//evil.example".into(), "/".into()),
        ("/\\evil.example".into(), "/".into()),
        ("https://evil.example/".into(), "/".into()),
        ("/nothing/here".into(), "/nothing/here".into()),
    ] {
        let mut browser = Browser::new(&app);
        let fields = [("name", "anna"), ("password", crate::support::browser::PASSWORD), ("next", &next)];
        assert_eq!(browser.post("/login", &fields).await.location, at, "{next}");
        let _ = browser.get(&at).await;
    }
    assert_eq!(app.token(&uid).await["usage_count"], 2);
}

#[actix_web::test]
async fn what_is_gone_meanwhile_is_not_found() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let gone = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    for path in ["/actions/{}/undo", "/print_jobs/{}/go_on", "/batches/{}/rename", "/{}/use", "/{}/edit", "/nothing/{}"]
    {
        end_sessions(&mut elsewhere).await;
        let refused = browser.post(&path.replace("{}", gone), &[]).await;
        let (at, page) = sign_in(&mut browser, &refused).await;
        assert_eq!(page.status, 404, "{path} leads to {at}");
    }
}

#[actix_web::test]
async fn where_nothing_says_what_to_print_it_is_asked_or_refused() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/sheet").await.check(200, &["What do you want to print?", "There are no tokens yet"]);
    for n in 0..3 {
        app.add(&[("label", &format!("Locker {n}"))]).await;
    }
    for query in ["", "?uid=", "?q=&state=&batch=", "?all=", "?all=0", "?select=&uids=", "?sheet=avery-l7160&printer="]
    {
        viewer.get(&format!("/sheet{query}")).await.check(200, &["What do you want to print?"]);
        let json = app.request(Role::Viewer, Method::GET, &format!("/sheet.pdf{query}"));
        let answer = crate::support::app::send(json.header("Accept", "application/json")).await;
        answer.check_failure("TokenValueError").check_param("uid");
    }
    for path in ["/sheet.pdf", "/sheet/check", "/sheet/browser", "/print_jobs"] {
        viewer.post(path, &[("q", "")]).await.check(422, &["Nothing was printed", "What do you want to print?"]);
        let json = app.request(Role::Viewer, Method::POST, path).header("Accept", "application/json");
        crate::support::app::send(json.form(&[("uid", "")])).await.check_failure("TokenValueError");
    }
    assert_eq!(state(&app).1[1..3], [0, 0], "no run and no job");
    viewer.get("/sheet?all=1").await.check(200, &["<strong>3 tokens</strong>", "name=\"all\" value=\"1\""]);
    // A filter beside it is still a filter.
    viewer.get("/sheet?all=1&q=Locker+2").await.check(200, &["<strong>1 token</strong>"]);
    viewer.post("/sheet/browser", &[("all", "1")]).await.check(200, &["3 tokens"]);
    viewer.get("/").await.check(200, &["/sheet?all=1"]);
    viewer.get("/?q=Locker").await.check(200, &["/sheet?q=Locker\""]);
}
