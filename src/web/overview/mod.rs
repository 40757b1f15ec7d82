//! The overview: the day in numbers.

mod numbers;
mod odd;
pub(crate) mod pages;
pub(crate) mod recent;
