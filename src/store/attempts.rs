//! Failed sign-ins, so that guessing is slow on every instance.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::attempts;
use crate::token::Micros;

/// Failures within [`WINDOW_SECONDS`] after which a name or an address has to wait.
pub const FAILURES: usize = 10;
/// How long a failure counts, in seconds.
pub const WINDOW_SECONDS: i32 = 60;

/// What became of the wish to try a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Try {
    /// It counts as a failure until [`forgive`] says otherwise: of a hundred that come at once, ten are tried.
    Allowed(Vec<i64>),
    /// Too many failures: not before this many seconds.
    Wait(i64),
}

/// Asks to try a password for each of `subjects`, a name and an address.
///
/// # Errors
/// The database's.
pub fn begin(connection: &mut Connection, subjects: &[String], now: Micros) -> QueryResult<Try> {
    let since = now.get() - i64::from(WINDOW_SECONDS) * 1_000_000;
    diesel::delete(attempts::table.filter(attempts::timestamp.le(since))).execute(connection)?;
    for subject in subjects {
        let times: Vec<i64> = attempts::table
            .filter(attempts::subject.eq(subject))
            .order(attempts::timestamp.desc())
            .select(attempts::timestamp)
            .load(connection)?;
        if let Some(oldest) = times.get(FAILURES - 1) {
            let again = Micros::stored(*oldest).plus_seconds(WINDOW_SECONDS);
            return Ok(Try::Wait(again.seconds_after(now).min(i64::from(WINDOW_SECONDS))));
        }
    }
    let insert = |subject: &String| {
        diesel::insert_into(attempts::table)
            .values((attempts::subject.eq(subject), attempts::timestamp.eq(now.get())))
            .returning(attempts::id)
            .get_result(connection)
    };
    Ok(Try::Allowed(subjects.iter().map(insert).collect::<QueryResult<_>>()?))
}

/// A try that was a success does not count.
///
/// # Errors
/// The database's.
pub fn forgive(connection: &mut Connection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        diesel::delete(attempts::table.find(id)).execute(connection)?;
    }
    Ok(())
}
