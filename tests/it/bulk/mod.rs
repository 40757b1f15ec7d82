//! Changes of many tokens, and their undoing.

mod actions;
mod overview;
mod void;
mod void_page;
