//! Follows the log of uses: which tokens were used up or locked since the zones were looked at.

use std::collections::BTreeMap;

use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};

use super::zones::{self, ZoneId, zone_of};
use crate::store::connection::Connection;
use crate::store::schema::{index_progress, usage};
use crate::token::EntryId;
use crate::token::settle::TokenId;

/// Entries that are followed at a time; fewer are left to those who search.
pub(crate) const FOLLOWED: i64 = 2_000;

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = BigInt)]
    id: TokenId,
    #[diesel(sql_type = Integer)]
    usage_count: i32,
    #[diesel(sql_type = Nullable<BigInt>)]
    locked_until: Option<i64>,
}

/// The tokens of uses behind an entry, up to another one, that were used up or have a lock time.
fn used(connection: &mut Connection, after: EntryId, until: EntryId) -> QueryResult<Vec<Used>> {
    diesel::sql_query(format!(
        "SELECT tokens.id, tokens.usage_count, CASE WHEN tokens.lock_time > 0
             THEN tokens.lock_start + tokens.lock_time * CAST(1000000 AS BIGINT) END AS locked_until
         FROM usage JOIN tokens ON tokens.id = usage.token
         WHERE usage.id > {after} AND usage.id <= {until} AND usage.error_code IS NULL
             AND (tokens.usage_count = 0 OR tokens.lock_time > 0)"
    ))
    .load(connection)
}

fn progress(connection: &mut Connection) -> QueryResult<EntryId> {
    let entry = index_progress::table.find(1).select(index_progress::entry).get_result(connection).optional()?;
    Ok(entry.unwrap_or(0))
}

/// The same on SQLite. No entry that was removed has a higher number.
pub(crate) fn followed(connection: &mut SqliteConnection) -> QueryResult<EntryId> {
    let entry = index_progress::table.find(1).select(index_progress::entry).get_result(connection).optional()?;
    Ok(entry.unwrap_or(0))
}

/// The highest number that an entry has, or had before it was removed.
pub(crate) fn highest(connection: &mut Connection) -> QueryResult<EntryId> {
    let newest: Option<EntryId> = usage::table.select(max(usage::id)).get_result(connection)?;
    newest.map_or_else(|| progress(connection), Ok)
}

/// Tokens of which no zone knows yet that they were used up or locked.
pub(crate) fn unfollowed(connection: &mut Connection) -> QueryResult<Vec<TokenId>> {
    let after = progress(connection)?;
    let mut tokens: Vec<TokenId> = used(connection, after, i64::MAX)?.into_iter().map(|used| used.id).collect();
    tokens.sort_unstable();
    tokens.dedup();
    Ok(tokens)
}

/// Follows the log if it has grown by much, and returns whether it may have grown by more.
pub(super) fn follow(connection: &mut Connection) -> QueryResult<bool> {
    let after = progress(connection)?;
    let Some(settled) = settled(connection, after)? else { return Ok(false) };
    if settled - after < FOLLOWED {
        return Ok(false);
    }
    follow_until(connection, settled.min(after + FOLLOWED))?;
    Ok(settled - after >= 2 * FOLLOWED)
}

/// The entry up to which the log is whole. On PostgreSQL entries are numbered while their tokens are locked, and so later than
/// their transactions: those numbered up to now are all there when every transaction that is under way now has ended.
fn settled(connection: &mut Connection, after: EntryId) -> QueryResult<Option<EntryId>> {
    let Connection::Postgres(connection) = connection else {
        return usage::table.select(max(usage::id)).get_result(connection);
    };
    let number = |what: &str| diesel::select(sql::<BigInt>(what));
    let row = index_progress::table.find(1);
    let awaited: (Option<EntryId>, Option<i64>) =
        row.select((index_progress::next_entry, index_progress::next_transaction)).get_result(connection)?;
    let begun: i64 = number("txid_snapshot_xmax(txid_current_snapshot())").get_result(connection)?;
    if let (Some(entry), Some(transaction)) = awaited
        && entry - after >= FOLLOWED
        // A database that was restored elsewhere counts its transactions anew.
        && transaction <= begun
    {
        let ended: i64 = number("txid_snapshot_xmin(txid_current_snapshot())").get_result(connection)?;
        return Ok((ended >= transaction).then_some(entry));
    }
    let newest: EntryId = number("(SELECT last_value FROM usage_id_seq)").get_result(connection)?;
    if newest - after >= FOLLOWED {
        // Read after the number: whoever drew it had begun by now.
        let begun: i64 = number("txid_snapshot_xmax(txid_current_snapshot())").get_result(connection)?;
        let next = (index_progress::next_entry.eq(newest), index_progress::next_transaction.eq(begun));
        diesel::update(row).set(next).execute(connection)?;
    }
    Ok(None)
}

/// Whether no more than so many entries are behind the one that was followed last.
pub(crate) fn is_near(connection: &mut Connection, at_most: i64) -> QueryResult<bool> {
    let newest: Option<EntryId> = usage::table.select(max(usage::id)).get_result(connection)?;
    Ok(newest.unwrap_or(0) - progress(connection)? <= at_most)
}

/// Follows the log up to an entry, which is about to be removed.
pub(crate) fn follow_until(connection: &mut Connection, until: EntryId) -> QueryResult<()> {
    let after = progress(connection)?;
    if until <= after {
        return Ok(());
    }
    let mut by_zone: BTreeMap<ZoneId, (bool, i64)> = BTreeMap::new();
    for Used { id, usage_count, locked_until } in used(connection, after, until)? {
        let (is_used_up, until) = by_zone.entry(zone_of(id)).or_default();
        *is_used_up |= usage_count == 0;
        *until = (*until).max(locked_until.unwrap_or(0));
    }
    for (zone, (is_used_up, locked_until)) in by_zone {
        zones::widen(connection, zone, is_used_up, locked_until)?;
    }
    diesel::update(index_progress::table.find(1)).set(index_progress::entry.eq(until)).execute(connection).map(drop)
}
