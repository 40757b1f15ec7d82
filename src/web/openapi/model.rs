//! The API as data, from the route table: of it are made the description for programs, the page for people, and
//! docs/API.md.

use std::collections::BTreeMap;

use actix_web::ResponseError;
use actix_web::http::Method;
use serde_json::{Map, Value};

use super::errors::{not_a_uid, of_every_view};
use super::operation::{DescribedAnswer, Input, Operation};
use super::schema::{IN_PATH, names, one_line, properties};
use crate::access::{Permission, Role};
use crate::web::error::Error;
use crate::web::failure::Failure;
use crate::web::params::LARGE;
use crate::web::route::Route;

/// The whole API.
pub(crate) struct Api {
    /// Its views, in the order of the route table.
    pub(crate) views: Vec<View>,
    /// What their answers share.
    pub(crate) schemas: Map<String, Value>,
}

/// A view, by one method at one address.
pub(crate) struct View {
    /// Its id: the name, and what tells it apart from others of this name.
    pub(crate) id: String,
    /// The last part of the address, which two addresses and two methods may share.
    pub(crate) name: String,
    /// The address below the base path.
    pub(crate) path: &'static str,
    /// The method.
    pub(crate) method: Method,
    /// What it does, in a sentence.
    pub(crate) summary: String,
    /// What else is to be known, in Markdown.
    pub(crate) description: String,
    /// Whether a caller must be known.
    pub(crate) is_open: bool,
    /// The roles that may ask for it.
    pub(crate) roles: Vec<Role>,
    /// Its parameters in their order.
    pub(crate) names: Vec<&'static str>,
    /// What its parameters are.
    pub(crate) input: Option<Input>,
    /// The media types of the body that it takes instead.
    pub(crate) file: Option<&'static [&'static str]>,
    /// Whether a success has an entity tag.
    pub(crate) has_tag: bool,
    /// Whether it takes an `Idempotency-Key`.
    pub(crate) takes_key: bool,
    /// What it answers.
    pub(crate) answers: Vec<DescribedAnswer>,
    /// Errors of its own, by their statuses.
    pub(crate) errors: BTreeMap<u16, Vec<Error>>,
    /// Errors that it has as other views have them.
    pub(crate) common_errors: BTreeMap<u16, Vec<Error>>,
}

impl View {
    /// Whether the token is named in the path.
    pub(crate) fn has_path_uid(&self) -> bool {
        self.path.contains("{uid}")
    }

    /// Whether its parameters come in a body.
    pub(crate) fn has_body(&self) -> bool {
        self.method == Method::POST
    }
}

impl Api {
    /// Of a table of routes.
    pub(crate) fn new(routes: &[Route]) -> Self {
        let mut views = Vec::new();
        let mut generator = Operation::new().generator;
        generator.subschema_for::<Failure>();
        let mut schemas = generator.take_definitions(true);
        for route in routes {
            let info = route.info();
            for (method, describe) in &info.operations {
                let mut operation = Operation::new();
                describe(&mut operation);
                schemas.extend(operation.generator.take_definitions(true));
                let shares_path = info.operations.len() > 1;
                views.push(view(info.path, method, (info.is_open, shares_path), operation));
            }
        }
        Self { views, schemas }
    }
}

fn view(path: &'static str, method: &Method, (is_open, shares_path): (bool, bool), operation: Operation) -> View {
    let name = path.trim_start_matches("/{uid}").trim_matches('/').replace(['/', '.'], "_");
    let id = [
        Some(name.clone()),
        path.starts_with("/{uid}").then(|| "by_uid".into()),
        (shares_path && *method == Method::GET).then(|| "get".into()),
    ];
    let schema = operation.input.as_ref().map(|input| &input.schema);
    let text = schema.and_then(|schema| schema.get("description")).and_then(Value::as_str);
    let text = text.or(operation.file.map(|(_, text)| text)).unwrap_or_default().to_owned();
    let (summary, description) = text.split_once("\n\n").unwrap_or((&text, ""));
    let permission = operation.permission;
    let may = |role: &Role| permission.is_none_or(|permission: Permission| role.may(permission));
    View {
        id: id.into_iter().flatten().collect::<Vec<_>>().join("_"),
        summary: summary.replace('\n', " "),
        description: one_line(description),
        is_open,
        roles: Role::ALL.into_iter().filter(may).collect(),
        common_errors: by_status(common_errors(path, method, &operation)),
        errors: by_status(operation.errors),
        name,
        path,
        method: method.clone(),
        names: operation.names,
        input: operation.input,
        file: operation.file.map(|(kinds, _)| kinds),
        has_tag: operation.has_tag,
        takes_key: operation.takes_key,
        answers: operation.answers,
    }
}

/// Errors by their statuses.
fn by_status(errors: impl IntoIterator<Item = Error>) -> BTreeMap<u16, Vec<Error>> {
    let mut all: BTreeMap<u16, Vec<Error>> = BTreeMap::new();
    for error in errors {
        all.entry(error.status_code().as_u16()).or_default().push(error);
    }
    all
}

/// The errors that follow from what a view takes.
fn common_errors(path: &str, method: &Method, operation: &Operation) -> Vec<Error> {
    let limit = operation.input.as_ref().map_or(LARGE, |input| input.limit);
    let limit = (*method == Method::POST).then_some(limit);
    let is_of_token = path.contains("{uid}") || operation.input.as_ref().is_some_and(names_token);
    let mut errors = of_every_view(operation.needs_caller, limit, operation.input.is_some());
    errors.extend(is_of_token.then(not_a_uid));
    errors
}

fn names_token(input: &Input) -> bool {
    properties(&input.schema).values().any(|property| property.get(IN_PATH).is_some())
        || names(&input.schema, "required").contains(&"token_uid")
}
