//! A key or a session that ends while its request is under way.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::{Principal, Role};
use tessera::store::accounts::{keys, users};
use tessera::store::connection::transaction;
use tessera::store::tokens;
use tessera::token::{Micros, Token};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::coming_back::{anna, end_sessions};
use crate::support::app::{Answer, App, add_key};
use crate::support::browser::{Browser, add_user};
use crate::support::database::number;
use crate::support::tokens::token;
use crate::support::usage_log::{keep_all, used, write};

/// Longer than a caller is remembered.
const A_SECOND: Duration = Duration::from_secs(1);

/// A form whose last byte has not been sent.
struct SlowForm(TcpStream);

impl SlowForm {
    async fn begin(app: &App, path: &str, headers: &str, form: &str) -> Self {
        let host = app.base.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            form.len() + 1
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(form.as_bytes()).await.unwrap();
        Self(socket)
    }

    /// Sends the last byte, and returns the answer.
    async fn end(mut self) -> String {
        self.0.write_all(b"&").await.unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

#[actix_web::test]
async fn a_key_that_was_revoked_while_its_body_was_sent_does_nothing() {
    let app = App::start().await;
    let by = Principal::shell("test");
    let key = add_key(&mut app.connection(), "laptop", Role::Manager, None);
    let bearer = format!("Authorization: Bearer {key}\r\nAccept: application/json");
    let token = "valid_from=&valid_to=&usage_count=1&lock_time=";
    let forms = [
        SlowForm::begin(&app, "/users/add", &bearer, "name=mallory&role=manager&password=mosaic-tile-1887").await,
        SlowForm::begin(&app, "/add_token", &bearer, token).await,
    ];
    transaction(&mut app.connection(), |connection| keys::revoke(connection, "laptop", &by, Micros::now())).unwrap();
    tokio::time::sleep(A_SECOND).await;
    for form in forms {
        let answer = form.end().await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    assert_eq!(users::list(&mut app.connection()).unwrap().len(), 0);
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 0);
}

#[actix_web::test]
async fn a_session_that_ended_and_a_role_that_was_taken_meanwhile_do_nothing() {
    let app = App::start().await;
    let by = Principal::shell("test");
    let (mut browser, mut elsewhere) = anna(&app).await;
    add_user(&app, "zoe", Role::Manager);
    let cookie =
        |browser: &Browser<'_>| format!("Cookie: {}\r\nSec-Fetch-Site: same-origin", browser.cookie().unwrap());
    let form = "name=stolen&role=manager";

    let ended = SlowForm::begin(&app, "/keys/add", &cookie(&browser), form).await;
    end_sessions(&mut elsewhere).await;
    let answer = ended.end().await;
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("location: /login?next="), "{answer}");

    browser.sign_in("anna").await.check_leads_to("/");
    let demoted = SlowForm::begin(&app, "/keys/add", &cookie(&browser), form).await;
    let demote = |connection: &mut _| users::set_role(connection, "anna", Role::Viewer, &by, Micros::now());
    transaction(&mut app.connection(), demote).unwrap();
    tokio::time::sleep(A_SECOND).await;
    let answer = demoted.end().await;
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("location: /login?next="), "{answer}");
    assert!(!keys::list(&mut app.connection()).unwrap().iter().any(|key| key.name == "stolen"));
}

/// More than what lies in the sockets' buffers.
#[actix_web::test]
async fn a_table_that_is_being_sent_ends_with_its_key() {
    let app = App::start().await;
    let by = Principal::shell("test");
    let attempts: Vec<_> = (0..1_000).map(|_| used("2026-11-01T00:00", &"9".repeat(900))).collect();
    keep_all(&mut app.connection());
    for _ in 0..20 {
        write(&mut app.connection(), &attempts);
    }
    let key = add_key(&mut app.connection(), "reader", Role::Viewer, None);
    let mut answer = app.anonymous(Method::GET, "/usage.csv").bearer_auth(&key).send().await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    transaction(&mut app.connection(), |connection| keys::revoke(connection, "reader", &by, Micros::now())).unwrap();
    tokio::time::sleep(A_SECOND).await;
    let is_cut = loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(is_cut, "it came whole");
}

/// Long work that has begun: what is there once it has, and is gone or done in the end.
struct LongWork {
    path: &'static str,
    body: Value,
    begun: &'static str,
    /// What must not be there.
    done: &'static str,
}

#[actix_web::test]
async fn a_key_that_is_revoked_while_many_tokens_are_made_or_deleted_leaves_all_as_it_was() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let made: Vec<Token> = (0..20_000).map(|_| token(1)).collect();
    transaction(&mut app.connection(), |connection| tokens::add_all(connection, &made)).unwrap();
    let uids: Vec<String> = made.iter().map(|token| token.uid.to_string()).collect();
    for work in [
        LongWork {
            path: "/add_tokens",
            body: json!({"count": 90_000, "valid_from": "", "valid_to": "", "usage_count": 1, "lock_time": 0}),
            begun: "SELECT COUNT(*) FROM batches WHERE made IS NULL",
            done: "SELECT COUNT(*) FROM batches WHERE made IS NOT NULL",
        },
        LongWork {
            path: "/delete_tokens",
            body: json!({ "token_uids": uids }),
            begun: "SELECT COUNT(*) FROM actions WHERE pending = 'listing'",
            done: "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NOT NULL",
        },
    ] {
        let key = add_key(&mut app.connection(), "laptop", Role::Manager, None);
        let call = app.anonymous(Method::POST, work.path).bearer_auth(&key).json(&work.body).send();
        let call = tokio::spawn(call);
        let mut connection = app.connection();
        while number(&mut connection, work.begun) == 0 {
            assert!(!call.is_finished(), "{}", work.path);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // By the server itself: a second process may wait for the lock until all is done.
        browser.post("/keys/revoke", &[("name", "laptop")]).await.check_leads_to("/keys");
        let answer = Answer::of(call.await.unwrap().unwrap()).await;
        assert_eq!(answer.status, 403, "{}", work.path);
        assert!(answer.body["message"].as_str().unwrap().contains("may no longer"), "{answer:?}");
        assert_eq!(number(&mut connection, work.done), 0, "{}", work.path);
    }
}

#[actix_web::test]
async fn a_user_who_is_removed_while_a_job_is_printed_prints_no_more() {
    let app = App::start().await;
    let by = Principal::shell("test");
    let made: Vec<Token> = (0..10_500).map(|_| token(1)).collect();
    transaction(&mut app.connection(), |connection| tokens::add_all(connection, &made)).unwrap();
    add_user(&app, "other", Role::Manager);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let form = [("all", "1"), ("sheet", "avery-l4731"), ("dpi", "600"), ("text", "none")];
    let job = viewer.post("/print_jobs", &form).await.check_leads_to("/print_jobs/").location.clone();
    transaction(&mut app.connection(), |c| users::remove(c, "viewer", &by, Micros::now())).unwrap();
    let mut manager = Browser::of(&app, Role::Manager).await;
    let ended = "SELECT COUNT(*) FROM print_jobs WHERE ended IS NOT NULL";
    while number(&mut app.connection(), ended) == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    manager.get(&job).await.check(200, &["Printing stopped", "may no longer"]);
    assert!(number(&mut app.connection(), "SELECT COUNT(*) FROM print_runs WHERE done IS NOT NULL") < 2);
}
