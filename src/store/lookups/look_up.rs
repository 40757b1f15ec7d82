//! What can be looked up by a key.

use std::hash::Hash;

use crate::store::connection::Connection;
use crate::store::error::Error;

/// Which threads and connections a look-up has on PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Rows by their keys, for doors above all: many keys share a statement.
    Keys,
    /// Some rows of a list in an order that has an index. Each takes a statement, so that keys do not wait for them.
    Pages,
}

/// A look-up, named by its key. On PostgreSQL, those that arrive together are answered together, and equal ones by one
/// answer.
pub(crate) trait LookUp: Clone + Eq + Hash + Send + 'static {
    /// What belongs to a key.
    type Found: Clone + Send + 'static;

    /// Where it is looked up.
    const LANE: Lane = Lane::Keys;

    /// Finds what belongs to each key, in their order. On SQLite there is one key.
    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error>;
}
