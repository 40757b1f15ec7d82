//! The usage log over time: attempts per quarter of an hour.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::list::{UsageFilter, UsageScan, conditions};
use crate::store::connection::{Connection, MultiBackend};
use crate::store::schema::usage;
use crate::token::Micros;
use crate::token::calendar::{QUARTER, Tally};

/// The attempts that a filter matches in each quarter of an hour since 1970 that has any. A scan is valid for any time
/// range, as long as the filter's tokens are the same.
pub(crate) fn quarters(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
) -> QueryResult<Vec<(i64, Tally)>> {
    let mut tallies = Vec::new();
    for source in &scan.sources {
        let quarter = || sql::<BigInt>(&format!("usage.timestamp / {QUARTER}"));
        let rows = usage::table.group_by(quarter());
        let rows = rows.select((quarter(), sql::<BigInt>("COUNT(*)"), sql::<BigInt>("COUNT(usage.error_code)")));
        let rows = rows.into_boxed::<MultiBackend>();
        let filters = conditions(connection, *source, filter, true);
        let rows = filters.into_iter().fold(rows, QueryDsl::filter);
        let rows: Vec<(i64, i64, i64)> = rows.load(connection)?;
        let tally = |(quarter, all, refused)| (quarter, Tally { used: all - refused, refused });
        tallies.extend(rows.into_iter().map(tally));
    }
    Ok(tallies)
}

/// The earliest and the latest moment in the log.
pub(crate) fn time_span(connection: &mut Connection) -> QueryResult<Option<(Micros, Micros)>> {
    let first_of = |query: usage::BoxedQuery<'static, _>| query.select(usage::timestamp).limit(1);
    let earliest = first_of(usage::table.into_boxed().order(usage::timestamp.asc()));
    let earliest: Option<i64> = earliest.get_result(connection).optional()?;
    let latest: Option<i64> =
        first_of(usage::table.into_boxed().order(usage::timestamp.desc())).get_result(connection).optional()?;
    Ok(earliest.zip(latest).map(|(earliest, latest)| (Micros::stored(earliest), Micros::stored(latest))))
}
