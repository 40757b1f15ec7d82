//! A parameter as it was sent. What no view takes, such as nested lists, is skipped and kept nowhere: a body of some
//! megabytes must not become hundreds of them in memory.

use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::token::LIST_MAX;
use crate::token::json_number::whole;

/// A parameter as it was sent.
#[derive(Debug)]
pub(super) enum Raw {
    Text(String),
    /// A number of JSON, as it is written.
    Number(String),
    List(List),
    /// What no view takes.
    Other,
}

/// A list of texts.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// Its texts, as many as any view takes.
    pub(super) texts: Vec<String>,
    /// How many items it has.
    pub(super) length: usize,
    /// The beginning of its first item that is no text, in JSON.
    pub(super) wrong: Option<String>,
    /// The whole list in JSON, if it has items that are no texts: each is read when its time comes, so that few are in memory at once.
    pub(super) json: Option<Box<RawValue>>,
}

/// Characters that are kept of an item that is no text, for the message about it.
const SHOWN: usize = 200;

impl Raw {
    /// A value of JSON.
    pub(super) fn read(json: &RawValue) -> serde_json::Result<Self> {
        let json = json.get();
        Ok(match json.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'-' | b'0'..=b'9') => Self::Number(json.to_owned()),
            Some(b'n') => Self::Text(String::new()),
            Some(b'[') => Self::List(List::read(json)?),
            _ => Self::Other,
        })
    }

    /// A text, or a number as it is written.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::List(_) | Self::Other => None,
        }
    }

    /// A whole number. JSON knows no other kind of number: `5.0` is 5 there, but in a text it is what somebody has written.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(number) => whole(number),
            Self::List(_) | Self::Other => None,
        }
    }
}

impl List {
    /// A list of JSON.
    pub(super) fn read(json: &str) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let mut list = deserializer.deserialize_seq(Items)?;
        deserializer.end()?;
        if list.wrong.is_some() && list.length <= LIST_MAX {
            list.json = Some(serde_json::from_str(json)?);
        }
        Ok(list)
    }

    /// Its items, each in JSON; none, if all are texts.
    pub(super) fn items(&self) -> Vec<&RawValue> {
        self.json.as_ref().and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: String) {
        self.length += 1;
        if self.length <= LIST_MAX {
            self.texts.push(text);
        }
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = List;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List, A::Error> {
        let mut list = List::default();
        while let Some(item) = items.next_element::<&RawValue>()? {
            if let Some(text) = text(item.get()) {
                list.push(text);
                continue;
            }
            list.length += 1;
            list.wrong.get_or_insert_with(|| item.get().chars().take(SHOWN).collect());
        }
        Ok(list)
    }
}

/// The text of a string of JSON.
pub(super) fn text(json: &str) -> Option<String> {
    json.starts_with('"').then(|| serde_json::from_str(json).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_json_is_whole_however_it_is_written() {
        for (number, wanted) in [
            ("5", Some(5)),
            ("-1", Some(-1)),
            ("5.0", Some(5)),
            ("-1.000", Some(-1)),
            ("1e3", Some(1_000)),
            ("1.5E+1", Some(15)),
            ("1500e-2", Some(15)),
            ("100", Some(100)),
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("2147483648.0", Some(2_147_483_648)),
            ("9223372036854775807", Some(i64::MAX)),
            ("1.5", None),
            ("15e-1", None),
            ("5.00000000000000000000000000001", None),
            ("1e-400", None),
            ("1e400", None),
            ("1e999999999999999999999", None),
            ("9223372036854775808", None),
        ] {
            let raw = Raw::read(serde_json::from_str(number).unwrap()).unwrap();
            assert_eq!(raw.integer(), wanted, "{number}");
            assert_eq!(raw.text(), Some(number));
        }
        for (text, wanted) in [(" +5 ", Some(5)), ("5.0", None), ("1e3", None), ("", None)] {
            assert_eq!(Raw::Text(text.into()).integer(), wanted, "{text}");
        }
    }
}
