//! Searches of the list of tokens: filters and orders for which no index of the table is in order. Where many tokens match,
//! [walking](walk) the list soon finds a page; where few do, the [index](indexed) leads to them. A search ends when it takes
//! too long or nobody waits for it.

mod by_zones;
mod counts;
mod deleted;
mod indexed;
mod keyed;
mod page;
mod walk;

use diesel::QueryResult;
use diesel::prelude::*;

use super::list::{self, Sort, TokenFilter, TokenSlice, filtered_by_keys, ordered};
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};
use counts::Count;
pub(crate) use counts::count_all;
pub(crate) use deleted::deleted;
pub(in crate::store) use indexed::having_words;
use keyed::FEW;
use page::{Page, Search};
use walk::{Order, Walk};

/// Up to so many tokens that may have the words of a search, all are looked at. In the order of creation, the index gives
/// them in about this order, and a page needs fewer.
const FEW_NEWEST: usize = 2_000;
/// The list is walked as long as each piece of it has this part of the tokens that are wanted yet; then the index is asked.
const GOOD_PART: usize = 16;
/// Pieces of the list that are looked at before anything else, where more match than can be collected.
const PIECES_OF_MANY: usize = 10;
/// Ranges of ids that are looked at before the list is walked to its end, where they are in no order.
const FEW_RANGES: usize = 500;
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
        return Ok(list::page(connection, filter, now, &search.slice)?);
    }
    let few = if search.sort() == Sort::Created { FEW_NEWEST } else { FEW };
    if let Some(page) = look_at_few(connection, &search, few, limit)? {
        return Ok(page.into_rows());
    }
    let beside = indexed::beside(connection, filter)?;
    if let Some(beside) = &beside
        && !search.words.is_empty()
    {
        let (mut ids, are_all) = indexed::with_words(connection, &search, few, limit)?;
        if are_all {
            let mut page = Page::new(&search.slice);
            ids.extend(beside);
            indexed::add(connection, &search, ids, limit, &mut page)?;
            return Ok(page.into_rows());
        }
    }
    if filter.is_small() {
        return walk_small(connection, &search, limit);
    }
    let mut walks = Walks::new(connection, &search, beside.as_deref(), limit)?;
    // As long as each piece has a good part of what is wanted.
    loop {
        let wanted = walks.wanted();
        if walks.run(connection, &search, (1, limit))? {
            return Ok(walks.into_rows(&search));
        }
        if (wanted - walks.wanted()) * GOOD_PART < wanted {
            break;
        }
    }
    if let Some(page) = look_at_few(connection, &search, FEW, limit)? {
        return Ok(page.into_rows());
    }
    if let Some(page) = keyed::few_by_end(connection, &search, (FEW, limit))? {
        return Ok(page.into_rows());
    }
    // Where so many match, the list may be the shortest way although its beginning has none.
    if filter.is_of_list() && walks.run(connection, &search, (PIECES_OF_MANY, limit))? {
        return Ok(walks.into_rows(&search));
    }
    if let Some(beside) = beside
        && by_zones::narrows(&search)
        && let Some(found) = look_in_zones(connection, &search, beside, limit)?
    {
        return Ok(found.into_rows());
    }
    walks.run(connection, &search, (usize::MAX, limit))?;
    Ok(walks.into_rows(&search))
}

/// The page of a filter by label or value, if it matches no more than so many.
fn look_at_few(
    connection: &mut Connection,
    search: &Search,
    at_most: usize,
    limit: &SearchLimit,
) -> Result<Option<Page>, Error> {
    let Some(ids) = keyed::few(connection, search.filter, at_most)? else { return Ok(None) };
    let mut page = Page::new(&search.slice);
    indexed::add(connection, search, ids, limit, &mut page)?;
    Ok(Some(page))
}

/// The page by what zones have; none, if too many would have to be looked at.
fn look_in_zones(
    connection: &mut Connection,
    search: &Search,
    mut beside: Vec<TokenId>,
    limit: &SearchLimit,
) -> Result<Option<Page>, Error> {
    let zones = by_zones::list(connection, search)?;
    let mut found = Page::new(&search.slice);
    beside.extend(indexed::by_uid(connection, search)?);
    indexed::add(connection, search, beside, limit, &mut found)?;
    let by_creation = search.sort() == Sort::Created;
    if by_creation && !search.words.grams().is_empty() {
        by_zones::add_by_creation(connection, search, &zones, limit, &mut found)?;
        return Ok(Some(found));
    }
    let at_most = if by_creation { usize::MAX } else { FEW_RANGES };
    let is_whole = by_zones::add_zones(connection, search, &zones, (at_most, limit), &mut found)?;
    Ok(is_whole.then_some(found))
}

