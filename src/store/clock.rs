//! The database's clock: the machine's on SQLite, the server's on PostgreSQL, since instances may disagree about the
//! time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use crate::token::Micros;

/// The server's time now, not at the start of the transaction.
pub(super) const SERVER_MICROS: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// Reads the database's clock.
pub(crate) fn now(connection: &mut Connection) -> QueryResult<Micros> {
    match connection {
        Connection::Sqlite(_) => Ok(Micros::now()),
        Connection::Postgres(connection) => {
            let now = diesel::select(diesel::dsl::sql::<BigInt>(SERVER_MICROS));
            now.get_result(connection).map(Micros::stored)
        }
    }
}

/// How far the database's clock is ahead of this machine's, as last measured. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The database's time, accurate to a few milliseconds, without asking the database.
    pub(crate) fn now(&self) -> Micros {
        Micros::now().plus_micros(self.ahead.load(Ordering::Relaxed))
    }

    /// Reads the database's clock, and stores its difference from this machine's.
    pub(crate) fn sync(&self, connection: &mut Connection) -> QueryResult<Micros> {
        let before = Micros::now();
        let database = now(connection)?;
        // The answer is older by half the round trip.
        let machine = before.get().midpoint(Micros::now().get());
        if matches!(connection, Connection::Postgres(_)) {
            self.ahead.store(database.get() - machine, Ordering::Relaxed);
        }
        Ok(database)
    }
}
