//! Print runs: printed sheets, each with its PDF and with its tokens in the order of their labels.

mod counts;
mod find;
mod retention;
mod row;
pub(crate) mod save;
mod titles;

pub use counts::{RunCounts, count_tokens};
pub(crate) use find::is_printed;
pub use find::{Label, find, labels, of_job, page, pdf, pdf_chunk};
pub use retention::remove_old;
pub use row::PrintRun;
pub use save::{NewPrintRun, remove_abandoned};
pub(crate) use titles::title;
