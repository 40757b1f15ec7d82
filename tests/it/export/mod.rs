//! What goes out.

mod command;
mod other_kinds;
mod stream;
mod tokens;
mod whole;
