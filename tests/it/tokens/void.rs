//! Voiding by programs and in the store: what is voided is used by nobody, until it is restored.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::Role;
use tessera::store::audit::{self, AuditFilter};

use crate::support::app::{App, send};
use crate::support::process::Place;
use crate::support::tokens::MISSING_UID;

#[actix_web::test]
async fn a_voided_token_stays_where_it_is_and_is_refused_first() {
    let app = App::start().await;
    for by_path in [true, false] {
        let value = format!("T-{by_path}");
        let uid = app.add(&[("value", &value), ("usage_count", "0"), ("valid_to", "2001-01-01")]).await;
        let before = app.token(&uid).await;
        let answer = if by_path {
            app.post(&format!("/{uid}/void_token"), &[("reason", " Lost ")]).await
        } else {
            app.post_json("/void_token", json!({"token_uid": uid, "reason": "Lost"})).await
        };
        assert_eq!(answer.check_success().body, json!({"success": true}));
        let token = app.token(&uid).await;
        let told = (&token["state"], &token["voided_by"], &token["void_reason"]);
        assert_eq!(told, (&json!("voided"), &json!("key:manager"), &json!("Lost")));
        assert_eq!(token["voided"], token["modified"]);
        assert!(token["modified"].as_str() > before["modified"].as_str());

        let refused = app.consume(&uid).await;
        refused.check_failure("TokenVoided");
        assert_eq!(refused.body["message"], "This token is voided (Lost).");
        assert_eq!((&refused.body["retry_at"], &refused.body["value"]), (&Value::Null, &json!(value)));
        let entry = app.usage(Some(&uid)).await.remove(0);
        assert_eq!((&entry["error_code"], &entry["error"]), (&json!(7), &json!("TokenVoided")));

        app.post("/add_tokens", &[("count", "1")]).await.check_success();
        let taken = app
            .post(&format!("/{MISSING_UID}/add_token"), &crate::support::app::with_required(&[("value", &value)]))
            .await;
        taken.check_failure("TokenValueError").check_param("value");
        app.post(&format!("/{uid}/update_token"), &[("usage_count", "2"), ("valid_to", "")]).await.check_success();
        app.consume(&uid).await.check_failure("TokenVoided");
        let restored = if by_path {
            app.post(&format!("/{uid}/restore_token"), &[]).await
        } else {
            app.post_json("/restore_token", json!({"token_uid": uid})).await
        };
        assert_eq!(restored.check_success().body, json!({"success": true}));
        let token = app.token(&uid).await;
        let told = (&token["state"], &token["voided"], &token["voided_by"], &token["void_reason"]);
        assert_eq!(told, (&json!("active"), &Value::Null, &Value::Null, &Value::Null));
        app.consume(&uid).await.check_success();
    }
}

#[actix_web::test]
async fn voiding_again_changes_the_reason_only_and_only_when_one_is_given() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let void = format!("/{uid}/void_token");
    app.post(&void, &[]).await.check_success();
    let first = app.token(&uid).await;
    assert_eq!(first["void_reason"], Value::Null);
    assert_eq!(app.consume(&uid).await.body["message"], "This token is voided.");
    app.post(&void, &[("reason", "")]).await.check_success();
    assert_eq!(app.token(&uid).await, first, "nothing was changed");
    let other = app.request(Role::Admin, Method::POST, &void).form(&[("reason", "Größe – 失くした 😀")]);
    send(other).await.check_success();
    let again = app.token(&uid).await;
    assert_eq!(again["void_reason"], "Größe – 失くした 😀");
    assert_eq!((&again["voided"], &again["voided_by"]), (&first["voided"], &first["voided_by"]));
    app.post(&void, &[]).await.check_success();
    assert_eq!(app.token(&uid).await, again, "the reason stays");
    for _ in 0..2 {
        app.post(&format!("/{uid}/restore_token"), &[]).await.check_success();
    }
    let entries = audit::page(&mut app.connection(), &AuditFilter::default(), None, 10).unwrap();
    let entries = entries.into_iter().map(|(_, entry)| entry).filter(|entry| entry.subject == uid);
    let told: Vec<_> = entries.map(|entry| (entry.action, entry.by, entry.detail)).collect();
    let entry = |action: &str, by: &str, detail: &str| (action.to_owned(), by.to_owned(), detail.to_owned());
    let right = [
        entry("token unvoid", "key:manager", ""),
        entry("token void", "key:admin", "Größe – 失くした 😀"),
        entry("token void", "key:manager", ""),
    ];
    assert_eq!(told, right, "what changed nothing is not recorded");
}

