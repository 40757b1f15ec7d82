//! Who may do what: keys, roles, and what ends them.

use std::time::Duration;

use reqwest::Method;
use tessera::access::{Principal, Role};
use tessera::store::accounts::keys;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::app::{App, add_key, send};

#[actix_web::test]
async fn a_wrong_bearer_is_unauthorized() {
    let app = App::start().await;
    let other = tessera::access::api_key::generate();
    for header in
        ["Bearer", "Bearer ", "Bearer x", "Basic dTpw", &format!("Bearer {other}"), &format!("Bearer {}", &other[..51])]
    {
        let answer = send(app.anonymous(Method::GET, "/query_tokens").header("Authorization", header)).await;
        answer.check_failure("Unauthorized");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let good = add_key(&mut app.connection(), "lower", Role::Viewer, None);
    let answer =
        send(app.anonymous(Method::GET, "/query_tokens").header("Authorization", format!("bearer {good}"))).await;
    answer.check_success();
}

#[actix_web::test]
async fn a_key_works_at_once_and_ends_within_a_second() {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "door-3", Role::Scanner, None);
    let ask = || send(app.anonymous(Method::GET, "/query_token").query(&[("value", "x")]).bearer_auth(&key));
    ask().await.check_success();
    let by = Principal::shell("test");
    transaction(&mut app.connection(), |connection| keys::revoke(connection, "door-3", &by, Micros::now())).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    ask().await.check_failure("Unauthorized");
}

#[actix_web::test]
async fn a_key_made_again_under_a_revoked_ones_name_gets_none_of_its_replies() {
    let app = App::start().await;
    let by = Principal::shell("test");
    let uid = app.add(&[("usage_count", "5")]).await;
    for left in [4, 3] {
        let key = add_key(&mut app.connection(), "door", Role::Scanner, None);
        for replayed in [false, true] {
            let ask = app.anonymous(Method::POST, &format!("/{uid}/consume_token")).form(&[("nonce", "1")]);
            let answer = send(ask.bearer_auth(&key)).await;
            let body = &answer.check_success().body;
            assert_eq!((&body["usage_count"], body["replayed"] == true), (&left.into(), replayed));
        }
        transaction(&mut app.connection(), |connection| keys::revoke(connection, "door", &by, Micros::now())).unwrap();
    }
}

#[actix_web::test]
async fn a_key_ends_when_it_expires() {
    let app = App::start().await;
    let soon = Micros::now().plus_seconds(2);
    let key = add_key(&mut app.connection(), "short", Role::Scanner, Some(soon));
    let ask = || send(app.anonymous(Method::GET, "/query_token").query(&[("value", "x")]).bearer_auth(&key));
    ask().await.check_success();
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    ask().await.check_failure("Unauthorized");
}

#[actix_web::test]
async fn a_keys_last_use_is_written() {
    let app = App::start().await;
    app.get("/query_tokens", &[]).await.check_success();
    let mut last_used = None;
    for _ in 0..50 {
        let keys = keys::list(&mut app.connection()).unwrap();
        last_used = keys.iter().find(|key| key.name == "manager").unwrap().last_used;
        if last_used.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(last_used.is_some());
}
