//! Moving in from cone.tokens.

mod fixture;
mod import;
mod refusals;
mod source;
mod traps;
