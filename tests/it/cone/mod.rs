//! Moving in from cone.tokens.

mod fixture;
mod import;
mod real;
mod refusals;
mod source;
mod traps;
