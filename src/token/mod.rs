//! The domain: what a token is, when it may be used, and which values it may have.
//!
//! Nothing here does I/O, and nothing here knows of HTTP, SQL or HTML.

pub mod action;
pub mod batch;
pub mod calendar;
pub mod consume;
pub mod edit;
pub mod error;
pub mod input;
pub mod label;
pub mod limits;
pub mod outcome;
pub mod print;
pub mod settings;
pub mod settle;
pub mod time;
pub mod time_range;
pub mod void;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

pub use error::{Refusal, TokenError};
pub use outcome::Outcome;
pub use time::Micros;
pub use void::Voided;

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

/// A token's UUID. Read hyphenated in either case, shown in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Uuid);

impl Uid {
    /// A new uid with 122 random bits: nobody guesses a token's value from another one's.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl FromStr for Uid {
    type Err = TokenError;

    /// # Errors
    /// A value error for anything but 36 hyphenated hexadecimal characters: `Uuid` alone would
    /// take braces, URNs and bare digits too, and one token would then have many spellings.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let uuid = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
        uuid.map(Self).ok_or_else(|| {
            TokenError::value(
                "token_uid",
                format!("{} is not a uid; a uid looks like 1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f", quoted(text)),
            )
        })
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

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

/// What a consume would be refused with; `Active` when it would not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// May be used now.
    Active,
    /// Not to be used any more, by somebody's decision.
    Voided,
    /// No uses left.
    UsedUp,
    /// Used a moment ago.
    Locked,
    /// Not yet valid.
    Pending,
    /// No longer valid.
    Expired,
}

impl State {
    /// Every state, in the order of the rule.
    pub const ALL: [Self; 6] = [Self::Active, Self::Voided, Self::UsedUp, Self::Locked, Self::Pending, Self::Expired];

    /// The word used in JSON and in URLs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Voided => "voided",
            Self::UsedUp => "used_up",
            Self::Locked => "locked",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for State {
    type Err = TokenError;

    /// # Errors
    /// A value error for an unknown word.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let known = Self::ALL.into_iter().find(|state| state.word() == text);
        known.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            TokenError::value("state", format!("state {} is not one of {words}", quoted(text)))
        })
    }
}

/// A caller's text as it may stand in a message: cut, and with control characters made visible,
/// so that no message carries a megabyte or a terminal escape back.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", cut.escape_debug())
}

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
        Uid(Uuid::from_u128(n))
    }

    #[test]
    fn a_uid_is_hyphenated_in_either_case_and_shown_in_lower() {
        let lower = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
        assert_eq!(lower.to_uppercase().parse::<Uid>().unwrap().to_string(), lower);
        for bad in [
            "",
            "not-a-uid",
            "1f0e6c1a54f74b1c9d5e0a3b7c2d4e6f",
            "{1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f}",
            "urn:uuid:1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f",
            "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6g",
            "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f ",
        ] {
            assert!(bad.parse::<Uid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_state_reads_its_own_word() {
        for state in State::ALL {
            assert_eq!(state.word().parse::<State>(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        assert!("Active".parse::<State>().is_err());
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
        assert_eq!(quoted(&"x".repeat(1_000)).chars().count(), 64 + 3);
    }
}
