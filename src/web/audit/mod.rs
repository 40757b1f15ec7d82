//! The audit log: who did what.

mod entry_view;
pub(crate) mod pages;
