//! Turning the pages of a list, forwards and backwards.

use serde::Deserialize;
use validator::Validate;

use super::cursor::CursorCodec;
use crate::store::cursor::Cursor;
use crate::store::tokens::list::{Sort, TokenSlice};
use crate::token::TokenError;

/// Where in a list that is turned both ways the page of an address begins.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PageQuery {
    after: Option<String>,
    before: Option<String>,
    last: Option<String>,
}

/// Where in the list a page begins.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PageRequest {
    /// At the beginning.
    First,
    /// Behind this place.
    After(Cursor),
    /// So that it ends before this place.
    Before(Cursor),
    /// So that it ends with the list.
    Last,
}

impl PageRequest {
    /// What an address says.
    ///
    /// # Errors
    /// A value error for a cursor that was made up, or belongs to another filter.
    pub(crate) fn read(query: &PageQuery, cursors: &CursorCodec) -> Result<Self, TokenError> {
        match (&query.after, &query.before, &query.last) {
            (Some(after), ..) => cursors.read(after).map(Self::After),
            (_, Some(before), _) => cursors.read(before).map(Self::Before),
            (.., Some(_)) => Ok(Self::Last),
            _ => Ok(Self::First),
        }
    }

    /// Whether it is found by walking the list from its other end.
    pub(crate) fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }

    /// The place that it begins behind, or ends before.
    pub(crate) fn place(&self) -> Option<&Cursor> {
        match self {
            Self::First | Self::Last => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }

    /// One more than fits the page tells whether there is more. Backwards, the list is walked from its other end.
    pub(crate) fn part(&self, sort: Sort, descending: bool, rows: usize) -> TokenSlice {
        let descending = descending != self.is_backwards();
        TokenSlice { sort, descending, after: self.place().cloned(), limit: more_than(rows) }
    }

    /// The rows of the page in their order, and the places at which the page before it and the one behind it begin.
    pub(crate) fn cut<T>(&self, mut rows: Vec<(Cursor, T)>, limit: usize) -> (Vec<T>, Option<Cursor>, Option<Cursor>) {
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.is_backwards() {
            rows.reverse();
        }
        let (has_before, has_behind) = match self {
            Self::First => (false, more),
            Self::After(_) => (true, more),
            Self::Before(_) => (more, true),
            Self::Last => (more, false),
        };
        let before = rows.first().filter(|_| has_before).map(|(place, _)| place.clone());
        let behind = rows.last().filter(|_| has_behind).map(|(place, _)| place.clone());
        (rows.into_iter().map(|(_, row)| row).collect(), before, behind)
    }
}

/// One more than fits a page tells whether there is a next one.
pub(crate) fn more_than(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// The page, and the place of its last row if there is more behind it.
pub(crate) fn cut<T>(mut rows: Vec<(Cursor, T)>, limit: usize) -> (Vec<(Cursor, T)>, Option<Cursor>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more).map(|(place, _)| place.clone());
    (rows, last)
}
