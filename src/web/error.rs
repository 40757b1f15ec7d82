//! One error type for everything that a request can meet, and its JSON.

use std::fmt;

use crate::access::rate::Rate;
use crate::store;
use crate::token::input::Mistakes;
use crate::token::{Problem, Refusal, TokenError, grouped};
use crate::web::failure::{Detail, Facts, Failure};
use crate::web::rate_headers;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};

/// Why a request is not done.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// The seven kinds of the contract.
    Token(TokenError),
    /// The body has more bytes than this.
    TooLarge(usize),
    /// The body is of a kind that is not taken here; the sentence says which are.
    UnsupportedType(&'static str),
    /// Nobody, or nobody we know, asks.
    Unauthorized(&'static str),
    /// Whoever asks may not do this.
    Forbidden(String),
    /// A page of another site sent it, or one that is taken for that.
    ForeignOrigin {
        /// The page's origin, if the browser says it.
        origin: Option<String>,
        /// The origins, or hosts, from which it would be taken.
        accepted: Vec<String>,
    },
    /// There is no page at this address.
    NotFound,
    /// The address takes these methods only.
    MethodNotAllowed(String),
    /// A search takes longer than it may.
    TooSlow,
    /// Too many failures; not before this many seconds.
    TooManyRequests(i64),
    /// A key sends more requests than its limit.
    OverRate(Rate),
    /// A device sends more photos than are read of it, as the sentence says.
    TooManyPhotos(&'static str),
    /// Somebody has printed as many labels as one may in a day.
    OverQuota {
        /// Labels that one may print in a day.
        most: i64,
        /// Labels that were printed, or are about to be.
        printed: i64,
        /// Seconds until some of these are a day old.
        seconds: i64,
    },
    /// The database or the queue cannot take it now.
    Unavailable(String),
    /// Something other than the database has too much to do, as the sentence says.
    Busy(&'static str),
    /// The database went away in the middle: it is not known whether this was done.
    Unknown(String),
    /// The first request with the same idempotency key is not done yet.
    KeyInProgress,
    /// A fault of ours.
    Fault {
        /// What happened; for the log only.
        detail: String,
        /// Where the log has it.
        request_id: Option<String>,
    },
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Token(mistakes.into())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Token(error) => Self::Token(error),
            store::Error::Refused(why) => Self::Forbidden(why),
            store::Error::Unavailable(why) | store::Error::Conflict(why) | store::Error::Lost(why) => {
                Self::Unavailable(why)
            }
            store::Error::TooSlow => Self::TooSlow,
            store::Error::KeyInProgress => Self::KeyInProgress,
            store::Error::Busy(why) => Self::Busy(why),
            store::Error::OverQuota { most, printed, seconds } => Self::OverQuota { most, printed, seconds },
            store::Error::Unknown(why) => Self::Unknown(why),
            store::Error::Failed(why) => Self::fault(why),
        }
    }
}

/// What the store did, or why it refuses it, which a form says; any other error is the request's.
pub(crate) fn or_refusal<T>(result: Result<T, store::Error>) -> Result<Result<T, String>, Error> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(store::Error::Refused(why)) => Ok(Err(why)),
        Err(error) => Err(error.into()),
    }
}

/// What a client that is told to come again should wait at least, in seconds.
const AGAIN: i64 = 1;

