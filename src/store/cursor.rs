//! Keyset cursors: where in an ordered list the next page begins.

use serde::{Deserialize, Serialize};

/// A place in a list: at the token with that number, which has that in what the list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(in crate::store) key: Key,
    pub(in crate::store) id: i64,
}

impl Cursor {
    /// The place of a number in a list.
    pub fn number(number: i64, id: i64) -> Self {
        Self { key: Key::Number(number), id }
    }

    /// The number that the list is ordered by there, and the number of what stands there.
    pub(crate) fn as_numbers(&self) -> Option<(i64, i64)> {
        match self.key {
            Key::Number(number) => Some((number, self.id)),
            Key::Text(_) => None,
        }
    }

    /// The number of what stands there.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store) enum Key {
    Number(i64),
    Text(String),
}
