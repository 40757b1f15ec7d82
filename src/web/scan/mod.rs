//! The door: scanning codes, one verdict after the other.

mod code;
pub(crate) mod counts;
mod decide;
mod form;
pub(crate) mod page;
mod verdict;
