//! How a key with a limit is told what it may still send: the header fields of the draft of the IETF,
//! draft-ietf-httpapi-ratelimit-headers-11.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::access::rate::{Allowance, Rate};

/// What is allowed.
pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it.
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Seconds until a key that is over its limit may send a request: whatever the rate, one is free within a second.
pub(crate) const RETRY_AFTER: i64 = 1;

/// The header fields for what a key may still send.
pub(crate) fn fields(Allowance { rate, left }: Allowance) -> [(HeaderName, String); 2] {
    let policy = format!("\"key\";q={};w=1", rate.get());
    [(POLICY, policy), (LIMIT, format!("\"key\";r={left};t={RETRY_AFTER}"))]
}

/// The header fields for a key that is over its limit.
pub(crate) fn exceeded(rate: Rate) -> [(HeaderName, String); 2] {
    fields(Allowance { rate, left: 0 })
}

/// Adds what a key may still send to an answer.
pub(crate) fn add(headers: &mut HeaderMap, allowance: Allowance) {
    for (name, value) in fields(allowance) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Keeps what an answer says of a limit in the page that takes its place.
pub(crate) fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [POLICY, LIMIT] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}
