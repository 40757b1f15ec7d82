//! The state of a token at a moment.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::problem::Problem;

/// The state of a token: `Active`, or the reason why a consume would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It may be used now.
    Active,
    /// Somebody has voided it.
    Voided,
    /// It has no uses left.
    UsedUp,
    /// It was used a moment ago.
    Locked,
    /// It is not valid yet.
    Pending,
    /// It is no longer valid.
    Expired,
}

impl State {
    /// Every state, in the order of the rule.
    pub const ALL: [Self; 6] = [Self::Active, Self::Voided, Self::UsedUp, Self::Locked, Self::Pending, Self::Expired];

    /// The word in JSON and URLs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Voided => "voided",
            Self::UsedUp => "used_up",
            Self::Locked => "locked",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }

    /// What people call it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Voided => "Voided",
            Self::UsedUp => "Used up",
            Self::Locked => "Locked",
            Self::Pending => "Not yet valid",
            Self::Expired => "Expired",
        }
    }
}

impl FromStr for State {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let state = Self::ALL.into_iter().find(|state| state.word() == text);
        state.ok_or_else(|| TokenError::value("state", Problem::not_one_of(text, Self::ALL.map(Self::word))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_parses_its_own_word() {
        for state in State::ALL {
            assert_eq!(state.word().parse::<State>(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        assert!("Active".parse::<State>().is_err());
    }
}
