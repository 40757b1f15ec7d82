//! Changing many tokens at once.

pub mod actions;
pub mod change;
pub mod describe;
pub mod form;
pub mod overview;
pub mod selection;
