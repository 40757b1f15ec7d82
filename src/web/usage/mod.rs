//! The usage log.

pub(crate) mod api;
pub(crate) mod chart;
pub(crate) mod chart_range;
pub(crate) mod chart_words;
pub(crate) mod choices;
pub(crate) mod entry_view;
pub(crate) mod log_end;
pub(crate) mod pages;
pub(crate) mod query;
