//! Exports: tokens, the usage log, the audit, batches and print runs as tables and as JSON Lines, piece by piece.

pub(crate) mod audit;
pub(crate) mod batches;
pub(crate) mod format;
pub(crate) mod print_runs;
pub(crate) mod rows;
pub(crate) mod source;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod words;
