//! Tokens that are made together.

mod add;
mod pieces;
mod sample;
mod series;
