//! Keyset cursors: where the next page of an ordered list begins.

use serde::{Deserialize, Serialize};

/// A position in an ordered list: a row's sort key and id. Ordered as the rows are, from the least to the greatest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    pub(in crate::store) key: Key,
    pub(in crate::store) id: i64,
}

impl Cursor {
    /// The position of a row whose sort key is a number.
    pub fn number(number: i64, id: i64) -> Self {
        Self { key: Key::Number(number), id }
    }

    /// The sort key and the id, if the sort key is a number.
    pub(crate) fn as_numbers(&self) -> Option<(i64, i64)> {
        match self.key {
            Key::Number(number) => Some((number, self.id)),
            Key::Text(_) => None,
        }
    }

    /// Whether the sort key is a text that a database can compare: PostgreSQL takes no NUL.
    pub(crate) fn has_text(&self) -> bool {
        matches!(&self.key, Key::Text(text) if !text.contains('\0'))
    }

    /// The row's id.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }
}

/// Texts are ordered by code points, as both databases compare them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store) enum Key {
    Number(i64),
    Text(String),
}
