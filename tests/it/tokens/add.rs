//! `add_token` and `add_tokens`.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use tessera::access::Role;

use crate::support::app::{App, send, with_required};

#[actix_web::test]
async fn a_token_is_added_by_form_json_and_query_and_shown() {
    let app = App::start().await;
    let form = [
        ("value", "T-1"),
        ("label", "Anna, locker"),
        ("valid_from", "2026-09-22"),
        ("valid_to", "2099-09-22T10:30:00.5+02:00"),
        ("usage_count", "3"),
        ("lock_time", "60"),
    ];
    let by_form = app.add(&form).await;
    let token = app.token(&by_form).await;
    assert_eq!(
        token,
        json!({
            "uid": by_form, "value": "T-1", "label": "Anna, locker", "valid_from": "2026-09-21T22:00:00Z",
            "valid_to": "2099-09-22T08:30:00.500Z", "usage_count": 3, "lock_time": 60, "last_used": null,
            "creator": "key:manager", "created": token["created"], "modified": token["created"],
            "state": token["state"], "voided": null, "voided_by": null, "void_reason": null,
        })
    );

    let body = json!({"value": null, "valid_from": null, "valid_to": "", "usage_count": -1, "lock_time": "7", "_": {"any": 1}});
    let answer = app.post_json("/add_token", body).await;
    let by_json = answer.check_success().body["token_uid"].as_str().unwrap().to_owned();
    let token = app.token(&by_json).await;
    assert_eq!((&token["value"], &token["usage_count"], &token["lock_time"]), (&json!(by_json), &json!(-1), &json!(7)));

    let query = "/add_token?valid_from=&valid_to=&usage_count=5&lock_time=&_=1";
    let by_query = app.post(query, &[("usage_count", "6")]).await;
    let token = app.token(by_query.check_success().body["token_uid"].as_str().unwrap()).await;
    assert_eq!(token["usage_count"], 6, "the body wins");
}

#[actix_web::test]
async fn what_must_be_present_is_named() {
    let app = App::start().await;
    for left_out in ["valid_from", "valid_to", "usage_count", "lock_time"] {
        let fields: Vec<_> = with_required(&[]).into_iter().filter(|(name, _)| *name != left_out).collect();
        let refused = app.post("/add_token", &fields).await;
        let message = refused.check_failure("TokenAPIError").check_param(left_out).body["message"].as_str().unwrap();
        assert!(message.contains("is missing") && message.contains("or send defaults=1"), "{message}");
    }
    app.post("/add_token", &with_required(&[("valeu", "x")])).await.check_failure("TokenAPIError").check_param("valeu");
    app.post("/add_token", &with_required(&[("add_uses", "1")]))
        .await
        .check_failure("TokenAPIError")
        .check_param("add_uses");
    let empty = app.add(&[]).await;
    let token = app.token(&empty).await;
    assert_eq!((&token["usage_count"], &token["lock_time"]), (&json!(1), &json!(0)), "the settings' defaults");
}

#[actix_web::test]
async fn the_settings_say_what_empty_numbers_mean() {
    let app = App::start().await;
    let set = "INSERT INTO settings VALUES ('default_usage_count', '5', 0, 'user:anna'), ('default_lock_time', '30', 0, 'user:anna')";
    app.connection().batch_execute(set).unwrap();
    let token = app.token(&app.add(&[]).await).await;
    assert_eq!((&token["usage_count"], &token["lock_time"]), (&json!(5), &json!(30)));
    for body in [json!({"defaults": 1}), json!({"defaults": "1", "usage_count": 7, "valid_to": "2099-01-01"})] {
        let uid = app.post_json("/add_token", body.clone()).await.check_success().body["token_uid"].clone();
        let token = app.token(uid.as_str().unwrap()).await;
        let uses = if body.get("usage_count").is_some() { 7 } else { 5 };
        assert_eq!((&token["usage_count"], &token["lock_time"]), (&json!(uses), &json!(30)));
        assert_eq!(token["valid_from"], json!(null));
        assert_eq!(token["valid_to"].is_null(), body.get("valid_to").is_none());
    }
    for no in [json!({"defaults": ""}), json!({"defaults": null}), json!({})] {
        app.post_json("/add_token", no).await.check_failure("TokenAPIError").check_param("valid_from");
    }
    for wrong in [json!(0), json!("yes"), json!(2)] {
        let refused = app.post_json("/add_token", json!({"defaults": wrong})).await;
        refused.check_failure("TokenValueError").check_param("defaults");
    }
}

