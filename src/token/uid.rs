//! A token's uid.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A token's UUID. Parsed with hyphens in either case, shown in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Uuid);

impl Uid {
    /// A new uid with 122 random bits: nobody can guess a token's value from another one's.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The `n`th uid, for tests.
    #[cfg(test)]
    pub(super) fn numbered(n: u128) -> Self {
        Self(Uuid::from_u128(n))
    }

    /// Parses 36 hexadecimal characters with hyphens, and nothing else: `Uuid` would also accept braces, URNs and bare
    /// digits, and one token would then have many spellings.
    pub(super) fn read(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
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

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| de::Error::custom("not a uid"))
    }
}
