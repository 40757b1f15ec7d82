//! Searches by what zones have, the best zones first.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::indexed::{EVERYWHERE, add};
use super::page::{Page, Search};
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::cursor::{Cursor, Key};
use crate::store::error::Error;
use crate::store::index::zones::{self, ZoneFilter, ZoneId, ZoneOrder, cut, ids_of, zone_of};
use crate::store::index::{Ids, grams};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Sort, TokenFilter, filtered_by_range};
use crate::store::tokens::row::TokenRow;
use crate::store::tokens::visible::AreVisibleById;
use crate::token::settle::TokenId;

/// Zones that are read at a time: at first few, as a page is soon full where many are found.
const FIRST_ZONES: usize = 4;
pub(super) const MOST_ZONES: usize = 32;
/// Zones of which it is looked at once whether any token in them may have the words.
const AHEAD: usize = 512;
/// Candidates of a group of zones that are loaded at once, and how many are hardly any: zones at the ends of what was made
/// at once have some of others.
const MANY: usize = 2_000;
const HARDLY_ANY: usize = 256;
/// Candidates that are loaded at a time in the order of creation: more than a zone has, so that each step leaves it.
const STEP: usize = 512;

/// Whether zones can be left out.
pub(super) fn narrows(search: &Search) -> bool {
    let TokenFilter { state, created_from, created_to, voided, label, value_prefix, valid_at, soon, .. } =
        search.filter;
    let has_range = created_from.is_some() || created_to.is_some() || valid_at.is_some();
    has_range
        || label.is_some()
        || value_prefix.is_some()
        || state.is_some()
        || soon.is_some()
        || *voided == Some(true)
        || !search.words.is_empty()
}

/// The zones of a search, the best first, each with its best key.
pub(super) fn list(connection: &mut Connection, search: &Search) -> QueryResult<Vec<(ZoneId, Key)>> {
    let order = match search.sort() {
        Sort::Created => ZoneOrder::Created,
        Sort::Value => ZoneOrder::Value,
        Sort::Label => ZoneOrder::Label,
        Sort::ValidTo => ZoneOrder::ValidTo,
    };
    let after = search.slice.after.as_ref().map(|after| &after.key);
    zones::list(connection, &zone_filter(search.filter), search.now, (order, search.slice.descending, after))
}

fn zone_filter(filter: &TokenFilter) -> ZoneFilter {
    let TokenFilter { state, created_from, created_to, voided, label, value_prefix, valid_at, soon, .. } =
        filter.clone();
    let voided = voided == Some(true);
    ZoneFilter { state, voided, created_from, created_to, label, value_prefix, valid_at, soon }
}

/// Adds the tokens of zones to a page, the best zones first, until no other zone can have a better one. Returns false if it
/// has looked at `at_most` ranges of ids before.
pub(super) fn add_zones(
    connection: &mut Connection,
    search: &Search,
    zones: &[(ZoneId, Key)],
    (at_most, limit): (usize, &SearchLimit),
    page: &mut Page,
) -> Result<bool, Error> {
    let (mut next, mut length, mut looked_at) = (0, FIRST_ZONES, 0);
    let mut with_words = RangesWithWords::default();
    while let Some((zone, best)) = zones.get(next) {
        if page.last().is_some_and(|last| is_behind(search, *zone, best, last)) {
            return Ok(true);
        }
        if looked_at > at_most {
            return Ok(false);
        }
        let ahead = &zones[next..zones.len().min(next + length.max(AHEAD))];
        let ahead: Vec<ZoneId> = ahead.iter().map(|(zone, _)| *zone).collect();
        with_words.look(connection, search, &ahead, limit)?;
        let group = &ahead[..ahead.len().min(length)];
        let ranges = in_a_row(group.iter().copied().filter(|zone| with_words.may_have(*zone)));
        if ranges.is_empty() {
            // As far as there are none.
            next += ahead.iter().take_while(|zone| !with_words.may_have(**zone)).count();
            continue;
        }
        looked_at += ranges.len();
        let most = match group.len() {
            1 => usize::MAX,
            2..=MOST_ZONES => MANY,
            _ => HARDLY_ANY,
        };
        let Some(found) = add_ranges(connection, search, &ranges, (most, limit), page)? else {
            length = if group.len() > MOST_ZONES { group.len() / 4 } else { FIRST_ZONES.min(group.len() / 2) };
            continue;
        };
        next += group.len();
        // Where next to nothing is found, a group may be as large as it likes.
        length = if found < HARDLY_ANY { length * 2 } else { (length * 2).min(MOST_ZONES) };
    }
    Ok(true)
}

/// Which ranges of ids have tokens with the words of a search, as far as somebody has looked.
#[derive(Default)]
struct RangesWithWords(HashMap<i64, bool>);

impl RangesWithWords {
    /// Looks at the ranges that some zones are in.
    fn look(
        &mut self,
        connection: &mut Connection,
        search: &Search,
        zones: &[ZoneId],
        limit: &SearchLimit,
    ) -> Result<(), Error> {
        let ranges: BTreeSet<i64> = zones.iter().map(|zone| range_of_zone(*zone)).collect();
        let new: Vec<i64> = ranges.into_iter().filter(|range| !self.0.contains_key(range)).collect();
        if new.is_empty() || search.words.is_empty() {
            return Ok(());
        }
        let wanted = search.words.grams();
        let found = grams::ranges_with(connection, &wanted, &new, limit)?;
        self.0.extend(new.into_iter().map(|range| (range, found.contains(&range))));
        Ok(())
    }

