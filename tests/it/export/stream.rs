//! Long exports: whoever reads slowly, goes away, or may not read any more.

use std::time::Duration;

use reqwest::{Method, Response};
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::tokens;
use tessera::token::Token;

use crate::support::app::{App, add_key};
use crate::support::export::{column, exported, lines, table};
use crate::support::tokens::token;

/// More than what lies in the sockets' buffers.
const TOKENS: usize = 20_000;
const A_SECOND: Duration = Duration::from_millis(1_100);

fn add_tokens(app: &App) {
    let long = "9".repeat(900);
    let made: Vec<Token> = (0..TOKENS).map(|n| Token { value: format!("{n} {long}"), ..token(1) }).collect();
    transaction(&mut app.connection(), |connection| tokens::add_all(connection, &made)).unwrap();
}

/// Begins an export, and reads its beginning.
async fn begun(app: &App, path: &str, key: &str) -> (Response, Vec<u8>) {
    let mut answer = app.anonymous(Method::GET, path).bearer_auth(key).send().await.unwrap();
    let first = answer.chunk().await.unwrap().unwrap().to_vec();
    (answer, first)
}

/// Whether the rest of an answer comes whole.
async fn comes_whole(answer: &mut Response, read: &mut Vec<u8>) -> bool {
    loop {
        match answer.chunk().await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

#[actix_web::test]
async fn who_reads_slowly_or_goes_away_holds_up_nobody_and_gets_what_was_there() {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "reader", Role::Viewer, None);
    add_tokens(&app);
    let (mut slow, mut read) = begun(&app, "/export/tokens", &key).await;
    // More of them than there are threads and connections for searches.
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(begun(&app, "/export/tokens?format=jsonl", &key).await);
    }
    // Meanwhile doors, and others who search and export, go on.
    let uid = app.add(&[("value", "new"), ("usage_count", "1")]).await;
    app.consume(&uid).await.check_success();
    assert_eq!(lines(&exported(&app, "/export/tokens?format=jsonl&q=new").await).len(), 1);
    drop(idle);
    for _ in 0..10 {
        drop(begun(&app, "/export/tokens", &key).await);
    }
    assert!(comes_whole(&mut slow, &mut read).await);
    let rows = table(std::str::from_utf8(&read).unwrap(), b',');
    let values = column(&rows, "value");
    assert_eq!(values.len(), TOKENS, "without what was added meanwhile");
    assert!(values.iter().enumerate().all(|(n, value)| value.starts_with(&format!("{n} "))), "in order, each once");
    assert_eq!(table(&exported(&app, "/export/tokens").await, b',').len(), TOKENS + 2);
}

#[actix_web::test]
async fn an_export_breaks_off_when_its_key_is_revoked() {
    let app = App::start().await;
    add_tokens(&app);
    let key = add_key(&mut app.connection(), "reader", Role::Viewer, None);
    let (mut answer, mut read) = begun(&app, "/export/tokens?format=jsonl", &key).await;
    assert_eq!(app.post("/keys/revoke", &[("name", "reader")]).await.status, 200);
    tokio::time::sleep(A_SECOND).await;
    assert!(!comes_whole(&mut answer, &mut read).await, "it came whole");
    assert!(std::str::from_utf8(&read).unwrap().lines().count() < TOKENS);
}

#[actix_web::test]
async fn a_batch_that_is_being_made_comes_whole_or_not_at_all() {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "reader", Role::Viewer, None);
    add_tokens(&app);
    let batch = [("count", "20000"), ("batch_name", "Many"), ("usage_count", "1")];
    let (made, counts) = futures_util::future::join(app.post("/add_tokens", &batch), async {
        let mut counts = Vec::new();
        for _ in 0..4 {
            let (mut answer, mut read) = begun(&app, "/export/tokens", &key).await;
            assert!(comes_whole(&mut answer, &mut read).await);
            let rows = table(std::str::from_utf8(&read).unwrap(), b',');
            counts.push(column(&rows, "batch").iter().filter(|batch| **batch == "Many").count());
        }
        counts
    })
    .await;
    made.check_success();
    assert!(counts.iter().all(|count| [0, 20_000].contains(count)), "{counts:?}");
    assert_eq!(table(&exported(&app, "/export/tokens").await, b',').len(), 2 * TOKENS + 1);
}
