//! Gates: where tokens are used.

pub(crate) mod cache;
mod form;
pub(crate) mod named;
pub(crate) mod pages;
pub(crate) mod replay;
pub(crate) mod today;
