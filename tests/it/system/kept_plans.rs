//! The plans that PostgreSQL keeps for consuming: they are made once, maybe for a new database, and used for a full one.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use tessera::access::Principal;
use tessera::store::connection::transaction;
use tessera::store::{Connection, Store, tokens};
use tessera::token::Token;
use tessera::token::settle::Answer::{self, Done, Refused, Replayed};
use tessera::token::settle::{Ask, Lookup, ReplayKey};

use crate::support::database::{Database, number};
use crate::support::tokens::token;

/// Rows of each table, and consumes of each kind.
const ROWS: usize = 20_000;
const CONSUMES: usize = 40;

/// Rows and entries of indexes that were read.
const READ: &str = "SELECT SUM(seq_tup_read) + (SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes \
    WHERE relname IN ('tokens', 'usage', 'replies')) FROM pg_stat_user_tables WHERE relname IN ('tokens', 'usage', 'replies')";

/// Uses of a token by its uid and by its value, with a key and again with it, and an attempt at a token that nobody has.
async fn consume(store: &Store, token: &Token, key: &str) -> Vec<Answer> {
    let who = || Principal::key("door");
    let by_uid = || Lookup { uid: Some(token.uid), ..Lookup::default() };
    let by_value = |value: &str| Lookup { value: Some(value.to_owned()), ..Lookup::default() };
    let with_key = || Ask::once(who(), by_uid()).with_key(ReplayKey::new(key).unwrap());
    let asks = [
        Ask::once(who(), by_uid()),
        Ask::once(who(), by_value(&token.value)),
        Ask::once(who(), by_value("nobody's")),
        with_key(),
        with_key(),
    ];
    let mut answers = Vec::new();
    for ask in asks {
        answers.push(store.consume(ask).await.unwrap());
    }
    answers
}

/// What was read so far. Whoever has read says so once a second.
async fn read(store: &Store, connection: &mut Connection) -> i64 {
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    consume(store, &token(1), "last").await;
    connection.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
    number(connection, READ)
}

#[actix_web::test]
async fn what_was_planned_for_an_empty_database_is_right_for_a_full_one() {
    only_on_postgres!();
    let database = Database::new();
    let mut connection = database.connect();
    // New statistics would make new plans.
    for table in ["tokens", "usage", "replies"] {
        connection.batch_execute(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).unwrap();
    }
    let store = Store::start(&database.url).unwrap();
    for n in 0..10 {
        consume(&store, &token(1), &format!("early {n}")).await;
    }
    let made: Vec<Token> = (0..ROWS).map(|n| Token { value: format!("Seat {n}"), ..token(3) }).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    let others = format!(
        "INSERT INTO usage (uid, token, token_uid, timestamp, principal, uses, taken, undoes) \
         SELECT 'undo ' || n, 1, 'other', n, 'key:other', -1, -1, 'use ' || n FROM generate_series(1, {ROWS}) AS n; \
         INSERT INTO replies (owner, key, created, token_uid, value, usage_count, usage_uid, uses) \
         SELECT 'key:door', 'other ' || n, CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT), '{uid}', 'v', 1, '{uid}', 1 \
         FROM generate_series(1, {ROWS}) AS n",
        uid = token(1).uid
    );
    connection.batch_execute(&others).unwrap();
    let before = read(&store, &mut connection).await;
    for (n, token) in made.iter().step_by(ROWS / CONSUMES).enumerate() {
        let answers = consume(&store, token, &format!("late {n}")).await;
        assert!(matches!(&answers[..], [Done(..), Done(..), Refused(..), Done(..), Replayed(..)]), "{answers:?}");
    }
    let more = read(&store, &mut connection).await - before;
    let consumes = i64::try_from(CONSUMES).unwrap() * 5;
    // Rows that are read are counted as an index's entry, and again as a table's row.
    assert!(more < consumes * 20, "{consumes} consumes read {more} rows");
}
