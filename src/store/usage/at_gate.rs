//! What was used at a gate: counts by time, and the last attempts. The index of gates leads to both.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::chart::USES;
use super::entries::{Entry, EntryRow, entries};
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::gates::{self, Gate};
use crate::store::schema::usage;
use crate::store::search::SearchLimit;
use crate::token::Micros;
use crate::token::calendar::{QUARTER, Tally};
use crate::token::gate::GateId;

/// What was used and refused in each quarter of an hour since 1970 that has any.
pub(crate) type Quarters = Vec<(i64, Tally)>;

/// What was used and refused at a gate in each quarter of an hour from a moment on.
pub(crate) fn quarters_at_gate(connection: &mut Connection, gate: GateId, from: Micros) -> QueryResult<Quarters> {
    let quarter = || sql::<BigInt>(&format!("usage.timestamp / {QUARTER}"));
    let rows = usage::table.filter(usage::gate.eq(gate)).filter(usage::timestamp.ge(from.get())).group_by(quarter());
    let rows: Vec<(i64, i64, i64)> =
        rows.select((quarter(), sql::<BigInt>(USES), sql::<BigInt>("COUNT(usage.error_code)"))).load(connection)?;
    Ok(rows.into_iter().map(|(quarter, used, refused)| (quarter, Tally { used, refused })).collect())
}

/// Every gate, and what was used and refused there from a moment on.
///
/// # Errors
/// Too slow, when counting takes longer than it may.
pub(crate) fn quarters_at_gates(
    connection: &mut Connection,
    from: Micros,
    limit: &SearchLimit,
) -> Result<Vec<(Gate, Quarters)>, Error> {
    let mut counted = Vec::new();
    for gate in gates::list(connection)? {
        limit.check()?;
        let quarters = quarters_at_gate(connection, gate.id, from)?;
        counted.push((gate, quarters));
    }
    Ok(counted)
}

/// The last attempts at a gate, newest first.
pub(crate) fn last_at_gate(connection: &mut Connection, gate: GateId, at_most: i64) -> QueryResult<Vec<Entry>> {
    let rows = usage::table.filter(usage::gate.eq(gate)).order((usage::timestamp.desc(), usage::id.desc()));
    let rows: Vec<EntryRow> = rows.limit(at_most).select(EntryRow::as_select()).load(connection)?;
    Ok(entries(connection, rows)?.into_iter().map(|(_, entry)| entry).collect())
}
