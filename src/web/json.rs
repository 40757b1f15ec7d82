//! What JSON views answer when they succeed.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::store::idempotency::Kept;
use crate::web::error::Error;
use crate::web::etag::is_known;
use crate::web::openapi::operation::{DescribesAnswer, Operation, ViewAnswer};

/// A success with what it says.
pub(crate) struct Answer<T>(pub(crate) T);

/// A success that has an entity tag: whoever has it already is not sent it again (RFC 9110, section 13.1.2).
pub(crate) struct Tagged<T>(pub(crate) T);

#[derive(Serialize)]
struct Success<T> {
    success: bool,
    #[serde(flatten)]
    body: T,
}

impl<T: Serialize> Answer<T> {
    /// The response.
    pub(crate) fn response(self) -> HttpResponse {
        HttpResponse::Ok().json(Success { success: true, body: self.0 })
    }
}

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response()
    }
}

impl<T: Serialize> Responder for Tagged<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let body = match serde_json::to_vec(&Success { success: true, body: self.0 }) {
            Ok(body) => body,
            Err(error) => return Error::fault(error.to_string()).error_response(),
        };
        let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..16]));
        let is_known = IfNoneMatch::parse(request).is_ok_and(|known| is_known(&known, &tag));
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header(ETag(tag));
        if is_known { response.finish() } else { response.insert_header(ContentType::json()).body(body) }
    }
}

impl<T: ViewAnswer> DescribesAnswer for Tagged<T> {
    fn describe(operation: &mut Operation) {
        Answer::<T>::describe(operation);
        operation.has_tag = true;
    }
}

impl<T: ViewAnswer> DescribesAnswer for Answer<T> {
    fn describe(operation: &mut Operation) {
        let schema = with_success(T::json_schema(&mut operation.generator), true);
        let mut example = json!({"success": true});
        if let (Some(all), Value::Object(own)) = (example.as_object_mut(), T::example()) {
            all.extend(own);
        }
        operation.answer(StatusCode::OK, "application/json", schema, Some(example));
    }
}

/// The schema of an answer that says whether it is a success.
pub(crate) fn with_success(mut schema: Schema, success: bool) -> Schema {
    let object = schema.ensure_object();
    object.insert("type".into(), "object".into());
    if let Some(properties) = object.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        properties.insert("success".into(), json!({"const": success}));
    }
    if let Some(required) = object.entry("required").or_insert_with(|| json!([])).as_array_mut() {
        required.insert(0, "success".into());
    }
    schema
}

/// An answer that is given again to the same request with the same idempotency key.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Once<T> {
    #[serde(flatten)]
    answer: T,
    /// It was done earlier, with the same idempotency key; now nothing was changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

impl<T: ViewAnswer> ViewAnswer for Once<T> {
    fn example() -> Value {
        T::example()
    }
}

impl<T> From<Kept<T>> for Answer<Once<T>> {
    fn from(kept: Kept<T>) -> Self {
        let (answer, replayed) = match kept {
            Kept::Now(answer) => (answer, false),
            Kept::Before(answer) => (answer, true),
        };
        Self(Once { answer, replayed })
    }
}
