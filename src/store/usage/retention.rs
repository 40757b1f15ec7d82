//! Removes entries that are too old from the usage log, in small steps from its oldest end.

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::{audit as audit_rows, usage};
use crate::store::{advisory_lock, audit, settings};
use crate::token::Micros;

/// Most entries removed in one transaction, since consumes wait for it.
const REMOVE_LIMIT: usize = 2_000;
const DAY: i64 = 24 * 3_600 * 1_000_000;
/// The name of the action in the audit log.
const ACTION: &str = "usage retention";

/// Removes some of the entries that are older than the settings allow, oldest first, and returns whether there may be
/// more. Stops at the first entry that is young enough.
pub fn remove_old(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let days = i64::from(settings::all(connection)?.settings.usage_days);
    let before = now.get().saturating_sub(days.saturating_mul(DAY));
    // The usual case reads only one row.
    if oldest(connection, 1)?.first().is_none_or(|(_, at)| *at >= before) {
        return Ok(false);
    }
    // Another instance is removing entries.
    if !advisory_lock::try_acquire(connection, AdvisoryLock::Retention)? {
        return Ok(false);
    }
    let oldest = oldest(connection, REMOVE_LIMIT)?;
    let old = oldest.iter().take_while(|(_, at)| *at < before);
    let Some((last, last_time)) = old.clone().last().copied() else { return Ok(false) };
    let old_entries = usage::table.filter(usage::id.le(last)).filter(usage::timestamp.lt(before));
    let removed = diesel::delete(old_entries).execute(connection)?;
    record_removal(connection, removed, Micros::stored(last_time), now)?;
    Ok(old.count() == REMOVE_LIMIT)
}

fn oldest(connection: &mut Connection, at_most: usize) -> QueryResult<Vec<(i64, i64)>> {
    let rows = usage::table.order(usage::id).select((usage::id, usage::timestamp));
    rows.limit(i64::try_from(at_most).unwrap_or(i64::MAX)).load(connection)
}

/// Keeps one row in the audit log per day (UTC), whose count grows.
fn record_removal(connection: &mut Connection, removed: usize, last_time: Micros, now: Micros) -> Result<(), Error> {
    let today = now.get() - now.get() % DAY;
    let row = audit_rows::table.filter(audit_rows::action.eq(ACTION)).filter(audit_rows::timestamp.ge(today));
    let row = row.order(audit_rows::id.desc()).select((audit_rows::id, audit_rows::detail)).limit(1);
    let known: Option<(i64, String)> = row.get_result(connection).optional()?;
    let before = known.as_ref().and_then(|(_, detail)| detail.split(' ').next()?.parse().ok()).unwrap_or(0);
    let count = before + removed;
    let detail = format!("{count} {} removed, until {last_time}", if count == 1 { "entry" } else { "entries" });
    match known {
        Some((id, _)) => {
            let row = diesel::update(audit_rows::table.filter(audit_rows::id.eq(id)));
            row.set(audit_rows::detail.eq(detail)).execute(connection)?;
            Ok(())
        }
        None => audit::record(connection, &Principal::itself(), ACTION, "the usage log", &detail, now),
    }
}
