//! The log of uses and refusals.

mod chart;
mod csv;
mod feed;
mod overview;
mod page;
mod query;
mod retention;
mod search;
mod token_log;
