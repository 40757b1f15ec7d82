//! Searches of the list of tokens: filters and orders for which no index of the table is in order. Where many tokens match,
//! [walking](walk) the list soon finds a page; where few do, the [index](indexed) leads to them. A search ends when it takes
//! too long or nobody waits for it.

mod by_zones;
mod counts;
mod indexed;
mod page;
mod walk;

use diesel::dsl::max;
use diesel::prelude::*;

use super::list::{self, Sort, TokenFilter, TokenSlice, filtered_by_keys, ordered};
use super::visible::AreVisible;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};
use page::{Page, Search};
use walk::{Order, Walk};

/// Up to so many tokens that may have the words of a search, all are looked at. In the order of creation, the index gives
/// them in about this order, and a page needs fewer.
const FEW_NEWEST: usize = 2_000;
const FEW: usize = 20_000;
/// The list is walked as long as each piece of it has this part of the tokens that are wanted yet; then the index is asked.
const GOOD_PART: usize = 16;
/// Ranges of ids that are looked at before the list is walked to its end, where they are in no order.
const FEW_RANGES: usize = 500;
/// Ids of tokens that are counted between two questions whether the search may go on.
const COUNT_PIECE: i64 = 20_000;
/// Tokens of a batch or a print run that are read at a time.
const BATCH_PIECE: i64 = 1_000;

/// The tokens that a search finds, deleted ones included; none if they may be more than so many.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(in crate::store) fn ids(
    connection: &mut Connection,
    q: &str,
    at_most: usize,
    limit: &SearchLimit,
) -> Result<Option<Vec<TokenId>>, Error> {
    let filter = TokenFilter { q: Some(q.to_owned()), ..TokenFilter::default() };
    indexed::ids_with_words(
        connection,
        &Search::new(&filter, Micros::EPOCH, TokenSlice::newest(None, 0)),
        at_most,
        limit,
    )
}

/// A page of tokens, each with its cursor.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub fn page(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    slice: TokenSlice,
    limit: &SearchLimit,
) -> Result<Vec<(Cursor, Token)>, Error> {
    limit.check()?;
    let search = Search::new(filter, now, slice);
    // An index leads to the tokens of a batch or a run, which are few beside all others.
    if search.words.is_empty() && (filter.is_small() || filter.walks_an_index(search.sort())) {
        return Ok(list::page(connection, filter, now, search.slice)?);
    }
    let beside = indexed::beside(connection, filter)?;
    if let Some(beside) = &beside
        && !search.words.is_empty()
    {
        let few = if search.sort() == Sort::Created { FEW_NEWEST } else { FEW };
        let (mut ids, are_all) = indexed::with_words(connection, &search, few, limit)?;
        if are_all {
            let mut page = Page::new(&search.slice);
            ids.extend(beside);
            indexed::add(connection, &search, ids, limit, &mut page)?;
            return Ok(page.into_rows());
        }
    }
    let mut walks = Walks::new(&search);
    let mut page = Page::new(&search.slice);
    // As long as each piece has a good part of what is wanted.
    loop {
        let wanted = page.wanted();
        if walks.run(connection, &search, (1, limit), &mut page)? {
            return Ok(page.into_rows());
        }
        if (wanted - page.wanted()) * GOOD_PART < wanted {
            break;
        }
    }
    let has_grams = !search.words.grams().is_empty();
    if let Some(mut beside) = beside
        && !filter.is_small()
        && by_zones::narrows(&search)
    {
        let zones = by_zones::list(connection, &search)?;
        let mut found = Page::new(&search.slice);
        if !search.words.is_empty() {
            beside.extend(indexed::by_uid(connection, &search)?);
        }
        indexed::add(connection, &search, beside, limit, &mut found)?;
        if has_grams && search.sort() == Sort::Created {
            by_zones::add_by_creation(connection, &search, &zones, limit, &mut found)?;
            return Ok(found.into_rows());
        }
        let at_most = if search.sort() == Sort::Created { usize::MAX } else { FEW_RANGES };
        if by_zones::add_zones(connection, &search, &zones, (at_most, limit), &mut found)? {
            return Ok(found.into_rows());
        }
    }
    walks.run(connection, &search, (usize::MAX, limit), &mut page)?;
    Ok(page.into_rows())
}

/// The walks that together are through the list in the order of a search.
struct Walks(Vec<(Walk, bool)>);

impl Walks {
    fn new(search: &Search) -> Self {
        let walk = |order: &Order| {
            let slice = &search.slice;
            (Walk::new(search.filter, *order, slice.descending, slice.after.clone()), false)
        };
        Self(Order::of(search.sort()).iter().map(walk).collect())
    }

    /// Adds to a page what these pieces of each walk have, and returns whether it is complete.
    fn run(
        &mut self,
        connection: &mut Connection,
        search: &Search,
        (pieces, limit): (usize, &SearchLimit),
        page: &mut Page,
    ) -> Result<bool, Error> {
        if search.filter.is_small() {
            return walk_small(connection, search, limit, page);
        }
        for (walk, is_done) in &mut self.0 {
            if !*is_done && walk.is_by_uid() && by_zones::add_few_by_uid(connection, search, limit, page)? {
                *is_done = true;
            }
            if *is_done {
                continue;
            }
            // Each walk finds a page of its own: the tokens of the other may come between.
            let mut own = Page::new(&search.slice);
            *is_done = walk.run(connection, (pieces, limit), |connection, walk, parts| {
                for part in parts {
                    if !own.is_full() {
                        walk_part(connection, search, walk, part, &mut own)?;
                    }
                }
                Ok(!own.is_full())
            })?;
            for (place, token) in own.into_rows() {
                page.add(place, token);
            }
        }
        Ok(self.0.iter().all(|(_, is_done)| *is_done))
    }
}

