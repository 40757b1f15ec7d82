//! The errors that the API answers: what each means, and what to do.

use actix_web::ResponseError;

use crate::access::rate::Rate;
use crate::token::{Micros, Problem, Refusal, TokenError, Uid, Voided};
use crate::web::error::{Error, refusal_status};
use crate::web::failure::Failure;
use crate::web::params::BODY_KINDS;

/// A kind of error.
pub(crate) struct ErrorKind {
    /// Its status.
    pub(crate) status: u16,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) remedy: &'static str,
    /// One.
    pub(crate) example: Failure,
}

/// Every kind of error, in the order of their codes and statuses.
pub(crate) fn kinds() -> Vec<ErrorKind> {
    let refusal = |refusal: Refusal, meaning, remedy| ErrorKind {
        status: refusal_status(&refusal).as_u16(),
        meaning,
        remedy,
        example: Failure::of_refusal(&refusal, true),
    };
    let error = |error: Error, meaning, remedy| ErrorKind {
        status: error.status_code().as_u16(),
        meaning,
        remedy,
        example: error.failure(),
    };
    let value = |problem| TokenError::value("valid_to", problem).into();
    let moment = Micros::EPOCH.plus_seconds(1_790_065_810);
    let voided = Voided { at: moment, by: "user:anna".into(), reason: Some("Lost".into()) };
    vec![
        refusal(Refusal::NotExists, "There is no such token, or it is deleted.", "Check the uid or the value."),
        refusal(
            Refusal::UsageCountExceeded { left: 0 },
            "No uses are left, or fewer than were asked for.",
            "Add uses, or ask for fewer.",
        ),
        refusal(
            Refusal::LockTimeViolation { until: moment },
            "The token was used a moment ago.",
            "Wait as many seconds as `Retry-After` says.",
        ),
        refusal(
            Refusal::TooLate { to: moment },
            "The token is not yet valid, or no longer.",
            "See `valid_from`, `valid_to` and `retry_at`.",
        ),
        error(
            value(Problem::NotLater { than: "valid_from".into() }),
            "A value is outside its limits, already in use, or malformed; or a search took longer than five seconds.",
            "Correct `param`, as `reason` and `detail` say.",
        ),
        error(
            TokenError::missing("valid_from").into(),
            "A parameter is missing, unknown or given twice, or the body cannot be read.",
            "Correct the request, as `reason` and `detail` say.",
        ),
        error(Error::TooLarge(crate::web::params::SMALL), "The body is too large.", "Send less at once."),
        error(
            Error::UnsupportedType(BODY_KINDS),
            "The body is of a type that is not taken, is compressed, or declares a charset other than UTF-8.",
            "Send JSON or a form, and say so in `Content-Type`.",
        ),
        refusal(
            Refusal::Voided(voided),
            "The token is voided; the message has the reason, if one was given.",
            "Restore it, if it should be used again.",
        ),
        error(
            Error::KeyInProgress,
            "The first request with this `Idempotency-Key` is still in progress.",
            "Send the same request again after `Retry-After`, and get its answer.",
        ),
        error(
            Error::Unauthorized("Bearer"),
            "There is no valid key or session.",
            "Send `Authorization: Bearer tsr_…` with a key that is neither revoked nor expired.",
        ),
        error(
            Error::Forbidden("Your role can't use tokens.".into()),
            "The role or the gate does not allow it, the request came from another site, or it is a prefetch.",
            "Use a key with another role, or ask a manager.",
        ),
        error(Error::NotFound, "There is no page at this address.", "Check the address."),
        error(Error::MethodNotAllowed("POST".into()), "The address takes other methods.", "See `Allow`."),
        error(
            Error::TooManyRequests(12),
            "A key is over its rate limit, or there were too many failed sign-ins, labels printed, or photos sent.",
            "Wait as many seconds as `Retry-After` says.",
        ),
        error(
            Error::Fault { detail: String::new(), request_id: Some(EXAMPLE_REQUEST.into()) },
            "An internal error. The log has more about it, under the request id of the message.",
            "Tell the server's administrator.",
        ),
        error(
            Error::Unavailable(String::new()),
            "The database, or what searches, makes sheets or reads photos, cannot take the request now.",
            "Try again after `Retry-After`, with the same `Idempotency-Key`. Usually nothing was done; with `may_be_done` \
             nobody knows, and the same key finds out.",
        ),
    ]
}

const EXAMPLE_REQUEST: &str = "4b1f0c3e-7a52-4f0d-9a3c-5e8d2b6f1a90";

/// The errors of every view: for callers who must be known, with a body of at most so many bytes, with parameters.
pub(crate) fn of_every_view(needs_caller: bool, body: Option<usize>, has_params: bool) -> Vec<Error> {
    let mut errors = Vec::new();
    if has_params {
        let known = vec!["token_uid".into(), "value".into()];
        let problem = Problem::UnknownParameter { known };
        errors.push(TokenError::Api { param: Some("valeu".into()), problem }.into());
        errors.push(TokenError::Api { param: Some("value".into()), problem: Problem::GivenTwice }.into());
    }
    if let Some(limit) = body {
        let problem = Problem::NotAnObject { line: 1, column: 17 };
        errors.extend(has_params.then(|| TokenError::Api { param: None, problem }.into()));
        errors.push(Error::TooLarge(limit));
        errors.extend(has_params.then_some(Error::UnsupportedType(BODY_KINDS)));
    }
    if needs_caller && has_params {
        let problem = Problem::WrongType { expected: "a text or a number".into() };
        errors.push(TokenError::value("value", problem).into());
    }
    errors.push(Error::MethodNotAllowed("POST".into()));
    errors.extend(needs_caller.then(|| Error::OverRate(Rate::stored(20))));
    errors.push(Error::Fault { detail: String::new(), request_id: Some(EXAMPLE_REQUEST.into()) });
    errors.extend([Error::Unavailable(String::new()), Error::Unknown(String::new())]);
    errors
}

/// The error of a uid that is none.
pub(crate) fn not_a_uid() -> Error {
    TokenError::value("token_uid", Problem::NotAUid { value: Uid::example().to_string().replace('-', "") }).into()
}
