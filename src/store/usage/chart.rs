//! The log by time: how many attempts, counted by quarters of hours.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::list::{UsageFilter, UsageScan, conditions};
use crate::store::connection::{Connection, MultiBackend};
use crate::store::schema::usage;
use crate::token::Micros;
use crate::token::calendar::{QUARTER, Tally};

/// How many attempts a filter finds in each quarter of an hour since 1970 in which there was any. The plan is one for the
/// same tokens, whatever its time.
///
/// # Errors
/// The database's.
pub(crate) fn quarters(
    connection: &mut Connection,
    filter: &UsageFilter,
    plan: &UsageScan,
) -> QueryResult<Vec<(i64, Tally)>> {
    let mut found = Vec::new();
    for source in &plan.sources {
        let quarter = || sql::<BigInt>(&format!("usage.timestamp / {QUARTER}"));
        let rows = usage::table.group_by(quarter());
        let rows = rows.select((quarter(), sql::<BigInt>("COUNT(*)"), sql::<BigInt>("COUNT(usage.error_code)")));
        let rows = rows.into_boxed::<MultiBackend>();
        let all = conditions(connection, *source, filter, true);
        let rows = all.into_iter().fold(rows, QueryDsl::filter);
        let rows: Vec<(i64, i64, i64)> = rows.load(connection)?;
        let tally = |(quarter, all, refused)| (quarter, Tally { used: all - refused, refused });
        found.extend(rows.into_iter().map(tally));
    }
    Ok(found)
}

/// The earliest and the latest moment of the log.
///
/// # Errors
/// The database's.
pub(crate) fn reach(connection: &mut Connection) -> QueryResult<Option<(Micros, Micros)>> {
    let ends = |query: usage::BoxedQuery<'static, _>| query.select(usage::timestamp).limit(1);
    let earliest = ends(usage::table.into_boxed().order(usage::timestamp.asc()));
    let earliest: Option<i64> = earliest.get_result(connection).optional()?;
    let latest: Option<i64> =
        ends(usage::table.into_boxed().order(usage::timestamp.desc())).get_result(connection).optional()?;
    Ok(earliest.zip(latest).map(|(earliest, latest)| (Micros::stored(earliest), Micros::stored(latest))))
}
