//! `edit_token` and `update_token`.

use serde_json::json;

use crate::support::app::{App, with_required};

#[actix_web::test]
async fn edit_wants_four_fields_and_leaves_value_and_label() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1"), ("label", "Anna"), ("valid_to", "2999-01-01"), ("usage_count", "3")]).await;
    let before = app.token(&uid).await;
    for path in [format!("/{uid}/edit_token"), "/edit_token".to_owned()] {
        let fields = [
            ("valid_from", "2026-01-01T00:00Z"),
            ("valid_to", ""),
            ("usage_count", "-1"),
            ("lock_time", "9"),
            ("token_uid", &uid),
        ];
        app.post(&path, &fields).await.check_success();
        let after = app.token(&uid).await;
        assert_eq!(
            after,
            json!({
                "uid": uid, "value": "T-1", "label": "Anna", "valid_from": "2026-01-01T00:00:00Z", "valid_to": null,
                "usage_count": -1, "lock_time": 9, "last_used": null, "creator": "key:manager",
                "created": before["created"], "modified": after["modified"], "state": "active",
                "voided": null, "voided_by": null, "void_reason": null,
            })
        );
        assert!(after["modified"].as_str() > before["modified"].as_str());
        for left_out in ["valid_from", "valid_to", "usage_count", "lock_time"] {
            let some: Vec<_> = fields.iter().filter(|(name, _)| *name != left_out).copied().collect();
            let answer = app.post(&path, &some).await;
            answer.check_failure("TokenAPIError").check_param(left_out);
            let may_be_empty = left_out.starts_with("valid_");
            assert_eq!(answer.body["detail"]["may_be_empty"], may_be_empty, "{}", answer.body["message"]);
        }
        for number in ["usage_count", "lock_time"] {
            let fields: Vec<_> =
                fields.iter().map(|(name, text)| (*name, if *name == number { "" } else { text })).collect();
            app.post(&path, &fields).await.check_failure("TokenValueError").check_param(number);
        }
    }
    let emptied = [("value", ""), ("label", ""), ("usage_count", "1"), ("lock_time", "0")];
    app.post(&format!("/{uid}/edit_token"), &with_required(&emptied)).await.check_success();
    let after = app.token(&uid).await;
    assert_eq!((&after["value"], &after["label"]), (&json!(uid), &json!(null)));
    let unknown = [("usage_count", "1"), ("lock_time", "0"), ("add_uses", "1")];
    app.post(&format!("/{uid}/edit_token"), &with_required(&unknown))
        .await
        .check_failure("TokenAPIError")
        .check_param("add_uses");
}

#[actix_web::test]
async fn update_changes_what_is_given() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1"), ("label", "Anna"), ("usage_count", "3")]).await;
    let before = app.token(&uid).await;
    app.post(&format!("/{uid}/update_token"), &[]).await.check_success();
    app.post("/update_token", &[("token_uid", &uid), ("label", "Anna")]).await.check_success();
    assert_eq!(app.token(&uid).await, before, "nothing is different, and so is not modified");
    app.post_json("/update_token", json!({"token_uid": uid, "label": null, "lock_time": 5})).await.check_success();
    let after = app.token(&uid).await;
    assert_eq!((&after["label"], &after["lock_time"], &after["value"]), (&json!(null), &json!(5), &json!("T-1")));
}

#[actix_web::test]
async fn uses_are_added_whatever_was_consumed_meanwhile() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let path = format!("/{uid}/update_token");
    app.consume(&uid).await.check_success();
    app.post(&path, &[("add_uses", "5")]).await.check_success();
    assert_eq!(app.token(&uid).await["usage_count"], 7);
    app.post_json(&path, json!({"add_uses": -7})).await.check_success();
    assert_eq!(app.token(&uid).await["usage_count"], 0);
    for wrong in ["-1", "2147483648", "", "1.5", "x"] {
        app.post(&path, &[("add_uses", wrong)]).await.check_failure("TokenValueError").check_param("add_uses");
    }
    app.post(&path, &[("add_uses", "1"), ("usage_count", "1")])
        .await
        .check_failure("TokenValueError")
        .check_param("add_uses");
    app.post(&path, &[("usage_count", "-1")]).await.check_success();
    app.post(&path, &[("add_uses", "1")]).await.check_failure("TokenValueError").check_param("add_uses");
}

#[actix_web::test]
async fn a_wrong_change_changes_nothing() {
    let app = App::start().await;
    app.add(&[("value", "T-1")]).await;
    let uid = app.add(&[("value", "T-2"), ("valid_from", "2026-01-02")]).await;
    let before = app.token(&uid).await;
    let path = format!("/{uid}/update_token");
    let other = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    for (fields, param) in [
        (vec![("label", "x"), ("value", "T-1")], "value"),
        (vec![("label", "x"), ("value", other)], "value"),
        (vec![("label", "x"), ("valid_to", "2026-01-01")], "valid_to"),
        (vec![("label", "x"), ("usage_count", "")], "usage_count"),
        (vec![("label", "x"), ("lock_time", "-1")], "lock_time"),
        (vec![("label", "x"), ("token_uid", other)], "token_uid"),
    ] {
        app.post(&path, &fields).await.check_failure("TokenValueError").check_param(param);
    }
    assert_eq!(app.token(&uid).await, before);
    app.post(&path, &[("value", "T-2")]).await.check_success();
}

#[actix_web::test]
async fn what_is_not_there_is_not_changed() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    for uid in [&uid, "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"] {
        app.post(&format!("/{uid}/update_token"), &[("label", "x")]).await.check_failure("TokenNotExists");
        let numbers = with_required(&[("usage_count", "1"), ("lock_time", "0")]);
        app.post(&format!("/{uid}/edit_token"), &numbers).await.check_failure("TokenNotExists");
    }
    for path in ["/update_token", "/edit_token"] {
        let numbers = with_required(&[("usage_count", "1"), ("lock_time", "0")]);
        app.post(path, &numbers).await.check_failure("TokenAPIError").check_param("token_uid");
    }
    app.post("/not-a-uid/update_token", &[]).await.check_failure("TokenValueError").check_param("token_uid");
}

#[actix_web::test]
async fn edits_and_uses_at_once_lose_nothing() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "100")]).await;
    let path = format!("/{uid}/update_token");
    let uses = futures_util::future::join_all((0..50).map(|_| app.consume(&uid)));
    let adds = futures_util::future::join_all((0..50).map(|_| app.post(&path, &[("add_uses", "1")])));
    let labels = (0..50).map(|n| {
        let (path, label) = (&path, format!("L{n}"));
        let app = &app;
        async move { app.post(path, &[("label", &label)]).await }
    });
    let (uses, adds, labels) = futures_util::join!(uses, adds, futures_util::future::join_all(labels));
    uses.iter().chain(&adds).chain(&labels).for_each(|answer| {
        answer.check_success();
    });
    assert_eq!(app.token(&uid).await["usage_count"], 100);
}