impl Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Token(error) => error.name(),
            Self::TooSlow => "TokenValueError",
            Self::TooLarge(_) | Self::UnsupportedType(_) => "TokenAPIError",
            Self::Unauthorized(_) => "Unauthorized",
            Self::Forbidden(_) | Self::ForeignOrigin { .. } => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed(_) => "MethodNotAllowed",
            Self::TooManyRequests(_) | Self::OverRate(_) | Self::TooManyPhotos(_) | Self::OverQuota { .. } => {
                "TooManyRequests"
            }
            Self::Unavailable(_) | Self::Busy(_) | Self::Unknown(_) => "Unavailable",
            Self::KeyInProgress => "Conflict",
            Self::Fault { .. } => "Exception",
        }
    }

    fn code(&self) -> Option<i16> {
        match self {
            Self::Token(error) => Some(error.code()),
            Self::TooSlow => Some(5),
            Self::TooLarge(_) | Self::UnsupportedType(_) => Some(6),
            _ => None,
        }
    }

    fn param(&self) -> Option<&str> {
        match self {
            Self::Token(error) => error.param(),
            _ => None,
        }
    }

    fn place(&self) -> Option<usize> {
        match self {
            Self::Token(error) => error.place(),
            _ => None,
        }
    }

    /// A fault of ours, described for the log.
    pub(crate) fn fault(detail: impl Into<String>) -> Self {
        Self::Fault { detail: detail.into(), request_id: None }
    }

    /// The answer in JSON.
    pub(crate) fn json(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        // Written here as well as around every address: the answer to a panic comes from outside of that.
        response.insert_header((CACHE_CONTROL, "no-store"));
        match self {
            Self::Unauthorized(challenge) => response.insert_header((WWW_AUTHENTICATE, *challenge)),
            Self::MethodNotAllowed(methods) => response.insert_header((ALLOW, methods.as_str())),
            Self::TooManyRequests(seconds) | Self::OverQuota { seconds, .. } => {
                response.insert_header((RETRY_AFTER, seconds.to_string()))
            }
            Self::OverRate(rate) => {
                let fields = rate_headers::exceeded(*rate).into_iter();
                let response = fields.fold(&mut response, |response, field| response.insert_header(field));
                response.insert_header((RETRY_AFTER, rate_headers::RETRY_AFTER.to_string()))
            }
            Self::Unavailable(_) | Self::Busy(_) | Self::Unknown(_) | Self::TooManyPhotos(_) | Self::KeyInProgress => {
                response.insert_header((RETRY_AFTER, AGAIN.to_string()))
            }
            _ => &mut response,
        };
        response.json(self.failure())
    }

    /// What the JSON says.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            success: false,
            error: self.name(),
            error_code: self.code(),
            message: self.to_string(),
            param: self.param().map(str::to_owned),
            place: self.place(),
            reason: self.problem().map(|problem| problem.reason()),
            detail: self.detail(),
        }
    }

    /// What is wrong with the request, if that is it.
    fn problem(&self) -> Option<Problem> {
        match self {
            Self::Token(error) => error.problem().cloned(),
            Self::TooSlow => Some(Problem::SearchTooSlow),
            Self::TooLarge(max) => Some(Problem::BodyTooLarge { max_bytes: *max as u64 }),
            Self::UnsupportedType(expected) => Some(Problem::UnsupportedBody { expected: (*expected).into() }),
            _ => None,
        }
    }

    fn detail(&self) -> Detail {
        if let Some(problem) = self.problem() {
            return Detail::Problem(problem);
        }
        let none = Facts::default();
        Detail::Facts(match self {
            Self::Token(error) => Facts { token_uid: error.unknown_uid(), ..none },
            Self::ForeignOrigin { origin, accepted } => {
                Facts { origin: origin.clone(), accepted_origins: accepted.clone(), ..none }
            }
            Self::MethodNotAllowed(methods) => Facts { allow: Some(methods.clone()), ..none },
            Self::TooManyRequests(seconds) => Facts { retry_after: Some(*seconds), ..none },
            Self::OverRate(_) => Facts { retry_after: Some(rate_headers::RETRY_AFTER), ..none },
            Self::OverQuota { most, printed, seconds } => {
                Facts { retry_after: Some(*seconds), max: Some(*most), count: Some(*printed), ..none }
            }
            Self::Unavailable(_) | Self::Busy(_) | Self::TooManyPhotos(_) | Self::KeyInProgress => {
                Facts { retry_after: Some(AGAIN), ..none }
            }
            Self::Unknown(_) => Facts { retry_after: Some(AGAIN), may_be_done: true, ..none },
            Self::Fault { request_id, .. } => Facts { request_id: request_id.clone(), ..none },
            _ => none,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::TooSlow | Self::TooLarge(_) | Self::UnsupportedType(_) => {
                self.problem().map_or(Ok(()), |problem| TokenError::Api { param: None, problem }.fmt(f))
            }
            Self::TooManyPhotos(why) | Self::Busy(why) => f.write_str(why),
            Self::Unauthorized(_) => {
                f.write_str("A valid API key is needed. Send it as Authorization: Bearer tsr_….")
            }
            Self::Forbidden(why) => f.write_str(why),
            Self::ForeignOrigin { origin, accepted } => {
                let origin = origin.as_deref().filter(|origin| *origin != "null").unwrap_or("another site");
                let accepted = accepted.join(" or ");
                write!(
                    f,
                    "A page of {origin} sent this form. Tessera accepts forms only from its own pages at {accepted}. An \
                     administrator sets that address with --public-url."
                )
            }
            Self::NotFound => f.write_str("There is no page at this address."),
            Self::MethodNotAllowed(methods) => write!(f, "This address accepts only {methods}."),
            Self::TooManyRequests(seconds) => {
                write!(
                    f,
                    "Too many attempts. Wait {seconds} second{}, then try again.",
                    if *seconds == 1 { "" } else { "s" }
                )
            }
            Self::OverRate(rate) => write!(
                f,
                "This API key may send {rate} to this instance of Tessera. Nothing was changed. Wait a second, then try again."
            ),
            Self::OverQuota { most, printed, seconds } => {
                let (most, printed, wait) = (grouped(*most), grouped(*printed), hours(*seconds));
                write!(
                    f,
                    "You can print {most} labels in 24 hours, and {printed} are printed or waiting. Try again in {wait}, or ask \
                     a manager to raise the limit in the settings."
                )
            }
            Self::Unavailable(_) => f.write_str("The database can't answer right now. Nothing was changed. Try again."),
            Self::Unknown(_) => f.write_str(
                "The connection to the database was lost, and this may have been done. Check before you try again, or send \
                 the same request with the same Idempotency-Key.",
            ),
            Self::KeyInProgress => f.write_str(
                "The first request with this Idempotency-Key is still in progress. Send the same request again in a second to \
                 get its answer.",
            ),
            Self::Fault { request_id, .. } => {
                f.write_str("Something went wrong on the server. Nothing was changed.")?;
                request_id.iter().try_for_each(|id| write!(f, " The log has the details under request {id}."))
            }
        }
    }
}

