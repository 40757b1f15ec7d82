//! What the description says of one view. Nothing of it is written down twice: it comes from the types that a handler takes
//! and answers.

use actix_multipart::Multipart;
use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::http::header::IfNoneMatch;
use actix_web::{HttpRequest, web};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::access::Permission;
use crate::web::error::Error;

/// A view by one method, as it is put together.
pub(crate) struct Operation {
    /// Of answers; what they share is defined once.
    pub(crate) generator: SchemaGenerator,
    /// The names of its parameters.
    pub(crate) names: Vec<&'static str>,
    /// Its parameters.
    pub(crate) input: Option<Input>,
    /// The body that it takes instead of parameters: its media types, and what it is.
    pub(crate) file: Option<(&'static [&'static str], &'static str)>,
    /// Whether a success has an entity tag, and is not sent again to whoever names that.
    pub(crate) has_tag: bool,
    /// Whether it takes an `Idempotency-Key`.
    pub(crate) takes_key: bool,
    /// Whether a caller must be known.
    pub(crate) needs_caller: bool,
    /// What the caller must be permitted.
    pub(crate) permission: Option<Permission>,
    /// What it answers.
    pub(crate) answers: Vec<DescribedAnswer>,
    /// Errors that it can answer.
    pub(crate) errors: Vec<Error>,
}

/// The parameters of a view.
pub(crate) struct Input {
    /// As an object.
    pub(crate) schema: Schema,
    /// Most bytes of a body.
    pub(crate) limit: usize,
    /// Parameters that work with the tokens of the examples.
    pub(crate) example: Value,
}

/// An answer.
pub(crate) struct DescribedAnswer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// What it is.
    pub(crate) schema: Schema,
    /// One.
    pub(crate) example: Option<Value>,
}

impl Operation {
    /// Of a view of which nothing is known yet.
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with(|settings| settings.definitions_path = "/components/schemas".into());
        Self {
            generator: settings.into_generator(),
            names: Vec::new(),
            input: None,
            file: None,
            has_tag: false,
            takes_key: false,
            needs_caller: false,
            permission: None,
            answers: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Adds an answer.
    pub(crate) fn answer(
        &mut self,
        status: StatusCode,
        media_type: &'static str,
        schema: Schema,
        example: Option<Value>,
    ) {
        self.answers.push(DescribedAnswer { status, media_type, schema, example });
    }
}

/// Parameters of a view, with what the description says beside them.
pub(crate) trait ViewParams: JsonSchema {
    /// Parameters that work, if the token, the gate and the use of the examples exist.
    fn example() -> Value;

    /// Errors that only this view, or few, can answer.
    fn errors() -> Vec<Error> {
        Vec::new()
    }
}

/// What a view answers, with an example.
pub(crate) trait ViewAnswer: JsonSchema {
    /// An answer, without `success`.
    fn example() -> Value;
}

/// An argument of a handler, which knows what it takes of a request.
pub(crate) trait DescribesRequest {
    /// Adds it.
    fn describe(operation: &mut Operation);
}

/// What a handler returns, which knows how it is answered.
pub(crate) trait DescribesAnswer {
    /// Adds it.
    fn describe(operation: &mut Operation);
}

macro_rules! describe_nothing {
    ($($argument:ty)*) => {$(
        impl DescribesRequest for $argument {
            fn describe(_: &mut Operation) {}
        }
    )*};
}

// What is in the path the address describes.
describe_nothing! {
    () HttpRequest web::Path<String> web::Payload Session Multipart web::Header<IfNoneMatch>
}

impl<T> DescribesRequest for web::Data<T> {
    fn describe(_: &mut Operation) {}
}

impl<T: DescribesRequest> DescribesRequest for Option<T> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<T: DescribesAnswer> DescribesAnswer for Result<T, Error> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

macro_rules! tuples {
    ($(($($argument:ident)*))*) => {$(
        impl<$($argument: DescribesRequest),*> DescribesRequest for ($($argument,)*) {
            fn describe(operation: &mut Operation) {
                $($argument::describe(operation);)*
            }
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

/// The names of the parameters that a handler takes.
pub(crate) fn names_of_request<Args: DescribesRequest>() -> Vec<&'static str> {
    let mut operation = Operation::new();
    Args::describe(&mut operation);
    operation.names
}

/// Describes a handler by its type.
pub(crate) fn describe<Args: DescribesRequest, Output: DescribesAnswer>(operation: &mut Operation) {
    Args::describe(operation);
    Output::describe(operation);
}
