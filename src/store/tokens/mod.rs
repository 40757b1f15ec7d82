//! Tokens.

pub mod bulk;
pub mod delete;
mod find;
pub mod list;
pub mod restart_locks;
pub mod row;
pub mod selection;
pub mod void;
mod write;

pub use delete::delete;
pub use find::{by_uid, by_value, find, is_given, locked, named, number};
pub use write::{add, add_all, change, put};
