//! Changing many tokens at once.

pub(crate) mod actions;
pub(crate) mod change;
pub(crate) mod describe;
pub(crate) mod done;
pub(crate) mod form;
pub(crate) mod selection;
