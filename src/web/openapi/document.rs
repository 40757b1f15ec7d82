//! The description as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::examples;
use super::links;
use super::model::{Api, View};
use super::operation::Input;
use super::schema::{self, Sent, properties};
use crate::access::Role;
use crate::web::error::Error;
use crate::web::route::Route;

/// The name of the security scheme.
const KEY: &str = "key";

/// What the header for idempotency is.
pub(crate) const KEY_TEXT: &str = "\
    Makes it safe to send the request again when its answer got lost: within 24 hours the same caller gets the first \
    success again, with `replayed`, and nothing is done twice. A failure is not kept. For another view, token or parameter \
    the same key is a `TokenValueError`.";

/// What the header for entity tags is.
pub(crate) const TAG_TEXT: &str = "\
    The `ETag` of an answer that you have, or several, or `*`. If the answer would be the same, it is a 304 without a body.";

/// What is said of the API as a whole, in Markdown.
pub(crate) const GUIDE: &str = include_str!("guide.md");

/// The description of the views of a table of routes, at a server.
pub fn openapi(routes: &[Route], server: &str) -> Value {
    let api = Api::new(routes);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for view in &api.views {
        let path = paths.entry(view.path).or_default();
        if view.has_path_uid() {
            path.insert("parameters".into(), json!([uid_in_path()]));
        }
        path.insert(view.method.as_str().to_lowercase(), operation(view, &api));
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Tessera",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A self-hosted token server: a token with n uses is used n times.",
            "description": GUIDE,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
        },
        "servers": [{"url": server.trim_end_matches('/')}],
        "security": [{KEY: []}],
        "paths": paths,
        "components": {
            "schemas": api.schemas,
            "responses": common_responses(&api),
            "headers": common_headers(),
            "securitySchemes": {KEY: {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, `tsr_…`. Create one with `tessera key add NAME --role ROLE`, or at `/keys`."
            }}
        }
    })
}

fn uid_in_path() -> Value {
    let description = "The token's uid, with hyphens, in either case.";
    json!({
        "name": "uid", "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "format": "uuid"},
        "example": crate::token::Uid::example()
    })
}

fn operation(view: &View, api: &Api) -> Value {
    let roles: Vec<&str> = view.roles.iter().map(|role| role.word()).collect();
    let who = match &roles[..] {
        _ if view.is_open => "Open to everybody.".to_owned(),
        all if all.len() == Role::ALL.len() => "Roles: all.".to_owned(),
        roles => format!("Roles: {}.", roles.join(", ")),
    };
    let mut operation = json!({
        "operationId": view.id,
        "tags": [view.name],
        "summary": view.summary,
        "description": format!("{}\n\n{who}", view.description).trim(),
        "parameters": parameters(view),
        "responses": responses(view, api),
        "x-roles": roles,
        "x-parameters": view.names
    });
    if view.is_open {
        operation["security"] = json!([]);
    }
    match (&view.input, view.file) {
        (Some(input), _) if view.has_body() => operation["requestBody"] = request_body(view, input),
        (_, Some(kinds)) => {
            let file = json!({"schema": {"type": "string", "format": "binary"}});
            let content: Map<String, Value> = kinds.iter().map(|kind| ((*kind).to_owned(), file.clone())).collect();
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        _ => {}
    }
    operation
}

fn parameters(view: &View) -> Vec<Value> {
    let mut parameters = Vec::new();
    if view.takes_key {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": KEY_TEXT,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
            "example": examples::idempotency_key(view)
        }));
    }
    if view.has_tag {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "description": TAG_TEXT,
            "schema": {"type": "string"}
        }));
    }
    let Some(input) = view.input.as_ref().filter(|_| !view.has_body()) else { return parameters };
    let all = properties(&input.schema);
    let required = schema::names(&input.schema, "required");
    parameters.extend(view.names.iter().filter_map(|name| {
        let mut schema = schema::property(all.get(*name)?, Sent::Query);
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({
            "name": name, "in": "query", "required": required.contains(name), "description": description, "schema": schema
        });
        if let Some(example) = input.example.get(name).filter(|_| !(view.has_path_uid() && *name == "token_uid")) {
            parameter["example"] = example.clone();
        }
        Some(parameter)
    }));
    parameters
}

