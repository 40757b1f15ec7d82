//! The settings.

pub(crate) mod cache;
pub(crate) mod form;
pub(crate) mod pages;