/// A time to wait, rounded up to minutes or hours.
fn hours(seconds: i64) -> String {
    match seconds {
        ..=60 => "a minute".into(),
        61..=7_200 => format!("{} minutes", (seconds + 59) / 60),
        _ => format!("{} hours", (seconds + 3_599) / 3_600),
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Token(error) => token_status(error),
            Self::TooSlow => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::ForeignOrigin { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooManyRequests(_) | Self::OverRate(_) | Self::TooManyPhotos(_) | Self::OverQuota { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable(_) | Self::Busy(_) | Self::Unknown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::KeyInProgress => StatusCode::CONFLICT,
            Self::Fault { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.json()
    }
}

fn token_status(error: &TokenError) -> StatusCode {
    match error {
        TokenError::Unknown(_) => refusal_status(&Refusal::NotExists),
        TokenError::Value { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        TokenError::Api { .. } => StatusCode::BAD_REQUEST,
        TokenError::InList { error, .. } => token_status(error),
    }
}

/// The status of each refusal: gone, voided, used up, locked or out of its time.
pub(crate) fn refusal_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotExists => StatusCode::NOT_FOUND,
        Refusal::Voided(_)
        | Refusal::UsageCountExceeded { .. }
        | Refusal::TooEarly { .. }
        | Refusal::TooLate { .. } => StatusCode::CONFLICT,
        Refusal::LockTimeViolation { .. } => StatusCode::LOCKED,
    }
}
