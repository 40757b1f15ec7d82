//! Actions: changes of many tokens at once, or of one by a click, and how each is undone.

use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::input::{Change, Mistakes};
use super::label::fill_in_number;
use super::problem::Problem;
use super::record::{LABEL_MAX_CHARS, Token, UNLIMITED, Voided};
use super::time::Micros;
use super::uses_left::{Charge, UsesLeft};
use super::void::check_reason;
use crate::access::{Permission, Principal};

/// A kind of change, applied to every token of a selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sets the time range.
    SetValidity {
        /// The first moment.
        from: Bound,
        /// The last moment.
        to: Bound,
    },
    /// Sets the number of uses left; may be [`UNLIMITED`].
    SetUses(i32),
    /// Adds to the uses left, or subtracts if negative.
    AddUses(i32),
    /// Sets the lock time in seconds.
    SetLock(i32),
    /// Sets the label, in which `{n}` is a running number, or removes it.
    SetLabel(Option<String>),
    /// Deletes.
    Delete,
    /// Voids. A token that is already voided stays as it is.
    Void {
        /// The reason, if one is given.
        reason: Option<String>,
    },
    /// Lifts the voiding.
    Unvoid,
    /// Makes each token what a program has sent for it, its [`Target`].
    Update {
        /// Whether uses left are set.
        sets_uses: bool,
    },
    /// Makes each token what a line of a file says, its [`Target`].
    Import {
        /// The file's name.
        file: String,
        /// Whether uses left are set.
        sets_uses: bool,
        /// Whether tokens are voided or restored, or voided ones changed.
        voids: bool,
    },
}

/// What a line of a file, or an item of a list, makes of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    label: Option<String>,
    valid_from: Option<Micros>,
    valid_to: Option<Micros>,
    /// The uses that are to be left, and how often the token had been used when that was said; none, if the uses stay as
    /// they are.
    uses: Option<(i32, i64)>,
    lock_time: i32,
    voided: Option<Voided>,
}

impl Target {
    /// What this token is to be. Of `uses`, if they are set, the first are to be left of a token that had been used so often.
    pub(crate) fn new(token: &Token, uses: Option<(i32, i64)>) -> Self {
        let Token { label, valid_from, valid_to, lock_time, voided, .. } = token.clone();
        Self { label, valid_from, valid_to, uses, lock_time, voided }
    }

    /// The token after it. What was used since its uses were said stays used.
    pub(crate) fn apply(&self, token: &Token) -> Token {
        Token {
            label: self.label.clone(),
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            usage_count: match self.uses {
                None => token.usage_count,
                Some((UNLIMITED, _)) => UNLIMITED,
                Some((count, used)) => {
                    let left = i64::from(count).saturating_sub(token.used.saturating_sub(used));
                    i32::try_from(left.max(0)).unwrap_or(i32::MAX)
                }
            },
            lock_time: self.lock_time,
            voided: self.voided.clone(),
            ..token.clone()
        }
    }
}

/// A token's place in an action: its number, counted from 1, and what a file or a list makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its number.
    pub number: usize,
    /// Its target, where each token has its own.
    pub target: Option<&'a Target>,
}

impl Place<'_> {
    /// The `number`th, counted from 1.
    pub fn numbered(number: usize) -> Self {
        Self { number, target: None }
    }
}

