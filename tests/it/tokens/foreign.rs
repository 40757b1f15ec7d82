//! Values that look like a uid and are not the token's own: they come with what is moved in, and codes hold them.

use reqwest::Method;
use serde_json::json;
use tessera::access::{Principal, Role};
use tessera::store::connection::transaction;
use tessera::store::tokens;
use tessera::store::tokens::delete;
use tessera::token::{Micros, Token, Uid};

use crate::support::app::{App, send, with_required};
use crate::support::browser::Browser;
use crate::support::tokens::{add, token};

/// A token whose value is this uid.
fn foreign(app: &App, value: &str) -> String {
    let foreign = Token { value: value.to_owned(), ..token(9) };
    add(&mut app.connection(), &foreign);
    foreign.uid.to_string()
}

async fn consumed(app: &App, name: &str, text: &str) -> String {
    let answer = app.post("/consume_token", &[(name, text)]).await;
    answer.check_success().body["token_uid"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_code_means_the_token_that_has_it_as_its_value() {
    let app = App::start().await;
    let nobodys = Uid::random().to_string();
    let first = foreign(&app, &nobodys);
    let renamed = app.add(&[("value", "C"), ("usage_count", "9"), ("label", "Anna")]).await;
    let second = foreign(&app, &renamed);

    for value in [nobodys.clone(), nobodys.to_uppercase(), format!(" {nobodys}\n")] {
        assert_eq!(consumed(&app, "value", &value).await, first, "{value}");
        let found = app.get("/query_token", &[("value", &value)]).await;
        assert_eq!(found.check_success().body["token"]["uid"], json!(first));
    }
    assert_eq!(consumed(&app, "value", &renamed).await, second);
    assert_eq!(consumed(&app, "value", "C").await, renamed);
    assert_eq!(consumed(&app, "token_uid", &renamed).await, renamed);
    assert_eq!(consumed(&app, "value", &format!("{}/{renamed}", app.base)).await, renamed, "a link goes by uid");
    app.post("/consume_token", &[("value", &renamed), ("token_uid", &renamed)]).await.check_failure("TokenValueError");
    app.post("/consume_token", &[("value", &renamed), ("token_uid", &second)]).await.check_success();
    app.get("/query_token", &[("value", &renamed), ("token_uid", &renamed)]).await.check_failure("TokenValueError");
    let found = app.get("/query_tokens", &[("q", &renamed)]).await.check_success().body["tokens"].clone();
    let mut found: Vec<&str> = found.as_array().unwrap().iter().map(|token| token["uid"].as_str().unwrap()).collect();
    found.sort_unstable();
    let mut both = [renamed.as_str(), &second];
    both.sort_unstable();
    assert_eq!(found, both, "a search finds it by either");
    // All at once, as at a busy door.
    let asks = [("value", &nobodys, &first), ("token_uid", &renamed, &renamed), ("value", &renamed, &second)];
    let asks = asks.iter().cycle().take(9).map(|(name, text, right)| {
        let request = app.request(Role::Scanner, Method::POST, "/consume_token").form(&[(*name, text.as_str())]);
        async move { assert_eq!(send(request).await.body["token_uid"], json!(right)) }
    });
    futures_util::future::join_all(asks).await;

    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.post("/scan", &[("code", &renamed)]).await.check(200, &["3 uses left."]);
    let left =
        async || (app.token(&renamed).await["usage_count"].clone(), app.token(&second).await["usage_count"].clone());
    assert_eq!(left().await, (json!(3), json!(3)));
    let linked = scanner.get(&format!("/{renamed}")).await;
    linked.check(200, &["Can be used. 3 uses left."]);
    scanner.post("/scan", &[("code", &linked.field("code"))]).await.check(200, &["2 uses left."]);
    assert_eq!(left().await, (json!(2), json!(3)));
    let mut editor = Browser::of(&app, Role::Editor).await;
    let choice = editor.post("/scan", &[("code", "ann"), ("look_up", "1")]).await;
    let chosen = editor.post("/scan", &[("code", &choice.field("code")), ("look_up", "1")]).await;
    chosen.check(200, &["Anna", "Can be used. 2 uses left."]);
}

#[actix_web::test]
async fn no_text_becomes_the_value_of_two_tokens() {
    let app = App::start().await;
    let nobodys = Uid::random().to_string();
    let first = foreign(&app, &nobodys);
    let renamed = app.add(&[("value", "C")]).await;
    let second = foreign(&app, &renamed);
    let plain = app.add(&[]).await;

    let added = Token { value: plain.clone(), ..token(1) };
    let refused = transaction(&mut app.connection(), |connection| tokens::add(connection, &added));
    let words = "value is already in use";
    assert!(refused.unwrap_err().to_string().contains(words), "it is the value of the token with that uid");
    let add_token = format!("/{nobodys}/add_token");
    let refused = app.post(&add_token, &with_required(&[])).await;
    assert!(refused.check_failure("TokenValueError").check_param("value").body["message"].to_string().contains(words));
    app.post(&add_token, &with_required(&[("value", "D")])).await.check_success();
    app.post("/consume_token", &[("value", &nobodys)]).await.check_success();

    for empty in ["", &renamed] {
        let refused = app.post(&format!("/{renamed}/update_token"), &[("value", empty)]).await;
        refused.check_failure("TokenValueError").check_param("value");
    }
    // What it has it keeps, and gets no other one of its kind.
    for same in [renamed.clone(), renamed.to_uppercase()] {
        app.post(&format!("/{second}/update_token"), &[("value", &same), ("label", "B")]).await.check_success();
    }
    let fields = [("value", renamed.as_str()), ("usage_count", "5"), ("lock_time", "0")];
    app.post(&format!("/{second}/edit_token"), &with_required(&fields)).await.check_success();
    assert_eq!(app.token(&second).await["value"], json!(renamed));
    let another = Uid::random().to_string();
    app.post(&format!("/{second}/update_token"), &[("value", &another)]).await.check_failure("TokenValueError");
    let mut editor = Browser::of(&app, Role::Editor).await;
    let form = editor.get(&format!("/{second}/edit")).await;
    form.check(200, &[&renamed]);
    let fields = crate::support::forms::forms(&form.text);
    let fields = fields.iter().find(|form| form.action.ends_with("/edit")).unwrap().fields.clone();
    let fields = fields.iter().map(|(name, value)| match name.as_str() {
        "label" => (name.as_str(), "Ben"),
        name => (name, value.as_str()),
    });
    editor.post(&format!("/{second}/edit"), &fields.collect::<Vec<_>>()).await.check_leads_to(&format!("/{second}"));
    let saved = app.token(&second).await;
    assert_eq!((&saved["value"], &saved["label"]), (&json!(renamed), &json!("Ben")));

    // Restored is only what then has its value for itself.
    let (mut connection, by, now) = (app.connection(), Principal::shell("test"), Micros::now());
    let mut restore = |uid: &str| {
        let uid = uid.parse().unwrap();
        transaction(&mut connection, |connection| delete::restore(connection, uid, &by, now))
    };
    app.post(&format!("/{second}/delete_token"), &[]).await.check_success();
    app.post(&format!("/{renamed}/update_token"), &[("value", "")]).await.check_success();
    assert!(restore(&second).unwrap_err().to_string().contains(words));
    app.post(&format!("/{renamed}/delete_token"), &[]).await.check_success();
    restore(&second).unwrap();
    assert!(restore(&renamed).unwrap_err().to_string().contains(words));
    assert_eq!(consumed(&app, "value", &renamed).await, second);
    app.post(&format!("/{first}/delete_token"), &[]).await.check_success();
    let missing = app.post("/consume_token", &[("value", &nobodys)]).await;
    missing.check_failure("TokenNotExists");
    restore(&first).unwrap();
}

/// Two people at once on two instances: one of them is refused.
#[actix_web::test]
async fn who_adds_and_who_restores_at_once_do_not_both_get_a_value() {
    let app = App::start().await;
    let by = Principal::shell("test");
    for _ in 0..20 {
        let value = Uid::random();
        let old = foreign(&app, &value.to_string()).parse().unwrap();
        let mut connection = app.connection();
        transaction(&mut connection, |connection| delete::delete(connection, &[old], &by, Micros::now())).unwrap();
        let (mut adder, by) = (app.connection(), by.clone());
        let adding = std::thread::spawn(move || {
            let new = Token { uid: value, value: value.to_string(), ..token(1) };
            transaction(&mut adder, |connection| tokens::add(connection, &new)).is_ok()
        });
        let restored = transaction(&mut connection, |connection| delete::restore(connection, old, &by, Micros::now()));
        let is_value_error = restored.as_ref().is_err_and(|error| error.to_string().contains("in use"));
        assert!(restored.is_ok() || is_value_error, "{restored:?}");
        assert_ne!(adding.join().unwrap(), restored.is_ok(), "exactly one of them");
    }
}
