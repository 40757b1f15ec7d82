//! Locks tokens until the transaction ends: on SQLite, where it holds the one lock, nothing is to do.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::schema::tokens;
use crate::token::settle::TokenId;

/// Locks the tokens of these ids, deleted or not, in the order in which everybody locks.
pub(in crate::store) fn lock_ids(connection: &mut Connection, ids: &[TokenId]) -> QueryResult<()> {
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    let rows = tokens::table.filter(tokens::id.eq_any(ids)).order(tokens::uid).select(tokens::id);
    rows.for_no_key_update().execute(connection).map(drop)
}
