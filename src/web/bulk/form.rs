//! The form of a change of many tokens.

use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};
use validator::Validate;

use crate::access::Permission;
use crate::token::action::{Action, Bound};
use crate::token::input::{Mistakes, RawFields, read_time};
use crate::token::void::read_reason;
use crate::token::{Problem, TokenError};
use crate::web::choice::Choice;
use crate::web::tokens::form::TokenForm;
use crate::web::words::bulk::{self as words, Verb};

/// The kinds of changes that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// The time range.
    Validity,
    /// The number of uses left.
    Uses,
    /// More or fewer uses than there are left.
    AddUses,
    /// The lock.
    Lock,
    /// The label.
    Label,
    /// Voiding.
    Void,
    /// The end of being voided.
    Unvoid,
    /// Deletion.
    Delete,
    /// What a file or a program says of each token, which is not chosen here.
    Import,
}

impl ChangeKind {
    /// Every kind that can be chosen here, in the order of the page.
    pub(crate) const ALL: [Self; 8] =
        [Self::Validity, Self::Uses, Self::AddUses, Self::Lock, Self::Label, Self::Void, Self::Unvoid, Self::Delete];

    /// The kind of an action.
    pub(crate) fn of(action: &Action) -> Self {
        match action {
            Action::SetValidity { .. } => Self::Validity,
            Action::SetUses(_) => Self::Uses,
            Action::AddUses(_) => Self::AddUses,
            Action::SetLock(_) => Self::Lock,
            Action::SetLabel(_) => Self::Label,
            Action::Void { .. } => Self::Void,
            Action::Unvoid => Self::Unvoid,
            Action::Delete => Self::Delete,
            Action::Update { .. } | Action::Import { .. } => Self::Import,
        }
    }

    /// The permission that it needs.
    pub(crate) fn permission(self) -> Permission {
        match self {
            Self::Void | Self::Unvoid | Self::Delete => Permission::Delete,
            _ => Permission::Edit,
        }
    }

    /// Whether it has a form of its own.
    pub(crate) fn has_form(self) -> bool {
        !matches!(self, Self::Unvoid | Self::Delete | Self::Import)
    }

    /// Whether the tokens stop working.
    pub(crate) fn is_danger(self) -> bool {
        matches!(self, Self::Void | Self::Delete)
    }

    /// What is done to the tokens.
    pub(crate) fn verb(self) -> Verb {
        match self {
            Self::Void => words::VOIDING,
            Self::Unvoid => words::RESTORING,
            Self::Delete => words::DELETING,
            _ => words::CHANGING,
        }
    }

    /// The word in the form.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Validity => "validity",
            Self::Uses => "uses",
            Self::AddUses => "add_uses",
            Self::Lock => "lock",
            Self::Label => "label",
            Self::Void => "void",
            Self::Unvoid => "unvoid",
            Self::Delete => "delete",
            Self::Import => "import",
        }
    }

    /// The words on the page.
    pub(crate) fn words(self) -> &'static str {
        self.names().0
    }

    /// The same, short.
    pub(crate) fn short(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Validity => words::CHANGE_VALIDITY,
            Self::Uses => words::SET_USES,
            Self::AddUses => words::ADD_USES,
            Self::Lock => words::CHANGE_LOCK,
            Self::Label => words::CHANGE_LABEL,
            Self::Void => words::VOID,
            Self::Unvoid => words::RESTORE,
            Self::Delete => words::DELETE,
            Self::Import => words::IMPORT,
        }
    }
}

impl FromStr for ChangeKind {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == text);
        known.ok_or_else(|| TokenError::value("do", Problem::not_one_of(text, Self::ALL.map(Self::word))))
    }
}

/// What becomes of one end of the validity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BoundChange {
    #[default]
    Keep,
    /// It becomes a certain time.
    At,
    /// It is removed.
    Open,
}

impl BoundChange {
    /// Every change, its word in the form and its words on the page.
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Keep, "keep", words::KEEP_BOUND),
        (Self::At, "at", words::SET_BOUND),
        (Self::Open, "open", words::REMOVE_BOUND),
    ];

    /// The options of the select.
    pub(crate) fn choices(self) -> [Choice; 3] {
        // Nothing needs to be marked for the first option: browsers select it.
        Self::ALL.map(|(change, word, label)| Choice::new(word, label, change == self && change != Self::Keep))
    }
}

impl<'de> Deserialize<'de> for BoundChange {
    /// No word, or an unknown one, changes nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = Self::ALL.into_iter().find(|(_, known, _)| *known == word);
        Ok(known.map_or(Self::Keep, |(change, ..)| change))
    }
}

/// The fields that only a bulk change has.
#[derive(Clone, Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ChangeForm {
    /// What becomes of the start.
    pub(crate) change_from: BoundChange,
    /// What becomes of the end.
    pub(crate) change_to: BoundChange,
    /// A signed number.
    pub(crate) add_uses: String,
    /// Why tokens are voided.
    pub(crate) reason: String,
}

impl ChangeForm {
    /// The action that the fields describe.
    pub(crate) fn action(&self, kind: ChangeKind, form: &TokenForm, zone: Tz) -> Result<Action, Mistakes> {
        let raw = form.raw();
        let only = |raw: RawFields| raw.change(zone);
        let absent = RawFields::default;
        let action = match kind {
            ChangeKind::Validity => Action::SetValidity {
                from: bound("valid_from", self.change_from, &form.valid_from, zone)?,
                to: bound("valid_to", self.change_to, &form.valid_to, zone)?,
            },
            ChangeKind::Uses => {
                let change = only(RawFields { usage_count: raw.usage_count, ..absent() })?;
                Action::SetUses(change.usage_count.unwrap_or_default())
            }
            ChangeKind::AddUses => {
                let change = only(RawFields { add_uses: Some(self.add_uses.clone()), ..absent() })?;
                Action::AddUses(change.add_uses.unwrap_or_default())
            }
            ChangeKind::Lock => {
                let change = only(RawFields { lock_time: raw.lock_time, ..absent() })?;
                Action::SetLock(change.lock_time.unwrap_or_default())
            }
            ChangeKind::Label => Action::SetLabel(Some(form.label.clone()).filter(|label| !label.trim().is_empty())),
            ChangeKind::Void => Action::Void { reason: read_reason(&self.reason)? },
            ChangeKind::Unvoid => Action::Unvoid,
            ChangeKind::Delete => Action::Delete,
            ChangeKind::Import => return Err(TokenError::value("do", Problem::Unreadable).into()),
        };
        action.check()?;
        Ok(action)
    }
}

/// A time that was entered counts, also where the choice beside it still says that nothing changes.
fn bound(name: &'static str, change: BoundChange, text: &str, zone: Tz) -> Result<Bound, TokenError> {
    match (change, text) {
        (BoundChange::Open, _) => Ok(Bound::Open),
        (BoundChange::At, "") => Err(TokenError::value(name, Problem::Empty)),
        (_, "") => Ok(Bound::Keep),
        (_, text) => read_time(name, text, zone).map(Bound::At),
    }
}
