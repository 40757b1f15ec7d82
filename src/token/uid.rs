//! A token's uid.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::time::Micros;

/// A token's UUID. Parsed with hyphens in either case, shown in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Uuid);

impl Uid {
    /// What a text must be, for those who read it.
    pub(crate) const EXPECTED: &'static str = "a uid";

    /// The uid of the API's examples.
    pub(crate) fn example() -> Self {
        Self(uuid::uuid!("1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"))
    }

    /// A new uid with 122 random bits: nobody can guess a token's value from another one's.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The `n`th uid of a secret seed: the same seed gives the same uids again, and without it nobody can guess one.
    /// Of version 4 (RFC 9562, section 5.4).
    pub(crate) fn of_seed(seed: &[u8; 32], n: u64) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::new().chain_update(seed).chain_update(n.to_be_bytes()).finalize()[..16]);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The uid of something that was done at this moment: its random bits behind the time in milliseconds (RFC 9562, section
    /// 5.7, version 7), by which the log finds it without an index of uids.
    pub(crate) fn at(self, now: Micros) -> Self {
        let mut bytes = self.0.into_bytes();
        let milliseconds = (now.get() / 1_000).to_be_bytes();
        bytes[..6].copy_from_slice(&milliseconds[2..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(Uuid::from_bytes(bytes))
    }

    /// The millisecond since 1970 that it begins with, if it is of version 7.
    pub(crate) fn millisecond(self) -> Option<i64> {
        let mut milliseconds = [0; 8];
        milliseconds[2..].copy_from_slice(&self.0.as_bytes()[..6]);
        (self.0.get_version_num() == 7).then(|| i64::from_be_bytes(milliseconds))
    }

    /// The `n`th uid, for tests.
    #[cfg(test)]
    pub(super) fn numbered(n: u128) -> Self {
        Self(Uuid::from_u128(n))
    }

    /// Parses what databases make of a UUID: 32 hexadecimal digits, with hyphens or without.
    pub(crate) fn of_digits(text: &str) -> Option<Self> {
        matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
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
        Self::read(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &Self::EXPECTED))
    }
}

impl JsonSchema for Uid {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Uid".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "uuid"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_of_a_moment_says_its_millisecond_and_keeps_what_is_random() {
        let random = Uid::random();
        let moment = random.at(Micros::stored(1_796_000_000_123_456));
        assert_eq!(moment.millisecond(), Some(1_796_000_000_123));
        assert_eq!(moment.to_string()[20..], random.to_string()[20..]);
        assert_eq!(&moment.to_string()[14..15], "7");
        assert_eq!(random.millisecond(), None);
    }
}
