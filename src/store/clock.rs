//! The clock that counts: the machine's on SQLite, the server's on PostgreSQL, where instances may disagree on the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use crate::token::Micros;

/// The server's clock at this moment, and not at the beginning of the transaction.
pub(super) const SERVER_MICROS: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// The database's clock.
///
/// # Errors
/// The database's.
pub(crate) fn now(connection: &mut Connection) -> QueryResult<Micros> {
    match connection {
        Connection::Sqlite(_) => Ok(Micros::now()),
        Connection::Postgres(connection) => {
            let now = diesel::select(diesel::dsl::sql::<BigInt>(SERVER_MICROS));
            now.get_result(connection).map(Micros::stored)
        }
    }
}

/// By how much the database's clock is before this machine's, as it was a moment ago. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// What the database's clock says, to some milliseconds, without asking it.
    pub(crate) fn now(&self) -> Micros {
        Micros::now().plus_micros(self.ahead.load(Ordering::Relaxed))
    }

    /// Asks the database for its time, and remembers how it differs from this machine's.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn ask(&self, connection: &mut Connection) -> QueryResult<Micros> {
        let before = Micros::now();
        let there = now(connection)?;
        // On its way the answer aged by half of the time that asking took.
        let here = before.get().midpoint(Micros::now().get());
        if matches!(connection, Connection::Postgres(_)) {
            self.ahead.store(there.get() - here, Ordering::Relaxed);
        }
        Ok(there)
    }
}