/// A change of one end of the time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Leaves it as it is.
    Keep,
    /// Removes the bound.
    Open,
    /// Sets it to this moment.
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
    /// Which part of tokens it sets, as the audit has it.
    pub(crate) fn part(&self) -> Option<&'static str> {
        match self {
            Self::SetValidity { .. } => Some("validity"),
            Self::SetUses(_) | Self::AddUses(_) => Some("uses"),
            Self::SetLock(_) => Some("lock"),
            Self::SetLabel(_) => Some("label"),
            _ => None,
        }
    }

    /// The permission needed to do it, and to undo it.
    pub(crate) fn permission(&self) -> Permission {
        match self {
            Self::Delete | Self::Void { .. } | Self::Unvoid | Self::Import { voids: true, .. } => Permission::Delete,
            _ => Permission::Edit,
        }
    }

    /// The token at this place after this action by `by` at the moment `at`. A deletion leaves the token's fields
    /// unchanged.
    ///
    /// # Errors
    /// An error for every field of the changed token that breaks a limit.
    pub(crate) fn apply(&self, token: &Token, place: Place, by: &Principal, at: Micros) -> Result<Token, Mistakes> {
        if let Some(target) = place.target {
            return target.apply(token).checked_after(token);
        }
        let mut change = Change::default();
        match self {
            Self::SetValidity { from, to } => (change.valid_from, change.valid_to) = (from.change(), to.change()),
            Self::SetUses(uses) => change.usage_count = Some(*uses),
            Self::AddUses(uses) => change.add_uses = Some(*uses),
            Self::SetLock(seconds) => change.lock_time = Some(*seconds),
            Self::SetLabel(label) => {
                let label = label.as_deref().map(|pattern| fill_in_number(pattern, place.number)).transpose()?;
                change.label = Some(label.filter(|label| !label.is_empty()));
            }
            Self::Void { reason } if token.voided.is_none() => {
                let voided = Voided { at, by: by.to_string(), reason: reason.clone() };
                return Ok(Token { voided: Some(voided), ..token.clone() });
            }
            Self::Unvoid => return Ok(Token { voided: None, ..token.clone() }),
            Self::Void { .. } | Self::Delete | Self::Update { .. } | Self::Import { .. } => {}
        }
        change.apply(token)
    }

    /// Checks what does not depend on the token.
    ///
    /// # Errors
    /// A value error when the action would be refused for every token.
    pub(crate) fn check(&self) -> Result<(), TokenError> {
        match self {
            // The first number is the shortest. A pattern of megabytes must not be filled in for each of many tokens.
            Self::SetLabel(Some(pattern)) if fill_in_number(pattern, 1)?.chars().count() > LABEL_MAX_CHARS => {
                Err(TokenError::value("label", Problem::too_long(LABEL_MAX_CHARS)))
            }
            Self::SetValidity { from: Bound::At(from), to: Bound::At(to) } if from >= to => {
                Err(TokenError::value("valid_to", Problem::NotLater { than: "valid_from".into() }))
            }
            Self::SetValidity { from: Bound::Keep, to: Bound::Keep } => {
                Err(TokenError::value("valid_from", Problem::NothingToChange))
            }
            Self::Void { reason: Some(reason) } => check_reason(reason),
            Self::AddUses(0) => Err(TokenError::value("add_uses", Problem::NothingToChange)),
            _ => Ok(()),
        }
    }

    /// The token after this action is undone, where `before` holds its fields from before the action. Uses consumed in
    /// the meantime stay consumed, and [are charged](Self::charge) as if it had not been done.
    #[must_use]
    pub(crate) fn undo(&self, token: &Token, before: &Before) -> Token {
        let mut undone = token.clone();
        match self {
            Self::SetValidity { .. } => {
                (undone.valid_from, undone.valid_to) = (before.valid_from, before.valid_to);
            }
            Self::SetUses(_) | Self::AddUses(_) => undone.usage_count = before.uses_left(token).count,
            Self::SetLock(_) => undone.lock_time = before.lock_time,
            Self::SetLabel(_) => undone.label.clone_from(&before.label),
            Self::Void { .. } | Self::Unvoid => undone.voided.clone_from(&before.voided),
            Self::Import { sets_uses, .. } | Self::Update { sets_uses } => {
                undone.label.clone_from(&before.label);
                (undone.valid_from, undone.valid_to) = (before.valid_from, before.valid_to);
                undone.lock_time = before.lock_time;
                undone.voided.clone_from(&before.voided);
                if *sets_uses {
                    undone.usage_count = before.uses_left(token).count;
                }
            }
            Self::Delete => {}
        }
        undone
    }

    /// How the uses made since this action are charged once it is undone; none, if it changed no uses.
    pub(crate) fn charge(&self, token: &Token, before: &Before) -> Option<Charge> {
        self.changes_uses().then(|| before.uses_left(token).charge)
    }

    /// Whether it changes how many uses are left.
    pub(crate) fn changes_uses(&self) -> bool {
        matches!(
            self,
            Self::SetUses(_)
                | Self::AddUses(_)
                | Self::Import { sets_uses: true, .. }
                | Self::Update { sets_uses: true }
        )
    }
}

/// The fields that an action may have changed, as they were before.
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
    /// Seconds of lock after a use.
    pub(crate) lock_time: i32,
    /// How often it had been used.
    pub(crate) used: i64,
    /// Whether and how it was voided.
    pub(crate) voided: Option<Voided>,
}

impl Before {
    fn uses_left(&self, token: &Token) -> UsesLeft {
        UsesLeft::without_change(self.usage_count, self.used, token.used)
    }
}

/// Why an undo skips a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoSkip {
    /// Somebody changed it after the action.
    Changed,
    /// Somebody deleted it after the action.
    Deleted,
    /// The action deleted it, and somebody restored it, or deleted it once more.
    Restored,
    /// The action deleted it, and another token has its value now.
    ValueTaken,
}

impl UndoSkip {
    /// Every reason.
    pub(crate) const ALL: [Self; 4] = [Self::Changed, Self::Deleted, Self::Restored, Self::ValueTaken];

    /// The word stored in the database.
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
