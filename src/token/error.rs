//! Errors of requests about tokens: seven kinds, with their codes and messages.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::problem::{Problem, shown};
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
#[error("{}", self.sentence(&str::to_owned))]
pub enum TokenError {
    /// There is no token with this uid.
    Unknown(Uid),
    /// A value breaks a limit.
    Value {
        /// The parameter with the wrong value.
        param: Cow<'static, str>,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A parameter is missing or unknown, or the request cannot be parsed.
    Api {
        /// The parameter, if the error is about one.
        param: Option<String>,
        /// What is wrong.
        problem: Problem,
    },
    /// An item of a list is wrong.
    InList {
        /// The item's place, from 0.
        place: usize,
        /// The item, as in `tokens[6]`.
        item: String,
        /// What is wrong in it, as in `tokens[6].value`; the list itself where the item has no parameters.
        param: String,
        /// What is wrong with the item.
        error: Box<Self>,
    },
}

impl TokenError {
    /// What an error calls an item of a list of texts, which has no parameters.
    pub(crate) const ITEM: &'static str = "the item";

    /// A value error of one parameter.
    pub(crate) fn value(param: impl Into<Cow<'static, str>>, problem: Problem) -> Self {
        Self::Value { param: param.into(), problem }
    }

    /// An error for a required parameter that is missing, and may be empty.
    pub(crate) fn missing(param: &str) -> Self {
        Self::Api { param: Some(param.to_owned()), problem: Problem::missing() }
    }

    /// An error for a parameter that is missing, may be empty, and can be left out only with the other one.
    pub(crate) fn missing_unless(param: &str, other: &'static str) -> Self {
        let problem = Problem::Missing { may_be_empty: true, unless: Some(other.into()) };
        Self::Api { param: Some(param.to_owned()), problem }
    }

    /// An error for a required parameter that is missing, and must say something.
    pub(crate) fn unnamed(param: &str) -> Self {
        Self::Api { param: Some(param.to_owned()), problem: Problem::Missing { may_be_empty: false, unless: None } }
    }

    /// An error for a request that has none of these parameters.
    pub(crate) fn missing_one_of(params: &[&'static str]) -> Self {
        let param = params.first().map(|param| (*param).to_owned());
        Self::Api {
            param,
            problem: Problem::MissingOneOf { params: params.iter().map(|param| (*param).into()).collect() },
        }
    }

    /// An error for a request that cannot be parsed, when no single parameter is to blame; `why` is a sentence.
    pub(crate) fn unreadable(why: impl Into<String>) -> Self {
        Self::Api { param: None, problem: Problem::UnreadableBody { why: why.into() } }
    }

    /// An error of the item at this place of the list in a parameter.
    #[must_use]
    pub(crate) fn in_list(self, list: &str, place: usize) -> Self {
        let item = format!("{list}[{place}]");
        let param = match self.param() {
            Some(Self::ITEM) | None => list.to_owned(),
            Some(param) => format!("{item}.{param}"),
        };
        Self::InList { place, item, param, error: Box::new(self) }
    }

    /// What is wrong; nothing but the name where there is no such token.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Unknown(_) => None,
            Self::Value { problem, .. } | Self::Api { problem, .. } => Some(problem),
            Self::InList { error, .. } => error.problem(),
        }
    }

    /// The name for programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Unknown(_) => Refusal::NotExists.name(),
            Self::Value { .. } => "TokenValueError",
            Self::Api { .. } => "TokenAPIError",
            Self::InList { error, .. } => error.name(),
        }
    }

    /// The code, the same as in cone.tokens.
    pub(crate) fn code(&self) -> i16 {
        match self {
            Self::Unknown(_) => Refusal::NotExists.code(),
            Self::Value { .. } => 5,
            Self::Api { .. } => 6,
            Self::InList { error, .. } => error.code(),
        }
    }

    /// The place in a list of the item that is wrong, from 0.
    pub(crate) fn place(&self) -> Option<usize> {
        match self {
            Self::InList { place, .. } => Some(*place),
            Self::Unknown(_) | Self::Value { .. } | Self::Api { .. } => None,
        }
    }

    /// The token that does not exist.
    pub(crate) fn unknown_uid(&self) -> Option<Uid> {
        match self {
            Self::Unknown(uid) => Some(*uid),
            Self::InList { error, .. } => error.unknown_uid(),
            Self::Value { .. } | Self::Api { .. } => None,
        }
    }

    /// The parameter, if the error is about one.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::Unknown(_) => None,
            Self::Value { param, .. } => Some(param),
            Self::Api { param, .. } => param.as_deref(),
            Self::InList { param, .. } => Some(param),
        }
    }
}

impl FromStr for Uid {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::read(text).ok_or_else(|| TokenError::value("token_uid", Problem::NotAUid { value: shown(text) }))
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
