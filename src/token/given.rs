//! A parameter of a request that can be absent, empty, or say something.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{ValidateLength, ValidateRange};

/// A parameter. What it means when it is empty depends on what it is for. Without `#[serde(default)]` it must be present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// The request does not have it.
    #[default]
    Absent,
    /// It is there, and empty.
    Empty,
    /// It says this.
    Value(T),
}

impl<T> Given<T> {
    /// Of a text, if there is one.
    pub(crate) fn of(text: Option<T>, is_empty: impl Fn(&T) -> bool) -> Self {
        match text {
            None => Self::Absent,
            Some(text) if is_empty(&text) => Self::Empty,
            Some(text) => Self::Value(text),
        }
    }

    /// What it says.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(value) => Some(value),
        }
    }

    /// What it says.
    pub(crate) fn as_value(&self) -> Option<&T> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The same, or if the request does not have it, `other`.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self
    where
        T: Clone,
    {
        if let Self::Absent = self { other.clone() } else { self }
    }

    /// What it says where it is present; `Some(None)` where it is empty.
    #[allow(clippy::option_option, reason = "absent, empty and a value are three things")]
    pub(crate) fn present(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Empty => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not as an `Option`: serde takes one that is missing for one that is empty.
        deserializer.deserialize_newtype_struct("Given", Present(PhantomData))
    }
}

struct Present<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Present<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a parameter")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given<T>, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Given::Empty, Given::Value))
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

impl<T: PartialOrd> ValidateRange<T> for Given<T> {
    fn greater_than(&self, max: T) -> Option<bool> {
        self.as_value().map(|value| *value > max)
    }

    fn less_than(&self, min: T) -> Option<bool> {
        self.as_value().map(|value| *value < min)
    }
}

impl ValidateLength<u64> for Given<String> {
    fn length(&self) -> Option<u64> {
        self.as_value().and_then(ValidateLength::length)
    }
}
