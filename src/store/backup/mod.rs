//! Backups: one SQLite file, whatever it was made from, that is verified before it takes its name; and back from it.
//!
//! [`take`] writes it under another name ([`partial`]), [`verify`] reads all of it, [`seal`] makes damage of any byte visible,
//! and [`restore`] puts it in the place of a database, which it keeps.

pub(crate) mod before_open;
pub(crate) mod keep;
mod partial;
pub(crate) mod restore;
pub(crate) mod seal;
pub(crate) mod take;
pub(crate) mod verify;
