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

/// The key of the header, if there is one.
pub(crate) struct IdempotencyKey(pub(crate) Option<ReplayKey>);

impl IdempotencyKey {
    /// The key of the header or of the parameter, and which of them it is.
    ///
    /// # Errors
    /// A value error when they are not the same, or the parameter is no key.
    pub(crate) fn or_nonce(self, nonce: Given<String>) -> Result<(Option<ReplayKey>, KeyPlace), TokenError> {
        let nonce = nonce.present().map(|nonce| ReplayKey::new(nonce.unwrap_or_default())).transpose()?;
        match (self.0, nonce) {
            (Some(header), Some(nonce)) if header != nonce => Err(two_keys()),
            (None, Some(nonce)) => Ok((Some(nonce), KeyPlace("nonce"))),
            (header, _) => Ok((header, KeyPlace(ReplayKey::HEADER))),
        }
    }
}

/// Where a key stood: errors about it name the header or the parameter.
#[derive(Clone, Copy)]
pub(crate) struct KeyPlace(&'static str);

impl KeyPlace {
    /// The error, if it is about the key, with the name of its place.
    pub(crate) fn name(self, error: Error) -> Error {
        match error {
            Error::Token(TokenError::Value { param, problem }) if param == ReplayKey::HEADER => {
                TokenError::value(self.0, problem).into()
            }
            other => other,
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
pub(crate) fn header_key(request: &HttpRequest) -> Result<Option<ReplayKey>, TokenError> {
    let mut headers = request.headers().get_all("idempotency-key");
    let Some(header) = headers.next() else { return Ok(None) };
    let wrong = |problem| TokenError::value(ReplayKey::HEADER, problem);
    if headers.next().is_some() {
        return Err(wrong(Problem::GivenTwice));
    }
    let text = header.to_str().map_err(|_| wrong(Problem::NotAscii))?;
    let key = ReplayKey::new(text.trim());
    key.map(Some).map_err(|error| wrong(error.problem().cloned().unwrap_or(Problem::Unreadable)))
}

fn two_keys() -> TokenError {
    TokenError::value("nonce", Problem::Contradicts { with: ReplayKey::HEADER.into() })
}
