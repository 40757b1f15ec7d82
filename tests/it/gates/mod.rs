//! Gates: as things of their own, and in the views of tokens.

mod consume;
mod page;
mod undo;
mod undo_changes;
