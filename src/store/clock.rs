//! The clock that counts: the machine's on SQLite, the server's on PostgreSQL, where instances may disagree on the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use super::{tokens, usage};
use crate::token::Micros;

/// The server's clock at this moment, and not at the beginning of the transaction.
pub(super) const SERVER_MICROS: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// The database's clock.
///
/// # Errors
/// The database's.
pub fn now(connection: &mut Connection) -> QueryResult<Micros> {
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
pub struct Clock {
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// What the database's clock says, to some milliseconds, without asking it.
    pub fn now(&self) -> Micros {
        Micros::now().plus_micros(self.ahead.load(Ordering::Relaxed))
    }

    /// Asks the database for its time, and remembers how it differs from this machine's.
    ///
    /// # Errors
    /// The database's.
    pub fn ask(&self, connection: &mut Connection) -> QueryResult<Micros> {
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

/// Restarts every lock that begins in the future, as the clock has jumped back: it is then closed for `lock_time`.
/// When nobody has `watched` the clock, only if the newest attempt says that it has jumped. Says whether it did.
///
/// The clock is read after what it is compared with: by one that was read before, a use that another instance has just
/// made would lie in the future, and its lock would open too early.
///
/// # Errors
/// The database's.
pub fn restart_locks(connection: &mut Connection, watched: bool) -> QueryResult<bool> {
    if !watched {
        let newest = usage::newest(connection)?;
        let now = now(connection)?;
        if newest.is_none_or(|newest| newest <= now) {
            return Ok(false);
        }
    }
    tokens::restart_locks(connection)?;
    Ok(true)
}
