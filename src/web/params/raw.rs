//! A parameter as it was sent. What no view takes, such as nested lists, is skipped and kept nowhere: a body of some
//! megabytes must not become hundreds of them in memory.

use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::token::LIST_MAX;

/// A parameter as it was sent.
#[derive(Debug, PartialEq)]
pub(super) enum Raw {
    Text(String),
    List(List),
    /// What no view takes.
    Other,
}

/// A list of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct List {
    /// Its texts, as many as any view takes.
    pub(super) texts: Vec<String>,
    /// How many items it has.
    pub(super) length: usize,
    /// The beginning of its first item that is no text, in JSON.
    pub(super) wrong: Option<String>,
}

/// Characters that are kept of an item that is no text, for the message about it.
const SHOWN: usize = 200;

impl Raw {
    /// A value of JSON.
    pub(super) fn read(json: &RawValue) -> serde_json::Result<Self> {
        let json = json.get();
        Ok(match json.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'-' | b'0'..=b'9') => Self::Text(json.to_owned()),
            Some(b'n') => Self::Text(String::new()),
            Some(b'[') => Self::List(List::read(json)?),
            _ => Self::Other,
        })
    }
}

impl List {
    /// A list of JSON.
    pub(super) fn read(json: &str) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let list = deserializer.deserialize_seq(Items)?;
        deserializer.end()?;
        Ok(list)
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
fn text(json: &str) -> Option<String> {
    json.starts_with('"').then(|| serde_json::from_str(json).ok()).flatten()
}
