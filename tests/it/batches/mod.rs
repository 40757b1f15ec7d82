//! Tokens that are made together.

mod add;
mod pieces;
