//! Consuming at a gate, several times at once, and to see what would happen.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tessera::access::{Principal, Role, api_key};
use tessera::store::accounts::keys::{self, NewKey};
use tessera::store::connection::transaction;
use tessera::store::gates;
use tessera::token::gate::GateRules;
use tessera::token::{Micros, Uid};

use crate::support::app::{Answer, App, send};
use crate::support::gates::{add_gate, change_gate, close_gate};

/// A scanner's key that is tied to a gate.
fn tied_key(app: &App, gate: &str) -> String {
    let key = api_key::generate();
    let hash = api_key::hash(&key).unwrap();
    let by = Principal::shell("test");
    let add = |connection: &mut _| {
        let gate = gates::by_name(connection, gate)?.map(|gate| gate.id);
        let prefix = api_key::shown_prefix(&key);
        let new = NewKey { name: "door", hash: &hash, prefix, role: Role::Scanner, expires: None, gate, rate: None };
        keys::add(connection, &new, &by, Micros::now())
    };
    transaction(&mut app.connection(), add).unwrap();
    key
}

async fn consume_with(app: &App, key: &str, form: &[(&str, &str)]) -> Answer {
    send(app.anonymous(Method::POST, "/consume_token").bearer_auth(key).form(form)).await
}

#[actix_web::test]
async fn a_use_says_at_which_gate_it_was_made() {
    let app = App::start().await;
    let north = add_gate(&app, "Tür Nord", &GateRules::default());
    let uid = app.add(&[("usage_count", "5")]).await;
    let at = |gate| vec![("token_uid", uid.as_str()), ("gate", gate)];
    let used = app.post("/consume_token", &at("Tür Nord")).await;
    assert_eq!(used.check_success().body["gate"], "Tür Nord");
    assert_eq!(app.post("/consume_token", &at("")).await.check_success().body["gate"], json!(null));
    for wrong in ["South", "tür nord", "a\0b"] {
        app.post("/consume_token", &at(wrong)).await.check_failure("TokenValueError").check_param("gate");
    }
    let entries = app.usage(Some(&uid)).await;
    assert_eq!(entries.iter().map(|entry| &entry["gate"]).collect::<Vec<_>>(), [&json!(null), &json!("Tür Nord")]);
    assert_eq!(entries[1]["uid"], used.body["usage_uid"]);

    let log = app.get("/query_usage", &[("gate", "Tür Nord")]).await;
    assert_eq!(log.check_success().body["usage"].as_array().unwrap().len(), 1);
    for wrong in ["South", "tür nord", "a\0b"] {
        app.get("/query_usage", &[("gate", wrong)]).await.check_failure("TokenValueError").check_param("gate");
        assert_eq!(app.get("/usage.csv", &[("gate", wrong)]).await.status, 422);
    }
    let missing = app.get("/query_usage", &[("gate", "South")]).await;
    assert_eq!(missing.body["message"], "There is no gate \"South\".");

    close_gate(&app, north, "Tür Nord");
    tokio::time::sleep(Duration::from_secs(1)).await;
    app.post("/consume_token", &at("Tür Nord")).await.check_failure("TokenValueError").check_param("gate");
    assert_eq!(app.usage(Some(&uid)).await.len(), 2, "nothing of it is logged");
}

#[actix_web::test]
async fn a_key_that_is_tied_to_a_gate_uses_that_one_only() {
    let app = App::start().await;
    add_gate(&app, "North", &GateRules { several: false, ..GateRules::default() });
    add_gate(&app, "South", &GateRules::default());
    let (key, uid) = (tied_key(&app, "North"), app.add(&[("usage_count", "9")]).await);
    let what = ("token_uid", uid.as_str());
    assert_eq!(consume_with(&app, &key, &[what]).await.check_success().body["gate"], "North");
    assert_eq!(consume_with(&app, &key, &[what, ("gate", "North")]).await.check_success().body["gate"], "North");
    for other in ["South", "nowhere"] {
        consume_with(&app, &key, &[what, ("gate", other)]).await.check_failure("Forbidden");
    }
    consume_with(&app, &key, &[what, ("uses", "2")]).await.check_failure("Forbidden");
    consume_with(&app, &key, &[what, ("uses", "2"), ("test", "1")]).await.check_failure("Forbidden");
    app.post("/consume_token", &[what, ("gate", "South"), ("uses", "2")]).await.check_success();
    let by_page = app.anonymous(Method::POST, &format!("/{uid}/use")).bearer_auth(&key);
    assert!(by_page.send().await.unwrap().url().query().unwrap().contains("used"));
    assert_eq!(app.usage(Some(&uid)).await[0]["gate"], "North");
    assert_eq!(app.token(&uid).await["usage_count"], 4);
}

