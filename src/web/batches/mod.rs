//! Batches: tokens that were made together.

pub mod add;
pub mod pages;
