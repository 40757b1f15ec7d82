//! The settings.

pub mod cache;
pub mod form;
pub mod pages;