#[actix_web::test]
async fn a_gate_that_allows_no_look_up_answers_uses_only() {
    let app = App::start().await;
    add_gate(&app, "Blind", &GateRules { look_up: false, ..GateRules::default() });
    let (key, uid) = (tied_key(&app, "Blind"), app.add(&[("usage_count", "9")]).await);
    let what = ("token_uid", uid.as_str());
    consume_with(&app, &key, &[what, ("test", "1")]).await.check_failure("Forbidden");
    let query = app.anonymous(Method::GET, "/query_token").bearer_auth(&key).query(&[what]);
    send(query).await.check_failure("Forbidden");
    app.post("/consume_token", &[what, ("gate", "Blind"), ("test", "1")]).await.check_failure("Forbidden");
    consume_with(&app, &key, &[what]).await.check_success();
}

#[actix_web::test]
async fn several_uses_at_once_are_made_together_or_not_at_all() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "5")]).await;
    let uses = |uses| vec![("token_uid", uid.as_str()), ("uses", uses)];
    let first = app.post("/consume_token", &uses("4")).await;
    assert_eq!((&first.check_success().body["usage_count"], &first.body["uses"]), (&json!(1), &json!(4)));
    let refused = app.post("/consume_token", &uses("2")).await;
    refused.check_failure("TokenUsageCountExceeded");
    assert_eq!(refused.body["reasons"][0]["uses_left"], 1);
    assert_eq!(refused.body["message"], "This token has 1 use left.");
    for wrong in ["0", "-1", "2147483648", "1.5", "x"] {
        app.post("/consume_token", &uses(wrong)).await.check_failure("TokenValueError").check_param("uses");
    }
    assert_eq!(app.post("/consume_token", &uses("")).await.check_success().body["uses"], 1);
    let logged: Vec<_> = app.usage(Some(&uid)).await.iter().map(|entry| entry["uses"].clone()).collect();
    assert_eq!(logged, [json!(1), json!(2), json!(4)]);
    let unlimited = app.add(&[("usage_count", "-1")]).await;
    let many = [("token_uid", unlimited.as_str()), ("uses", "2147483647")];
    assert_eq!(app.post("/consume_token", &many).await.check_success().body["usage_count"], -1);

    let kept = app.add(&[("usage_count", "9")]).await;
    let with_key = |uses: &'static str| vec![("token_uid", kept.as_str()), ("uses", uses), ("nonce", "k")];
    app.post("/consume_token", &with_key("2")).await.check_success();
    assert_eq!(app.post("/consume_token", &with_key("2")).await.check_success().body["replayed"], true);
    app.post("/consume_token", &with_key("3")).await.check_failure("TokenValueError").check_param("nonce");
    assert_eq!(app.token(&kept).await["usage_count"], 7);
}

