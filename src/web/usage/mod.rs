//! The usage log.

pub mod api;
pub mod chart;
pub mod chart_range;
pub mod chart_words;
pub mod csv;
pub mod pages;
pub mod query;
