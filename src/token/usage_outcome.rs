//! Outcomes of attempts, as a filter of the usage log.

use std::str::FromStr;

use super::error::{Refusal, TokenError};
use super::problem::Problem;

/// Which attempts the filter matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageOutcome {
    /// Successful ones.
    Used,
    /// Undone uses: the entries that undo them.
    Undone,
    /// Refused ones, for any reason.
    Refused,
    /// Ones refused with this code.
    Because(i16),
}

impl UsageOutcome {
    /// Every outcome that can be chosen.
    pub(crate) const ALL: [Self; 8] = [
        Self::Used,
        Self::Undone,
        Self::Refused,
        Self::Because(1),
        Self::Because(7),
        Self::Because(2),
        Self::Because(3),
        Self::Because(4),
    ];

    /// The word in URLs: `used`, `undone`, `refused`, or the name of a refusal.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Undone => "undone",
            Self::Refused => "refused",
            Self::Because(code) => Refusal::name_of(code),
        }
    }

    /// What people call it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Used => "Used",
            Self::Undone => "Undone",
            Self::Refused => "Refused",
            Self::Because(1) => "Refused: unknown code",
            Self::Because(2) => "Refused: used up",
            Self::Because(3) => "Refused: locked",
            Self::Because(4) => "Refused: not valid at that time",
            Self::Because(7) => "Refused: voided",
            Self::Because(_) => "Refused: another reason",
        }
    }
}

impl FromStr for UsageOutcome {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let outcome = Self::ALL.into_iter().find(|outcome| outcome.word() == text);
        outcome.ok_or_else(|| TokenError::value("outcome", Problem::not_one_of(text, Self::ALL.map(Self::word))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_parses_its_own_word() {
        for outcome in UsageOutcome::ALL {
            assert_eq!(outcome.word().parse(), Ok(outcome));
        }
        for wrong in ["", "Used", "Unknown", "TokenValueError"] {
            assert!(wrong.parse::<UsageOutcome>().is_err(), "{wrong}");
        }
    }
}