#[actix_web::test]
async fn a_test_says_what_would_happen_and_uses_nothing() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2"), ("valid_from", "2999-01-01T00:00:00Z"), ("label", "Anna")]).await;
    let test = |more: &[(&'static str, &'static str)]| {
        let form = [&[("token_uid", uid.as_str()), ("test", "1")], more].concat();
        let app = &app;
        async move { app.post("/consume_token", &form).await }
    };
    let early = test(&[]).await;
    early.check_failure("TokenTimeRangeViolation");
    assert_eq!((&early.body["test"], &early.body["consumed"]), (&json!(true), &json!(false)));
    assert_eq!((&early.body["label"], &early.body["usage_uid"]), (&json!("Anna"), &json!(null)));
    assert_eq!(early.body["retry_at"], "2999-01-01T00:00:00Z");
    let then = test(&[("at", "2999-01-01T00:00:00Z")]).await;
    assert_eq!((&then.check_success().body["test"], &then.body["consumed"]), (&json!(true), &json!(false)));
    assert_eq!((&then.body["usage_count"], &then.body["last_used"]), (&json!(1), &json!("2999-01-01T00:00:00Z")));
    test(&[("at", "2999-01-01"), ("uses", "3")]).await.check_failure("TokenUsageCountExceeded");
    test(&[("at", "soon")]).await.check_failure("TokenValueError").check_param("at");
    let real = [("token_uid", uid.as_str()), ("at", "2999-01-01")];
    app.post("/consume_token", &real).await.check_failure("TokenValueError").check_param("at");
    for odd in ["yes", "0", "01"] {
        let odd = [("token_uid", uid.as_str()), ("test", odd)];
        app.post("/consume_token", &odd).await.check_failure("TokenValueError").check_param("test");
    }
    app.post("/consume_token", &[("value", "nothing"), ("test", "1")]).await.check_failure("TokenNotExists");
    assert_eq!((app.usage(None).await.len(), &app.token(&uid).await["usage_count"]), (0, &json!(2)));
    let viewer = app.request(Role::Viewer, Method::POST, "/consume_token").form(&[("token_uid", &*uid), ("test", "1")]);
    send(viewer).await.check_failure("Forbidden");
}

#[actix_web::test]
async fn a_refusal_says_all_that_would_have_to_be_otherwise_and_who_used_it_last() {
    let app = App::start().await;
    add_gate(&app, "North", &GateRules::default());
    let uid = app.add(&[("usage_count", "1"), ("lock_time", "3600")]).await;
    let used = app.post("/consume_token", &[("token_uid", &uid), ("gate", "North")]).await;
    let at = used.check_success().body["last_used"].clone();
    app.post("/void_token", &[("token_uid", &uid), ("reason", "Lost")]).await.check_success();
    let late = [("token_uid", uid.as_str()), ("valid_to", "2001-01-01")];
    app.post("/update_token", &late).await.check_success();
    let refused = app.consume(&uid).await;
    refused.check_failure("TokenVoided");
    let errors: Vec<_> = refused.body["reasons"].as_array().unwrap().iter().map(|reason| &reason["error"]).collect();
    assert_eq!(errors, ["TokenVoided", "TokenUsageCountExceeded", "TokenLockTimeViolation", "TokenTimeRangeViolation"]);
    let voided = &refused.body["reasons"][0];
    assert_eq!((&voided["void_reason"], &voided["voided_by"]), (&json!("Lost"), &json!("key:manager")));
    assert!(voided["voided"].is_string() && refused.body["reasons"][2]["locked_until"].is_string());
    assert_eq!(refused.body["reasons"][3]["valid_to"], "2001-01-01T22:59:59.999999Z");
    assert_eq!(refused.body["last_use"], json!({"timestamp": at, "gate": "North", "user": "key:manager"}));

    let scanner = app.request(Role::Scanner, Method::POST, "/consume_token").form(&[("token_uid", &uid)]);
    let refused = send(scanner).await;
    refused.check_failure("TokenVoided");
    assert_eq!(refused.body["last_use"], json!({"timestamp": at, "gate": "North"}), "a scanner sees no names");
    assert_eq!(refused.body["reasons"][0]["voided_by"], json!(null));
}

