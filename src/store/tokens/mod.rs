//! Tokens.

pub(crate) mod bulk;
pub mod delete;
mod find;
pub mod list;
pub(in crate::store) mod lock;
pub(crate) mod restart_locks;
pub(crate) mod row;
pub mod search;
pub mod selection;
pub(in crate::store) mod visible;
pub mod void;
mod write;

pub use delete::delete;
pub use find::{by_lookup, by_uid, by_value, find, id_of, is_uid_used, lock};
pub use write::{add, add_all, change, put};
