//! The usage log: its entries, and the latest ones of a token.
//!
//! [`list`] filters it page by page, [`chart`] counts it by time, and [`retention`] removes old entries.

pub(crate) mod chart;
mod conditions;
mod entries;
pub(crate) mod list;
pub mod retention;

pub use conditions::UsageFilter;
pub(crate) use entries::{Entry, UsageRow, labels, last, newest};
pub use list::page;
