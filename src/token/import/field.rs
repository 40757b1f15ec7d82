//! What a column of a file can say of a token.

use serde::{Deserialize, Serialize};

/// A column that is imported, by the name of the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The uid.
    Uid,
    /// The value.
    Value,
    /// The label.
    Label,
    /// The first moment.
    ValidFrom,
    /// The last moment.
    ValidTo,
    /// The uses left.
    UsageCount,
    /// Seconds of lock after a use.
    LockTime,
    /// The name of the batch.
    Batch,
    /// Since when it is voided.
    Voided,
    /// Why it is voided.
    VoidReason,
    /// How often it had been used when the file was written: what was used since then stays used when uses are changed.
    Used,
}

impl Field {
    /// Every column, in the order in which an export has them.
    pub const ALL: [Self; 11] = [
        Self::Uid,
        Self::Value,
        Self::Label,
        Self::ValidFrom,
        Self::ValidTo,
        Self::UsageCount,
        Self::LockTime,
        Self::Batch,
        Self::Voided,
        Self::VoidReason,
        Self::Used,
    ];

    /// The name in a file, in a form and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Value => "value",
            Self::Label => "label",
            Self::ValidFrom => "valid_from",
            Self::ValidTo => "valid_to",
            Self::UsageCount => "usage_count",
            Self::LockTime => "lock_time",
            Self::Batch => "batch",
            Self::Voided => "voided",
            Self::VoidReason => "void_reason",
            Self::Used => "used",
        }
    }

    /// Whether it holds a whole number: in JSON, `5.0` is one.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::UsageCount | Self::LockTime | Self::Used)
    }

    /// The column that an error about this parameter is about.
    pub(super) fn of_param(param: &str) -> Option<Self> {
        match param {
            "token_uid" => Some(Self::Uid),
            "batch_name" => Some(Self::Batch),
            "reason" => Some(Self::VoidReason),
            param => Self::ALL.into_iter().find(|field| field.name() == param),
        }
    }
}

/// What a line says: a text for each column that the file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells([Option<String>; Field::ALL.len()]);

impl Cells {
    /// The text of a column; none if the file, or the line's object, does not have it.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0[field as usize].as_deref()
    }

    /// The text of a column, if there is any.
    pub fn filled(&self, field: Field) -> Option<&str> {
        self.get(field).filter(|text| !text.is_empty())
    }

    /// Sets the text of a column.
    pub fn set(&mut self, field: Field, text: String) {
        self.0[field as usize] = Some(text);
    }

    /// Whether no column says anything.
    pub fn are_empty(&self) -> bool {
        self.0.iter().flatten().all(String::is_empty)
    }
}
