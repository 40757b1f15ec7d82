//! How many tokens a search finds.

use std::collections::BTreeSet;

use diesel::dsl::max;
use diesel::prelude::*;

use super::by_zones::{self, MOST_ZONES, in_a_row};
use super::indexed::{self, BESIDE, EVERYWHERE, by_uid};
use super::keyed::{self, FEW};
use super::page::Search;
use super::walk::{Order, Walk};
use crate::store::batches::count_unseen;
use crate::store::connection::{Connection, MOST_KEYS, MultiBackend};
use crate::store::error::Error;
use crate::store::index::zones::{self, ZoneId, ids_of, zone_of};
use crate::store::index::{grams, queue};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{self, Sort, filtered_by_ids, filtered_by_keys, filtered_by_range};
use crate::store::tokens::visible::{AreVisibleById, IsThereById};
use crate::token::settle::TokenId;

/// Candidates that are counted at a time.
const COUNTED: usize = 5_000;
/// Where more tokens than these are beside the index, the list is counted.
const MANY_BESIDE: usize = 20_000;
/// Ids of tokens that are counted between two questions whether the search may go on.
const COUNT_PIECE: i64 = 20_000;

/// What a count needs to know.
pub(super) struct Count<'a> {
    pub(super) search: &'a Search<'a>,
    /// Up to this it is counted.
    pub(super) at_most: i64,
    pub(super) limit: &'a SearchLimit,
}

impl Count<'_> {
    /// Counts by what costs least. `count` is right as far as it came when this fails.
    pub(super) fn up(&self, connection: &mut Connection, count: &mut i64) -> Result<(), Error> {
        let Search { filter, words, now, .. } = self.search;
        if words.is_empty() && filter.is_small() {
            *count = list::count(connection, filter, *now, self.at_most)?;
            return Ok(());
        }
        self.limit.check()?;
        if let Some(ids) = keyed::few(connection, filter, FEW)? {
            let ids: BTreeSet<TokenId> = ids.into_iter().collect();
            return self.of_ids(connection, ids.into_iter(), count);
        }
        match indexed::beside(connection, filter)? {
            Some(beside) if words.is_empty() && beside.len() <= MANY_BESIDE => self.by_zones(connection, beside, count),
            Some(beside) if !words.grams().is_empty() => self.by_words(connection, beside, count),
            _ => self.by_walking(connection, count),
        }
    }

    fn by_zones(&self, connection: &mut Connection, beside: Vec<TokenId>, count: &mut i64) -> Result<(), Error> {
        let zones: Vec<ZoneId> = by_zones::list(connection, self.search)?.into_iter().map(|(zone, _)| zone).collect();
        let listed: BTreeSet<ZoneId> = zones.iter().copied().collect();
        let elsewhere: BTreeSet<TokenId> = beside.into_iter().filter(|id| !listed.contains(&zone_of(*id))).collect();
        self.of_ids(connection, elsewhere.into_iter(), count)?;
        for group in zones.chunks(MOST_ZONES) {
            if *count >= self.at_most {
                break;
            }
            for ids in in_a_row(group.iter().copied()) {
                self.limit.check()?;
                let rows = filtered_by_range(self.search.filter, self.search.now, ids);
                *count += rows.count().get_result::<i64>(connection)?;
            }
        }
        Ok(())
    }

    fn by_words(&self, connection: &mut Connection, beside: Vec<TokenId>, count: &mut i64) -> Result<(), Error> {
        let mut seen: BTreeSet<TokenId> = beside.into_iter().chain(by_uid(connection, self.search)?).collect();
        self.of_ids(connection, seen.iter().copied(), count)?;
        let (wanted, mut highest) = (self.search.words.grams(), EVERYWHERE.1);
        while *count < self.at_most {
            let found = grams::find(connection, &wanted, (EVERYWHERE.0, highest), (true, COUNTED), self.limit)?;
            let Some(last) = found.last().copied() else { break };
            let is_last = found.len() < COUNTED;
            self.of_ids(connection, found.into_iter().filter(|id| seen.insert(*id)), count)?;
            highest = last - 1;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn by_walking(&self, connection: &mut Connection, count: &mut i64) -> Result<(), Error> {
        let Search { filter, words, now, .. } = self.search;
        let mut walk = Walk::new(filter, Order::All(Sort::Created), true, None);
        walk.run(connection, (usize::MAX, self.limit), |connection, walk, parts| {
            for part in parts {
                let (rows, _) = walk.rows(part, filtered_by_keys(filter, *now));
                *count +=
                    if words.is_empty() { rows.count().get_result(connection)? } else { self.found(connection, rows)? };
            }
            Ok(*count < self.at_most)
        })?;
        Ok(())
    }

    fn of_ids(
        &self,
        connection: &mut Connection,
        ids: impl Iterator<Item = TokenId>,
        count: &mut i64,
    ) -> Result<(), Error> {
        let ids: Vec<TokenId> = ids.collect();
        for chunk in ids.chunks(MOST_KEYS) {
            self.limit.check()?;
            let rows = filtered_by_ids(self.search.filter, self.search.now, chunk.to_vec());
            *count += self.found(connection, rows)?;
        }
        Ok(())
    }

    /// How many of these have the words.
    fn found(&self, connection: &mut Connection, rows: Rows) -> QueryResult<i64> {
        let rows = rows.select((tokens::uid, tokens::value, tokens::label));
        let rows: Vec<(String, Option<String>, Option<String>)> = rows.load(connection)?;
        let is_found = |(uid, value, label): &(String, Option<String>, Option<String>)| {
            self.search.words.find_in(uid, value.as_deref(), label.as_deref())
        };
        Ok(i64::try_from(rows.iter().filter(|row| is_found(row)).count()).unwrap_or(i64::MAX))
    }
}

type Rows = tokens::BoxedQuery<'static, MultiBackend>;

/// How many tokens there are, counted as far as the limit allows; and whether these are all.
///
/// # Errors
/// The database's.
pub(crate) fn count_all(connection: &mut Connection, limit: &SearchLimit) -> Result<(i64, bool), Error> {
    if let Some(queued) = queue::tokens(connection, BESIDE)? {
        return Ok((count_all_by_zones(connection, queued, limit)?, true));
    }
    let newest = tokens::table.select(max(tokens::id)).get_result::<Option<i64>>(connection)?;
    let (mut count, mut highest) = (0, newest.unwrap_or_default());
    while highest > 0 {
        if let Err(error) = limit.check() {
            return if matches!(error, Error::TooSlow) { Ok((count, false)) } else { Err(error) };
        }
        let lowest = highest - COUNT_PIECE;
        let piece = tokens::table.filter(AreVisibleById).filter(tokens::id.between(lowest + 1, highest));
        count += piece.count().get_result::<i64>(connection)?;
        highest = lowest;
    }
    Ok((count, true))
}

/// Zones with tokens that are `queued` are counted anew.
fn count_all_by_zones(connection: &mut Connection, queued: Vec<TokenId>, limit: &SearchLimit) -> Result<i64, Error> {
    let changed: BTreeSet<ZoneId> = queued.into_iter().map(zone_of).collect();
    let changed: Vec<ZoneId> = changed.into_iter().collect();
    let mut count = zones::count_others(connection, &changed)?;
    for zone in changed {
        limit.check()?;
        let (lowest, highest) = ids_of(zone, zone);
        let present = tokens::table.filter(IsThereById);
        count += present.filter(tokens::id.between(lowest, highest)).count().get_result::<i64>(connection)?;
    }
    Ok(count - count_unseen(connection)?)
}
