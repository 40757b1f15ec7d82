//! Holds every answer of a JSON view against the description of the API.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tessera::web::openapi::document::openapi;
use tessera::web::routes::table;

/// The description.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| openapi(&table(), ""));

/// A described view.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub path: &'static str,
    pub method: &'static str,
    pub description: &'static Value,
}

/// Every described view.
pub fn operations() -> Vec<Operation> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&'static String, &'static Value)| {
        let methods = methods.as_object().unwrap().iter().filter(|(method, _)| method.as_str() != "parameters");
        methods.map(|(method, description)| Operation { path, method, description }).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

impl Operation {
    /// The one with this id.
    pub fn named(id: &str) -> Self {
        let found = operations().into_iter().find(|operation| operation.description["operationId"] == id);
        found.unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// The names of its parameters, in their order.
    pub fn parameters(&self) -> Vec<&'static str> {
        let names = self.description["x-parameters"].as_array().unwrap();
        names.iter().map(|name| name.as_str().unwrap()).collect()
    }

    /// The names of the parameters that must be present.
    pub fn required(&self) -> Vec<&'static str> {
        let schema = &self.description["requestBody"]["content"]["application/json"]["schema"];
        // Those that must be present unless another one says that they are left out, too.
        let names = [&schema["required"], &schema["anyOf"][0]["required"]];
        names.into_iter().filter_map(serde_json::Value::as_array).flatten().map(|name| name.as_str().unwrap()).collect()
    }

    /// An answer with this status, if there can be one.
    pub fn response(&self, status: u16) -> Option<&'static Value> {
        let response = self.description["responses"].get(status.to_string())?;
        Some(match response["$ref"].as_str() {
            Some(reference) => DESCRIPTION.pointer(reference.trim_start_matches('#')).unwrap(),
            None => response,
        })
    }
}

/// The view at an address: with or without a base path before it.
fn operation_at(method: &Method, address: &str) -> Option<Operation> {
    let parts: Vec<&str> = address.trim_start_matches('/').split('/').collect();
    let fits = |operation: &Operation| {
        let pattern: Vec<&str> = operation.path.trim_start_matches('/').split('/').collect();
        let begin = parts.len().checked_sub(pattern.len());
        let fits = |(pattern, part): (&&str, &&str)| pattern == part || *pattern == "{uid}";
        begin.is_some_and(|begin| pattern.iter().zip(&parts[begin..]).all(fits))
    };
    let is_asked = |operation: &Operation| operation.method.eq_ignore_ascii_case(method.as_str());
    let mut found: Vec<Operation> = operations().into_iter().filter(is_asked).filter(fits).collect();
    found.sort_by_key(|operation| operation.path.len());
    found.pop()
}

/// A validator of a schema in the description.
pub fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = json!({"schemas": DESCRIPTION["components"]["schemas"]});
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|error| panic!("{error}: {schema}"))
}

type Validators = HashMap<(String, &'static str, u16), Validator>;

static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);

/// Holds that an answer is described, as far as its address is.
#[track_caller]
pub fn check(method: &Method, address: &str, (status, headers): (u16, &HeaderMap), body: &Value) {
    let Some(operation) = operation_at(method, address) else { return };
    let place = format!("{} {} {status}", operation.method, operation.path);
    let Some(response) = operation.response(status) else { panic!("{place} is not described: {body}") };
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        assert!(header["required"] != true || headers.contains_key(name), "{place} has no {name}");
    }
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        return;
    }
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = (operation.method.to_owned(), operation.path, status);
    let validator = validators.entry(key).or_insert_with(|| validator(schema));
    let errors: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place} is not as described: {errors:?} in {body}");
}
