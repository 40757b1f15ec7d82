//! The settings.

mod backup;
pub(crate) mod cache;
mod fields;
pub(crate) mod form;
pub(crate) mod pages;
