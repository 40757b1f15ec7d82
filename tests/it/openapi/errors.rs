//! Errors are data: a word, and what belongs to it.

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::Role;

use crate::support::app::{Answer, App, send, with_required};

/// Holds that a request failed for this reason at this parameter, with this data.
#[track_caller]
fn check(answer: &Answer, param: &str, reason: &str, mut detail: Value) {
    let body = &answer.body;
    assert_eq!((&body["param"], &body["reason"]), (&param.into(), &reason.into()), "{body}");
    detail["reason"] = reason.into();
    assert_eq!(body["detail"], detail, "{body}");
}

#[actix_web::test]
async fn value_errors_have_a_word_and_their_data() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1"), ("usage_count", "5")]).await;
    let update = async |fields: &[(&str, &str)]| app.post(&format!("/{uid}/update_token"), fields).await;
    let long = "x".repeat(1_001);
    let other = app.add(&[]).await;
    check(&update(&[("value", &long)]).await, "value", "too_long", json!({"max": 1_000}));
    check(&update(&[("value", " a")]).await, "value", "outer_white_space", json!({}));
    check(&update(&[("value", "a\nb")]).await, "value", "control_characters", json!({}));
    check(&update(&[("value", &other)]).await, "value", "names_another_token", json!({}));
    let bytes = json!({"max": 1_000, "max_bytes": 1_200});
    check(&update(&[("value", &"ä".repeat(601))]).await, "value", "too_long", bytes);
    check(&app.post("/add_token", &with_required(&[("value", "T-1")])).await, "value", "not_unique", json!({}));
    let range = json!({"min": -1, "max": i32::MAX});
    check(&update(&[("usage_count", "-2")]).await, "usage_count", "out_of_range", range);
    let many = json!({"value": "many", "min": -1, "max": i32::MAX});
    check(&update(&[("usage_count", "many")]).await, "usage_count", "not_an_integer", many);
    check(&update(&[("usage_count", "")]).await, "usage_count", "empty", json!({}));
    check(&update(&[("valid_from", "soon")]).await, "valid_from", "not_a_time", json!({"value": "soon"}));
    let skipped = json!({"value": "2026-03-29T02:30", "time_zone": "Europe/Vienna"});
    check(&update(&[("valid_from", "2026-03-29T02:30")]).await, "valid_from", "no_such_local_time", skipped);
    let bounds = [("valid_from", "2026-02-01"), ("valid_to", "2026-01-01")];
    check(&update(&bounds).await, "valid_to", "not_later", json!({"than": "valid_from"}));
    update(&[("valid_to", "2026-01-01")]).await.check_success();
    check(&update(&[("valid_from", "2026-02-01")]).await, "valid_from", "not_earlier", json!({"than": "valid_to"}));
    let both = [("add_uses", "1"), ("usage_count", "1")];
    check(&update(&both).await, "add_uses", "not_together", json!({"with": "usage_count"}));
    let below = json!({"uses_left": 5, "add_uses": -6});
    check(&update(&[("add_uses", "-6")]).await, "add_uses", "uses_left_out_of_range", below);
    check(&update(&[("token_uid", "17")]).await, "token_uid", "not_a_uid", json!({"value": "17"}));
    check(&update(&[("token_uid", &other)]).await, "token_uid", "contradicts", json!({"with": "path"}));
    let state = app.get("/query_tokens", &[("state", "gone")]).await;
    let allowed = json!(["active", "voided", "used_up", "locked", "pending", "expired"]);
    check(&state, "state", "not_one_of", json!({"value": "gone", "allowed": allowed}));
    check(&app.get("/query_tokens", &[("limit", "0")]).await, "limit", "out_of_range", json!({"min": 1, "max": 1_000}));
    check(&app.get("/query_tokens", &[("cursor", "x")]).await, "cursor", "foreign_cursor", json!({}));
    let gate = app.post("/consume_token", &[("token_uid", &uid), ("gate", "South")]).await;
    check(&gate, "gate", "no_such_gate", json!({"gate": "South"}));
    let at = app.post("/consume_token", &[("token_uid", &uid), ("at", "2026-01-01")]).await;
    check(&at, "at", "only_together", json!({"with": "test"}));
}

#[actix_web::test]
async fn request_errors_have_a_word_and_their_data() {
    let app = App::start().await;
    let missing = app.post("/add_token", &[]).await;
    check(&missing, "valid_from", "missing", json!({"may_be_empty": true, "unless": "defaults"}));
    let neither = json!({"params": ["count", "tokens"]});
    check(&app.post("/add_tokens", &[]).await, "count", "missing_one_of", neither);
    check(&app.post("/delete_tokens", &[]).await, "token_uids", "missing", json!({"may_be_empty": false}));
    for view in ["edit_token", "update_token", "delete_token", "void_token", "restore_token"] {
        let fields = if view == "edit_token" { with_required(&[]) } else { Vec::new() };
        let unnamed = app.post(&format!("/{view}"), &fields).await;
        check(&unnamed, "token_uid", "missing", json!({"may_be_empty": false}));
        assert_eq!(unnamed.body["message"], "The parameter token_uid is missing.", "{view}");
    }
    let none = json!({"params": ["token_uid", "value"]});
    check(&app.post("/consume_token", &[]).await, "token_uid", "missing_one_of", none);
    let known = json!({"known": ["token_uid", "return"]});
    check(&app.post("/restore_token", &[("uid_", "1")]).await, "uid_", "unknown_parameter", known);
    let twice = send(app.request(Role::Manager, Method::POST, "/restore_token?token_uid=1&token_uid=2")).await;
    check(&twice, "token_uid", "given_twice", json!({}));
    let kind = app.post_json("/restore_token", json!({"token_uid": {}})).await;
    check(&kind, "token_uid", "wrong_type", json!({"expected": "a text or a number"}));
}

#[actix_web::test]
async fn other_errors_have_their_data() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "1"), ("lock_time", "60")]).await;
    app.consume(&uid).await.check_success();
    let refused = app.consume(&uid).await;
    assert_eq!(refused.check_failure("TokenUsageCountExceeded").body["detail"], json!({"uses_left": 0}));
    app.post(&format!("/{uid}/update_token"), &[("usage_count", "1")]).await.check_success();
    let locked = app.consume(&uid).await;
    let until = &locked.check_failure("TokenLockTimeViolation").body["detail"]["locked_until"];
    assert_eq!(*until, locked.body["retry_at"]);
    let gone = app.post("/void_token", &[("token_uid", "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f")]).await;
    let detail = json!({"token_uid": "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"});
    assert_eq!(gone.check_failure("TokenNotExists").body["detail"], detail);
    let wrong = send(app.request(Role::Manager, Method::PUT, "/void_token")).await;
    assert_eq!(wrong.check_failure("MethodNotAllowed").body["detail"], json!({"allow": "POST"}));
}
