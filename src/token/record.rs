//! The token, and the sizes of its fields.

use serde::{Deserialize, Serialize};

use super::time::Micros;
use super::uid::Uid;
use crate::access::Principal;

/// `usage_count` of a token with unlimited uses.
pub const UNLIMITED: i32 = -1;
/// Longest value, in characters.
pub const VALUE_MAX_CHARS: usize = 1_000;
/// Longest value, in bytes of UTF-8: what a QR code of version 40 holds with some error correction to spare (ISO/IEC
/// 18004, table 7: 1,273 bytes at level H).
pub const VALUE_MAX_BYTES: usize = 1_200;
/// Longest label, in characters.
pub const LABEL_MAX_CHARS: usize = 200;
/// Most tokens that one request adds, changes or deletes.
pub const LIST_MAX: usize = 100_000;

/// A record that can be used a number of times within a time range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its UUID; never changes, and is never used again.
    pub uid: Uid,
    /// The text in its QR code, unless codes hold links; unique among tokens.
    pub value: String,
    /// Text for people, printed with the QR code.
    pub label: Option<String>,
    /// The first moment at which it may be used.
    pub valid_from: Option<Micros>,
    /// The last moment at which it may be used.
    pub valid_to: Option<Micros>,
    /// The uses left; [`UNLIMITED`], or 0 when used up.
    pub usage_count: i32,
    /// How long it is locked after a use, in seconds.
    pub lock_time: i32,
    /// The time of the last use.
    pub last_used: Option<Micros>,
    /// The moment from which `lock_time` runs: the last use, or, if the clock has jumped back to before it, the moment
    /// at which the jump was noticed.
    pub lock_start: Option<Micros>,
    /// The principal that created it.
    pub creator: String,
    /// When it was created.
    pub created: Micros,
    /// When a person or an integration last changed it. A use does not count as a change.
    pub modified: Micros,
    /// How often it was used. A use that was undone does not count.
    pub used: i64,
    /// Its newest entry in the usage log.
    pub last_entry: Option<EntryId>,
    /// The batch in which it was created.
    pub batch: Option<BatchId>,
    /// Set while it is voided.
    pub voided: Option<Voided>,
}

/// When, by whom and why a token was voided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// When it was voided.
    pub at: Micros,
    /// The principal that voided it.
    pub by: String,
    /// The reason, if one was given; within the limits of [`check_reason`](super::void::check_reason).
    pub reason: Option<String>,
}

impl Token {
    /// Whether it has another value than its uid.
    pub(crate) fn has_own_value(&self) -> bool {
        self.value != self.uid.to_string()
    }
}

impl Voided {
    /// As it is after voiding: a token that was voided before gets the new reason, if there is one, but keeps the time and the
    /// principal of the first voiding.
    pub(crate) fn again(before: Option<&Self>, reason: Option<&str>, by: &Principal, at: Micros) -> Self {
        match (before, reason) {
            (Some(voided), None) => voided.clone(),
            (Some(voided), Some(reason)) => Self { reason: Some(reason.to_owned()), ..voided.clone() },
            (None, reason) => Self { at, by: by.to_string(), reason: reason.map(str::to_owned) },
        }
    }
}

/// The id of a batch: tokens that were created together.
pub type BatchId = i64;

/// The id of an entry in the usage log. A later entry of the same token has a higher one.
pub type EntryId = i64;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A plain token with `usage_count` uses.
    pub(crate) fn token(usage_count: i32) -> Token {
        Token {
            uid: uid(0),
            value: "value".into(),
            label: None,
            valid_from: None,
            valid_to: None,
            usage_count,
            lock_time: 0,
            last_used: None,
            lock_start: None,
            creator: "user:anna".into(),
            created: Micros::EPOCH,
            modified: Micros::EPOCH,
            used: 0,
            last_entry: None,
            batch: None,
            voided: None,
        }
    }

    /// The `n`th uid.
    pub(crate) fn uid(n: u128) -> Uid {
        Uid::numbered(n)
    }
}