/// Changes a gate, and waits until the server knows.
async fn change(app: &App, what: (Uid, &str, &GateRules, bool)) {
    change_gate(app, what);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[actix_web::test]
async fn a_lost_answer_is_given_again_whatever_became_of_the_gate() {
    let app = App::start().await;
    let (open, strict) = (GateRules::default(), GateRules { several: false, ..GateRules::default() });
    let north = add_gate(&app, "North", &open);
    add_gate(&app, "South", &open);
    let (key, uid) = (tied_key(&app, "North"), app.add(&[("usage_count", "20"), ("value", "T-1")]).await);
    let other = app.add(&[]).await;
    let form = |gate: &'static str, uses: &'static str, nonce: &'static str| {
        vec![("value", "T-1"), ("gate", gate), ("uses", uses), ("nonce", nonce)]
    };
    let first = app.post("/consume_token", &form("North", "3", "k")).await;
    consume_with(&app, &key, &form("North", "3", "k")).await.check_success();
    app.post("/consume_token", &form("", "1", "nowhere")).await.check_success();
    let again = async |gate, now: &str| {
        let again = app.post("/consume_token", &form(gate, "3", "k")).await;
        assert_eq!((&again.check_success().body["replayed"], &again.body["gate"]), (&json!(true), &json!(now)));
        for name in ["usage_uid", "usage_count", "token_uid", "uses"] {
            assert_eq!(again.body[name], first.body[name], "{name}");
        }
    };

    change(&app, (north, "North", &strict, true)).await;
    again("North", "North").await;
    app.post("/consume_token", &form("North", "3", "new")).await.check_failure("Forbidden");
    change(&app, (north, "North", &open, false)).await;
    again("North", "North").await;
    for (wrong, param) in [
        (form("North", "3", "new"), "gate"),
        (form("North", "2", "k"), "nonce"),
        (form("South", "3", "k"), "nonce"),
        (form("North", "3", "nowhere"), "nonce"),
        ([&[("token_uid", other.as_str())], &form("North", "3", "k")[1..]].concat(), "nonce"),
        (form("North", "3", "k")[..3].to_vec(), "gate"),
        ([form("North", "3", "k"), vec![("test", "1")]].concat(), "gate"),
    ] {
        app.post("/consume_token", &wrong).await.check_failure("TokenValueError").check_param(param);
    }
    let anybody = app.request(Role::Scanner, Method::POST, "/consume_token").form(&form("North", "3", "k"));
    send(anybody).await.check_failure("TokenValueError").check_param("gate");

    change(&app, (north, "Nordtor", &open, false)).await;
    again("North", "Nordtor").await;
    again("Nordtor", "Nordtor").await;
    app.post("/consume_token", &form("North", "3", "nowhere")).await.check_failure("TokenValueError");
    let tied = consume_with(&app, &key, &form("North", "3", "k")).await;
    assert_eq!((&tied.check_success().body["replayed"], &tied.body["gate"]), (&json!(true), &json!("Nordtor")));
    consume_with(&app, &key, &form("", "3", "k")).await.check_success();
    consume_with(&app, &key, &form("South", "3", "k")).await.check_failure("Forbidden");
    app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    again("North", "Nordtor").await;
    assert_eq!(app.usage(Some(&uid)).await.len(), 3, "nothing more was used, and nothing logged");
}

#[actix_web::test]
async fn an_undo_whose_answer_was_lost_is_told_again_whatever_became_of_the_gate() {
    let app = App::start().await;
    let north = add_gate(&app, "North", &GateRules::default());
    let uid = app.add(&[]).await;
    let used = app.post("/consume_token", &[("token_uid", &uid), ("gate", "North"), ("nonce", "k")]).await;
    used.check_success();
    let undo = async || {
        let undo = app.request(Role::Manager, Method::POST, "/undo_consume").header("Idempotency-Key", "undo");
        send(undo.form(&[("nonce", "k")])).await
    };
    undo().await.check_success();
    change(&app, (north, "Nordtor", &GateRules { undo_seconds: None, ..GateRules::default() }, false)).await;
    let again = undo().await;
    assert_eq!((&again.check_success().body["replayed"], &again.body["gate"]), (&json!(true), &json!("Nordtor")));
    let use_again = [("token_uid", uid.as_str()), ("gate", "North"), ("nonce", "k")];
    let undone = app.post("/consume_token", &use_again).await;
    undone.check_failure("TokenValueError").check_param("nonce");
}
