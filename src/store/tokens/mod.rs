//! Tokens.

pub(crate) mod bulk;
pub mod delete;
mod find;
mod foreign;
pub mod list;
pub(in crate::store) mod lock;
mod look_up;
pub(crate) mod pieces;
mod plain_page;
mod quick_page;
pub(crate) mod restart_locks;
pub(crate) mod row;
pub mod search;
pub mod selection;
mod sort;
mod tile;
pub(in crate::store) mod unmade_values;
pub(in crate::store) mod visible;
pub mod void;
mod write;

pub use delete::delete;
pub use find::{by_lookup, by_uid, by_value, id_of, is_uid_used, lock};
pub(crate) use foreign::in_use;
pub(crate) use look_up::ByUid;
pub(in crate::store) use look_up::{EACH_BY_VALUE, lookup_all, named};
pub(crate) use quick_page::QuickPage;
pub(crate) use tile::{Tile, TileOf};
pub(crate) use unmade_values::{are_held, clear_way};
pub use write::{add, add_all, change, put};
