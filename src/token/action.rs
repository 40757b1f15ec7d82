//! What is done to many tokens at once, or to one by a click, and how it is undone.

use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::input::{Change, Mistakes};
use super::label::numbered;
use super::record::{LABEL_MAX_CHARS, Token, UNLIMITED};
use super::time::Micros;
use super::void::{Voided, check_reason};
use crate::access::{Permission, Principal};

/// One kind of change, the same for each of its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Another time range.
    SetValidity {
        /// Its first moment.
        from: Bound,
        /// Its last moment.
        to: Bound,
    },
    /// A number of uses left; [`UNLIMITED`] too.
    SetUses(i32),
    /// Uses added to those left, or taken from them.
    AddUses(i32),
    /// Seconds of lock after each use.
    SetLock(i32),
    /// A label, with `{n}` for a running number, or none.
    SetLabel(Option<String>),
    /// Deletion.
    Delete,
    /// Voiding. What is voided already stays as it is.
    Void {
        /// Why, if that is said.
        reason: Option<String>,
    },
    /// The end of being voided.
    Unvoid,
}

/// What becomes of an end of the time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It stays as it is.
    Keep,
    /// There is none any more.
    Open,
    /// This moment.
    At(Micros),
}

impl Bound {
    #[allow(clippy::option_option, reason = "left as it is, none, and a time are three things")]
    fn change(self) -> Option<Option<Micros>> {
        match self {
            Self::Keep => None,
            Self::Open => Some(None),
            Self::At(moment) => Some(Some(moment)),
        }
    }
}

impl Action {
    /// What it takes to do it, and to undo it.
    pub(crate) fn permission(&self) -> Permission {
        match self {
            Self::Delete | Self::Void { .. } | Self::Unvoid => Permission::Delete,
            _ => Permission::Edit,
        }
    }

    /// The `n`th token, counted from 1, as this makes it when `by` does it `at` that moment. A deletion changes nothing
    /// of what the token is.
    ///
    /// # Errors
    /// Every field of the token that would be outside what is allowed.
    pub(crate) fn apply(&self, token: &Token, n: usize, by: &Principal, at: Micros) -> Result<Token, Mistakes> {
        let mut change = Change::default();
        match self {
            Self::SetValidity { from, to } => (change.valid_from, change.valid_to) = (from.change(), to.change()),
            Self::SetUses(uses) => change.usage_count = Some(*uses),
            Self::AddUses(uses) => change.add_uses = Some(*uses),
            Self::SetLock(seconds) => change.lock_time = Some(*seconds),
            Self::SetLabel(label) => {
                let label = label.as_deref().map(|pattern| numbered(pattern, n)).transpose()?;
                change.label = Some(label.filter(|label| !label.is_empty()));
            }
            Self::Void { reason } if token.voided.is_none() => {
                let voided = Voided { at, by: by.to_string(), reason: reason.clone() };
                return Ok(Token { voided: Some(voided), ..token.clone() });
            }
            Self::Unvoid => return Ok(Token { voided: None, ..token.clone() }),
            Self::Void { .. } | Self::Delete => {}
        }
        change.apply(token)
    }

    /// Whether `apply` could refuse any token for what it is told itself.
    ///
    /// # Errors
    /// A value error: it would be refused for every token.
    pub(crate) fn check(&self) -> Result<(), TokenError> {
        match self {
            // The first number is the shortest. A pattern of megabytes must not be filled in for each of many tokens.
            Self::SetLabel(Some(pattern)) if numbered(pattern, 1)?.chars().count() > LABEL_MAX_CHARS => {
                Err(TokenError::value("label", format!("A label has at most {LABEL_MAX_CHARS} characters")))
            }
            Self::SetValidity { from: Bound::At(from), to: Bound::At(to) } if from >= to => {
                Err(TokenError::value("valid_to", "valid_to must be later than valid_from"))
            }
            Self::SetValidity { from: Bound::Keep, to: Bound::Keep } => {
                Err(TokenError::value("valid_from", "Say which end of the validity is to change"))
            }
            Self::Void { reason: Some(reason) } => check_reason(reason),
            Self::AddUses(0) => Err(TokenError::value("add_uses", "add_uses 0 would change nothing")),
            _ => Ok(()),
        }
    }

    /// The token without this action, which was done to it when it was as `before`. What was consumed since then stays
    /// consumed.
    #[must_use]
    pub(crate) fn undo(&self, token: &Token, before: &Before) -> Token {
        let mut undone = token.clone();
        match self {
            Self::SetValidity { .. } => {
                (undone.valid_from, undone.valid_to) = (before.valid_from, before.valid_to);
            }
            Self::SetUses(_) | Self::AddUses(_) => undone.usage_count = before.uses_left(token),
            Self::SetLock(_) => undone.lock_time = before.lock_time,
            Self::SetLabel(_) => undone.label.clone_from(&before.label),
            Self::Void { .. } | Self::Unvoid => undone.voided.clone_from(&before.voided),
            Self::Delete => {}
        }
        undone
    }
}

/// What an action may have changed of a token, as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    /// The label.
    pub(crate) label: Option<String>,
    /// The first moment.
    pub(crate) valid_from: Option<Micros>,
    /// The last moment.
    pub(crate) valid_to: Option<Micros>,
    /// Uses left.
    pub(crate) usage_count: i32,
    /// Seconds of lock.
    pub(crate) lock_time: i32,
    /// How often it was used.
    pub(crate) used: i64,
    /// That it was voided.
    pub(crate) voided: Option<Voided>,
}

impl Before {
    fn uses_left(&self, token: &Token) -> i32 {
        if self.usage_count == UNLIMITED {
            return UNLIMITED;
        }
        let consumed = token.used.saturating_sub(self.used).max(0);
        i32::try_from(i64::from(self.usage_count).saturating_sub(consumed)).unwrap_or_default().max(0)
    }
}

/// Why an undo leaves a token as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoSkip {
    /// Somebody changed it after the action.
    Changed,
    /// Somebody deleted it after the action.
    Deleted,
    /// It was deleted by the action, and somebody restored it, or deleted it again.
    Restored,
    /// It was deleted by the action, and another token has its value now.
    ValueTaken,
}

impl UndoSkip {
    /// Every reason.
    pub(crate) const ALL: [Self; 4] = [Self::Changed, Self::Deleted, Self::Restored, Self::ValueTaken];

    /// The word in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::ValueTaken => "value_taken",
        }
    }
}

#[cfg(test)]
#[path = "action_tests.rs"]
mod tests;