    fn may_have(&self, zone: ZoneId) -> bool {
        self.0.get(&range_of_zone(zone)).is_none_or(|has_any| *has_any)
    }
}

fn range_of_zone(zone: ZoneId) -> i64 {
    grams::range_of(ids_of(zone, zone).0)
}

/// Whether no token of a zone with this best key, nor of those behind it, can come before a place.
fn is_behind(search: &Search, zone: ZoneId, best: &Key, place: &Cursor) -> bool {
    let descending = search.slice.descending;
    let (lowest, highest) = ids_of(zone, zone);
    // Thousands that were made at once share their time: then the ids decide, in whose order such zones come.
    if *best == place.key && cut(best) == *best {
        return if descending { highest < place.id() } else { lowest > place.id() };
    }
    let key = cut(&place.key);
    if descending { *best < key } else { *best > key }
}

/// Adds the tokens of ranges of ids to a page, and returns how many it has looked at; none, if that were more than `most`.
fn add_ranges(
    connection: &mut Connection,
    search: &Search,
    ranges: &[Ids],
    (most, limit): (usize, &SearchLimit),
    page: &mut Page,
) -> Result<Option<usize>, Error> {
    let wanted = search.words.grams();
    if wanted.is_empty() {
        let mut looked_at = 0;
        for ids in ranges {
            limit.check()?;
            let rows = filtered_by_range(search.filter, search.now, *ids);
            page.take(search, rows.select((tokens::id, TokenRow::as_select())).load(connection)?)?;
            looked_at += usize::try_from(ids.1 - ids.0).unwrap_or(usize::MAX);
        }
        return Ok(Some(looked_at));
    }
    let candidates = grams::find_in(connection, &wanted, ranges, most, limit)?;
    if candidates.len() > most {
        return Ok(None);
    }
    let looked_at = candidates.len();
    add(connection, search, candidates, limit, page)?;
    Ok(Some(looked_at))
}

/// Adds tokens that have all words to a page in the order of creation, from the best id on. Ids are nearly in this order: it
/// goes on until no zone behind can have a better one.
pub(super) fn add_by_creation(
    connection: &mut Connection,
    search: &Search,
    zones: &[(ZoneId, Key)],
    limit: &SearchLimit,
    page: &mut Page,
) -> Result<(), Error> {
    let descending = search.slice.descending;
    let mut behind: Vec<(ZoneId, &Key)> = zones.iter().map(|(zone, key)| (*zone, key)).collect();
    behind.sort_unstable();
    if !descending {
        behind.reverse();
    }
    // The best key of each zone and of those behind it.
    for at in 1..behind.len() {
        let (one, other) = (behind[at - 1].1, behind[at].1);
        behind[at].1 = if descending { one.max(other) } else { one.min(other) };
    }
    let wanted = search.words.grams();
    while let Some((zone, best)) = behind.last() {
        if page.last().is_some_and(|last| is_behind(search, *zone, best, last)) {
            return Ok(());
        }
        let (lowest, highest) = ids_of(*zone, *zone);
        let ids = if descending { (EVERYWHERE.0, highest) } else { (lowest, EVERYWHERE.1) };
        let found = grams::find(connection, &wanted, ids, (descending, STEP), limit)?;
        let Some(last) = found.last().copied() else { return Ok(()) };
        let is_last = found.len() < STEP;
        add(connection, search, found, limit, page)?;
        if is_last {
            return Ok(());
        }
        // The zone of the last one may have more.
        behind.truncate(
            behind.partition_point(
                |(zone, _)| {
                    if descending { *zone <= zone_of(last) } else { *zone >= zone_of(last) }
                },
            ),
        );
    }
    Ok(())
}

/// The ids of zones, as few ranges as there are.
pub(super) fn in_a_row(zones: impl Iterator<Item = ZoneId>) -> Vec<Ids> {
    let mut zones: Vec<ZoneId> = zones.collect();
    zones.sort_unstable();
    zones.chunk_by(|one, other| one + 1 == *other).map(|row| ids_of(row[0], row[row.len() - 1])).collect()
}

/// Adds the tokens whose value is the uid to a page, those `beside` the index as well, if they are few; returns whether they are.
pub(super) fn add_few_by_uid(
    connection: &mut Connection,
    search: &Search,
    beside: &[TokenId],
    limit: &SearchLimit,
    page: &mut Page,
) -> Result<bool, Error> {
    let few = zones::few_by_uid(connection, i64::try_from(MOST_KEYS).unwrap_or(i64::MAX))?;
    let Some(zones) = few else { return Ok(false) };
    let mut ids = beside.to_vec();
    for range in in_a_row(zones.into_iter()) {
        let rows = tokens::table.filter(AreVisibleById).filter(tokens::value.is_null());
        let rows = rows.filter(tokens::id.between(range.0, range.1)).select(tokens::id);
        ids.append(&mut rows.load(connection)?);
    }
    add(connection, search, ids, limit, page)?;
    Ok(true)
}
