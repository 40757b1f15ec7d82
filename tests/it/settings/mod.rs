//! The settings.

mod page;
mod time_ranges;