#[actix_web::test]
async fn what_cannot_be_voided_is_refused() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    for view in ["void_token", "restore_token"] {
        app.post(&format!("/{view}"), &[]).await.check_failure("TokenAPIError").check_param("token_uid");
        app.post(&format!("/x/{view}"), &[]).await.check_failure("TokenValueError").check_param("token_uid");
        app.post(&format!("/{MISSING_UID}/{view}"), &[]).await.check_failure("TokenNotExists");
        let two = app.post(&format!("/{uid}/{view}"), &[("token_uid", MISSING_UID)]).await;
        two.check_failure("TokenValueError").check_param("token_uid");
        app.get(&format!("/{uid}/{view}"), &[]).await.check_failure("MethodNotAllowed");
    }
    app.post(&format!("/{uid}/restore_token"), &[("reason", "x")]).await.check_failure("TokenAPIError");
    for reason in ["x".repeat(201), "a\nb".into(), "a\0b".into(), "\u{9f}".into()] {
        let answer = app.post(&format!("/{uid}/void_token"), &[("reason", &reason)]).await;
        answer.check_failure("TokenValueError").check_param("reason");
    }
    assert_eq!(app.token(&uid).await["state"], "active");
    app.post(&format!("/{uid}/void_token"), &[("reason", &"ä".repeat(200))]).await.check_success();
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    for view in ["void_token", "restore_token"] {
        app.post(&format!("/{uid}/{view}"), &[]).await.check_failure("TokenNotExists");
    }
}

#[actix_web::test]
async fn a_first_success_is_given_again_after_its_token_was_voided() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2")]).await;
    let path = format!("/{uid}/consume_token");
    let first = app.post(&path, &[("nonce", "n")]).await;
    first.check_success();
    app.post(&format!("/{uid}/void_token"), &[]).await.check_success();
    let again = app.post(&path, &[("nonce", "n")]).await;
    assert_eq!(again.check_success().body["replayed"], true);
    assert_eq!(again.body["last_used"], first.body["last_used"]);
    app.post(&path, &[("nonce", "other")]).await.check_failure("TokenVoided");
}

/// Two processes, one that voids and many that ask at both: once the voiding was answered, nobody is let in, by whichever
/// process, and every attempt is in the log as it was answered.
#[actix_web::test]
async fn after_a_voiding_was_answered_nobody_is_let_in() {
    let place = Place::new();
    let servers = [place.serve(), place.serve()];
    let key = place.key("manager");
    let uids = servers[0].add_tokens(&key, &[("count", "10"), ("usage_count", "-1")]).await;
    for (round, uid) in uids.iter().enumerate() {
        let consume = |n: usize| send(servers[n % 2].post(&key, &format!("/{uid}/consume_token")));
        let voiding = async {
            let void = servers[round % 2].post(&key, &format!("/{uid}/void_token")).form(&[("reason", "Lost")]);
            send(void).await.check_success();
            join_all((0..10).map(consume)).await
        };
        let (answers, late) = futures_util::future::join(join_all((0..40).map(consume)), voiding).await;
        for refused in answers.iter().filter(|answer| answer.status != 200).chain(&late) {
            refused.check_failure("TokenVoided");
        }
        let usage = servers[1].usage(&key, uid).await;
        let let_in = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(usage.len(), 50);
        let last: Vec<bool> = usage.iter().map(|entry| entry["error_code"].is_null()).collect();
        assert_eq!(last.iter().filter(|is_use| **is_use).count(), let_in);
        let first_use = last.iter().position(|is_use| *is_use).unwrap_or(last.len());
        assert!(last[..first_use].iter().all(|is_use| !is_use) && last[first_use..].iter().all(|is_use| *is_use));
    }
}
