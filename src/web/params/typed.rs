//! Parameters as structs.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use super::names::names_of;
use super::raw_params::{RawForm, RawParams, SMALL};
use crate::token::{Problem, TokenError};
use crate::web::error::Error;
use crate::web::openapi::operation::{DescribesRequest, Input, Operation, ViewParams};
use crate::web::openapi::schema::may_be_empty;

/// A view's parameters, of a body of at most `LIMIT` bytes and of the query string. There are no others.
pub(crate) struct Params<T, const LIMIT: usize = SMALL>(pub(crate) T);

/// A page's form: its fields come from the body alone. A link with fields in its query string must not decide what a form
/// writes that somebody else fills in.
pub(crate) struct Form<T, const LIMIT: usize = SMALL>(pub(crate) T);

/// A page's form in two parts: what its page needs in any case, and the rest, or what is wrong with that.
pub(crate) struct TriedForm<A, B>(pub(crate) A, pub(crate) Result<B, TokenError>);

/// What a file is made of, which programs ask for as well: a body and the query string. There is nothing else.
pub(crate) struct FileParams<T, const LIMIT: usize = SMALL>(pub(crate) T);

/// What the address of a page chooses or brings back. What it does not know is passed over: links live long.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + ViewParams + 'static, const LIMIT: usize> FromRequest for Params<T, LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawParams::<LIMIT>::from_request(request, payload);
        Box::pin(async move { Ok(Self(raw.await?.typed(true).map_err(explained::<T>)?)) })
    }
}

impl<T: DeserializeOwned + Validate + 'static, const LIMIT: usize> FromRequest for Form<T, LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawForm::<LIMIT>::from_request(request, payload);
        Box::pin(async move { Ok(Self(raw.await?.0.typed(false)?)) })
    }
}

impl<A: DeserializeOwned + Validate + 'static, B: DeserializeOwned + Validate + 'static> FromRequest
    for TriedForm<A, B>
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawForm::<SMALL>::from_request(request, payload);
        Box::pin(async move {
            let RawForm(raw) = raw.await?;
            Ok(Self(raw.typed(false)?, raw.typed(false)))
        })
    }
}

impl<T: DeserializeOwned + Validate + 'static, const LIMIT: usize> FromRequest for FileParams<T, LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawParams::<LIMIT>::from_request(request, payload);
        Box::pin(async move {
            let raw = raw.await?;
            raw.only(&names_of::<T>())?;
            Ok(Self(raw.typed(false)?))
        })
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let params = RawParams::of_query(request.query_string());
        ready(params.and_then(|params| Ok(Self(params.typed(false)?))))
    }
}

impl<T: DeserializeOwned, const LIMIT: usize> DescribesRequest for Form<T, LIMIT> {
    fn describe(operation: &mut Operation) {
        operation.names = names_of::<T>();
    }
}

impl<A: DeserializeOwned, B: DeserializeOwned> DescribesRequest for TriedForm<A, B> {
    fn describe(operation: &mut Operation) {
        operation.names = names_of::<(A, B)>();
    }
}

impl<T: DeserializeOwned, const LIMIT: usize> DescribesRequest for FileParams<T, LIMIT> {
    fn describe(operation: &mut Operation) {
        operation.names = names_of::<T>();
    }
}

impl<T: DeserializeOwned> DescribesRequest for Query<T> {
    fn describe(operation: &mut Operation) {
        operation.names = names_of::<T>();
    }
}

impl<T: DeserializeOwned + ViewParams, const LIMIT: usize> DescribesRequest for Params<T, LIMIT> {
    fn describe(operation: &mut Operation) {
        operation.names = names_of::<T>();
        // Of its own: the answers' are described as they are written, and this as it is read.
        let mut generator =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
        let schema = T::json_schema(&mut generator);
        operation.input = Some(Input { schema, limit: LIMIT, example: T::example() });
        operation.errors.extend(T::errors());
    }
}

/// The error with what the description of its parameter says: bounds, and whether it may be empty.
pub(super) fn explained<T: JsonSchema>(error: TokenError) -> TokenError {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    explained_by(schema.as_value(), error)
}

fn explained_by(schema: &Value, error: TokenError) -> TokenError {
    let property = |name: &str| schema.get("properties").and_then(|all| all.get(name)).cloned().unwrap_or_default();
    let own = error.param().map(property).unwrap_or_default();
    let bound = |name: &str| own.get(name).and_then(Value::as_i64);
    match error {
        TokenError::Api { param, problem: Problem::Missing { .. } } => {
            let may_be_empty = may_be_empty(&own);
            TokenError::Api { param, problem: Problem::Missing { may_be_empty, unless: None } }
        }
        TokenError::Value { param, problem: Problem::NotAnInteger { value, .. } } => {
            let problem = Problem::NotAnInteger { value, min: bound("minimum"), max: bound("maximum") };
            TokenError::Value { param, problem }
        }
        TokenError::InList { place, item, param, error } => {
            let list = property(item.split('[').next().unwrap_or_default());
            let error = explained_by(list.get("items").unwrap_or(&Value::Null), *error);
            TokenError::InList { place, item, param, error: Box::new(error) }
        }
        other => other,
    }
}
