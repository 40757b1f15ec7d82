//! The `Idempotency-Key` of views other than `consume_token`.

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::{Principal, Role};
use tessera::store::accounts::keys;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::app::{Answer, App, add_key, send};
use crate::support::database::number;

async fn post(app: &App, path: &str, key: &str, body: &Value) -> Answer {
    let ask = app.request(Role::Manager, Method::POST, path).header("Idempotency-Key", key);
    send(ask.json(body)).await
}

/// Every view that changes something, with parameters for the token `uid` and what counts how often it was done.
fn views(uid: &str, other: &str) -> Vec<(&'static str, Value)> {
    let times = json!({"valid_from": "", "valid_to": "", "usage_count": 7, "lock_time": 0});
    let with_uid = |mut body: Value| {
        body["token_uid"] = json!(uid);
        body
    };
    vec![
        ("/add_token", times.clone()),
        ("/add_tokens", json!({"count": 3, "label": "Locker {n}"})),
        ("/add_tokens", json!({"tokens": [{"value": "A-1"}, {"value": "A-2", "usage_count": 2}]})),
        ("/add_tokens", json!({"count": 500, "batch_name": "Summer"})),
        ("/edit_token", with_uid(times)),
        ("/update_token", with_uid(json!({"add_uses": 5}))),
        ("/update_tokens", json!({"tokens": [{"token_uid": uid, "add_uses": 5}]})),
        ("/void_token", with_uid(json!({"reason": "Lost"}))),
        ("/void_tokens", json!({"token_uids": [uid, uid]})),
        ("/restore_token", with_uid(json!({}))),
        ("/restore_tokens", json!({"token_uids": [uid]})),
        ("/delete_token", with_uid(json!({}))),
        ("/delete_tokens", json!({"token_uids": [other]})),
    ]
}

/// What the database has that each of them changes: without times.
fn state(app: &App) -> Vec<i64> {
    let mut connection = app.connection();
    [
        "SELECT COUNT(*) FROM tokens",
        "SELECT CAST(SUM(usage_count) AS BIGINT) FROM tokens",
        "SELECT CAST(SUM(modified) AS BIGINT) FROM tokens",
        "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL",
        "SELECT COUNT(*) FROM batches",
        "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'key%'",
    ]
    .map(|query| number(&mut connection, query))
    .to_vec()
}

#[actix_web::test]
async fn every_view_that_changes_something_does_it_once_for_a_key() {
    let app = App::start().await;
    let (uid, other) = (app.add(&[("usage_count", "1")]).await, app.add(&[]).await);
    for (n, (path, body)) in views(&uid, &other).into_iter().enumerate() {
        let key = format!("order-{n}");
        let first = post(&app, path, &key, &body).await;
        let mut wanted = first.check_success().body.clone();
        assert_eq!(wanted.get("replayed"), None, "{path}");
        let after = state(&app);
        wanted["replayed"] = json!(true);
        for _ in 0..2 {
            let again = post(&app, path, &key, &body).await;
            assert_eq!(again.check_success().body, wanted, "{path}");
            assert_eq!(state(&app), after, "{path}");
        }
        let mut else_ = body.clone();
        else_["label"] = json!("other");
        let other_parameters = if path.contains("void") || path.contains("restore") || path.contains("delete") {
            json!({"token_uid": other, "token_uids": [other, uid]})
        } else {
            else_
        };
        let known: Value = match path.ends_with('s') {
            true if other_parameters.get("token_uids").is_some() => {
                json!({"token_uids": other_parameters["token_uids"]})
            }
            false if other_parameters.get("token_uids").is_some() => {
                json!({"token_uid": other_parameters["token_uid"]})
            }
            _ if path == "/update_tokens" => json!({"tokens": [{"token_uid": uid, "add_uses": 6}]}),
            _ => other_parameters,
        };
        let refused = post(&app, path, &key, &known).await;
        refused.check_failure("TokenValueError").check_param("Idempotency-Key");
        assert_eq!(refused.body["reason"], "key_reused", "{path}");
        assert_eq!(state(&app), after, "{path}");
    }
}

#[actix_web::test]
async fn a_key_is_for_one_view_whichever_came_first() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    let by_uid = json!({"token_uid": uid});
    post(&app, "/consume_token", "use", &by_uid).await.check_success();
    let add = json!({"token_uid": uid, "add_uses": 1});
    post(&app, "/update_token", "add", &add).await.check_success();
    for (path, key, body) in [
        ("/update_token", "use", &add),
        ("/void_token", "use", &by_uid),
        ("/consume_token", "add", &by_uid),
        ("/void_token", "add", &by_uid),
    ] {
        let refused = post(&app, path, key, body).await;
        refused.check_failure("TokenValueError").check_param("Idempotency-Key");
    }
    let by_nonce = send(
        app.request(Role::Manager, Method::POST, "/consume_token")
            .form(&[("token_uid", uid.as_str()), ("nonce", "add")]),
    );
    by_nonce.await.check_failure("TokenValueError").check_param("nonce");
    let undo = json!({"nonce": "add"});
    post(&app, "/undo_consume", "undo", &undo).await.check_failure("TokenValueError").check_param("nonce");
    assert_eq!(app.token(&uid).await["usage_count"], 9);
}

