//! The usage log: its entries, and the latest ones of a token.
//!
//! [`list`] filters it page by page, [`chart`] counts it by time, and [`retention`] removes old entries. [`charges`] notes
//! what uses took when that turns out otherwise.

mod at_gate;
mod chain;
mod charges;
pub(crate) mod chart;
mod conditions;
mod entries;
pub(crate) mod feed;
mod last_use;
mod last_uses;
pub(crate) mod list;
mod newest;
mod of_token;
pub mod retention;
mod settled;
mod today;

pub(crate) use at_gate::{Quarters, last_at_gate, quarters_at_gate, quarters_at_gates};
pub(crate) use chain::Piece;
pub(in crate::store) use charges::{ChargedAnew, charge_anew};
pub use conditions::UsageFilter;
pub(crate) use entries::{Entry, UsageRow, labels, newest};
pub(crate) use last_use::{LastUse, undone_by};
pub(crate) use last_uses::LastUseOf;
pub use list::page;
pub(crate) use newest::last;
pub(crate) use settled::{unsettled, watch};
pub(crate) use today::{Attempts, Today, today};
