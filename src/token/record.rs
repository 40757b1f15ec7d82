//! The token itself, and its limits.

use super::time::Micros;
use super::uid::Uid;
use super::void::Voided;

/// `usage_count` of a token that may be used without limit.
pub const UNLIMITED: i32 = -1;
/// Longest value, in characters.
pub const VALUE_MAX_CHARS: usize = 1_000;
/// Longest value, in bytes of UTF-8: what a QR code of version 40 holds with some error
/// correction to spare (ISO/IEC 18004, table 7: 1,273 bytes at level H).
pub const VALUE_MAX_BYTES: usize = 1_200;
/// Longest label, in characters.
pub const LABEL_MAX_CHARS: usize = 200;
/// Most tokens that one request adds or deletes.
pub const LIST_MAX: usize = 100_000;

/// A record that can be used a number of times within a time range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its UUID; never changes and is never given twice.
    pub uid: Uid,
    /// What its QR code says; unique among tokens.
    pub value: String,
    /// Text for people, printed with the QR code.
    pub label: Option<String>,
    /// First moment at which it may be used.
    pub valid_from: Option<Micros>,
    /// Last moment at which it may be used.
    pub valid_to: Option<Micros>,
    /// Uses that are left; [`UNLIMITED`], or 0 when used up.
    pub usage_count: i32,
    /// Seconds for which it is locked after a use.
    pub lock_time: i32,
    /// Moment of the last use.
    pub last_used: Option<Micros>,
    /// Moment from which `lock_time` runs: the last use, or, when the clock was found to have
    /// jumped back before it, the moment at which that was found.
    pub lock_start: Option<Micros>,
    /// Principal that made it.
    pub creator: String,
    /// When it was made.
    pub created: Micros,
    /// When a person or integrator last changed it; a use is no change.
    pub modified: Micros,
    /// How often it was used: of a token that is older than this number, since there is one.
    pub used: i64,
    /// The batch in which it was made.
    pub batch: Option<BatchId>,
    /// That it may not be used any more, until it is restored.
    pub voided: Option<Voided>,
}

/// The number of a batch: tokens that were made together.
pub type BatchId = i64;

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
            batch: None,
            voided: None,
        }
    }

    /// The `n`th uid.
    pub(crate) fn uid(n: u128) -> Uid {
        Uid::numbered(n)
    }
}
