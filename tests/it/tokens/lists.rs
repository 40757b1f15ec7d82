//! Lists of tokens with values of their own: `add_tokens`, `update_tokens`, `void_tokens` and `restore_tokens`.

use std::time::{SystemTime, UNIX_EPOCH};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::database::number;

/// As many as are changed piece by piece.
const MANY: usize = 1_001;

async fn add_numbered(app: &App, count: usize) -> Vec<String> {
    let tokens: Vec<Value> = (0..count).map(|n| json!({"value": format!("V-{n}"), "usage_count": 5})).collect();
    let added = app.post_json("/add_tokens", json!({"tokens": tokens})).await;
    assert_eq!(added.check_success().body["count"], count);
    serde_json::from_value(added.body["token_uids"].clone()).unwrap()
}

#[actix_web::test]
async fn tokens_are_added_with_values_of_their_own() {
    let app = App::start().await;
    let tokens = json!([
        {"value": "A-1", "label": "Anna", "valid_from": "2026-01-01T00:00:00Z", "usage_count": 2, "lock_time": "7"},
        {},
        {"value": null, "label": "", "valid_to": "", "usage_count": "-1"},
        {"value": "A-4", "lock_time": 5.0}
    ]);
    let all = json!({"tokens": tokens, "valid_to": "2027-01-01T00:00:00Z", "usage_count": 9, "label": "Seat {n:02}", "batch_name": "Mixed"});
    let added = app.post_json("/add_tokens", all).await;
    let uids: Vec<String> = serde_json::from_value(added.check_success().body["token_uids"].clone()).unwrap();
    assert!(added.body["batch_uid"].is_string());
    let mut found = Vec::new();
    for uid in &uids {
        let token = app.token(uid).await;
        found.push(json!([
            token["value"] == json!(uid) || token["value"].as_str().unwrap().starts_with("A-"),
            token["label"],
            token["valid_from"],
            token["valid_to"],
            token["usage_count"],
            token["lock_time"]
        ]));
    }
    let until = "2027-01-01T00:00:00Z";
    assert_eq!(
        found,
        [
            json!([true, "Anna", "2026-01-01T00:00:00Z", until, 2, 7]),
            json!([true, "Seat 02", null, until, 9, 0]),
            json!([true, null, null, null, -1, 0]),
            json!([true, "Seat 04", null, until, 9, 5]),
        ]
    );
    assert_eq!(app.token(&uids[0]).await["value"], "A-1");
    assert_eq!(app.token(&uids[3]).await["value"], "A-4");
    let batch = added.body["batch_uid"].as_str().unwrap();
    let of_batch = app.get("/query_tokens", &[("batch", batch)]).await;
    assert_eq!(of_batch.check_success().body["tokens"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn an_error_in_a_list_names_its_place_and_nothing_is_done() {
    let app = App::start().await;
    let taken = app.add(&[("value", "TAKEN")]).await;
    let nobody = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    for count in [10, MANY] {
        let before = number(&mut app.connection(), "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL");
        for (item, param) in [
            (json!({"value": "TAKEN"}), "tokens[6].value"),
            (json!({"value": "W-3"}), "tokens[6].value"),
            (json!({"value": taken}), "tokens[6].value"),
            (json!({"value": "x".repeat(1_001)}), "tokens[6].value"),
            (json!({"usage_count": -2}), "tokens[6].usage_count"),
            (json!({"usage_count": "many"}), "tokens[6].usage_count"),
            (json!({"lock_time": 1.5}), "tokens[6].lock_time"),
            (json!({"valid_from": "yesterday"}), "tokens[6].valid_from"),
            (json!({"valid_from": "2026-01-02", "valid_to": "2026-01-01"}), "tokens[6].valid_to"),
            (json!({"label": ["x"]}), "tokens[6].label"),
            (json!("text"), "tokens"),
            (json!([]), "tokens"),
        ] {
            let mut tokens: Vec<Value> = (0..count).map(|n| json!({"value": format!("W-{n}")})).collect();
            tokens[6] = item.clone();
            let refused = app.post_json("/add_tokens", json!({"tokens": tokens})).await;
            refused.check_failure("TokenValueError").check_param(param);
            assert_eq!(refused.body["place"], 6, "{item}");
            assert!(
                refused.body["message"].as_str().unwrap().starts_with("tokens[6]: "),
                "{}",
                refused.body["message"]
            );
        }
        let mut tokens: Vec<Value> = (0..count).map(|n| json!({"value": format!("W-{n}")})).collect();
        tokens[6] = json!({"valeu": "x"});
        let refused = app.post_json("/add_tokens", json!({"tokens": tokens})).await;
        refused.check_failure("TokenAPIError").check_param("tokens[6].valeu");
        let left = number(&mut app.connection(), "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL");
        assert_eq!(left, before, "what was written of a list that failed is removed");

        let uids = add_numbered(&app, count).await;
        for (item, error, param) in [
            (json!({"token_uid": nobody, "label": "x"}), "TokenNotExists", "tokens"),
            (json!({"token_uid": uids[3]}), "TokenValueError", "tokens[6].token_uid"),
            (json!({"label": "x"}), "TokenAPIError", "tokens[6].token_uid"),
            (json!({"token_uid": uids[6], "add_uses": -6}), "TokenValueError", "tokens[6].add_uses"),
            (json!({"token_uid": uids[6], "add_uses": 1, "usage_count": 1}), "TokenValueError", "tokens[6].add_uses"),
            (json!({"token_uid": uids[6], "usage_count": ""}), "TokenValueError", "tokens[6].usage_count"),
            (json!({"token_uid": uids[6], "value": "TAKEN"}), "TokenValueError", "tokens[6].value"),
        ] {
            let mut tokens: Vec<Value> = uids.iter().map(|uid| json!({"token_uid": uid, "label": "new"})).collect();
            tokens[6] = item;
            let refused = app.post_json("/update_tokens", json!({"tokens": tokens})).await;
            refused.check_failure(error).check_param(param);
            assert_eq!(refused.body["place"], 6);
        }
        for view in ["/void_tokens", "/restore_tokens", "/delete_tokens"] {
            let mut with_nobody = uids.clone();
            with_nobody[6] = nobody.into();
            let refused = app.post_json(view, json!({"token_uids": with_nobody})).await;
            refused.check_failure("TokenNotExists").check_param("token_uids");
            assert_eq!((&refused.body["place"], &refused.body["detail"]["token_uid"]), (&json!(6), &json!(nobody)));
            for item in [json!("x"), json!(5), json!(null), json!(true), json!([]), json!({})] {
                let mut with_other = json!(uids);
                with_other[6] = item.clone();
                let refused = app.post_json(view, json!({"token_uids": with_other})).await;
                refused.check_failure("TokenValueError").check_param("token_uids");
                assert_eq!(refused.body["place"], 6, "{item}");
            }
        }
        let touched = "SELECT COUNT(*) FROM tokens WHERE label IS NOT NULL OR voided_at IS NOT NULL";
        assert_eq!(number(&mut app.connection(), touched), 0);
        app.post_json("/delete_tokens", json!({"token_uids": uids})).await.check_success();
    }
}

#[actix_web::test]
async fn lists_are_updated_voided_and_restored_whole() {
    let app = App::start().await;
    for count in [3, MANY] {
        let uids = add_numbered(&app, count).await;
        app.consume(&uids[1]).await.check_success();
        let updates: Vec<Value> = uids
            .iter()
            .enumerate()
            .map(|(n, uid)| match n % 3 {
                0 => json!({"token_uid": uid, "label": format!("L-{n}"), "usage_count": 7}),
                1 => json!({"token_uid": uid, "add_uses": -2, "valid_to": "2999-01-01T00:00:00Z"}),
                _ => json!({"token_uid": uid}),
            })
            .collect();
        let updated = app.post_json("/update_tokens", json!({"tokens": updates})).await;
        assert_eq!(updated.check_success().body, json!({"success": true, "count": count}));
        let first = app.token(&uids[0]).await;
        assert_eq!(
            (&first["label"], &first["usage_count"], &first["value"]),
            (&json!("L-0"), &json!(7), &json!("V-0"))
        );
        let second = app.token(&uids[1]).await;
        assert_eq!((&second["usage_count"], &second["valid_to"]), (&json!(2), &json!("2999-01-01T00:00:00Z")));
        let third = app.token(&uids[2]).await;
        assert_eq!((&third["usage_count"], &third["modified"]), (&json!(5), &third["created"]));

        app.post("/void_token", &[("token_uid", uids[0].as_str()), ("reason", "Lost")]).await.check_success();
        let voided_at = app.token(&uids[0]).await["voided"].clone();
        let twice: Vec<&String> = uids.iter().chain(&uids[..1]).collect();
        let voided = app.post_json("/void_tokens", json!({"token_uids": twice})).await;
        assert_eq!(voided.check_success().body["count"], count);
        assert_eq!(app.token(&uids[0]).await["void_reason"], "Lost");
        app.post_json("/void_tokens", json!({"token_uids": uids, "reason": "Recalled"})).await.check_success();
        let first = app.token(&uids[0]).await;
        assert_eq!((&first["void_reason"], &first["voided"]), (&json!("Recalled"), &voided_at));
        let recalled = "SELECT COUNT(*) FROM tokens WHERE void_reason = 'Recalled' AND deleted_at IS NULL";
        assert_eq!(number(&mut app.connection(), recalled), i64::try_from(count).unwrap());
        app.consume(&uids[1]).await.check_failure("TokenVoided");
        for _ in 0..2 {
            let restored = app.post_json("/restore_tokens", json!({"token_uids": uids})).await;
            assert_eq!(restored.check_success().body["count"], count);
        }
        assert_eq!(number(&mut app.connection(), "SELECT COUNT(*) FROM tokens WHERE voided_at IS NOT NULL"), 0);
        app.consume(&uids[1]).await.check_success();
        app.post_json("/delete_tokens", json!({"token_uids": uids})).await.check_success();
    }
}

#[actix_web::test]
async fn values_are_changed_in_short_lists() {
    let app = App::start().await;
    let uids = add_numbered(&app, 201).await;
    let updates = |count: usize| -> Vec<Value> {
        uids[..count].iter().map(|uid| json!({"token_uid": uid, "value": format!("N-{uid}")})).collect()
    };
    let refused = app.post_json("/update_tokens", json!({"tokens": updates(201)})).await;
    refused.check_failure("TokenValueError").check_param("tokens[0].value");
    assert_eq!(refused.body["reason"], "too_many_values");
    app.post_json("/update_tokens", json!({"tokens": updates(200)})).await.check_success();
    assert_eq!(app.token(&uids[199]).await["value"], format!("N-{}", uids[199]));
    assert_eq!(app.token(&uids[200]).await["value"], "V-200");
}

#[actix_web::test]
async fn uses_that_are_made_while_a_list_is_updated_count() {
    let app = App::start().await;
    let uids = add_numbered(&app, MANY).await;
    let updates: Vec<Value> = uids.iter().map(|uid| json!({"token_uid": uid, "add_uses": 5})).collect();
    let update = app.post_json("/update_tokens", json!({"tokens": updates}));
    let uses = async {
        let mut used = 0;
        for uid in uids.iter().rev().take(100) {
            app.consume(uid).await.check_success();
            used += 1;
        }
        used
    };
    let (updated, used) = futures_util::future::join(update, uses).await;
    updated.check_success();
    let left = number(&mut app.connection(), "SELECT CAST(SUM(usage_count) AS BIGINT) FROM tokens");
    assert_eq!(left, i64::try_from(MANY * 10).unwrap() - used);
}

#[actix_web::test]
async fn a_list_is_given_once_and_says_what() {
    let app = App::start().await;
    app.post_json("/add_tokens", json!({})).await.check_failure("TokenAPIError").check_param("count");
    let both = json!({"count": 1, "tokens": [{}]});
    app.post_json("/add_tokens", both).await.check_failure("TokenValueError").check_param("tokens");
    app.post_json("/add_tokens", json!({"tokens": []})).await.check_failure("TokenValueError").check_param("tokens");
    let as_text = json!([{"label": "Anna"}]).to_string();
    app.post("/add_tokens", &[("tokens", &as_text)]).await.check_success();
    let many = vec![json!({}); 100_001];
    app.post_json("/add_tokens", json!({"tokens": many})).await.check_failure("TokenValueError").check_param("tokens");
    app.post_json("/update_tokens", json!({})).await.check_failure("TokenAPIError").check_param("tokens");
    assert_eq!(app.post_json("/update_tokens", json!({"tokens": []})).await.check_success().body["count"], 0);
}

#[actix_web::test]
async fn a_change_answers_the_token_if_asked_to() {
    let app = App::start().await;
    let times = json!({"valid_from": "", "valid_to": "", "usage_count": 2, "lock_time": 0, "return": "token"});
    let added = app.post_json("/add_token", times.clone()).await;
    let uid = added.check_success().body["token_uid"].as_str().unwrap().to_owned();
    assert_eq!(added.body["token"], app.token(&uid).await);
    for (view, body) in [
        ("edit_token", times),
        ("update_token", json!({"label": "Anna", "return": "token"})),
        ("void_token", json!({"reason": "Lost", "return": "token"})),
        ("restore_token", json!({"return": "token"})),
    ] {
        let changed = app.post_json(&format!("/{uid}/{view}"), body).await;
        assert_eq!(changed.check_success().body["token"], app.token(&uid).await, "{view}");
    }
    let refused = app.post_json(&format!("/{uid}/update_token"), json!({"return": "uid"})).await;
    refused.check_failure("TokenValueError").check_param("return");
}

/// A long list is an action, which people see and can undo; uses that were made since stay made.
#[actix_web::test]
async fn a_long_list_is_undone_on_the_page_of_actions() {
    let app = App::start().await;
    let uids = add_numbered(&app, MANY).await;
    let updates: Vec<Value> =
        uids.iter().map(|uid| json!({"token_uid": uid, "label": "new", "usage_count": 9, "lock_time": 1})).collect();
    app.post_json("/update_tokens", json!({"tokens": updates})).await.check_success();
    app.consume(&uids[0]).await.check_success();
    let mut browser = Browser::of(&app, Role::Editor).await;
    let list = browser.get("/actions").await;
    list.check(200, &["Changed by a program", "1,001"]);
    let link = list.text.split("href=\"/actions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    browser.get(&format!("/actions/{link}")).await.check(200, &["Changed by a program"]);
    let undone = browser.post(&format!("/actions/{link}/undo"), &[]).await;
    assert_eq!(undone.status, 303);
    let changed = "SELECT COUNT(*) FROM tokens WHERE label IS NOT NULL OR lock_time <> 0";
    for _ in 0..100 {
        if number(&mut app.connection(), changed) == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(number(&mut app.connection(), changed), 0);
    let first = app.token(&uids[0]).await;
    assert_eq!((&first["usage_count"], &first["label"]), (&json!(4), &Value::Null));
    assert_eq!(app.token(&uids[1]).await["usage_count"], 5);
}

/// Whichever began first is added, and the other one is told to try again: none of its values is in use by a token.
#[actix_web::test]
async fn of_two_lists_with_the_same_values_at_once_one_is_added() {
    let app = App::start().await;
    for round in 0..3 {
        let tokens: Vec<Value> = (0..MANY).map(|n| json!({"value": format!("R-{round}-{n}")})).collect();
        let reversed: Vec<Value> = tokens.iter().rev().cloned().collect();
        let (first, second) = futures_util::future::join(
            app.post_json("/add_tokens", json!({"tokens": tokens})),
            app.post_json("/add_tokens", json!({"tokens": reversed})),
        )
        .await;
        let refused = match (first.status, second.status) {
            (200, _) => second,
            (_, 200) => first,
            other => panic!("{other:?}: {} {}", first.body, second.body),
        };
        match refused.status {
            503 => drop(refused.check_failure("Unavailable")),
            _ => drop(refused.check_failure("TokenValueError")),
        }
    }
    let there = "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL";
    assert_eq!(number(&mut app.connection(), there), i64::try_from(3 * MANY).unwrap());
}

/// A list that nobody adds any more, as its server has ended, is in nobody's way; one that is being added says so.
#[actix_web::test]
async fn a_value_of_a_list_that_was_never_made_is_free() {
    let app = App::start().await;
    let tokens: Vec<Value> = (0..MANY).map(|n| json!({"value": format!("V-{n}")})).collect();
    let all = json!({"tokens": tokens, "batch_name": "Lost"});
    app.post_json("/add_tokens", all).await.check_success();
    // Its server has just been heard of, however long a busy machine has taken.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    app.connection().batch_execute(&format!("UPDATE batches SET made = NULL, touched = {now}")).unwrap();
    let other = app.add(&[]).await;
    for (view, body) in [
        ("/add_token", json!({"value": "V-1", "defaults": 1})),
        ("/update_token", json!({"value": "V-1", "token_uid": other})),
        ("/add_tokens", json!({"tokens": [{"value": "V-1"}]})),
    ] {
        let refused = app.post_json(view, body).await;
        refused.check_failure("Unavailable");
        assert!(refused.body["message"].as_str().unwrap().contains("is being added just now"), "{}", refused.body);
        assert_eq!(refused.header("retry-after"), "1");
    }
    app.connection().batch_execute("UPDATE batches SET touched = touched - 21000000").unwrap();
    app.post_json("/add_token", json!({"value": "V-1", "defaults": 1})).await.check_success();
    app.post_json("/update_token", json!({"value": "V-2", "token_uid": other})).await.check_success();
    app.post_json("/add_tokens", json!({"tokens": [{"value": "V-3"}, {"value": "V-4"}]})).await.check_success();
    app.post_json("/add_token", json!({"value": "V-1", "defaults": 1})).await.check_failure("TokenValueError");
}
