//! `/import`: tokens from a file, in four steps: the file, its columns, what it would do, and doing it.

mod form;
pub(crate) mod pages;
pub(crate) mod report;
pub(crate) mod send;
pub(crate) mod steps;
