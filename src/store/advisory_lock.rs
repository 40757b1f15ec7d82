//! Advisory locks: of those who want the same one, on all instances, one has it at a time.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::advisory_locks;

/// What only one may do at a time, as it goes by what others could change meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AdvisoryLock {
    /// Taking the manager's role from somebody, or keeping one out, when a manager has to be left; making the first user.
    Users,
    /// Changing the settings, of which some have no row yet that could be locked.
    Settings,
    /// Counting failed sign-ins and adding one.
    SignIn,
    /// Removing old entries of the log.
    Retention,
}

impl AdvisoryLock {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Settings => "settings",
            Self::SignIn => "sign_in",
            Self::Retention => "retention",
        }
    }
}

/// Waits for the turn, and has it until the transaction ends. On SQLite every transaction has it.
///
/// # Errors
/// The database's.
pub(crate) fn acquire(connection: &mut Connection, lock: AdvisoryLock) -> QueryResult<()> {
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    advisory_locks::table.find(lock.name()).select(advisory_locks::name).for_update().execute(connection).map(drop)
}

/// Takes the turn if nobody has it, until the transaction ends, and says whether it did: for what need not be done twice.
///
/// # Errors
/// The database's.
pub(crate) fn try_acquire(connection: &mut Connection, lock: AdvisoryLock) -> QueryResult<bool> {
    let Connection::Postgres(connection) = connection else { return Ok(true) };
    let row = advisory_locks::table.find(lock.name()).select(advisory_locks::name).for_update().skip_locked();
    Ok(row.execute(connection)? > 0)
}
