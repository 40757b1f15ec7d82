//! Rows that somebody holds locked on PostgreSQL: whoever asks for them waits, and nobody else.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use tessera::access::Principal;
use tessera::store::{Connection, Error, Store, tokens};
use tessera::token::Token;
use tessera::token::settle::{Answer, Ask, Lookup, RefusedAsk};
use tokio::task::JoinHandle;

use crate::support::database::Database;
use crate::support::tokens::{add, token};

fn ask(token: &Token) -> Ask {
    let what = Lookup { value: Some(token.value.clone()), ..Lookup::default() };
    Ask::once(Principal::key("door"), what)
}

/// A consume that may have to wait.
fn consume_beside(store: &Store, token: &Token) -> JoinHandle<Result<Answer, Error>> {
    let (store, ask) = (store.clone(), ask(token));
    tokio::spawn(async move { store.consume(ask).await })
}

/// A transaction that holds a token's row.
fn lock(database: &Database, token: &Token) -> Connection {
    let mut connection = database.connect();
    let lock = format!("BEGIN; SELECT 1 FROM tokens WHERE uid = '{}' FOR UPDATE", token.uid);
    connection.batch_execute(&lock).unwrap();
    connection
}

#[actix_web::test]
async fn a_locked_row_delays_those_who_ask_for_it_and_nobody_else() {
    only_on_postgres!();
    let database = Database::new();
    let (taken, free) = (token(3), token(1_000));
    add(&mut database.connect(), &taken);
    add(&mut database.connect(), &free);
    let store = Store::start(&database.url).unwrap();
    let mut holder = lock(&database, &taken);
    let waiting: Vec<_> = (0..5).map(|_| consume_beside(&store, &taken)).collect();
    for _ in 0..100 {
        assert!(matches!(store.consume(ask(&free)).await, Ok(Answer::Done(..))));
    }
    let unknown = store.consume(ask(&token(1))).await;
    assert!(matches!(unknown, Ok(Answer::Refused(RefusedAsk { summary: None, .. }))), "{unknown:?}");
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "nobody can know what becomes of it");
    holder.batch_execute("COMMIT").unwrap();
    let mut used = 0;
    for waiting in waiting {
        match waiting.await.unwrap().unwrap() {
            Answer::Done(..) => used += 1,
            Answer::Refused(RefusedAsk { summary, .. }) => assert!(summary.is_some()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(used, 3, "three uses are used three times");
}

#[actix_web::test]
async fn what_was_decided_while_it_was_locked_is_seen() {
    only_on_postgres!();
    let database = Database::new();
    let (deleted, renamed) = (token(1), token(1));
    add(&mut database.connect(), &deleted);
    add(&mut database.connect(), &renamed);
    let store = Store::start(&database.url).unwrap();
    let (mut first, mut second) = (lock(&database, &deleted), lock(&database, &renamed));
    let waiting = [&deleted, &renamed].map(|token| consume_beside(&store, token));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let delete = format!("UPDATE tokens SET deleted_at = 1, deleted_by = 'x' WHERE uid = '{}'; COMMIT", deleted.uid);
    first.batch_execute(&delete).unwrap();
    let rename = format!("UPDATE tokens SET value = 'another' WHERE uid = '{}'; COMMIT", renamed.uid);
    second.batch_execute(&rename).unwrap();
    for waiting in waiting {
        let answer = waiting.await.unwrap();
        assert!(matches!(answer, Ok(Answer::Refused(RefusedAsk { summary: None, .. }))), "{answer:?}");
    }
    let left = tokens::by_uid(&mut database.connect(), renamed.uid).unwrap().unwrap().1;
    assert_eq!((left.usage_count, left.used), (1, 0));
}

#[actix_web::test]
async fn a_row_that_stays_locked_is_given_up_and_nothing_is_used() {
    only_on_postgres!();
    let database = Database::new();
    let taken = token(1);
    add(&mut database.connect(), &taken);
    let store = Store::start(&database.url).unwrap();
    let mut holder = lock(&database, &taken);
    let given_up = store.consume(ask(&taken)).await;
    assert!(matches!(given_up, Err(Error::Unavailable(_))), "{given_up:?}");
    holder.batch_execute("COMMIT").unwrap();
    assert!(matches!(store.consume(ask(&taken)).await, Ok(Answer::Done(..))));
}
