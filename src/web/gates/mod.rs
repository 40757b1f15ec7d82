//! Gates: where tokens are used.

pub(crate) mod cache;
pub(crate) mod named;
