//! What JSON views answer when they succeed.

use actix_web::HttpResponse;
use serde::Serialize;

/// What a JSON view answers when it succeeds.
#[derive(Serialize)]
struct Success<T> {
    success: bool,
    #[serde(flatten)]
    body: T,
}

/// A success with what it says.
pub(crate) fn success(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Success { success: true, body })
}

/// The body of a success that has nothing to say.
#[derive(Serialize)]
pub(crate) struct Done {}
