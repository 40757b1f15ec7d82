//! Advisory locks: each is held by one transaction at a time, across all instances.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::advisory_locks;

/// Work that only one transaction may do at a time, because it depends on rows that others could change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AdvisoryLock {
    /// Demoting, disabling or removing a user, as one manager has to remain; adding the first user.
    Users,
    /// Changing the settings, some of which have no row yet that could be locked.
    Settings,
    /// Counting failed sign-ins and adding one.
    SignIn,
    /// Removing old entries from the usage log.
    Retention,
    /// Bringing the index of tokens up to them.
    Index,
}

impl AdvisoryLock {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Settings => "settings",
            Self::SignIn => "sign_in",
            Self::Retention => "retention",
            Self::Index => "index",
        }
    }
}

/// Waits for the lock, and holds it until the transaction ends. On SQLite every transaction already excludes all
/// others.
pub(crate) fn acquire(connection: &mut Connection, lock: AdvisoryLock) -> QueryResult<()> {
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    advisory_locks::table.find(lock.name()).select(advisory_locks::name).for_update().execute(connection).map(drop)
}

/// Takes the lock until the transaction ends, if it is free, and returns whether it did: for work that need not be done
/// twice.
pub(crate) fn try_acquire(connection: &mut Connection, lock: AdvisoryLock) -> QueryResult<bool> {
    let Connection::Postgres(connection) = connection else { return Ok(true) };
    let row = advisory_locks::table.find(lock.name()).select(advisory_locks::name).for_update().skip_locked();
    Ok(row.execute(connection)? > 0)
}
