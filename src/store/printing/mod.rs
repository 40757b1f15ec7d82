//! What is printed and was printed: jobs, runs, sheets, printers.

pub mod jobs;
pub mod labels;
pub mod printers;
pub(crate) mod quota;
pub mod runs;
pub mod sheets;
