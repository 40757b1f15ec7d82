//! Which views can follow on an answer, with what it says. They are found, and not listed: whatever takes a token's uid
//! follows on the answer that has a new one, and an undo on that of a use by POST.

use serde_json::{Map, Value, json};

use super::model::{Api, View};

const TOKEN: &str = "$response.body#/token_uid";
const USE: &str = "$response.body#/usage_uid";

/// The links of a view's answer, by their names.
pub(super) fn of(view: &View, api: &Api) -> Map<String, Value> {
    let takes_token = |next: &View| next.names.contains(&"token_uid") || next.names.contains(&"token_uids");
    let follows = |next: &&View| match view.name.as_str() {
        "add_token" => takes_token(next),
        "consume_token" => view.has_body() && next.name == "undo_consume",
        _ => false,
    };
    api.views.iter().filter(follows).map(|next| (next.id.clone(), link(next))).collect()
}

/// A view with the uid of the answer, and otherwise as in its example.
fn link(next: &View) -> Value {
    let mut link = json!({"operationId": next.id});
    if next.has_path_uid() {
        link["parameters"] = json!({"path.uid": TOKEN});
    } else if !next.has_body() {
        link["parameters"] = json!({"query.token_uid": TOKEN});
    }
    let Some(input) = next.input.as_ref().filter(|_| next.has_body()) else { return link };
    let mut body = input.example.clone();
    for (name, value) in body.as_object_mut().into_iter().flatten() {
        match name.as_str() {
            "token_uid" => *value = TOKEN.into(),
            "token_uids" => *value = json!([TOKEN]),
            "usage_uid" => *value = USE.into(),
            _ => {}
        }
    }
    if next.has_path_uid() {
        body.as_object_mut().and_then(|body| body.remove("token_uid"));
    }
    link["requestBody"] = body;
    link
}
