//! Removes print runs and jobs that are too old, in small steps.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::{print_jobs, print_runs};
use crate::store::settings;
use crate::token::Micros;

/// Most runs that are taken out of sight in one transaction.
const HIDE_LIMIT: i64 = 20;

/// Takes some of the runs out of sight that are older than the settings allow, and removes a job that is, and returns
/// whether there may be more. What is out of sight is removed as [abandoned](super::remove_abandoned) runs are.
pub fn remove_old(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let days = i64::from(settings::all(connection)?.settings.print_run_days);
    let before = now.get().saturating_sub(days.saturating_mul(Micros::DAY));
    let oldest = print_runs::table.filter(print_runs::done.is_not_null()).order(print_runs::id);
    let oldest: Vec<(i64, i64)> =
        oldest.select((print_runs::id, print_runs::timestamp)).limit(HIDE_LIMIT).load(connection)?;
    let old: Vec<i64> = oldest.iter().filter(|(_, at)| *at < before).map(|(id, _)| *id).collect();
    if !old.is_empty() {
        let runs = diesel::update(print_runs::table.filter(print_runs::id.eq_any(&old)));
        runs.set(print_runs::done.eq(None::<i64>)).execute(connection)?;
    }
    // One by one: its selection may be megabytes.
    let oldest =
        print_jobs::table.order(print_jobs::id).select((print_jobs::id, print_jobs::timestamp, print_jobs::seen));
    let oldest: Option<(i64, i64, i64)> = oldest.limit(1).get_result(connection).optional()?;
    let job = oldest.filter(|(_, at, seen)| *at < before && *seen < before);
    if let Some((id, ..)) = job {
        diesel::delete(print_jobs::table.find(id)).execute(connection)?;
    }
    Ok(job.is_some() || !old.is_empty())
}
