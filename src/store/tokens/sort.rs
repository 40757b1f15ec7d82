//! The orders of the list of tokens, and parts of it.

use diesel::QueryResult;

use crate::store::cursor::{Cursor, Key};
use crate::token::{Micros, Token};

/// The sort order. Tokens with equal keys are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// By creation.
    #[default]
    Created,
    /// By value, in the order of Unicode code points.
    Value,
    /// By label; tokens without a label come first.
    Label,
    /// By the end of validity; tokens without an end come last.
    ValidTo,
}

impl Sort {
    /// The sort key in SQL, written exactly as in the index: only then does the database read a page without sorting.
    pub(super) fn expression(self) -> &'static str {
        match self {
            Self::Created => "tokens.created",
            Self::Value => "COALESCE(tokens.value, tokens.uid)",
            Self::Label => "COALESCE(tokens.label, '')",
            Self::ValidTo => "COALESCE(tokens.valid_to, 9223372036854775807)",
        }
    }

    /// Whether the sort key is a text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Value | Self::Label)
    }

    /// The position of a token in this order.
    pub(super) fn cursor(self, id: i64, token: &Token) -> Cursor {
        let key = match self {
            Self::Created => Key::Number(token.created.get()),
            Self::Value => Key::Text(token.value.clone()),
            Self::Label => Key::Text(token.label.clone().unwrap_or_default()),
            Self::ValidTo => Key::Number(token.valid_to.map_or(i64::MAX, Micros::get)),
        };
        Cursor { key, id }
    }
}

/// What one walk of an index reads.
pub(super) enum Walked<'a> {
    All,
    /// Those with this key, behind this id.
    Ties(&'a Key, i64),
    /// Those behind this key.
    Later(&'a Key),
}

/// Which part of a list to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenSlice {
    /// The sort order.
    pub sort: Sort,
    /// From the greatest to the least.
    pub descending: bool,
    /// Only what comes after this cursor.
    pub after: Option<Cursor>,
    /// Most tokens.
    pub limit: i64,
}

impl TokenSlice {
    /// The newest tokens first, as the JSON views show them.
    pub fn newest(after: Option<Cursor>, limit: i64) -> Self {
        Self { sort: Sort::Created, descending: true, after, limit }
    }

    /// The rows of this part of the list: the rest of those that share the cursor's sort key, then those with later keys.
    /// `load` reads up to so many of a walk.
    pub(super) fn rows<T>(&self, mut load: impl FnMut(Walked<'_>, i64) -> QueryResult<Vec<T>>) -> QueryResult<Vec<T>> {
        let Some(cursor) = &self.after else { return load(Walked::All, self.limit) };
        let mut rows = load(Walked::Ties(&cursor.key, cursor.id), self.limit)?;
        let wanted = self.limit - i64::try_from(rows.len()).unwrap_or(self.limit);
        if wanted > 0 {
            rows.append(&mut load(Walked::Later(&cursor.key), wanted)?);
        }
        Ok(rows)
    }

    /// Whether a position comes after another one.
    pub(super) fn is_after(&self, cursor: &Cursor, other: &Cursor) -> bool {
        if self.descending { cursor < other } else { cursor > other }
    }
}
