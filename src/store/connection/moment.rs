//! Reads of several statements that all see the same moment.

use diesel::connection::{AnsiTransactionManager, TransactionManager};

use super::Connection;
use crate::store::error::Error;

/// Runs reads that all see the same moment. Long ones keep SQLite's write-ahead log from beginning anew, beside a server that
/// goes on writing.
///
/// # Errors
/// The error of `reads`.
pub(in crate::store) fn at_one_moment<T, E: From<Error>>(
    connection: &mut Connection,
    reads: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let begun = match connection {
        Connection::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN"),
        Connection::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(
            connection,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        ),
    };
    begun.map_err(Error::from)?;
    let result = reads(connection);
    // Nothing was written: if this fails, the connection is not used again.
    let _ = <Connection as TransactionManager<Connection>>::rollback_transaction(connection);
    result
}