fn request_body(view: &View, input: &Input) -> Value {
    let has_path = view.has_path_uid();
    let mut example = input.example.clone();
    if has_path {
        example.as_object_mut().and_then(|example| example.remove("token_uid"));
    }
    let of = |sent| json!({"schema": schema::body(&input.schema, sent, has_path), "example": example});
    let json_schema = of(Sent::Json);
    let is_required = ["required", "anyOf", "oneOf"]
        .iter()
        .any(|key| json_schema["schema"].get(key).and_then(Value::as_array).is_some_and(|names| !names.is_empty()));
    json!({
        "required": is_required,
        "description": format!("At most {} KiB. Parameters may stand in the query string instead; the body wins.", input.limit / 1_024),
        "content": {
            "application/json": json_schema,
            "application/x-www-form-urlencoded": of_form(of(Sent::Form))
        }
    })
}

/// A form's example is text; a list in it is JSON.
fn of_form(mut media: Value) -> Value {
    for value in media["example"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if !value.is_string() {
            *value = value.to_string().into();
        }
    }
    media
}

fn responses(view: &View, api: &Api) -> Map<String, Value> {
    let mut responses = Map::new();
    for answer in &view.answers {
        let status = answer.status.as_u16().to_string();
        let response = responses.entry(status).or_insert_with(|| {
            json!({
                "description": answer.status.canonical_reason(),
                "content": {answer.media_type: {"schema": answer.schema, "examples": {}}}
            })
        });
        let name = answer.example.as_ref().and_then(|example| example.get("error")?.as_str()).unwrap_or("success");
        if let Some(example) = &answer.example {
            response["content"][answer.media_type]["examples"][name] = json!({"value": example});
        }
        if answer.status.is_success() {
            response["links"] = links::of(view, api).into();
        }
    }
    if view.has_tag {
        let tag = json!({"ETag": {
            "required": true, "description": "It stands for these very bytes.", "schema": {"type": "string", "pattern": "^\"[^\"]+\"$"}
        }});
        responses["200"]["headers"] = tag.clone();
        let known =
            json!({"description": "Not Modified: the body is the one that `If-None-Match` names.", "headers": tag});
        responses.insert("304".into(), known);
    }
    for (status, errors) in &view.errors {
        let response = responses.entry(status.to_string()).or_insert_with(|| failure(errors));
        add_examples(response, errors);
    }
    for (status, errors) in &view.common_errors {
        match responses.get_mut(&status.to_string()) {
            Some(response) => add_examples(response, errors),
            None => {
                responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{status}")}));
            }
        }
    }
    for (status, response) in &mut responses {
        if response.get("$ref").is_none() {
            response["headers"] = headers(status, view.is_open);
        }
    }
    responses
}

/// An answer of errors of one status.
fn failure(errors: &[Error]) -> Value {
    json!({
        "description": errors.first().map(|error| error.failure().error),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}, "examples": {}}}
    })
}

fn add_examples(response: &mut Value, errors: &[Error]) {
    for error in errors {
        let failure = error.failure();
        let reason = failure.reason.as_deref().unwrap_or(failure.error);
        let name = failure.param.as_ref().map_or(reason.to_owned(), |param| format!("{param}_{reason}"));
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        response["content"]["application/json"]["examples"][name] = json!({"value": failure});
    }
}

/// The answers of errors that many views have, by their statuses.
fn common_responses(api: &Api) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, errors) in api.views.iter().flat_map(|view| &view.common_errors) {
        let response = responses.entry(status.to_string()).or_insert_with(|| failure(errors));
        add_examples(response, errors);
        response["headers"] = headers(&status.to_string(), false);
    }
    responses
}

/// The headers of an answer with this status.
fn headers(status: &str, is_open: bool) -> Value {
    let seconds = json!({"type": "integer", "minimum": 1});
    let mut headers = match status {
        "401" => json!({"WWW-Authenticate": {
            "required": true, "description": "RFC 6750, section 3.", "schema": {"type": "string", "pattern": "^Bearer"}
        }}),
        "405" => json!({"Allow": {
            "required": true, "description": "The methods that the address takes.", "schema": {"type": "string"}
        }}),
        "423" | "429" | "503" => json!({"Retry-After": {
            "required": true, "description": "Seconds to wait before the next try.", "schema": seconds
        }}),
        _ => json!({}),
    };
    if !is_open {
        for name in ["RateLimit-Policy", "RateLimit"] {
            headers[name] = json!({"$ref": format!("#/components/headers/{name}")});
        }
    }
    headers
}

/// Headers that answers of many statuses have.
fn common_headers() -> Value {
    let header = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "RateLimit-Policy": header(
            "For a key with a rate limit: how many requests it may send (`q`) within how many seconds (`w`).",
            "\"key\";q=20;w=1",
        ),
        "RateLimit": header(
            "For a key with a rate limit: how many more requests it may send (`r`) within how many seconds (`t`).",
            "\"key\";r=19;t=1",
        ),
    })
}