#[actix_web::test]
async fn a_day_for_both_bounds_is_that_day() {
    let app = App::start().await;
    let uid = app.add(&[("valid_from", "2099-09-22"), ("valid_to", "2099-09-22")]).await;
    let token = app.token(&uid).await;
    let (from, to) = ("2099-09-21T22:00:00Z", "2099-09-22T21:59:59.999999Z");
    assert_eq!((&token["valid_from"], &token["valid_to"]), (&json!(from), &json!(to)));
    for (view, fields) in [
        ("update_token", vec![("valid_to", "9999-12-31")]),
        ("edit_token", vec![("valid_from", ""), ("valid_to", "9999-12-31"), ("usage_count", "1"), ("lock_time", "0")]),
    ] {
        app.post(&format!("/{uid}/{view}"), &fields).await.check_success();
        assert_eq!(app.token(&uid).await["valid_to"], "9999-12-31T22:59:59.999999Z", "{view}");
    }
    app.post("/add_tokens", &[("count", "1"), ("valid_to", "2099-09-22")]).await.check_success();
    assert_eq!(app.get("/query_tokens", &[("limit", "1")]).await.check_success().body["tokens"][0]["valid_to"], to);
}

#[actix_web::test]
async fn digits_beyond_the_microsecond_are_cut() {
    let app = App::start().await;
    let uid =
        app.add(&[("valid_from", "2099-09-22T10:30:00.12345678Z"), ("valid_to", "2099-09-22T10:30:00.1234579Z")]).await;
    let token = app.token(&uid).await;
    let (from, to) = ("2099-09-22T10:30:00.123456Z", "2099-09-22T10:30:00.123457Z");
    assert_eq!((&token["valid_from"], &token["valid_to"]), (&json!(from), &json!(to)));
    let at = [("token_uid", uid.as_str()), ("test", "1"), ("at", "2099-09-22T10:30:00.123455999999Z")];
    app.post("/consume_token", &at).await.check_failure("TokenTimeRangeViolation");
}

#[actix_web::test]
async fn each_limit_names_its_parameter() {
    let app = App::start().await;
    let long = "x".repeat(1_001);
    let label = "x".repeat(201);
    for (param, text) in [
        ("value", long.as_str()),
        ("value", " x"),
        ("value", "a\nb"),
        ("value", "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"),
        ("label", label.as_str()),
        ("label", "a\tb"),
        ("usage_count", "-2"),
        ("usage_count", "1.5"),
        ("usage_count", "2147483648"),
        ("lock_time", "-1"),
        ("lock_time", "x"),
        ("valid_from", "yesterday"),
        ("valid_from", "2026-03-29T02:30"),
        ("valid_to", "1969-12-31"),
        ("valid_to", "10000-01-01"),
    ] {
        app.post("/add_token", &with_required(&[(param, text)]))
            .await
            .check_failure("TokenValueError")
            .check_param(param);
    }
    let backwards = with_required(&[("valid_from", "2026-09-22"), ("valid_to", "2026-09-21")]);
    app.post("/add_token", &backwards).await.check_failure("TokenValueError").check_param("valid_to");
    let fraction = json!({"valid_from": null, "valid_to": null, "usage_count": 1.5, "lock_time": 0});
    app.post_json("/add_token", fraction).await.check_failure("TokenValueError").check_param("usage_count");
    let list = json!({"valid_from": null, "valid_to": null, "usage_count": [1], "lock_time": 0});
    app.post_json("/add_token", list).await.check_failure("TokenValueError").check_param("usage_count");
    let tokens = app.get("/query_tokens", &[]).await;
    assert_eq!(tokens.check_success().body["tokens"], json!([]), "nothing was added");
}

#[actix_web::test]
async fn a_value_is_unique_exact_and_case_sensitive() {
    let app = App::start().await;
    let first = app.add(&[("value", "T-1")]).await;
    app.post("/add_token", &with_required(&[("value", "T-1")]))
        .await
        .check_failure("TokenValueError")
        .check_param("value");
    app.add(&[("value", "t-1")]).await;
    app.post(&format!("/{first}/delete_token"), &[]).await.check_success();
    app.add(&[("value", "T-1")]).await;
}

