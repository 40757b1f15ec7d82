//! The examples of the description, asked for.

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::Role;

use crate::support::app::{App, send};
use crate::support::described::{Operation, operations};

const UID: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

/// A server with what the examples are about: their token, unless the example adds it, and a use of it.
async fn server(adds: bool) -> (App, Value) {
    let app = App::start().await;
    if adds {
        return (app, Value::Null);
    }
    let add = Operation::named("add_token_by_uid").description;
    let body = add["requestBody"]["content"]["application/json"]["example"].clone();
    let body = json!({"lock_time": 0, "valid_from": "", "usage_count": 5, "valid_to": "", "label": body["label"]});
    app.post_json(&format!("/{UID}/add_token"), body).await.check_success();
    let used = app.consume(UID).await;
    (app, used.check_success().body["usage_uid"].clone())
}

/// An example's parameters, with the uid of the use that was made.
fn filled(example: &Value, usage_uid: &Value) -> Value {
    let mut example = example.clone();
    if example.get("usage_uid").is_some() {
        example["usage_uid"] = usage_uid.clone();
    }
    example
}

#[actix_web::test]
async fn every_example_of_a_body_works() {
    for view in operations() {
        let Some(content) = view.description["requestBody"]["content"].as_object() else { continue };
        for (kind, media) in content {
            let Some(example) = media.get("example") else { continue };
            let (app, usage_uid) = server(view.path.ends_with("add_token")).await;
            let request = app.request(Role::Manager, Method::POST, &view.path.replace("{uid}", UID));
            let body = filled(example, &usage_uid);
            let request = if kind == "application/json" { request.json(&body) } else { request.form(&body) };
            let answer = send(request).await;
            assert_eq!(answer.status, 200, "{} {kind} {body}: {answer:?}", view.path);
        }
    }
}

#[actix_web::test]
async fn every_example_of_a_query_works() {
    for view in operations().into_iter().filter(|view| view.method == "get") {
        let (app, _) = server(false).await;
        let parameters = view.description["parameters"].as_array().unwrap().iter();
        let in_query = parameters.filter(|parameter| parameter["in"] == "query" && parameter.get("example").is_some());
        let query: Vec<(&str, String)> = in_query
            .map(|parameter| {
                let example = &parameter["example"];
                let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                (parameter["name"].as_str().unwrap(), text)
            })
            .collect();
        let request = app.request(Role::Manager, Method::GET, &view.path.replace("{uid}", UID)).query(&query);
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{} {query:?}: {answer:?}", view.path);
    }
}
