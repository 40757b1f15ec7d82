//! Printing labels: what is printed of tokens, as which PDF, kept as which print run.

pub mod custom_sheets;
pub(crate) mod items;
pub(crate) mod jobs;
pub mod keep_run;
pub mod options;
pub(crate) mod pdf;
