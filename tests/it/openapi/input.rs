//! Each parameter of each view with each type of JSON, and in other places and spellings.

use reqwest::Method;
use serde_json::{Map, Value, json};
use tessera::access::Role;

use crate::support::app::{Answer, App, send, with_required};
use crate::support::described::{Operation, operations};

/// Views that take a JSON object, and the names of their parameters.
fn views() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|view| view.method == "post" && view.path != "/scan/read")
}

/// The parameters of a view's example, which are good.
fn good(view: &Operation) -> Map<String, Value> {
    view.description["requestBody"]["content"]["application/json"]["example"].as_object().unwrap().clone()
}

async fn ask(app: &App, view: &Operation, body: &Map<String, Value>) -> Answer {
    let path = view.path.replace("{uid}", "6c2f0d9e-41b8-4b1e-8a57-2f9c3e7d1a05");
    send(app.request(Role::Manager, Method::POST, &path).json(body)).await
}

#[actix_web::test]
async fn each_parameter_with_each_type_of_json() {
    let app = App::start().await;
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("text"),
        json!("\u{0}"),
        json!("😀"),
        json!([]),
        json!([[]]),
        json!(["x"]),
        json!([1]),
        json!({}),
        json!({"a": 1}),
        json!("x".repeat(5_000)),
    ];
    for view in views() {
        for name in view.parameters() {
            for value in &values {
                let mut body = good(&view);
                body.insert(name.to_owned(), value.clone());
                // The answer is held against the description, in which no 500 is one of a request.
                let answer = ask(&app, &view, &body).await;
                assert!(answer.status < 500, "{} {name} {value}: {answer:?}", view.path);
                let is_of_no_view = value.is_boolean() || value.is_object();
                if is_of_no_view {
                    answer.check_failure("TokenValueError").check_param(name);
                    assert_eq!(answer.body["reason"], "wrong_type");
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_name_in_another_case_is_another_name() {
    let app = App::start().await;
    for view in views() {
        for name in view.parameters() {
            let mut body = good(&view);
            body.insert(name.to_uppercase(), json!(""));
            ask(&app, &view, &body).await.check_failure("TokenAPIError").check_param(&name.to_uppercase());
        }
        let mut body = good(&view);
        body.insert("_free".into(), json!({"of": ["any", "kind"]}));
        assert_ne!(ask(&app, &view, &body).await.body["param"], "_free", "{}", view.path);
    }
}

#[actix_web::test]
async fn the_body_wins_over_the_query_string() {
    let app = App::start().await;
    let fields = with_required(&[("label", "body")]);
    let uid = app.post("/add_token?label=query&value=V-1", &fields).await;
    let uid = uid.check_success().body["token_uid"].as_str().unwrap().to_owned();
    let token = app.token(&uid).await;
    assert_eq!((&token["label"], &token["value"]), (&json!("body"), &json!("V-1")));
    let read = app.request(Role::Manager, Method::GET, "/query_token?value=V-1").json(&json!({"value": "V-2"}));
    assert_eq!(send(read).await.check_success().body["token"], Value::Null);
}

#[actix_web::test]
async fn a_list_has_at_most_100_000_items() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let list = |length: usize| json!({"token_uids": vec![&uid; length]});
    let refused = app.post_json("/delete_tokens", list(100_001)).await;
    refused.check_failure("TokenValueError").check_param("token_uids");
    assert_eq!(refused.body["detail"], json!({"reason": "too_many_items", "count": 100_001, "max": 100_000}));
    assert_eq!(app.post_json("/delete_tokens", list(100_000)).await.check_success().body["count"], 1);
}
