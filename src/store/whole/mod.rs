//! The whole database for whoever leaves: every table, and what each column means. What is left out is named with its
//! reason; a test holds that there is nothing else.

mod accounts;
mod left_out;
mod printing;
mod table;
mod tokens;

use super::connection::{Connection, moment};
use super::error::Error;
pub use left_out::LEFT_OUT;
pub use table::{Column, Kind, Table};

/// Every table that is written.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    [tokens::TABLES, accounts::TABLES, printing::TABLES].into_iter().flatten()
}

/// Runs reads that all see the same moment, on PostgreSQL. On SQLite each statement sees its own: a long read would keep the
/// write-ahead log from beginning anew, beside a server that goes on writing.
///
/// # Errors
/// The error of `reads`.
pub(crate) fn at_one_moment<T, E: From<Error>>(
    connection: &mut Connection,
    reads: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    match connection {
        Connection::Sqlite(_) => reads(connection),
        Connection::Postgres(_) => moment::at_one_moment(connection, reads),
    }
}
