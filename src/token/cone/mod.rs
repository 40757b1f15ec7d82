//! Moving in from cone.tokens: what its rows become here, and what is wrong with them.
//!
//! [`Inspection`] reads every row and collects [`findings`]; the [`Plan`] that it leaves says what each row becomes. The rows
//! come in the order of time, tokens before the log, in the same order each time.

mod cells;
pub(crate) mod findings;
mod inspection;
mod mapping;
mod plan;
pub(crate) mod settings;
mod tally;

pub(crate) use cells::{Cell, EntryCells, TokenCells};
pub(crate) use inspection::Inspection;
pub(crate) use mapping::Mapping;
pub(crate) use plan::{MovedEntry, MovedToken, Plan};
pub(crate) use tally::Tally;
