//! `consume_token`: the rule through HTTP, its answers, and idempotency.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use tessera::access::Role;

use crate::support::app::{App, send, with_required};

#[actix_web::test]
async fn a_token_with_two_uses_is_used_twice() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2"), ("label", "Anna"), ("value", "T-1")]).await;
    let first = app.consume(&uid).await;
    let last_used = first.check_success().body["last_used"].clone();
    let usage_uid = first.body["usage_uid"].clone();
    assert_eq!(
        first.body,
        json!({
            "success": true, "consumed": true, "token_uid": uid, "value": "T-1", "label": "Anna", "usage_count": 1,
            "last_used": last_used, "valid_from": null, "valid_to": null, "uses": 1, "usage_uid": usage_uid, "gate": null,
        })
    );
    assert_eq!(app.consume(&uid).await.check_success().body["usage_count"], 0);
    let refused = app.consume(&uid).await;
    refused.check_failure("TokenUsageCountExceeded");
    assert_eq!((&refused.body["usage_count"], &refused.body["retry_at"]), (&json!(0), &json!(null)));
    assert_eq!(app.token(&uid).await["state"], "used_up");
}

#[actix_web::test]
async fn unlimited_stays_unlimited() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    for _ in 0..3 {
        assert_eq!(app.consume(&uid).await.check_success().body["usage_count"], -1);
    }
}

#[actix_web::test]
async fn a_lock_says_when_it_opens() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "5"), ("lock_time", "3600")]).await;
    let used = app.consume(&uid).await;
    used.check_success();
    let refused = app.consume(&uid).await;
    refused.check_failure("TokenLockTimeViolation");
    let seconds: i64 = refused.header("retry-after").parse().unwrap();
    assert!((3_590..=3_600).contains(&seconds), "{seconds}");
    assert_eq!(refused.body["last_used"], used.body["last_used"]);
    assert_eq!(app.token(&uid).await["state"], "locked");
    assert!(refused.body["retry_at"].as_str().unwrap() > refused.body["last_used"].as_str().unwrap());
    app.post(&format!("/{uid}/update_token"), &[("lock_time", "0")]).await.check_success();
    app.consume(&uid).await.check_success();
}

#[actix_web::test]
async fn a_time_range_is_kept() {
    let app = App::start().await;
    let pending = app.add(&[("valid_from", "2999-01-01T00:00:00Z")]).await;
    let refused = app.consume(&pending).await;
    refused.check_failure("TokenTimeRangeViolation");
    assert_eq!(refused.body["retry_at"], "2999-01-01T00:00:00Z");
    assert_eq!(refused.body["valid_from"], "2999-01-01T00:00:00Z");
    assert_eq!(app.token(&pending).await["state"], "pending");
    let expired = app.add(&[("valid_to", "2001-01-01T00:00:00Z")]).await;
    let refused = app.consume(&expired).await;
    refused.check_failure("TokenTimeRangeViolation");
    assert_eq!(refused.body["retry_at"], json!(null));
    assert_eq!(app.token(&expired).await["state"], "expired");
    let valid = app.add(&[("valid_from", "2001-01-01"), ("valid_to", "2999-01-01")]).await;
    app.consume(&valid).await.check_success();
}

#[actix_web::test]
async fn the_order_of_the_rule() {
    let app = App::start().await;
    let fields = [("usage_count", "1"), ("lock_time", "3600"), ("valid_to", "2999-01-01")];
    let uid = app.add(&fields).await;
    app.consume(&uid).await.check_success();
    app.consume(&uid).await.check_failure("TokenUsageCountExceeded");
    app.post(&format!("/{uid}/update_token"), &[("usage_count", "1"), ("valid_to", "2001-01-01")])
        .await
        .check_success();
    let locked = app.consume(&uid).await;
    locked.check_failure("TokenLockTimeViolation");
    assert_eq!(locked.body["retry_at"], json!(null), "it expires before the lock opens");
    assert!(!locked.header("retry-after").is_empty());
    app.post(&format!("/{uid}/update_token"), &[("lock_time", "0")]).await.check_success();
    app.consume(&uid).await.check_failure("TokenTimeRangeViolation");
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    let gone = app.consume(&uid).await;
    gone.check_failure("TokenNotExists");
    assert!(gone.body.get("token_uid").is_none(), "a deleted token has no face");
    assert_eq!(gone.body["retry_at"], json!(null));
}