/// The walks that together are through the list in the order of a search. Each finds a page of its own, as the tokens of the
/// other may come between.
struct Walks(Vec<Walked>);

struct Walked {
    walk: Walk,
    page: Page,
    is_done: bool,
}

impl Walks {
    /// Those whose value is the uid are not walked to, if they are few.
    fn new(
        connection: &mut Connection,
        search: &Search,
        beside: Option<&[TokenId]>,
        limit: &SearchLimit,
    ) -> Result<Self, Error> {
        let slice = &search.slice;
        let walked = Order::of(search.sort()).iter().map(|order| {
            let walk = Walk::new(search.filter, *order, slice.descending, slice.after.clone());
            let mut page = Page::new(slice);
            let is_done = match beside {
                Some(beside) if *order == Order::Uid => {
                    by_zones::add_few_by_uid(connection, search, beside, limit, &mut page)?
                }
                _ => false,
            };
            Ok(Walked { walk, page, is_done })
        });
        Ok(Self(walked.collect::<Result<_, Error>>()?))
    }

    /// Goes on by so many pieces of each walk, and returns whether all are done.
    fn run(
        &mut self,
        connection: &mut Connection,
        search: &Search,
        (pieces, limit): (usize, &SearchLimit),
    ) -> Result<bool, Error> {
        for Walked { walk, page, is_done } in self.0.iter_mut().filter(|walked| !walked.is_done) {
            *is_done = walk.run(connection, (pieces, limit), |connection, walk, parts| {
                for part in parts {
                    if !page.is_full() {
                        walk_part(connection, search, walk, part, page)?;
                    }
                }
                Ok(!page.is_full())
            })?;
        }
        Ok(self.0.iter().all(|walked| walked.is_done))
    }

    /// How many tokens are missing yet.
    fn wanted(&self) -> usize {
        self.0.iter().filter(|walked| !walked.is_done).map(|walked| walked.page.wanted()).sum()
    }

    fn into_rows(self, search: &Search) -> Vec<(Cursor, Token)> {
        let mut all = Page::new(&search.slice);
        for (place, token) in self.0.into_iter().flat_map(|walked| walked.page.into_rows()) {
            all.add(place, token);
        }
        all.into_rows()
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
    page.take(search, ordered(rows, &order, at_most).load(connection)?)
}

/// Looks at all tokens of a batch or a print run, in their order, until the page is full.
fn walk_small(
    connection: &mut Connection,
    search: &Search,
    limit: &SearchLimit,
) -> Result<Vec<(Cursor, Token)>, Error> {
    let mut page = Page::new(&search.slice);
    let mut slice = TokenSlice { limit: BATCH_PIECE, ..search.slice.clone() };
    while !page.is_full() {
        limit.check()?;
        let rows = list::page(connection, search.filter, search.now, &slice)?;
        let Some((last, _)) = rows.last() else { break };
        slice.after = Some(last.clone());
        for (place, token) in rows {
            if search.words.find(&token) {
                page.add(place, token);
            }
        }
    }
    Ok(page.into_rows())
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
    let search = Search::new(filter, now, TokenSlice::newest(None, at_most));
    let mut count = 0;
    match (Count { search: &search, at_most, limit }).up(connection, &mut count) {
        Ok(()) => Ok((count.min(at_most), true)),
        Err(Error::TooSlow) => Ok((count.min(at_most), false)),
        Err(error) => Err(error),
    }
}

/// How many tokens the filter matches.
///
/// # Errors
/// Too slow, when counting takes longer than it may.
pub(crate) fn total(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    limit: &SearchLimit,
) -> Result<i64, Error> {
    let (total, are_all) = if *filter == TokenFilter::default() {
        count_all(connection, limit)?
    } else {
        count(connection, filter, now, i64::MAX, limit)?
    };
    if are_all { Ok(total) } else { Err(Error::TooSlow) }
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