#[actix_web::test]
async fn a_failure_is_not_kept() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1"), ("usage_count", "1")]).await;
    let less = json!({"token_uid": uid, "add_uses": -2});
    for _ in 0..2 {
        post(&app, "/update_token", "k", &less).await.check_failure("TokenValueError").check_param("add_uses");
    }
    app.post("/update_token", &[("token_uid", uid.as_str()), ("add_uses", "1")]).await.check_success();
    assert_eq!(post(&app, "/update_token", "k", &less).await.check_success().body.get("replayed"), None);
    let taken = json!({"tokens": [{"value": "T-2"}, {"value": "T-1"}]});
    let refused = post(&app, "/add_tokens", "many", &taken).await;
    refused.check_failure("TokenValueError").check_param("tokens[1].value");
    app.post("/delete_token", &[("token_uid", &uid)]).await.check_success();
    post(&app, "/add_tokens", "many", &taken).await.check_success();
}

#[actix_web::test]
async fn the_same_request_may_be_written_otherwise() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1")]).await;
    post(&app, "/update_token", "k", &json!({"token_uid": uid, "add_uses": 5, "label": null})).await.check_success();
    let form = [("add_uses", "5"), ("label", ""), ("_", "123")];
    let ask = app.request(Role::Manager, Method::POST, &format!("/{}/update_token", uid.to_uppercase())).form(&form);
    let again = send(ask.header("Idempotency-Key", "k")).await;
    assert_eq!(again.check_success().body["replayed"], true);
    assert_eq!(app.token(&uid).await["usage_count"], 6);
}

#[actix_web::test]
async fn a_replay_has_the_token_as_it_was() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1")]).await;
    let body = json!({"token_uid": uid, "add_uses": 5, "return": "token"});
    let first = post(&app, "/update_token", "k", &body).await;
    assert_eq!(first.check_success().body["token"]["usage_count"], 6);
    app.consume(&uid).await.check_success();
    let again = post(&app, "/update_token", "k", &body).await;
    assert_eq!(again.check_success().body["token"], first.body["token"]);
}

#[actix_web::test]
async fn a_key_belongs_to_the_api_key_and_not_to_its_name() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "0")]).await;
    for uses in [5, 10] {
        let key = add_key(&mut app.connection(), "shop", Role::Editor, None);
        let ask = || {
            let ask = app.anonymous(Method::POST, &format!("/{uid}/update_token")).form(&[("add_uses", "5")]);
            send(ask.header("Idempotency-Key", "order-1").bearer_auth(&key))
        };
        assert_eq!(ask().await.check_success().body.get("replayed"), None);
        assert_eq!(ask().await.check_success().body["replayed"], true);
        assert_eq!(app.token(&uid).await["usage_count"], uses);
        let by = Principal::shell("test");
        transaction(&mut app.connection(), |connection| keys::revoke(connection, "shop", &by, Micros::now())).unwrap();
    }
}

#[actix_web::test]
async fn the_same_key_a_hundred_times_at_once_is_one_request() {
    let app = App::start().await;
    let (uid, other) = (app.add(&[("usage_count", "1")]).await, app.add(&[]).await);
    for (n, (path, body)) in views(&uid, &other).into_iter().enumerate() {
        let key = format!("order-{n}");
        let asks = (0..100).map(|_| post(&app, path, &key, &body));
        let (mut done, mut replayed, mut waiting) = (0, 0, 0);
        for answer in futures_util::future::join_all(asks).await {
            match answer.status {
                200 if answer.body.get("replayed").is_none() => done += 1,
                200 => replayed += 1,
                409 => {
                    answer.check_failure("Conflict");
                    assert_eq!(answer.header("retry-after"), "1");
                    waiting += 1;
                }
                status => panic!("{path}: {status} {}", answer.body),
            }
        }
        assert_eq!((done, replayed + waiting), (1, 99), "{path}");
    }
    assert_eq!(number(&mut app.connection(), "SELECT COUNT(*) FROM tokens"), 2 + 1 + 3 + 2 + 500);
}

/// It must not be told that its tokens are gone, which it has deleted itself.
#[actix_web::test]
async fn a_deletion_does_not_meet_itself() {
    let app = App::start().await;
    for (round, count) in [(0, 1), (1, 20), (2, 600), (3, 600)] {
        let added = app.post("/add_tokens", &[("count", &count.to_string())]).await;
        let body = json!({"token_uids": added.check_success().body["token_uids"]});
        let order = format!("order-{round}");
        let asks = (0..10).map(|_| post(&app, "/delete_tokens", &order, &body));
        for answer in futures_util::future::join_all(asks).await {
            assert!(matches!(answer.status, 200 | 409), "{count}: {}", answer.body);
        }
        assert_eq!(post(&app, "/delete_tokens", &order, &body).await.check_success().body["replayed"], true);
    }
}
