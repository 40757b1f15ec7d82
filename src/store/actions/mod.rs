//! Actions: changes of many tokens at once, or of one by a click, each of which can be undone as one.
//!
//! A large action is carried out in pieces, between which others use and change tokens. It is [planned](plan()) and its
//! tokens are [staged](perform::stage), which changes nothing and fails as a whole; a short transaction
//! [decides](perform::decide) it; and from then on it is [carried out](pending::carry_out), by whichever server finds it.
//! Whoever changes a token of it meanwhile does so [before or after](pending::pull_forward) the whole action, never in
//! the middle of it.

mod change;
pub(in crate::store) mod counters;
pub(crate) mod import;
pub(crate) mod lists;
pub mod past;
pub mod pending;
pub mod perform;
pub mod plan;
mod restore;
mod rows;
pub mod undo;

pub use perform::{ActionRequest, ActionResult, perform};
pub use plan::{ActionPlan, plan};
