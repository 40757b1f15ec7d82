//! Removes entries that are too old from the usage log, in small steps from its oldest end.

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::index::uses;
use crate::store::schema::{audit as audit_rows, usage};
use crate::store::{advisory_lock, audit, settings};
use crate::token::Micros;

/// Most entries removed in one transaction, since consumes wait for it.
const REMOVE_LIMIT: usize = 500;
/// The name of the action in the audit log.
const ACTION: &str = "usage retention";

/// Removes some of the entries that are older than the settings allow, oldest first, and returns whether there may be
/// more. Stops at the first entry that is young enough. Entries that were made while the clock was ahead are as old as
/// those behind them.
pub fn remove_old(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let days = i64::from(settings::all(connection)?.settings.usage_days);
    let ages = Ages {
        before: now.get().saturating_sub(days.saturating_mul(Micros::DAY)),
        ahead: now.get().saturating_add(Micros::DAY),
    };
    // The usual case reads only one row.
    let oldest_true = usage::table.filter(usage::timestamp.le(ages.ahead)).order(usage::id).select(usage::timestamp);
    let oldest_true: Option<i64> = oldest_true.limit(1).get_result(connection).optional()?;
    if oldest_true.is_none_or(|at| at >= ages.before) {
        return Ok(false);
    }
    // Another instance is removing entries.
    if !advisory_lock::try_acquire(connection, AdvisoryLock::Retention)? {
        return Ok(false);
    }
    let oldest = usage::table.order(usage::id).select((usage::id, usage::timestamp));
    let oldest: Vec<(i64, i64)> = oldest.limit(i64::try_from(REMOVE_LIMIT).unwrap_or(i64::MAX)).load(connection)?;
    let Some((last, last_time)) = ages.last_to_remove(&oldest) else { return Ok(false) };
    uses::follow_until(connection, last)?;
    let is_old = usage::timestamp.lt(ages.before).or(usage::timestamp.gt(ages.ahead));
    let old_entries = usage::table.filter(usage::id.le(last)).filter(is_old);
    let removed = diesel::delete(old_entries).execute(connection)?;
    record_removal(connection, removed, Micros::stored(last_time), now)?;
    Ok(oldest.last().is_some_and(|(id, _)| *id == last) && oldest.len() == REMOVE_LIMIT)
}

/// Which entries are too old, and which have a time that is still to come.
struct Ages {
    before: i64,
    ahead: i64,
}

impl Ages {
    /// The last of the oldest entries that is removed, and the time until which entries are removed. There is an old entry
    /// behind these, if there is none among them.
    fn last_to_remove(&self, oldest: &[(i64, i64)]) -> Option<(i64, i64)> {
        let removable = oldest.iter().take_while(|(_, at)| *at < self.before || *at > self.ahead);
        let last_old = removable.clone().filter(|(_, at)| *at < self.before).last();
        let all_ahead = oldest.last().filter(|_| removable.count() == oldest.len()).map(|(id, _)| (*id, self.before));
        last_old.copied().or(all_ahead)
    }
}

/// Keeps one row in the audit log per day (UTC), whose count grows.
fn record_removal(connection: &mut Connection, removed: usize, last_time: Micros, now: Micros) -> Result<(), Error> {
    let today = now.get() - now.get() % Micros::DAY;
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
