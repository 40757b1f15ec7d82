//! What became of an attempt, as the usage log is filtered by it.

use std::str::FromStr;

use super::error::{Refusal, TokenError};
use super::quoted::quoted;

/// Which attempts are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageOutcome {
    /// Those that used the token.
    Used,
    /// Those that were refused, for whatever reason.
    Refused,
    /// Those that were refused with this code.
    Because(i16),
}

impl UsageOutcome {
    /// Every one that can be asked for.
    pub(crate) const ALL: [Self; 7] = [
        Self::Used,
        Self::Refused,
        Self::Because(1),
        Self::Because(7),
        Self::Because(2),
        Self::Because(3),
        Self::Because(4),
    ];

    /// The word in addresses: `used`, `refused`, or the name of an error.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Refused => "refused",
            Self::Because(code) => Refusal::name_of(code),
        }
    }
}

impl FromStr for UsageOutcome {
    type Err = TokenError;

    /// # Errors
    /// A value error for any other word.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let known = Self::ALL.into_iter().find(|outcome| outcome.word() == text);
        known.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            TokenError::value("outcome", format!("outcome {} is none of {words}", quoted(text)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_word_of_its_own() {
        for outcome in UsageOutcome::ALL {
            assert_eq!(outcome.word().parse(), Ok(outcome));
        }
        for wrong in ["", "Used", "Unknown", "TokenValueError"] {
            assert!(wrong.parse::<UsageOutcome>().is_err(), "{wrong}");
        }
    }
}
