//! The settings.

mod backup;
pub(crate) mod cache;
pub(crate) mod form;
pub(crate) mod pages;
