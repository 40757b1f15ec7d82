//! Which views can follow on an answer, with what it says. They are found, and not listed: whatever has a token in its path
//! follows on whatever says which token that is.

use serde_json::{Map, Value, json};

use super::model::{Api, View};

/// The links of a view's answer, by their names.
pub(super) fn of(view: &View, api: &Api) -> Map<String, Value> {
    let Some(uid) = token_of(view) else { return Map::new() };
    let mut links = Map::new();
    for next in api.views.iter().filter(|next| follows(next, view)) {
        let (name, mut link) = (next.id.clone(), json!({"operationId": next.id}));
        if next.has_path_uid() {
            link["parameters"] = json!({"path.uid": uid});
        } else if next.has_body() {
            link["requestBody"] = json!({"token_uids": [uid]});
        } else {
            link["parameters"] = json!({"query.token_uid": uid});
        }
        if let Some(body) = next.input.as_ref().filter(|_| next.has_path_uid() && next.has_body()) {
            let mut example = body.example.clone();
            example.as_object_mut().and_then(|example| example.remove("token_uid"));
            link["requestBody"] = example;
        }
        links.insert(name, link);
    }
    if let Some(undo) = api.views.iter().find(|next| next.name == "undo_consume" && answers(view, "usage_uid")) {
        let body = json!({"usage_uid": "$response.body#/usage_uid"});
        links.insert(undo.id.clone(), json!({"operationId": undo.id, "requestBody": body}));
    }
    links
}

/// Where a view's request or answer says which token it was about.
fn token_of(view: &View) -> Option<&'static str> {
    if view.has_path_uid() {
        return Some("$request.path.uid");
    }
    (view.name == "add_token" && answers(view, "token_uid")).then_some("$response.body#/token_uid")
}

fn answers(view: &View, property: &str) -> bool {
    let success = view.answers.iter().find(|answer| answer.status.is_success());
    let required = success.and_then(|answer| answer.schema.get("required")).and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|name| name == property))
}

/// Whether a view does something with a token that is there. One that adds a token does not.
fn follows(next: &View, view: &View) -> bool {
    let takes_uid = next.names.contains(&"token_uid") || next.names.contains(&"token_uids");
    let is_one_of_two = !next.has_path_uid() && next.names.contains(&"token_uid") && next.has_body();
    takes_uid && !is_one_of_two && next.id != view.id && next.name != "add_token"
}
