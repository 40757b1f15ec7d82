//! Searches by what zones have, the best zones first.

use diesel::prelude::*;

use super::indexed::{EVERYWHERE, add};
use super::page::{Page, Search};
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::cursor::{Cursor, Key};
use crate::store::error::Error;
use crate::store::index::zones::{self, ZoneFilter, ZoneId, ZoneOrder, cut, ids_of, zone_of};
use crate::store::index::{Ids, grams, queue};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Sort, TokenFilter, filtered_by_keys};
use crate::store::tokens::row::TokenRow;
use crate::store::tokens::visible::AreVisible;
use crate::token::settle::TokenId;

/// Zones that are read at a time: at first few, as a page is soon full where many are found.
const FIRST_ZONES: usize = 4;
pub(super) const MOST_ZONES: usize = 32;
/// Candidates of a group of zones that are loaded at once.
const MANY: usize = 2_000;
/// Candidates that are loaded at a time in the order of creation: more than a zone has, so that each step leaves it.
const STEP: usize = 512;

/// Whether zones can be left out.
pub(super) fn narrows(search: &Search) -> bool {
    let TokenFilter { state, created_from, created_to, voided, .. } = search.filter;
    let has_range = created_from.is_some() || created_to.is_some();
    has_range || state.is_some() || *voided == Some(true) || !search.words.is_empty()
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
    let TokenFilter { state, created_from, created_to, voided, .. } = filter;
    ZoneFilter { state: *state, voided: *voided == Some(true), created_from: *created_from, created_to: *created_to }
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
    while let Some((zone, best)) = zones.get(next) {
        if page.last().is_some_and(|last| is_behind(search, *zone, best, last)) {
            return Ok(true);
        }
        if looked_at > at_most {
            return Ok(false);
        }
        let group = &zones[next..zones.len().min(next + length)];
        let ranges = in_a_row(group);
        looked_at += ranges.len();
        match add_ranges(connection, search, &ranges, (group.len() > 1, limit), page)? {
            Found::TooMany => length = group.len() / 2,
            Found::None => (next, length) = (next + group.len(), length * 2),
            Found::Some => (next, length) = (next + group.len(), (length * 2).min(MOST_ZONES)),
        }
    }
    Ok(true)
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

/// What there was in ranges of ids.
enum Found {
    None,
    Some,
    /// So many that they should be looked at in smaller groups.
    TooMany,
}

fn add_ranges(
    connection: &mut Connection,
    search: &Search,
    ranges: &[Ids],
    (may_be_halved, limit): (bool, &SearchLimit),
    page: &mut Page,
) -> Result<Found, Error> {
    let wanted = search.words.grams();
    let mut candidates = Vec::new();
    for ids in ranges {
        limit.check()?;
        if wanted.is_empty() {
            let rows = filtered_by_keys(search.filter, search.now).filter(tokens::id.between(ids.0, ids.1));
            for (id, row) in rows.select((tokens::id, TokenRow::as_select())).load::<(TokenId, TokenRow)>(connection)? {
                let token = row.token()?;
                if let Some(place) = search.place(id, &token) {
                    page.add(place, token);
                }
            }
            continue;
        }
        candidates.append(&mut grams::find(connection, &wanted, *ids, (true, MANY + 1), limit)?);
        if may_be_halved && candidates.len() > MANY {
            return Ok(Found::TooMany);
        }
    }
    if wanted.is_empty() {
        return Ok(Found::Some);
    }
    let found = if candidates.is_empty() { Found::None } else { Found::Some };
    add(connection, search, candidates, limit, page)?;
    Ok(found)
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
pub(super) fn in_a_row(zones: &[(ZoneId, Key)]) -> Vec<Ids> {
    let mut zones: Vec<ZoneId> = zones.iter().map(|(zone, _)| *zone).collect();
    zones.sort_unstable();
    zones.chunk_by(|one, other| one + 1 == *other).map(|row| ids_of(row[0], row[row.len() - 1])).collect()
}

/// All tokens whose value is the uid, if they are few; their zones' tokens are looked at.
pub(super) fn add_few_by_uid(
    connection: &mut Connection,
    search: &Search,
    limit: &SearchLimit,
    page: &mut Page,
) -> Result<bool, Error> {
    let Some(queued) = queue::tokens(connection, super::indexed::BESIDE)? else { return Ok(false) };
    let Some(zones) = zones::few_by_uid(connection, i64::try_from(MOST_KEYS).unwrap_or(i64::MAX))? else {
        return Ok(false);
    };
    add(connection, search, queued, limit, page)?;
    let zones: Vec<(ZoneId, Key)> = zones.into_iter().map(|zone| (zone, Key::Number(0))).collect();
    for ids in in_a_row(&zones) {
        let rows = tokens::table.filter(AreVisible).filter(tokens::value.is_null());
        let ids = rows.filter(tokens::id.between(ids.0, ids.1)).select(tokens::id).load(connection)?;
        add(connection, search, ids, limit, page)?;
    }
    Ok(true)
}