#[actix_web::test]
async fn a_value_keeps_every_digit_of_a_json_number() {
    let app = App::start().await;
    let body =
        |value: &str| format!(r#"{{"valid_from":"","valid_to":"","usage_count":1,"lock_time":0,"value":{value}}}"#);
    for value in ["12345678901234567890123", "12345678901234567890124", "1.50"] {
        let request = app.request(Role::Manager, Method::POST, "/add_token").header("Content-Type", "application/json");
        let uid = send(request.body(body(value))).await.check_success().body["token_uid"].as_str().unwrap().to_owned();
        assert_eq!(app.token(&uid).await["value"], value);
    }
    let request = app.request(Role::Manager, Method::POST, "/add_token").header("Content-Type", "application/json");
    let huge = body("1").replace("\"usage_count\":1", "\"usage_count\":1e999");
    send(request.body(huge)).await.check_failure("TokenValueError").check_param("usage_count");
}

#[actix_web::test]
async fn a_value_is_not_the_address_of_another_token() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&[]).await;
    let link = format!("{}/{uid}", app.base);
    app.post("/add_token", &with_required(&[("value", &link)]))
        .await
        .check_failure("TokenValueError")
        .check_param("value");
    let other = app.add(&[]).await;
    let path = format!("/{other}/update_token");
    app.post(&path, &[("value", &link)]).await.check_failure("TokenValueError").check_param("value");
    app.post(&format!("/{uid}/update_token"), &[("value", &link)]).await.check_success();
    app.post("/consume_token", &[("value", &link)]).await.check_success();
}

#[actix_web::test]
async fn of_two_requests_for_one_value_one_wins() {
    let app = App::start().await;
    let fields = with_required(&[("value", "T-1")]);
    let asks = (0..20).map(|_| app.post("/add_token", &fields));
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.check_failure("TokenValueError").check_param("value");
    }
}

#[actix_web::test]
async fn a_chosen_uid_is_given_once() {
    let app = App::start().await;
    let uid = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    let path = format!("/{}/add_token", uid.to_uppercase());
    let answer = app.post(&path, &with_required(&[])).await;
    assert_eq!(answer.check_success().body["token_uid"], uid);
    assert_eq!(app.token(uid).await["value"], uid);
    app.post(&path, &with_required(&[])).await.check_failure("TokenValueError").check_param("token_uid");
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    app.post(&path, &with_required(&[])).await.check_failure("TokenValueError").check_param("token_uid");
    app.post("/not-a-uid/add_token", &with_required(&[]))
        .await
        .check_failure("TokenValueError")
        .check_param("token_uid");

    let upper = "2F0E6C1A-54F7-4B1C-9D5E-0A3B7C2D4E6F";
    app.post(&format!("/{upper}/add_token"), &with_required(&[("value", upper)])).await.check_success();
    // Some codes have it in capitals, and are looked up as the uid is written.
    let lower = upper.to_lowercase();
    for value in [upper, &lower] {
        let found = app.get("/query_token", &[("value", value)]).await;
        assert_eq!(found.check_success().body["token"]["value"], lower);
    }
    app.post("/consume_token", &[("value", upper)]).await.check_success();
}

#[actix_web::test]
async fn many_tokens_are_added_with_a_running_number() {
    let app = App::start().await;
    let fields = [("count", "12"), ("label", "Locker {n:03}/{n}"), ("usage_count", "2"), ("valid_to", "2099-01-01")];
    let answer = app.post("/add_tokens", &fields).await;
    assert_eq!(answer.check_success().body["count"], 12);
    let uids = answer.body["token_uids"].as_array().unwrap();
    assert_eq!(uids.len(), 12);
    let (first, last) = (app.token(uids[0].as_str().unwrap()).await, app.token(uids[11].as_str().unwrap()).await);
    assert_eq!((&first["label"], &last["label"]), (&json!("Locker 001/1"), &json!("Locker 012/12")));
    assert_eq!((&last["usage_count"], &last["lock_time"], &last["value"]), (&json!(2), &json!(0), &uids[11]));
    let listed = app.get("/query_tokens", &[]).await;
    assert_eq!(listed.body["tokens"][0]["uid"], uids[11], "newest first, in the order of making");
}

#[actix_web::test]
async fn many_tokens_are_all_or_none() {
    let app = App::start().await;
    for count in ["", "0", "-1", "100001", "1.5", "x"] {
        app.post("/add_tokens", &[("count", count)]).await.check_failure("TokenValueError").check_param("count");
    }
    app.post("/add_tokens", &[]).await.check_failure("TokenAPIError").check_param("count");
    app.post("/add_tokens", &[("count", "2"), ("value", "x")])
        .await
        .check_failure("TokenAPIError")
        .check_param("value");
    app.post("/add_tokens", &[("count", "2"), ("label", "{n:4}")])
        .await
        .check_failure("TokenValueError")
        .check_param("label");
    // The tenth label has one character too many.
    let label = format!("{}{{n}}", "x".repeat(199));
    app.post("/add_tokens", &[("count", "9"), ("label", &label)]).await.check_success();
    app.post("/add_tokens", &[("count", "10"), ("label", &label)])
        .await
        .check_failure("TokenValueError")
        .check_param("label");
    assert_eq!(app.get("/query_tokens", &[]).await.body["tokens"].as_array().unwrap().len(), 9);
}
