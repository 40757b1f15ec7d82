//! How many tokens a search finds.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::by_zones::{self, MOST_ZONES, in_a_row};
use super::indexed::{BESIDE, EVERYWHERE, by_uid, look_at};
use super::page::Search;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::index::zones::{self, ZoneId, ids_of, zone_of};
use crate::store::index::{grams, queue};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{filtered_by_ids, filtered_by_keys};
use crate::token::settle::TokenId;

/// Candidates that are counted at a time.
const COUNTED: usize = 5_000;

/// How many tokens a filter without words matches, counted up to `at_most`.
pub(super) fn count(
    connection: &mut Connection,
    search: &Search,
    beside: Vec<TokenId>,
    (at_most, limit): (i64, &SearchLimit),
    count: &mut i64,
) -> Result<(), Error> {
    let zones = by_zones::list(connection, search)?;
    let listed: BTreeSet<ZoneId> = zones.iter().map(|(zone, _)| *zone).collect();
    let elsewhere = beside.into_iter().filter(|id| !listed.contains(&zone_of(*id))).collect();
    look_at(connection, search, elsewhere, limit, |_, _| {
        *count += 1;
        *count < at_most
    })?;
    for group in zones.chunks(MOST_ZONES) {
        for ids in in_a_row(group) {
            limit.check()?;
            let rows = filtered_by_keys(search.filter, search.now).filter(tokens::id.between(ids.0, ids.1));
            *count += rows.count().get_result::<i64>(connection)?;
        }
        if *count >= at_most {
            break;
        }
    }
    Ok(())
}

/// How many tokens with all words a filter matches, counted up to `at_most`.
pub(super) fn count_with_words(
    connection: &mut Connection,
    search: &Search,
    beside: Vec<TokenId>,
    (at_most, limit): (i64, &SearchLimit),
    count: &mut i64,
) -> Result<(), Error> {
    let mut seen: BTreeSet<TokenId> = beside.into_iter().chain(by_uid(connection, search)?).collect();
    count_found(connection, search, &seen.iter().copied().collect::<Vec<_>>(), limit, count)?;
    let (wanted, mut highest) = (search.words.grams(), EVERYWHERE.1);
    while *count < at_most {
        let found = grams::find(connection, &wanted, (EVERYWHERE.0, highest), (true, COUNTED), limit)?;
        let Some(last) = found.last().copied() else { break };
        let is_last = found.len() < COUNTED;
        let new: Vec<TokenId> = found.into_iter().filter(|id| seen.insert(*id)).collect();
        count_found(connection, search, &new, limit, count)?;
        highest = last - 1;
        if is_last {
            break;
        }
    }
    Ok(())
}

fn count_found(
    connection: &mut Connection,
    search: &Search,
    ids: &[TokenId],
    limit: &SearchLimit,
    count: &mut i64,
) -> Result<(), Error> {
    for chunk in ids.chunks(MOST_KEYS) {
        limit.check()?;
        let rows = filtered_by_ids(search.filter, search.now, chunk.to_vec());
        let rows = rows.select((tokens::uid, tokens::value, tokens::label));
        for (uid, value, label) in rows.load::<(String, Option<String>, Option<String>)>(connection)? {
            *count += i64::from(search.words.find_in(&uid, value.as_deref(), label.as_deref()));
        }
    }
    Ok(())
}

/// How many tokens there are; none if the index is too far behind.
pub(super) fn count_all(connection: &mut Connection, limit: &SearchLimit) -> Result<Option<i64>, Error> {
    let Some(queued) = queue::tokens(connection, BESIDE)? else { return Ok(None) };
    let changed: BTreeSet<ZoneId> = queued.into_iter().map(zone_of).collect();
    let changed: Vec<ZoneId> = changed.into_iter().collect();
    let mut count = zones::count_others(connection, &changed)?;
    for zone in changed {
        limit.check()?;
        let (lowest, highest) = ids_of(zone, zone);
        let present = tokens::table.filter(tokens::deleted_at.is_null());
        count += present
            .filter(tokens::id.ge(lowest))
            .filter(tokens::id.le(highest))
            .count()
            .get_result::<i64>(connection)?;
    }
    Ok(Some(count - crate::store::batches::count_unseen(connection)?))
}
