//! Printing labels: what is printed for each token, the PDF, and saving it as a print run.

pub mod custom_sheets;
pub(crate) mod items;
pub(crate) mod jobs;
pub mod options;
pub(crate) mod pdf;
pub mod save_run;
