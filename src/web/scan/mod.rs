//! The door: scanning codes, one verdict after the other. Where a browser cannot read codes itself, photos are read here.

mod code;
pub(crate) mod counts;
mod decide;
pub(crate) mod form;
pub(crate) mod page;
mod photo;
pub(crate) mod rate;
pub(crate) mod read;
mod verdict;
