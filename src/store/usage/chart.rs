//! The usage log over time: attempts per quarter of an hour.

use std::ops::ControlFlow;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::chain::{PIECE, Piece};
use super::conditions::{Source, UsageFilter, conditions, filtered};
use super::list::UsageScan;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::error::Error;
use crate::store::schema::usage;
use crate::store::search::SearchLimit;
use crate::token::Micros;
use crate::token::calendar::{QUARTER, Tally};

/// How many uses there were. What an undo gives back is negative.
pub(super) const USES: &str = "COALESCE(SUM(CASE WHEN usage.error_code IS NULL THEN usage.uses END), 0)";

/// The attempts that a filter matches in each quarter of an hour since 1970 that has any. A scan is valid for any time
/// range, as long as the filter's tokens are the same. A quarter can come several times, with a part of its attempts each.
///
/// # Errors
/// Too slow, when counting takes longer than it may.
pub(crate) fn quarters(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    limit: &SearchLimit,
) -> Result<Vec<(i64, Tally)>, Error> {
    let mut tallies = Vec::new();
    for source in &scan.sources {
        // A chart needs no order of ids, so a gate's index leads to its entries however many there are.
        let source = if *source == Source::All && filter.gate.is_some() { Source::Gate } else { *source };
        if let Source::Token(token) = source {
            Piece::newest(token, PIECE).walk(connection, limit, |connection, piece| {
                tallies.append(&mut quarters_of(connection, Source::Piece(piece), filter)?);
                Ok(ControlFlow::Continue(()))
            })?;
            continue;
        }
        let is_long = source.is_log() || source == Source::Gate;
        let mut rest = Some(filter.clone());
        while let Some(filter) = rest.take() {
            limit.check()?;
            let next = if is_long { next_piece(connection, source, &filter)? } else { None };
            let to = next.map_or(filter.to, |next| Some(next.plus_micros(-1)));
            tallies.append(&mut quarters_of(connection, source, &UsageFilter { to, ..filter.clone() })?);
            rest = next.map(|next| UsageFilter { from: Some(next), ..filter });
        }
    }
    Ok(tallies)
}

/// The moment at which the next piece of a time range begins, if it has more than one.
fn next_piece(connection: &mut Connection, source: Source, filter: &UsageFilter) -> QueryResult<Option<Micros>> {
    let from = filter.from.map_or(i64::MIN, Micros::get);
    let gate = filter.gate.clone().filter(|_| source == Source::Gate);
    let range = UsageFilter { from: filter.from, to: filter.to, gate, ..UsageFilter::default() };
    let next = filtered(connection, source, &range, true)
        .order(usage::timestamp.asc())
        .offset(PIECE)
        .limit(1)
        .select(usage::timestamp);
    let next: Option<i64> = next.get_result(connection).optional()?;
    // So many entries of the same microsecond are one piece.
    Ok(next.map(|next| Micros::stored(next.max(from.saturating_add(1)))))
}

fn quarters_of(connection: &mut Connection, source: Source, filter: &UsageFilter) -> QueryResult<Vec<(i64, Tally)>> {
    let filter =
        &*filter.resolved_among(connection, |connection, filter| filtered(connection, source, filter, true))?;
    let quarter = || sql::<BigInt>(&format!("usage.timestamp / {QUARTER}"));
    let rows = usage::table.group_by(quarter());
    let used = sql::<BigInt>(USES);
    let rows = rows.select((quarter(), used, sql::<BigInt>("COUNT(usage.error_code)")));
    let rows = rows.into_boxed::<MultiBackend>();
    let filters = conditions(connection, source, filter, true);
    let rows: Vec<(i64, i64, i64)> = filters.into_iter().fold(rows, QueryDsl::filter).load(connection)?;
    let tally = |(quarter, used, refused)| (quarter, Tally { used, refused });
    Ok(rows.into_iter().map(tally).collect())
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