fn walk_part(
    connection: &mut Connection,
    search: &Search,
    walk: &Walk,
    part: walk::Part,
    page: &mut Page,
) -> QueryResult<()> {
    let (rows, order) = walk.rows(part, filtered_by_keys(search.filter, search.now));
    // Without words, all that the statement finds is found.
    let at_most = if search.words.is_empty() { search.slice.limit } else { i64::MAX };
    for (id, row) in ordered(rows, &order, at_most).load(connection)? {
        let token = row.token()?;
        if let Some(place) = search.place(id, &token) {
            page.add(place, token);
        }
    }
    Ok(())
}

/// Looks at all tokens of a batch or a print run, in their order, until the page is full.
fn walk_small(
    connection: &mut Connection,
    search: &Search,
    limit: &SearchLimit,
    page: &mut Page,
) -> Result<bool, Error> {
    let mut slice = TokenSlice { limit: BATCH_PIECE, ..search.slice.clone() };
    while !page.is_full() {
        limit.check()?;
        let rows = list::page(connection, search.filter, search.now, slice.clone())?;
        let Some((last, _)) = rows.last() else { break };
        slice.after = Some(last.clone());
        for (place, token) in rows {
            if search.words.find(&token) {
                page.add(place, token);
            }
        }
    }
    Ok(true)
}

/// How many tokens the filter matches, counted up to `at_most` and as far as the limit allows; and whether these are all.
///
/// # Errors
/// The database's.
pub fn count(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    at_most: i64,
    limit: &SearchLimit,
) -> Result<(i64, bool), Error> {
    let mut count = 0;
    match count_up(connection, filter, now, (at_most, limit), &mut count) {
        Ok(()) => Ok((count.min(at_most), true)),
        Err(Error::TooSlow) => Ok((count.min(at_most), false)),
        Err(error) => Err(error),
    }
}

fn count_up(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    (at_most, limit): (i64, &SearchLimit),
    count: &mut i64,
) -> Result<(), Error> {
    let search = Search::new(filter, now, TokenSlice::newest(None, at_most));
    if search.words.is_empty() && filter.is_small() {
        *count = list::count(connection, filter, now, at_most)?;
        return Ok(());
    }
    limit.check()?;
    if let Some(beside) = indexed::beside(connection, filter)? {
        if search.words.is_empty() && beside.len() > FEW {
            return Counted { search: &search, count, at_most }.walk(connection, limit);
        }
        if search.words.is_empty() {
            return counts::count(connection, &search, beside, (at_most, limit), count);
        }
        if !search.words.grams().is_empty() {
            return counts::count_with_words(connection, &search, beside, (at_most, limit), count);
        }
    }
    Counted { search: &search, count, at_most }.walk(connection, limit)
}

/// A count by walking the list.
struct Counted<'a> {
    search: &'a Search<'a>,
    count: &'a mut i64,
    at_most: i64,
}

impl Counted<'_> {
    fn walk(&mut self, connection: &mut Connection, limit: &SearchLimit) -> Result<(), Error> {
        let mut walk = Walk::new(self.search.filter, Order::All(Sort::Created), true, None);
        walk.run(connection, (usize::MAX, limit), |connection, walk, parts| {
            for part in parts {
                let (rows, _) = walk.rows(part, filtered_by_keys(self.search.filter, self.search.now));
                if self.search.words.is_empty() {
                    *self.count += rows.count().get_result::<i64>(connection)?;
                    continue;
                }
                for row in rows.select(super::row::TokenRow::as_select()).load::<super::row::TokenRow>(connection)? {
                    *self.count += i64::from(self.search.words.find(&row.token()?));
                }
            }
            Ok(*self.count < self.at_most)
        })?;
        Ok(())
    }
}

/// How many tokens there are, counted as far as the limit allows; and whether these are all.
///
/// # Errors
/// The database's.
pub(crate) fn count_all(connection: &mut Connection, limit: &SearchLimit) -> Result<(i64, bool), Error> {
    if let Some(count) = counts::count_all(connection, limit)? {
        return Ok((count, true));
    }
    let newest = tokens::table.select(max(tokens::id)).get_result::<Option<i64>>(connection)?;
    let (mut count, mut highest) = (0, newest.unwrap_or_default());
    while highest > 0 {
        if let Err(error) = limit.check() {
            return if matches!(error, Error::TooSlow) { Ok((count, false)) } else { Err(error) };
        }
        let lowest = highest - COUNT_PIECE;
        let piece = tokens::table.filter(AreVisible).filter(tokens::id.gt(lowest).and(tokens::id.le(highest)));
        count += piece.count().get_result::<i64>(connection)?;
        highest = lowest;
    }
    Ok((count, true))
}

/// All tokens that the filter matches, in no particular order; if there are more than `at_most`, more than these.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(in crate::store) fn all(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    at_most: usize,
    limit: &SearchLimit,
) -> Result<Vec<(TokenId, Token)>, Error> {
    let more = i64::try_from(at_most).map_or(i64::MAX, |at_most| at_most + 1);
    let rows = page(connection, filter, now, TokenSlice::newest(None, more), limit)?;
    Ok(rows.into_iter().map(|(cursor, token)| (cursor.id(), token)).collect())
}
