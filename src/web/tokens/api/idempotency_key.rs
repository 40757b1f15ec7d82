//! The `Idempotency-Key` header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::token::settle::ReplayKey;
use crate::token::{Given, Problem, TokenError};
use crate::web::error::Error;
use crate::web::openapi::operation::{DescribesRequest, Operation};

/// Most characters of a key.
pub(crate) const KEY_MAX_CHARS: u64 = 255;

/// The header, as errors call it.
const HEADER: &str = "Idempotency-Key";

/// The key of the header, if there is one.
pub(crate) struct IdempotencyKey(pub(crate) Option<ReplayKey>);

impl IdempotencyKey {
    /// The key of the header or of the parameter.
    ///
    /// # Errors
    /// A value error when they are not the same, or the parameter is no key.
    pub(crate) fn or_nonce(self, nonce: Given<String>) -> Result<Option<ReplayKey>, TokenError> {
        let nonce = nonce.present().map(|nonce| ReplayKey::new(nonce.unwrap_or_default())).transpose()?;
        match (self.0, nonce) {
            (Some(header), Some(nonce)) if header != nonce => Err(two_keys()),
            (header, nonce) => Ok(header.or(nonce)),
        }
    }
}

impl DescribesRequest for IdempotencyKey {
    fn describe(operation: &mut Operation) {
        operation.takes_key = true;
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(header_key(request).map(Self).map_err(Error::from))
    }
}

/// Two keys would leave open which of them is meant.
fn header_key(request: &HttpRequest) -> Result<Option<ReplayKey>, TokenError> {
    let mut headers = request.headers().get_all("idempotency-key");
    let Some(header) = headers.next() else { return Ok(None) };
    let wrong = |problem| TokenError::value(HEADER, problem);
    if headers.next().is_some() {
        return Err(wrong(Problem::GivenTwice));
    }
    let text = header.to_str().map_err(|_| wrong(Problem::NotAscii))?;
    let key = ReplayKey::new(text.trim());
    key.map(Some).map_err(|error| wrong(error.problem().cloned().unwrap_or(Problem::Unreadable)))
}

fn two_keys() -> TokenError {
    TokenError::value("nonce", Problem::Contradicts { with: HEADER.into() })
}
