//! The writer: what it does in trouble, and with what comes between.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, web};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tessera::access::Principal;
use tessera::store::connection::transaction;
use tessera::store::search::SearchLimit;
use tessera::store::usage::{self, UsageFilter};
use tessera::store::{Error, Store, tokens, writer};
use tessera::token::settle::{Answer, Ask, Lookup, Receipt};
use tessera::token::{Micros, Token, TokenError, Uid};
use tessera::web::middleware::{RequestLog, faults};

use crate::support::database::{Database, on_postgres};
use crate::support::tokens::{add, token};

fn ask(uid: Uid) -> Ask {
    Ask::once(Principal::key("door"), Lookup { uid: Some(uid), ..Lookup::default() })
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
    assert!(matches!(store.consume(ask(uid)).await, Ok(Answer::Done(..))), "nothing of it was kept");
}

#[actix_web::test]
async fn what_a_newer_version_has_migrated_is_not_written_any_more() {
    let database = Database::new();
    let made = token(100_000);
    let uid = made.uid;
    add(&mut database.connect(), &made);
    let store = Store::start(&database.url).unwrap();
    assert!(matches!(store.consume(ask(uid)).await, Ok(Answer::Done(..))));
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231')";
    database.connect().batch_execute(newer).unwrap();
    let is_refused = |what: Result<(), Error>| match what {
        Ok(()) => false,
        Err(Error::Unavailable(why)) => why.contains("a newer version of Tessera has migrated it"),
        Err(error) => panic!("{error:?}"),
    };
    for _ in 0..200 {
        if is_refused(store.consume(ask(uid)).await.map(drop)) {
            assert!(is_refused(store.write(|_| Ok(())).await));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it goes on writing");
}

#[actix_web::test]
async fn a_panic_in_a_look_up_leaves_no_transaction_to_the_next() {
    let database = Database::new();
    let store = Store::start(&database.url).unwrap();
    for _ in 0..3 {
        let panics = store.read_inline(|connection| -> Result<(), Error> {
            connection.batch_execute("BEGIN").unwrap();
            std::panic::resume_unwind(Box::new(()))
        });
        let _ = AssertUnwindSafe(panics).catch_unwind().await;
        let begins = store.read_inline(|connection| Ok(connection.batch_execute("BEGIN; ROLLBACK")?));
        assert!(begins.await.is_ok());
    }
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
    let Ok(Answer::Done(Receipt { summary: face, .. }, _)) = store.consume(ask(token.uid)).await else {
        panic!("consumed")
    };
    assert_eq!(face.usage_count, 49);
}

/// As when a form is sent to two instances at once.
#[actix_web::test]
async fn of_two_that_add_the_same_uid_at_once_one_adds_and_the_other_is_told() {
    let database = Database::new();
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    for _ in 0..20 {
        let token = token(1);
        let add = |store: &Store| {
            let (store, token) = (store.clone(), token.clone());
            tokio::spawn(async move { store.write(move |connection| tokens::add(connection, &token)).await })
        };
        let both = join_all(stores.iter().map(add)).await.into_iter().map(Result::unwrap);
        let (added, told): (Vec<_>, Vec<_>) = both.partition(Result::is_ok);
        assert_eq!((added.len(), told.len()), (1, 1));
        let Err(Error::Token(TokenError::Value { param, .. })) = &told[0] else { panic!("{told:?}") };
        assert_eq!(*param, "token_uid");
    }
}

/// One ask that the database cannot take costs nobody else an answer.
#[actix_web::test]
async fn one_ask_that_cannot_be_stored_does_not_spoil_its_batch() {
    let database = Database::new();
    let made: Vec<Token> = (0..20).map(|_| token(1)).collect();
    transaction(&mut database.connect(), |connection| tokens::add_all(connection, &made)).unwrap();
    let poison = made[7].uid;
    let only = if on_postgres() {
        format!(
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON usage FOR EACH ROW
                 WHEN (NEW.token_uid = '{poison}') EXECUTE FUNCTION break()"
        )
    } else {
        format!(
            "CREATE TRIGGER broken BEFORE INSERT ON usage WHEN NEW.token_uid = '{poison}'
             BEGIN SELECT RAISE(ABORT, 'a fault of ours'); END"
        )
    };
    database.connect().batch_execute(&only).unwrap();
    let store = Store::start(&database.url).unwrap();
    if on_postgres() {
        let counted = "ALTER TABLE usage ADD COLUMN in_transaction bigint DEFAULT txid_current()";
        database.connect().batch_execute(counted).unwrap();
    }
    let answers = join_all(made.iter().map(|token| store.consume(ask(token.uid)))).await;
    for (token, answer) in made.iter().zip(answers) {
        match answer {
            Ok(Answer::Done(Receipt { summary: face, .. }, _)) => {
                assert_eq!((face.token_uid, face.usage_count), (token.uid, 0));
            }
            Err(Error::Failed(_)) => assert_eq!(token.uid, poison),
            other => panic!("{other:?}"),
        }
    }
    let (_, left) = tokens::by_uid(&mut database.connect(), poison).unwrap().unwrap();
    assert_eq!(left.usage_count, 1);
    if on_postgres() {
        let transactions =
            diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT count(DISTINCT in_transaction) FROM usage");
        let transactions: i64 = transactions.get_result(&mut database.connect()).unwrap();
        assert!(transactions <= 8, "the others share theirs: {transactions}");
    }
}

/// Another transaction comes between, again and again: a write is tried anew until it is through.
#[actix_web::test]
async fn what_others_come_between_is_tried_again() {
    // SQLite's transactions have the write lock from their beginning.
    only_on_postgres!();
    let database = Database::new();
    // A standby's promotion, or an engine over many machines, says so with this code.
    let twice = "CREATE SEQUENCE times;
        CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('times') % 3 <> 0 THEN RAISE EXCEPTION 'came between' USING ERRCODE = '40001'; END IF;
            RETURN NEW; END $$;
        CREATE TRIGGER meet BEFORE INSERT ON usage FOR EACH ROW EXECUTE FUNCTION meet();
        CREATE TRIGGER meet BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION meet()";
    database.connect().batch_execute(twice).unwrap();
    let store = Store::start(&database.url).unwrap();
    let token = token(5);
    let (uid, added) = (token.uid, token.clone());
    store.write(move |connection| tokens::add(connection, &added)).await.unwrap();
    for left in [4, 3, 2] {
        let Ok(Answer::Done(Receipt { summary: face, .. }, _)) = store.consume(ask(uid)).await else {
            panic!("consumed")
        };
        assert_eq!(face.usage_count, left, "held and settled anew, and used once");
    }
    let limit = SearchLimit::new(Duration::from_mins(1));
    let entries = usage::page(&mut database.connect(), &UsageFilter::default(), None, 100, &limit).unwrap();
    assert_eq!(entries.len(), 3);

    let always = "CREATE OR REPLACE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'came between' USING ERRCODE = '40001'; END $$";
    database.connect().batch_execute(always).unwrap();
    assert!(matches!(store.consume(ask(uid)).await, Err(Error::Unavailable(_))), "a bounded number of times");
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
    // The writer has taken one, which waits for somebody else's lock.
    let mut other = database.connect();
    let lock = if on_postgres() { "BEGIN; SELECT 1 FROM tokens FOR UPDATE" } else { "BEGIN IMMEDIATE" };
    other.batch_execute(lock).unwrap();
    let consume = || {
        let store = store.clone();
        tokio::spawn(async move { store.consume(ask(token.uid)).await })
    };
    let since = Instant::now();
    let mut waiting = vec![consume()];
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiting.extend((1..writer::QUEUE).map(|_| consume()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = store.consume(ask(token.uid)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    other.batch_execute("ROLLBACK").unwrap();
    for answer in join_all(waiting).await {
        let answer = answer.unwrap();
        // On a machine that is busy with something else, some may have waited for as long as anybody does.
        let is_late = since.elapsed() > Duration::from_secs(5) && matches!(answer, Err(Error::Unavailable(_)));
        assert!(matches!(answer, Ok(Answer::Done(..))) || is_late, "{answer:?}");
    }
}

#[actix_web::test]
async fn locks_are_restarted_when_the_clock_was_found_to_have_jumped_back_before_the_start() {
    let database = Database::new();
    let ahead = Micros::now().plus_seconds(3_600);
    let token = Token { lock_time: 1, last_used: Some(ahead), lock_start: Some(ahead), ..token(5) };
    let mut connection = database.connect();
    add(&mut connection, &token);
    let entry = format!(
        "INSERT INTO usage (uid, timestamp, principal, uses, taken) VALUES ('x', {}, 'key:door', 1, 1)",
        ahead.get()
    );
    connection.batch_execute(&entry).unwrap();
    let store = Store::start(&database.url).unwrap();
    // Nobody tries: the writer looks by itself, and the lock lasts a second from then.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let Ok(Answer::Done(Receipt { summary: face, .. }, _)) = store.consume(ask(token.uid)).await else {
        panic!("consumed")
    };
    assert_eq!(face.last_used, Some(ahead));
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
