//! The seam between consuming and a database: lock and load what a batch names, and store what settling left. Two
//! functions a database, called within one transaction: hold, (settle), keep.

mod postgres;
pub(crate) mod replies;
mod sqlite;

use diesel::QueryResult;

use super::connection::Connection;
use crate::token::Micros;
use crate::token::settle::{Answer, Ask, Held};

/// Locks and loads the tokens that `asks` name, then loads the replies kept for their keys, and reads the clock.
///
/// # Errors
/// The database's.
pub fn hold(connection: &mut Connection, asks: &[Ask]) -> QueryResult<(Held, Micros)> {
    match connection {
        Connection::Sqlite(_) => sqlite::hold(connection, asks),
        Connection::Postgres(connection) => postgres::hold(connection, asks),
    }
}

/// Stores the changed tokens, one usage entry for each attempt, and the successes of asks with a key.
///
/// # Errors
/// The database's.
pub fn keep(
    connection: &mut Connection,
    held: &Held,
    asks: &[Ask],
    answers: &[Answer],
    now: Micros,
) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => sqlite::keep(connection, held, asks, answers, now),
        Connection::Postgres(connection) => postgres::keep(connection, held, asks, answers, now),
    }
}
