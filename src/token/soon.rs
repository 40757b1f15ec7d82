//! Tokens that begin or end to be valid within a day.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::problem::Problem;
use super::{Micros, State};

/// What is soon, in seconds.
const SOON: i32 = 24 * 60 * 60;

/// Selects tokens by what happens to them within the next 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Soon {
    /// Not valid yet, and valid by then.
    Opening,
    /// Valid now, and no longer by then.
    Ending,
}

impl Soon {
    /// Every choice.
    pub(crate) const ALL: [Self; 2] = [Self::Opening, Self::Ending];

    /// The word in URLs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Ending => "ending",
        }
    }

    /// The state that these tokens have now.
    pub(crate) fn state(self) -> State {
        match self {
            Self::Opening => State::Pending,
            Self::Ending => State::Active,
        }
    }

    /// The latest moment that is soon.
    pub(crate) fn until(now: Micros) -> Micros {
        now.plus_seconds(SOON)
    }
}

impl FromStr for Soon {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let choice = Self::ALL.into_iter().find(|soon| soon.word() == text);
        choice.ok_or_else(|| TokenError::value("soon", Problem::not_one_of(text, Self::ALL.map(Self::word))))
    }
}
