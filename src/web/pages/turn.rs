//! Turning the pages of a list, forwards and backwards.

use super::when::tokens;
use crate::store::token_list::{Part, Place, Sort};
use crate::token::TokenError;
use crate::web::counts::Count;
use crate::web::cursor::{CursorOf, more_than};
use crate::web::params::Params;

/// Where in the list a page begins.
#[derive(Clone, PartialEq, Eq)]
pub enum Turn {
    /// At the beginning.
    First,
    /// Behind this place.
    After(Place),
    /// So that it ends before this place.
    Before(Place),
    /// So that it ends with the list.
    Last,
}

impl Turn {
    /// What the parameters `after`, `before` and `last` say.
    ///
    /// # Errors
    /// A value error for a cursor that was made up, or belongs to another filter.
    pub fn read<const L: usize>(params: &Params<L>, cursors: &CursorOf) -> Result<Self, TokenError> {
        let text = |name| params.filled(name).ok().flatten();
        match (text("after"), text("before"), text("last")) {
            (Some(after), ..) => cursors.read(&after).map(Self::After),
            (_, Some(before), _) => cursors.read(&before).map(Self::Before),
            (.., Some(_)) => Ok(Self::Last),
            _ => Ok(Self::First),
        }
    }

    /// Whether it is found by walking the list from its other end.
    pub fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }

    /// The place that it begins behind, or ends before.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::First | Self::Last => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }

    /// One more than fits the page tells whether there is more. Backwards, the list is walked from its other end.
    pub fn part(&self, sort: Sort, descending: bool, rows: usize) -> Part {
        let descending = descending != self.is_backwards();
        Part { sort, descending, after: self.place().cloned(), limit: more_than(rows) }
    }

    /// The rows of the page in their order, and the places at which the page before it and the one behind it begin.
    pub fn cut<T>(&self, mut found: Vec<(Place, T)>, rows: usize) -> (Vec<T>, Option<Place>, Option<Place>) {
        let more = found.len() > rows;
        found.truncate(rows);
        if self.is_backwards() {
            found.reverse();
        }
        let (has_before, has_behind) = match self {
            Self::First => (false, more),
            Self::After(_) => (true, more),
            Self::Before(_) => (more, true),
            Self::Last => (more, false),
        };
        let before = found.first().filter(|_| has_before).map(|(place, _)| place.clone());
        let behind = found.last().filter(|_| has_behind).map(|(place, _)| place.clone());
        (found.into_iter().map(|(_, row)| row).collect(), before, behind)
    }
}

/// How many tokens there are, in words.
pub fn counted(count: Count) -> String {
    match count {
        Count::Exactly(count) => tokens(count),
        Count::MoreThan(count) => format!("more than {}", tokens(count)),
    }
}
