//! Tokens are made in pieces, and seen only when they are whole.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use rand::RngExt;
use tessera::access::Role;
use tessera::store::batches::remove_abandoned;
use tessera::store::connection::transaction;
use tessera::store::tokens::list::{self, TokenFilter, TokenSlice};
use tessera::store::{Connection, tokens};
use tessera::token::{Micros, Token, Uid};

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::database::{Database, number};
use crate::support::process::Place;
use crate::support::tokens::token;

/// A batch of which some tokens are written, at a moment.
fn begin(connection: &mut Connection, name: &str, count: usize, touched: i64) -> Vec<Token> {
    let uid = Uid::random();
    let insert = format!(
        "INSERT INTO batches (uid, name, count, creator, created, touched) \
         VALUES ('{uid}', '{name}', 90000, 'user:anna', {touched}, {touched})"
    );
    connection.batch_execute(&insert).unwrap();
    let batch = number(connection, "SELECT MAX(id) FROM batches");
    let written: Vec<Token> = (0..count).map(|_| Token { batch: Some(batch), ..token(1) }).collect();
    transaction(connection, |connection| tokens::add_all(connection, &written)).unwrap();
    written
}

#[actix_web::test]
async fn nobody_sees_a_token_before_all_are_made() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut connection = app.connection();
    let there = app.add(&[]).await;
    let made = begin(&mut connection, "Summer", 3, Micros::now().get());
    let (uid, value) = (made[0].uid.to_string(), made[0].value.clone());
    let hidden = async |browser: &mut Browser| {
        app.consume(&uid).await.check_failure("TokenNotExists");
        app.post("/consume_token", &[("value", &value)]).await.check_failure("TokenNotExists");
        assert!(app.get("/query_token", &[("token_uid", &uid)]).await.body["token"].is_null());
        app.post(&format!("/{uid}/delete_token"), &[]).await.check_failure("TokenNotExists");
        let listed = app.get("/query_tokens", &[]).await;
        assert_eq!(listed.body["tokens"].as_array().unwrap().len(), 1, "{}", listed.body);
        browser.get(&format!("/{uid}")).await.check(404, &[]);
        browser.get("/").await.check(200, &["1 token", &there]);
        let page = browser.get(&format!("/sheet?uid={uid}")).await;
        assert!(!page.text.contains(&value) || page.status == 422, "{}", page.text);
    };
    hidden(&mut browser).await;
    for filter in [TokenFilter::default(), TokenFilter { q: Some(value.clone()), ..TokenFilter::default() }] {
        let found = list::page(&mut connection, &filter, Micros::now(), &TokenSlice::newest(None, 10)).unwrap();
        assert!(found.iter().all(|(_, token)| token.batch.is_none()));
    }
    connection.batch_execute("UPDATE batches SET made = 1").unwrap();
    app.consume(&uid).await.check_success();
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 4);
}

#[test]
fn what_a_server_that_ended_has_left_goes_piece_by_piece() {
    let database = Database::new();
    let mut connection = database.connect();
    let now = Micros::now();
    let lost = begin(&mut connection, "Lost", 350, now.get() - 61_000_000);
    begin(&mut connection, "", 3, now.get() - 61_000_000);
    let going_on = begin(&mut connection, "Going on", 5, now.get() - 30_000_000);
    let others = (0..4).map(|_| token(1)).collect::<Vec<_>>();
    transaction(&mut connection, |connection| tokens::add_all(connection, &others)).unwrap();
    let mut remove = || transaction(&mut connection, |connection| remove_abandoned(connection, now)).unwrap();
    assert!(remove(), "there is more");
    assert!(!remove());
    assert!(!remove());
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 9);
    let left = |connection: &mut Connection, tokens: &[Token]| {
        let uids: Vec<String> = tokens.iter().map(|token| format!("'{}'", token.uid)).collect();
        number(connection, &format!("SELECT COUNT(*) FROM tokens WHERE uid IN ({})", uids.join(", ")))
    };
    assert_eq!((left(&mut connection, &lost), left(&mut connection, &going_on)), (0, 5));
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM batches WHERE failure IS NOT NULL"), 2);
    connection.batch_execute("UPDATE batches SET made = 1 WHERE failure IS NULL").unwrap();
    assert!(!transaction(&mut connection, |connection| remove_abandoned(connection, now)).unwrap());
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 9, "what is made stays");
}

#[actix_web::test]
async fn many_that_are_made_by_one_call_are_no_batch_for_people() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let added = app.post(
        "/add_tokens",
        &[("count", "700"), ("valid_from", ""), ("valid_to", ""), ("usage_count", "1"), ("lock_time", "0")],
    );
    let added = added.await;
    let uids = added.check_success().body["token_uids"].as_array().unwrap().clone();
    assert_eq!(uids.len(), 700);
    let mut sorted = uids.clone();
    sorted.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    assert_eq!(uids, sorted, "in the order of their index");
    browser.get("/batches").await.check(200, &["No batches yet"]);
    let tile = browser.get(&format!("/{}", uids[699].as_str().unwrap())).await;
    tile.check(200, &[]);
    assert!(!tile.text.contains("/batches/"), "{}", tile.text);
    app.consume(uids[0].as_str().unwrap()).await.check_success();
}

/// `kill -9` while tokens are made: all of them are there, or none.
#[actix_web::test]
async fn kill_9_while_tokens_are_made_leaves_all_or_none() {
    let rounds = if std::env::var_os("TESSERA_TEST_LONG").is_some() { 50 } else { 4 };
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let mut there = 0;
    for round in 0..rounds {
        let making = server.post(&key, "/add_tokens").form(&[
            ("count", "3000"),
            ("valid_from", ""),
            ("valid_to", ""),
            ("usage_count", "1"),
            ("lock_time", "0"),
        ]);
        let making = tokio::spawn(making.send());
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(20..600))).await;
        server.kill();
        let is_done = making.await.unwrap().is_ok_and(|answer| answer.status() == 200);
        server = place.serve();
        let visible = "SELECT COUNT(*) FROM tokens LEFT JOIN batches ON batches.id = tokens.batch \
                       WHERE tokens.batch IS NULL OR batches.made IS NOT NULL";
        let now = number(&mut place.connection(), visible);
        assert!(
            now == there + 3_000 || now == there && !is_done,
            "round {round}: {now} after {there}, done: {is_done}"
        );
        there = now;
    }
}
