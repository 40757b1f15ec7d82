//! The headings of the list's columns, which sort it.

use super::query::{TokenOrder, TokenQuery};
use crate::store::tokens::list::Sort;
use crate::web::words::tokens as words;

/// A heading that sorts.
pub(crate) struct Heading {
    pub(crate) words: &'static str,
    /// The address of the list sorted by it; in the other direction, if it is sorted by it already.
    pub(crate) href: String,
    /// `ascending` or `descending`, if the list is sorted by it.
    pub(crate) direction: Option<&'static str>,
}

/// The headings that sort.
pub(crate) struct Headings {
    pub(crate) label: Heading,
    pub(crate) value: Heading,
    pub(crate) valid: Heading,
}

impl Headings {
    /// Those of a list in this order; their addresses are at `path` and keep the filter and `more`.
    pub(crate) fn new(query: &TokenQuery, order: &TokenOrder, (path, more): (&str, &str)) -> Self {
        let heading = |words, sort: Sort| {
            let (by, descending) = order.order();
            let direction = (by == sort).then_some(if descending { "descending" } else { "ascending" });
            let next = TokenOrder::by(sort, direction == Some("ascending"));
            Heading { words, href: query.href(&next, path, more), direction }
        };
        Self {
            label: heading(words::LABEL, Sort::Label),
            value: heading(words::VALUE, Sort::Value),
            valid: heading(words::VALID, Sort::ValidTo),
        }
    }
}
