//! Errors of requests about tokens: seven kinds, with their codes and messages.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::quoted::quoted;
use super::record::Voided;
use super::time::Micros;
use super::uid::Uid;

/// Why a token may not be used: the first four kinds of the contract, and the seventh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such token, or it is deleted.
    NotExists,
    /// Somebody has voided it.
    Voided(Voided),
    /// It has fewer uses left than are asked for.
    UsageCountExceeded {
        /// How many: 0, or more if several are asked for at once.
        left: i32,
    },
    /// It was used a moment ago.
    LockTimeViolation {
        /// The first moment at which the lock is open again.
        until: Micros,
    },
    /// It is not valid yet.
    TooEarly {
        /// The first moment at which it is.
        from: Micros,
    },
    /// It is no longer valid.
    TooLate {
        /// The last moment at which it was.
        to: Micros,
    },
}

impl Refusal {
    /// The name for programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::NotExists => "TokenNotExists",
            Self::Voided(_) => "TokenVoided",
            Self::UsageCountExceeded { .. } => "TokenUsageCountExceeded",
            Self::LockTimeViolation { .. } => "TokenLockTimeViolation",
            Self::TooEarly { .. } | Self::TooLate { .. } => "TokenTimeRangeViolation",
        }
    }

    /// The code. cone.tokens used the same codes, except for voiding, which it did not have.
    pub(crate) fn code(&self) -> i16 {
        match self {
            Self::NotExists => 1,
            Self::Voided(_) => 7,
            Self::UsageCountExceeded { .. } => 2,
            Self::LockTimeViolation { .. } => 3,
            Self::TooEarly { .. } | Self::TooLate { .. } => 4,
        }
    }

    /// The name for a code from the usage log.
    pub(crate) fn name_of(code: i16) -> &'static str {
        let voided = Voided { at: Micros::EPOCH, by: String::new(), reason: None };
        let all = [
            Self::NotExists,
            Self::Voided(voided),
            Self::UsageCountExceeded { left: 0 },
            Self::LockTimeViolation { until: Micros::EPOCH },
            Self::TooLate { to: Micros::EPOCH },
        ];
        all.iter().find(|refusal| refusal.code() == code).map_or("Unknown", Self::name)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExists => f.write_str("There is no such token."),
            Self::Voided(Voided { reason: None, .. }) => f.write_str("This token is voided."),
            Self::Voided(Voided { reason: Some(reason), .. }) => write!(f, "This token is voided ({reason})."),
            Self::UsageCountExceeded { left: 0 } => f.write_str("This token is used up."),
            Self::UsageCountExceeded { left: 1 } => f.write_str("This token has 1 use left."),
            Self::UsageCountExceeded { left } => write!(f, "This token has {left} uses left."),
            Self::LockTimeViolation { until } => {
                write!(f, "This token was used a moment ago and is locked until {until}.")
            }
            Self::TooEarly { from } => write!(f, "This token is not valid before {from}."),
            Self::TooLate { to } => write!(f, "This token was valid until {to}."),
        }
    }
}

/// An error in a request about tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no token with this uid.
    #[error("There is no token {0}.")]
    Unknown(Uid),
    /// A value breaks a limit.
    #[error("{message}")]
    Value {
        /// The parameter with the wrong value.
        param: Cow<'static, str>,
        /// One sentence for people.
        message: String,
    },
    /// A parameter is missing or unknown, or the request cannot be parsed.
    #[error("{message}")]
    Api {
        /// The parameter, if the error is about one.
        param: Option<String>,
        /// One sentence for people.
        message: String,
    },
}

impl TokenError {
    /// A value error of one parameter. Adds a full stop to the message if it has none.
    pub(crate) fn value(param: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        let mut message = message.to_string();
        if !message.ends_with('.') {
            message.push('.');
        }
        Self::Value { param: param.into(), message }
    }

    /// An error for a required parameter that is missing.
    pub(crate) fn missing(param: &str) -> Self {
        let message = format!("The parameter {param} is missing; it must be present, though it may be empty.");
        Self::Api { param: Some(param.to_owned()), message }
    }

    /// An error for a request that does not say which one is meant, by what it may be said.
    pub(crate) fn unnamed(param: &str, message: &str) -> Self {
        Self::Api { param: Some(param.to_owned()), message: message.to_owned() }
    }

    /// An error for a request that cannot be parsed, when no single parameter is to blame.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::Api { param: None, message: message.into() }
    }

    /// The name for programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Unknown(_) => Refusal::NotExists.name(),
            Self::Value { .. } => "TokenValueError",
            Self::Api { .. } => "TokenAPIError",
        }
    }

    /// The code, the same as in cone.tokens.
    pub(crate) fn code(&self) -> i16 {
        match self {
            Self::Unknown(_) => Refusal::NotExists.code(),
            Self::Value { .. } => 5,
            Self::Api { .. } => 6,
        }
    }

    /// The parameter, if the error is about one.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::Unknown(_) => None,
            Self::Value { param, .. } => Some(param),
            Self::Api { param, .. } => param.as_deref(),
        }
    }
}

impl FromStr for Uid {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::read(text).ok_or_else(|| {
            let why = format!("{} is not a uid; a uid looks like 1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f", quoted(text));
            TokenError::value("token_uid", why)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_parsed_in_either_case_and_shown_in_lower() {
        let lower = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
        assert_eq!(lower.to_uppercase().parse::<Uid>().unwrap().to_string(), lower);
        for bad in [
            "",
            "not-a-uid",
            "1f0e6c1a54f74b1c9d5e0a3b7c2d4e6f",
            "{1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f}",
            "urn:uuid:1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f",
            "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6g",
            "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f ",
        ] {
            assert!(bad.parse::<Uid>().is_err(), "{bad}");
        }
    }
}
