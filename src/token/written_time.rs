//! A time as a request writes it: ISO 8601, before a time zone gives it a meaning.

use std::borrow::Cow;
use std::str::FromStr;

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parsed_time::ParsedTime;
use super::problem::{Problem, shown};
use super::time::Micros;

/// The parameters that are the end of a range: with a day for both ends, the range is that day.
const ENDS: [&str; 3] = ["valid_to", "created_to", "to"];

/// A time as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTime {
    /// For the errors about it.
    text: String,
    parsed: ParsedTime,
}

impl WrittenTime {
    /// What a text must be, for those who read it.
    pub(crate) const EXPECTED: &'static str = "a time";

    /// The moment as the parameter `name` means it: a day's last microsecond where it is the end of a range, and its first
    /// instant elsewhere; the earlier one of a local time that occurs twice.
    ///
    /// # Errors
    /// It does not exist in the zone, or is outside 1970 to 9999.
    pub fn moment(&self, name: &str, zone: Tz) -> Result<Micros, Problem> {
        match self.parsed {
            ParsedTime::Day(day) if ENDS.contains(&name) => Micros::last_of_day(day, &self.text, zone),
            _ => Micros::of_parsed(&self.parsed, &self.text, zone),
        }
    }
}

impl FromStr for WrittenTime {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let parsed = ParsedTime::parse(text).ok_or_else(|| Problem::NotATime { value: shown(text) })?;
        Ok(Self { text: text.to_owned(), parsed })
    }
}

impl Serialize for WrittenTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for WrittenTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &Self::EXPECTED))
    }
}

/// [`ParsedTime::parse`] as a regular expression, but for days that do not exist; of the years that can be stored.
const PATTERN: &str = concat!(
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    r"([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?",
    r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$"
);

impl JsonSchema for WrittenTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "examples": ["2026-09-22T10:30:00+02:00"]})
    }
}
