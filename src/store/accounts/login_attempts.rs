//! Failed sign-ins, counted in the database so that guessing is slow across all instances.

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
/// Prefix of a subject while its attempt is under way.
const UNDER_WAY: &str = "try ";

/// Whether a password may be tried.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The attempt is under way until its ids are passed to [`failed`] or [`forgive`].
    Allowed(Vec<i64>),
    /// Enough attempts are under way that, if all fail, the limit is reached: try again in a moment. Of a hundred that
    /// arrive at once, at most ten are tried.
    Soon,
    /// Too many failures: try again in this many seconds.
    Wait(i64),
}

/// Begins an attempt for each of `subjects`, which are a name and an address.
pub(crate) fn begin(connection: &mut Connection, subjects: &[String], now: Micros) -> QueryResult<Admission> {
    advisory_lock::acquire(connection, AdvisoryLock::SignIn)?;
    let window = i64::from(WINDOW_SECONDS) * 1_000_000;
    let is_old = attempts::timestamp.le(now.get() - window);
    // Made while the clock was ahead: it would keep a name out until then.
    let is_ahead = attempts::timestamp.gt(now.get() + window);
    diesel::delete(attempts::table.filter(is_old.or(is_ahead))).execute(connection)?;
    for subject in subjects {
        // In this order, an attempt that fails between the two reads counts twice, not never.
        let under_way = attempt_times(connection, &format!("{UNDER_WAY}{subject}"))?;
        let failures = attempt_times(connection, subject)?;
        if let Some(oldest) = failures.get(usize::try_from(FAILURES - 1).unwrap_or_default()) {
            let retry_at = Micros::stored(*oldest).plus_seconds(WINDOW_SECONDS);
            return Ok(Admission::Wait(retry_at.seconds_after(now).min(i64::from(WINDOW_SECONDS))));
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

/// When there were attempts for a subject, latest first.
fn attempt_times(connection: &mut Connection, subject: &str) -> QueryResult<Vec<i64>> {
    let rows = attempts::table.filter(attempts::subject.eq(subject)).order(attempts::timestamp.desc());
    rows.select(attempts::timestamp).load(connection)
}

/// Counts an attempt as a failure.
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

/// Removes an attempt that succeeded or was abandoned.
pub(crate) fn forgive(connection: &mut Connection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        diesel::delete(attempts::table.find(id)).execute(connection)?;
    }
    Ok(())
}
