//! Print runs: sheets that were printed, each with its PDF as it was and its tokens in the order of their labels.

mod counts;
mod find;
pub(crate) mod keep;
mod row;

pub use counts::{RunCounts, count_tokens};
pub use find::{Label, find, labels, of_job, page, pdf, pdf_piece};
pub use keep::{NewPrintRun, tidy};
pub use row::PrintRun;
