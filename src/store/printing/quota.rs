//! How many labels somebody may print in a day: every sheet is kept, and nobody is to fill the disk.

use diesel::dsl::{min, sum};
use diesel::prelude::*;

use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::{print_jobs, print_runs};
use crate::store::settings;
use crate::token::Micros;

/// Checks that somebody may print these many labels more: with those of the last 24 hours, and those still to come of
/// jobs. Not of a calendar day, or somebody would print twice as much around midnight.
///
/// # Errors
/// Over quota.
pub(crate) fn check_quota(
    connection: &mut Connection,
    by: &Principal,
    labels: usize,
    now: Micros,
) -> Result<(), Error> {
    let most = i64::from(settings::all(connection)?.settings.labels_per_day);
    let runs = print_runs::table.filter(print_runs::principal.eq(by.as_str()));
    let runs = runs.filter(print_runs::timestamp.gt(now.get() - Micros::DAY));
    let (printed, oldest): (Option<i64>, Option<i64>) =
        runs.select((sum(print_runs::count), min(print_runs::timestamp))).get_result(connection)?;
    let open = print_jobs::table.filter(print_jobs::principal.eq(by.as_str())).filter(print_jobs::ended.is_null());
    let to_come: Option<i64> = open.select(sum(print_jobs::total - print_jobs::printed)).get_result(connection)?;
    let printed = printed.unwrap_or_default() + to_come.unwrap_or_default();
    if printed.saturating_add(i64::try_from(labels).unwrap_or(i64::MAX)) <= most {
        return Ok(());
    }
    let wait = oldest.map_or(Micros::DAY, |oldest| oldest.saturating_add(Micros::DAY) - now.get());
    Err(Error::OverQuota { most, printed, seconds: (wait / 1_000_000).max(1) })
}