#[actix_web::test]
async fn a_token_is_named_by_uid_value_or_link() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&[("usage_count", "-1"), ("value", "ü/1")]).await;
    let other = app.add(&[("usage_count", "-1")]).await;
    let link = format!("{}/{uid}", app.base);
    let ok = [
        vec![("token_uid", uid.as_str())],
        vec![("value", "ü/1")],
        vec![("value", link.as_str())],
        vec![("token_uid", &uid), ("value", "ü/1")],
        vec![("token_uid", &uid), ("value", &link)],
        vec![("token_uid", ""), ("value", "ü/1")],
    ];
    for form in ok {
        assert_eq!(app.post("/consume_token", &form).await.check_success().body["token_uid"], uid, "{form:?}");
        assert_eq!(app.get("/consume_token", &form).await.check_success().body["token_uid"], uid, "{form:?}");
        assert_eq!(app.get("/query_token", &form).await.check_success().body["token"]["uid"], uid, "{form:?}");
    }
    app.get(&format!("/{}/consume_token", uid.to_uppercase()), &[]).await.check_success();
    app.post(&format!("/{uid}/consume_token"), &[("token_uid", &uid)]).await.check_success();
    app.post(&format!("/{uid}/consume_token"), &[("token_uid", &other)])
        .await
        .check_failure("TokenValueError")
        .check_param("token_uid");

    let long = "x".repeat(1_001);
    let wrong = [
        (vec![("token_uid", other.as_str()), ("value", "ü/1")], "value"),
        (vec![("token_uid", &uid), ("value", "nothing")], "value"),
        (vec![("token_uid", "x")], "token_uid"),
        (vec![("token_uid", "")], "token_uid"),
        (vec![("value", "")], "value"),
        (vec![("value", &long)], "value"),
        (vec![("value", "a\nb")], "value"),
    ];
    for (form, param) in wrong {
        app.post("/consume_token", &form).await.check_failure("TokenValueError").check_param(param);
        app.get("/query_token", &form).await.check_failure("TokenValueError").check_param(param);
    }
    app.post("/consume_token", &[]).await.check_failure("TokenAPIError").check_param("token_uid");
    app.post("/consume_token", &[("value", "Ü/1")]).await.check_failure("TokenNotExists");
    for scanned in [" ü/1\r\n", "\tü/1 ", &uid.to_uppercase(), &format!("{link}\n")] {
        let what = [("value", scanned)];
        if scanned.contains('/') {
            assert_eq!(app.post("/consume_token", &what).await.check_success().body["token_uid"], uid, "{scanned:?}");
        }
    }
    let upper = [("value", other.to_uppercase())];
    let upper: Vec<(&str, &str)> = upper.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(app.post("/consume_token", &upper).await.check_success().body["token_uid"], other);
    app.get("/not-a-uid/consume_token", &[]).await.check_failure("TokenValueError").check_param("token_uid");
}

#[actix_web::test]
async fn every_attempt_is_logged_once() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1"), ("value", "T-1")]).await;
    let nobody = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    app.consume(&uid).await.check_success();
    app.post("/consume_token", &[("value", "T-1")]).await.check_failure("TokenUsageCountExceeded");
    app.consume(nobody).await.check_failure("TokenNotExists");
    app.post("/consume_token", &[("value", &"ä".repeat(100))]).await.check_failure("TokenNotExists");
    let entries = app.usage(None).await;
    let seen: Vec<_> =
        entries.iter().rev().map(|e| (&e["token_uid"], &e["token_value"], &e["error_code"], &e["error"])).collect();
    assert_eq!(seen[0], (&json!(uid), &json!("T-1"), &json!(null), &json!(null)));
    assert_eq!(seen[1], (&json!(uid), &json!("T-1"), &json!(2), &json!("TokenUsageCountExceeded")));
    assert_eq!(seen[2], (&json!(nobody), &json!(null), &json!(1), &json!("TokenNotExists")));
    assert_eq!(seen[3], (&json!(null), &json!("ä".repeat(64)), &json!(1), &json!("TokenNotExists")));
    assert!(entries.iter().all(|entry| entry["user"] == "key:manager"));
    assert_eq!(app.usage(Some(nobody)).await.len(), 1);
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    app.consume(&uid).await.check_failure("TokenNotExists");
    assert_eq!(app.usage(Some(&uid)).await.len(), 3, "the log outlives the token, and goes on");
    app.post(&format!("/{nobody}/add_token"), &with_required(&[])).await.check_success();
    assert_eq!(app.usage(Some(nobody)).await.len(), 1, "and knows of attempts before it was made");
}

#[actix_web::test]
async fn head_and_prefetch_consume_nothing_and_log_nothing() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1")]).await;
    for path in [format!("/{uid}/consume_token"), "/consume_token".into()] {
        let head = app.request(Role::Scanner, Method::HEAD, &path).query(&[("token_uid", &uid)]).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
    }
    for (name, value) in [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "Prefetch")] {
        let ahead = app.request(Role::Scanner, Method::GET, &format!("/{uid}/consume_token")).header(name, value);
        send(ahead).await.check_failure("Forbidden");
    }
    assert_eq!(app.usage(None).await.len(), 0);
    app.consume(&uid).await.check_success();
}

