//! The log of attempts: its rows, and what a tile shows of it.
//!
//! [`list`] filters it page by page, [`chart`] counts it by time, and [`retention`] removes what is old.

pub(crate) mod chart;
mod entries;
pub(crate) mod list;
pub mod retention;

pub(crate) use entries::{Entry, UsageRow, labels, last, newest};
pub use list::{UsageFilter, page};
