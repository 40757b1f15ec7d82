//! Batches: tokens that were made together.

pub(crate) mod add;
pub(crate) mod pages;
pub(crate) mod sample;
