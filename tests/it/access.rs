//! Who may do what: keys, roles, and what ends them.

use std::time::Duration;

use reqwest::Method;
use tessera::access::{Permission, Principal, Role};
use tessera::store::accounts::keys;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::app::{App, add_key, send};

/// Every view and what it takes to enter.
const VIEWS: [(&str, &str, Permission); 22] = [
    ("POST", "/add_token", Permission::Edit),
    ("POST", "/UID/add_token", Permission::Edit),
    ("POST", "/add_tokens", Permission::Edit),
    ("GET", "/consume_token", Permission::Consume),
    ("POST", "/consume_token", Permission::Consume),
    ("GET", "/UID/consume_token", Permission::Consume),
    ("POST", "/UID/consume_token", Permission::Consume),
    ("POST", "/edit_token", Permission::Edit),
    ("POST", "/UID/edit_token", Permission::Edit),
    ("POST", "/update_token", Permission::Edit),
    ("POST", "/UID/update_token", Permission::Edit),
    ("POST", "/delete_token", Permission::Delete),
    ("POST", "/UID/delete_token", Permission::Delete),
    ("POST", "/delete_tokens", Permission::Delete),
    ("POST", "/void_token", Permission::Delete),
    ("POST", "/UID/void_token", Permission::Delete),
    ("POST", "/restore_token", Permission::Delete),
    ("POST", "/UID/restore_token", Permission::Delete),
    ("GET", "/query_token", Permission::Ask),
    ("GET", "/query_tokens", Permission::See),
    ("GET", "/query_usage", Permission::See),
    ("GET", "/nothing/at/all", Permission::Ask),
];
const UID: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

#[actix_web::test]
async fn the_contracts_table_of_roles() {
    let app = App::start().await;
    for (method, path, permission) in VIEWS {
        let (method, path) = (method.parse::<Method>().unwrap(), path.replace("UID", UID));
        for role in Role::ALL {
            // What is wrong with the request is told only to who may make it.
            let wrong = app.request(role, method.clone(), &path).query(&[("wrong", "x")]);
            let answer = send(wrong.header("Accept", "application/json")).await;
            if role.may(permission) {
                assert!(matches!(answer.status, 400 | 404), "{role} {method} {path}: {answer:?}");
            } else {
                answer.check_failure("Forbidden");
            }
        }
        let nobody = send(app.anonymous(method.clone(), &path).header("Accept", "application/json")).await;
        nobody.check_failure("Unauthorized");
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
    }
}

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