#[actix_web::test]
async fn the_same_key_uses_once() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2"), ("value", "T-1")]).await;
    let other = app.add(&[("usage_count", "2")]).await;
    let ask = |role, uid: &str, key: &str| {
        send(app.request(role, Method::POST, &format!("/{uid}/consume_token")).header("Idempotency-Key", key))
    };
    let first = ask(Role::Scanner, &uid, "k-1").await;
    first.check_success();
    assert!(first.body.get("replayed").is_none());
    let again = ask(Role::Scanner, &uid, "k-1").await;
    let mut expected = first.body.clone();
    expected["replayed"] = json!(true);
    assert_eq!(again.check_success().body, expected);
    let by_value =
        app.request(Role::Scanner, Method::POST, "/consume_token").form(&[("value", "T-1"), ("nonce", "k-1")]);
    assert_eq!(send(by_value).await.check_success().body, expected, "nonce is the same thing");
    ask(Role::Scanner, &other, "k-1").await.check_failure("TokenValueError").check_param("Idempotency-Key");
    assert_eq!(app.usage(None).await.len(), 1, "a replay is no attempt");

    ask(Role::Editor, &uid, "k-1").await.check_success();
    assert_eq!(app.token(&uid).await["usage_count"], 0, "another principal's key is another key");
    ask(Role::Scanner, &uid, "k-2").await.check_failure("TokenUsageCountExceeded");
    app.post(&format!("/{uid}/update_token"), &[("add_uses", "1")]).await.check_success();
    ask(Role::Scanner, &uid, "k-2").await.check_success();

    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    assert_eq!(ask(Role::Scanner, &uid, "k-1").await.check_success().body, expected, "also after a deletion");
    ask(Role::Scanner, &uid, "k-3").await.check_failure("TokenNotExists");
}

#[actix_web::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2")]).await;
    let form = [("token_uid", uid.as_str()), ("nonce", "k")];
    let ask = || app.post("/consume_token", &form);
    ask().await.check_success();
    app.connection().batch_execute("UPDATE replies SET created = created - 86390000000").unwrap();
    assert_eq!(ask().await.check_success().body["replayed"], true);
    app.connection().batch_execute("UPDATE replies SET created = created - 20000000").unwrap();
    assert_eq!(ask().await.check_success().body["usage_count"], 0);
    assert_eq!(ask().await.check_success().body["replayed"], true, "and kept anew");
}

#[actix_web::test]
async fn an_empty_test_is_no_use() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2")]).await;
    for test in [json!(""), json!(null)] {
        let asked = app.post_json("/consume_token", json!({"token_uid": uid, "test": test})).await;
        asked.check_failure("TokenValueError").check_param("test");
    }
    assert_eq!(app.token(&uid).await["usage_count"], 2);
}

#[actix_web::test]
async fn keys_have_1_to_255_characters_and_agree() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    let (most, more) = ("k".repeat(255), "k".repeat(256));
    let path = format!("/{uid}/consume_token");
    app.post(&path, &[("nonce", &most)]).await.check_success();
    for bad in ["", &more] {
        app.post(&path, &[("nonce", bad)]).await.check_failure("TokenValueError").check_param("nonce");
        let header = app.request(Role::Scanner, Method::POST, &path).header("Idempotency-Key", bad);
        send(header).await.check_failure("TokenValueError").check_param("Idempotency-Key");
    }
    let twice = app.request(Role::Scanner, Method::POST, &path).header("Idempotency-Key", "a");
    let twice = send(twice.header("Idempotency-Key", "a")).await;
    assert_eq!(twice.check_failure("TokenValueError").body["reason"], "given_twice");
    let two = app.request(Role::Scanner, Method::POST, &path).header("Idempotency-Key", "a").form(&[("nonce", "b")]);
    send(two).await.check_failure("TokenValueError").check_param("nonce");
    let same = app.request(Role::Scanner, Method::POST, &path).header("Idempotency-Key", "a").form(&[("nonce", "a")]);
    send(same).await.check_success();
    app.post_json("/consume_token", json!({"token_uid": uid, "nonce": 7})).await.check_success();
}

#[actix_web::test]
async fn a_clock_that_jumped_back_keeps_a_lock_closed_no_longer_than_lock_time() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "5"), ("lock_time", "3")]).await;
    app.consume(&uid).await.check_success();
    // As if the clock had been an hour ahead at that use.
    let jump = "UPDATE tokens SET last_used = last_used + 3600000000, lock_start = lock_start + 3600000000";
    app.connection().batch_execute(jump).unwrap();
    let ahead = app.token(&uid).await["last_used"].clone();
    assert_eq!(app.token(&uid).await["state"], "locked");
    let refused = app.consume(&uid).await;
    refused.check_failure("TokenLockTimeViolation");
    assert_eq!(refused.header("retry-after"), "3");
    tokio::time::sleep(std::time::Duration::from_millis(3_010)).await;
    assert_eq!(app.consume(&uid).await.check_success().body["last_used"], ahead, "last_used never moves back");
    app.consume(&uid).await.check_failure("TokenLockTimeViolation");
}
