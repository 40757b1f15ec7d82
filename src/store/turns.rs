//! Turns: of those who want the same one, on all instances, one has it at a time.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::turns;

/// What only one may do at a time, as it goes by what others could change meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Taking the manager's role from somebody, or keeping one out, when a manager has to be left; making the first user.
    Users,
    /// Changing the settings, of which some have no row yet that could be locked.
    Settings,
    /// Counting failed sign-ins and adding one.
    SignIn,
}

/// Waits for the turn, and has it until the transaction ends. On SQLite every transaction has it.
///
/// # Errors
/// The database's.
pub fn wait(connection: &mut Connection, turn: Turn) -> QueryResult<()> {
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    let name = match turn {
        Turn::Users => "users",
        Turn::Settings => "settings",
        Turn::SignIn => "sign_in",
    };
    turns::table.find(name).select(turns::name).for_update().execute(connection).map(drop)
}

/// Whether nobody else is removing old entries of the log; if so, nobody else begins to until the transaction ends. Who finds
/// it taken goes on with other things, as whoever has it does the same.
///
/// # Errors
/// The database's.
pub fn is_free_for_retention(connection: &mut Connection) -> QueryResult<bool> {
    let Connection::Postgres(connection) = connection else { return Ok(true) };
    let lock =
        diesel::dsl::sql::<diesel::sql_types::Bool>("pg_try_advisory_xact_lock(hashtext('tessera usage retention'))");
    diesel::select(lock).get_result(connection)
}
