//! Exports: what the pages list, as files of any length.

pub(crate) mod handlers;
pub(crate) mod links;
pub(crate) mod stream;
