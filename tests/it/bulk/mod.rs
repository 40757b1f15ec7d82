//! Changes of many tokens, and their undoing.

mod actions;
mod large;
mod overview;
mod pieces;
mod void;
mod void_page;
