//! Failed sign-ins, so that guessing is slow on every instance.

use diesel::prelude::*;

use crate::store::advisory_lock;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::schema::attempts;
use crate::token::Micros;

/// Failures within [`WINDOW_SECONDS`] after which a name or an address has to wait.
pub(crate) const FAILURES: i64 = 10;
/// How long a failure counts, in seconds.
pub(crate) const WINDOW_SECONDS: i32 = 60;
/// What stands before the subject of a try that is under way.
const UNDER_WAY: &str = "try ";

/// What became of the wish to try a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is under way until [`failed`] or [`forgive`] says what came of it.
    Allowed(Vec<i64>),
    /// As many are under way as could still fail: soon there is room. Of a hundred that come at once, no more than ten
    /// are tried.
    Soon,
    /// Too many failures: not before this many seconds.
    Wait(i64),
}

/// Asks to try a password for each of `subjects`, a name and an address.
///
/// # Errors
/// The database's.
pub(crate) fn begin(connection: &mut Connection, subjects: &[String], now: Micros) -> QueryResult<Admission> {
    advisory_lock::acquire(connection, AdvisoryLock::SignIn)?;
    let since = now.get() - i64::from(WINDOW_SECONDS) * 1_000_000;
    diesel::delete(attempts::table.filter(attempts::timestamp.le(since))).execute(connection)?;
    for subject in subjects {
        // In this order: one that fails between the two looks counts twice, and not never.
        let under_way = times(connection, &format!("{UNDER_WAY}{subject}"))?;
        let failures = times(connection, subject)?;
        if let Some(oldest) = failures.get(usize::try_from(FAILURES - 1).unwrap_or_default()) {
            let again = Micros::stored(*oldest).plus_seconds(WINDOW_SECONDS);
            return Ok(Admission::Wait(again.seconds_after(now).min(i64::from(WINDOW_SECONDS))));
        }
        if failures.len() + under_way.len() >= usize::try_from(FAILURES).unwrap_or_default() {
            return Ok(Admission::Soon);
        }
    }
    let insert = |subject: &String| {
        diesel::insert_into(attempts::table)
            .values((attempts::subject.eq(format!("{UNDER_WAY}{subject}")), attempts::timestamp.eq(now.get())))
            .returning(attempts::id)
            .get_result(connection)
    };
    Ok(Admission::Allowed(subjects.iter().map(insert).collect::<QueryResult<_>>()?))
}

/// When there were tries of a subject, the last one first.
fn times(connection: &mut Connection, subject: &str) -> QueryResult<Vec<i64>> {
    let rows = attempts::table.filter(attempts::subject.eq(subject)).order(attempts::timestamp.desc());
    rows.select(attempts::timestamp).load(connection)
}

/// A try was a failure, and counts.
///
/// # Errors
/// The database's.
pub(crate) fn failed(connection: &mut Connection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        let row = attempts::table.find(id);
        let subject: Option<String> = row.select(attempts::subject).get_result(connection).optional()?;
        if let Some(subject) = subject.as_deref().and_then(|subject| subject.strip_prefix(UNDER_WAY)) {
            diesel::update(row).set(attempts::subject.eq(subject)).execute(connection)?;
        }
    }
    Ok(())
}

/// A try was a success, or came to nothing, and does not count.
///
/// # Errors
/// The database's.
pub(crate) fn forgive(connection: &mut Connection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        diesel::delete(attempts::table.find(id)).execute(connection)?;
    }
    Ok(())
}
