//! The log of attempts: its rows, and what a tile shows of it.
//!
//! [`list`] filters it page by page, [`chart`] counts it by time, and [`retention`] removes what is old.

pub mod chart;
mod entries;
pub mod list;
pub mod retention;

pub use entries::{Entry, UsageRow, labels, last, newest};
pub use list::{UsageFilter, page};
