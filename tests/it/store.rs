//! The store by itself: the filter that repeats the rule, the plans of the lists, and the writer in trouble.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use proptest::prelude::*;
use tessera::access::Principal;
use tessera::store::connection::exclusively;
use tessera::store::token_list::{self, Part, Place, Sort, TokenFilter};
use tessera::store::usage::{self, UsageFilter};
use tessera::store::{Connection, Error, Store, tokens, writer};
use tessera::token::consume::state;
use tessera::token::settle::{Answer, Ask, Lookup};
use tessera::token::{Micros, State, Token, Uid};
use tessera::web::layers::{RequestLog, faults};

use crate::database::{Database, on_postgres};

fn token(usage_count: i32) -> Token {
    let uid = Uid::random();
    let now = Micros::now();
    Token {
        uid,
        value: uid.to_string(),
        label: None,
        valid_from: None,
        valid_to: None,
        usage_count,
        lock_time: 0,
        last_used: None,
        lock_start: None,
        creator: "user:anna".into(),
        created: now,
        modified: now,
    }
}

fn add(connection: &mut Connection, token: &Token) {
    exclusively(connection, |connection| tokens::add(connection, token)).unwrap();
}

fn at(offset: i64) -> Micros {
    Micros::stored(1_000_000_000_000 + offset * 1_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_filter_by_state_is_the_rule(
        rows in proptest::collection::vec(
            (
                prop_oneof![Just(-1), Just(0), Just(1)],
                prop_oneof![Just(0), Just(5), Just(i32::MAX)],
                proptest::option::of(-6..3i64),
                proptest::option::of(-2..3i64),
                proptest::option::of(-2..3i64),
            ),
            1..30,
        )
    ) {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = rows.into_iter().map(|(usage_count, lock_time, used, from, to)| Token {
            lock_time, last_used: used.map(at), lock_start: used.map(at), valid_from: from.map(at), valid_to: to.map(at),
            ..token(usage_count)
        }).collect();
        exclusively(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        for wanted in State::ALL {
            let filter = TokenFilter { state: Some(wanted), ..TokenFilter::default() };
            let found = token_list::page(&mut connection, &filter, at(0), Part::newest(None, 1_000)).unwrap();
            let mut found: Vec<Uid> = found.into_iter().map(|(_, token)| token.uid).collect();
            let mut right: Vec<Uid> = made.iter().filter(|token| state(token, at(0)) == wanted).map(|token| token.uid).collect();
            found.sort();
            right.sort();
            prop_assert_eq!(found, right, "{:?}", wanted);
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What the database plans for every query that `work` makes.
fn plans(database: &Database, work: impl FnOnce(&mut Connection)) -> Vec<(String, Vec<String>)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut connection = database.connect();
    let noted = Arc::clone(&seen);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            noted.lock().unwrap().push(query.to_string());
        }
    });
    work(&mut connection);
    let mut other = database.connect();
    let seen = seen.lock().unwrap();
    let selects =
        seen.iter().filter(|query| query.starts_with("SELECT")).map(|query| query.split(" -- binds").next().unwrap());
    let plan = |query: &str| {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(&mut other).unwrap();
        (query.to_owned(), steps.into_iter().map(|step| step.detail).collect())
    };
    selects.map(plan).collect()
}

/// A page costs what it shows, and not what lies before it: every query walks an index, and none sorts.
#[test]
fn pages_walk_an_index() {
    // PostgreSQL plans by what a table holds; the time of the last page, below, is its test.
    only_on_sqlite!();
    let database = Database::new();
    let all = TokenFilter::default();
    let made = TokenFilter { created_from: Some(at(0)), created_to: Some(at(9)), ..TokenFilter::default() };
    let (number, text) = (Place::number(5, 5), serde_json::from_str::<Place>(r#"{"key": "x", "id": 5}"#).unwrap());
    for (sort, filter, place, index) in [
        (Sort::Created, &all, &number, "tokens_created"),
        (Sort::Created, &made, &number, "tokens_created"),
        (Sort::Value, &all, &text, "tokens_value"),
        (Sort::Label, &all, &text, "tokens_label"),
        (Sort::ValidTo, &all, &number, "tokens_valid_to"),
    ] {
        for descending in [true, false] {
            let part = Part { sort, descending, after: Some(place.clone()), limit: 101 };
            let plans = plans(&database, |connection| drop(token_list::page(connection, filter, at(0), part).unwrap()));
            assert_eq!(plans.len(), 2, "what is alike, and what is behind");
            for (query, plan) in plans {
                assert!(
                    plan.len() == 1 && plan[0].starts_with("SEARCH") && plan[0].contains(index),
                    "{query}: {plan:?}"
                );
            }
        }
    }
    let token = token(1);
    add(&mut database.connect(), &token);
    for (token_uid, indexes) in
        [(Some(token.uid), &["usage_unknown", "tokens_uid", "usage_token"][..]), (None, &["PRIMARY KEY"])]
    {
        let filter = UsageFilter { token_uid, ..UsageFilter::default() };
        let after = Some(Place::number(5, 5));
        let plans = plans(&database, |connection| drop(usage::page(connection, &filter, after.as_ref(), 101).unwrap()));
        assert_eq!(plans.len(), indexes.len());
        for ((query, plan), index) in plans.iter().zip(indexes) {
            assert!(plan.len() == 1 && plan[0].starts_with("SEARCH") && plan[0].contains(index), "{query}: {plan:?}");
        }
    }
}

/// With a hundred thousand tokens, the last page is found in the time of the first: an `OFFSET` would be some
/// hundred times slower, so ten times is far from noise.
#[test]
fn the_last_page_is_as_quick_as_the_first() {
    let database = Database::new();
    let mut connection = database.connect();
    let created = Micros::now();
    let made: Vec<Token> = (0..100_000).map(|_| Token { created, ..token(1) }).collect();
    exclusively(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    let mut page = |after| {
        let since = std::time::Instant::now();
        let rows = token_list::page(&mut connection, &TokenFilter::default(), at(0), Part::newest(after, 100)).unwrap();
        (since.elapsed(), rows)
    };
    // They were made at one moment, so that only their numbers order them.
    let last_place = Place::number(made[0].created.get(), 101);
    let (mut first, mut last) = (Duration::MAX, Duration::MAX);
    for _ in 0..20 {
        first = first.min(page(None).0);
        let (took, rows) = page(Some(last_place.clone()));
        assert_eq!(rows.len(), 100);
        last = last.min(took);
    }
    assert!(last < first * 10, "first {first:?}, last {last:?}");
}

fn ask(uid: Uid) -> Ask {
    Ask { who: Principal::key("door"), what: Lookup { uid: Some(uid), ..Lookup::default() }, key: None }
}

#[actix_web::test]
async fn a_panic_in_a_write_is_told_and_the_writer_lives_on() {
    let database = Database::new();
    let token = token(2);
    add(&mut database.connect(), &token);
    let store = Store::start(&database.url).unwrap();
    let panicked = store.write::<()>(|_| panic!("a bug")).await;
    assert!(matches!(panicked, Err(Error::Failed(_))), "{panicked:?}");
    let uid = token.uid;
    let half = store.write::<()>(move |connection| {
        tokens::delete(connection, &[uid], &Principal::user("anna"), Micros::now())?;
        panic!("a bug after half of the work")
    });
    assert!(half.await.is_err());
    assert!(matches!(store.consume(ask(uid)).await, Ok(Answer::Consumed(_))), "nothing of it was kept");
}

#[actix_web::test]
async fn when_a_transaction_fails_everyone_in_it_is_told_and_nothing_is_kept() {
    let database = Database::new();
    let token = token(50);
    let mut connection = database.connect();
    add(&mut connection, &token);
    let store = Store::start(&database.url).unwrap();
    // The last statement of a batch fails, as if the disk did.
    let broken = if on_postgres() {
        "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'No space left on device'; END $$;
         CREATE TRIGGER broken BEFORE INSERT ON usage EXECUTE FUNCTION break()"
    } else {
        "CREATE TRIGGER broken BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    };
    connection.batch_execute(broken).unwrap();
    let answers = join_all((0..20).map(|_| store.consume(ask(token.uid)))).await;
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    connection
        .batch_execute(if on_postgres() { "DROP TRIGGER broken ON usage" } else { "DROP TRIGGER broken" })
        .unwrap();
    let Ok(Answer::Consumed(face)) = store.consume(ask(token.uid)).await else { panic!("consumed") };
    assert_eq!(face.usage_count, 49);
}

#[actix_web::test]
async fn a_full_queue_is_told_at_once() {
    let database = Database::new();
    let token = token(-1);
    add(&mut database.connect(), &token);
    let store = Store::start(&database.url).unwrap();
    // What the writer does once at its start is done.
    for _ in 0..2 {
        assert!(store.consume(ask(token.uid)).await.is_ok());
    }
    // The writer has taken one, and waits for somebody else's lock.
    let mut other = database.connect();
    let lock = if on_postgres() { "BEGIN; SELECT 1 FROM tokens FOR UPDATE" } else { "BEGIN IMMEDIATE" };
    other.batch_execute(lock).unwrap();
    let consume = || {
        let store = store.clone();
        tokio::spawn(async move { store.consume(ask(token.uid)).await })
    };
    let mut waiting = vec![consume()];
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiting.extend((0..writer::QUEUE).map(|_| consume()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = store.consume(ask(token.uid)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    other.batch_execute("ROLLBACK").unwrap();
    for answer in join_all(waiting).await {
        assert!(matches!(answer.unwrap(), Ok(Answer::Consumed(_))));
    }
}

#[actix_web::test]
async fn a_panic_in_a_handler_is_a_500_with_the_requests_id() {
    async fn panics() -> HttpResponse {
        panic!("a bug");
    }
    let app = App::new()
        .route("/panics", web::get().to(panics))
        .wrap(actix_web::middleware::from_fn(faults))
        .wrap(tracing_actix_web::TracingLogger::<RequestLog>::new());
    let app = actix_web::test::init_service(app).await;
    let request = actix_web::test::TestRequest::get().uri("/panics").to_request();
    let error = actix_web::test::try_call_service(&app, request).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["error"], &body["error_code"]), (&"Exception".into(), &serde_json::Value::Null));
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("under request ") && !message.contains("bug"), "{message}");
}

#[actix_web::test]
async fn locks_are_restarted_when_the_clock_was_found_to_have_jumped_back_before_the_start() {
    let database = Database::new();
    let ahead = Micros::now().plus_seconds(3_600);
    let token = Token { lock_time: 1, last_used: Some(ahead), lock_start: Some(ahead), ..token(5) };
    let mut connection = database.connect();
    add(&mut connection, &token);
    let entry = format!("INSERT INTO usage (uid, timestamp, principal) VALUES ('x', {}, 'key:door')", ahead.get());
    connection.batch_execute(&entry).unwrap();
    let store = Store::start(&database.url).unwrap();
    // Nobody tries: the writer looks by itself, and the lock lasts a second from then.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let Ok(Answer::Consumed(face)) = store.consume(ask(token.uid)).await else { panic!("consumed") };
    assert_eq!(face.last_used, Some(ahead));
}
