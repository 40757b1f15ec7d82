//! Searches of the list of tokens: filters and orders for which no index is in order. They walk the list by keys, in
//! statements that each read a bounded number of rows; between them no snapshot is held, and a search ends when it takes
//! too long or nobody waits for it.

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::list::{self, Condition, Sort, TokenFilter, TokenSlice, compare, filtered, ordered};
use super::row::TokenRow;
use super::visible::AreVisible;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::cursor::{Cursor, Key};
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};

/// Rows of the list that are looked at between two questions whether the search may go on. Where many share a sort key,
/// twice as many.
const PIECE: i64 = 5_000;
/// Ids of tokens that are counted between two such questions.
const COUNT_PIECE: i64 = 20_000;
/// Up to this many tokens of a time range are collected and sorted. Where there are more, walking the list soon finds a page.
const FEW: i64 = 20_000;

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
    // An index leads to the tokens of a batch or a run, which are few beside all others.
    if filter.is_small() || filter.walks_an_index(slice.sort) {
        return Ok(list::page(connection, filter, now, slice)?);
    }
    let walk = Walk::new(filter, slice.sort, slice.descending, slice.after.clone());
    if slice.sort != Sort::Created && is_few(connection, filter)? {
        return gather(connection, filter, now, &slice, limit);
    }
    let mut found = Vec::new();
    walk.run(connection, limit, |connection, piece| {
        for part in piece {
            let wanted = slice.limit - length(&found);
            if wanted > 0 {
                found.extend(load(connection, filter, now, part, (&walk, wanted))?);
            }
        }
        Ok(length(&found) < slice.limit)
    })?;
    Ok(found)
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
    if filter.is_small() {
        return Ok((list::count(connection, filter, now, at_most)?, true));
    }
    let mut count = 0;
    let walk = Walk::new(filter, Sort::Created, true, None);
    let result = walk.run(connection, limit, |connection, piece| {
        for part in piece {
            count += part.of(filtered(connection, filter, now)).count().get_result::<i64>(connection)?;
        }
        Ok(count < at_most)
    });
    match result {
        Ok(()) => Ok((count.min(at_most), true)),
        Err(Error::TooSlow) => Ok((count.min(at_most), false)),
        Err(error) => Err(error),
    }
}

/// How many tokens there are, counted as far as the limit allows; and whether these are all.
///
/// # Errors
/// The database's.
pub(crate) fn count_all(connection: &mut Connection, limit: &SearchLimit) -> Result<(i64, bool), Error> {
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
    let mut found: Vec<(TokenId, Token)> = Vec::new();
    if filter.is_small() {
        let rows = filtered(connection, filter, now).limit(i64::try_from(at_most + 1).unwrap_or(i64::MAX));
        let rows = rows.select((tokens::id, TokenRow::as_select()));
        for row in rows.load_iter::<(TokenId, TokenRow), DefaultLoadingMode>(connection)? {
            let (id, row) = row?;
            found.push((id, row.token()?));
        }
        return Ok(found);
    }
    let walk = Walk::new(filter, Sort::Created, false, None);
    walk.run(connection, limit, |connection, piece| {
        for part in piece {
            let loaded = load(connection, filter, now, part, (&walk, i64::MAX))?;
            found.extend(loaded.into_iter().map(|(cursor, token)| (cursor.id(), token)));
        }
        Ok(found.len() <= at_most)
    })?;
    Ok(found)
}

/// The page of a time range of few tokens: all of them, sorted here.
fn gather(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    slice: &TokenSlice,
    limit: &SearchLimit,
) -> Result<Vec<(Cursor, Token)>, Error> {
    let walk = Walk::new(filter, Sort::Created, true, None);
    let mut found: Vec<(Cursor, Token)> = Vec::new();
    walk.run(connection, limit, |connection, piece| {
        for part in piece {
            let loaded = load(connection, filter, now, part, (&walk, FEW + 1))?;
            let keyed = loaded.into_iter().map(|(cursor, token)| (slice.sort.cursor(cursor.id(), &token), token));
            found.extend(
                keyed.filter(|(cursor, _)| slice.after.as_ref().is_none_or(|after| slice.is_after(cursor, after))),
            );
        }
        found.sort_unstable_by(|(a, _), (b, _)| if slice.descending { b.cmp(a) } else { a.cmp(b) });
        found.truncate(usize::try_from(slice.limit).unwrap_or(usize::MAX));
        Ok(true)
    })?;
    Ok(found)
}

fn is_few(connection: &mut Connection, filter: &TokenFilter) -> QueryResult<bool> {
    if filter.created_from.is_none() && filter.created_to.is_none() {
        return Ok(false);
    }
    let range =
        TokenFilter { created_from: filter.created_from, created_to: filter.created_to, ..TokenFilter::default() };
    let one_more = filtered(connection, &range, Micros::EPOCH).order(tokens::created).offset(FEW).limit(1);
    Ok(one_more.select(tokens::id).get_result::<i64>(connection).optional()?.is_none())
}

fn load(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    part: Part,
    (walk, limit): (&Walk, i64),
) -> Result<Vec<(Cursor, Token)>, Error> {
    let order = if part.is_one_key { walk.order_by_id() } else { walk.order() };
    let rows: Vec<(i64, TokenRow)> =
        ordered(part.of(filtered(connection, filter, now)), &order, limit).load(connection)?;
    let keyed = rows.into_iter().map(|(id, row)| row.token().map(|token| (walk.sort.cursor(id, &token), token)));
    Ok(keyed.collect::<QueryResult<_>>()?)
}

fn length<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

/// A walk through all tokens in an order.
struct Walk {
    sort: Sort,
    descending: bool,
    /// It begins behind this position.
    after: Option<Cursor>,
    /// Nothing that the filter matches comes behind this key.
    last: Option<Key>,
}

/// A part of the list between two positions.
struct Part {
    conditions: Vec<Condition>,
    /// All of its tokens share their sort key.
    is_one_key: bool,
}

impl Part {
    fn of(self, query: tokens::BoxedQuery<'static, MultiBackend>) -> tokens::BoxedQuery<'static, MultiBackend> {
        self.conditions.into_iter().fold(query, QueryDsl::filter)
    }
}

impl Walk {
    /// From `after` on; in the order of creation, only through the filter's time range.
    fn new(filter: &TokenFilter, sort: Sort, descending: bool, after: Option<Cursor>) -> Self {
        if sort != Sort::Created {
            return Self { sort, descending, after, last: None };
        }
        let (from, to) = (filter.created_from.map(Micros::get), filter.created_to.map(Micros::get));
        let (first, last) = if descending { (to, from) } else { (from, to) };
        let first = first.map(|key| Cursor::number(key, if descending { i64::MAX } else { i64::MIN }));
        let after = match (after, first) {
            (Some(after), Some(first)) => Some(if descending { after.min(first) } else { after.max(first) }),
            (after, first) => after.or(first),
        };
        Self { sort, descending, after, last: last.map(Key::Number) }
    }

    /// Calls `visit` for each piece of the list, until that returns false.
    fn run(
        &self,
        connection: &mut Connection,
        limit: &SearchLimit,
        mut visit: impl FnMut(&mut Connection, Vec<Part>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut after = self.after.clone();
        loop {
            limit.check()?;
            let end = self.piece_end(connection, after.as_ref())?;
            let is_last = match (&end, &self.last) {
                (None, _) => true,
                (Some(end), Some(last)) => {
                    if self.descending {
                        end.key < *last
                    } else {
                        end.key > *last
                    }
                }
                (Some(_), None) => false,
            };
            if !visit(connection, self.parts(after.as_ref(), end.as_ref()))? || is_last {
                return Ok(());
            }
            after = end;
        }
    }

    /// The position of the last row of the piece after a position; none if the rest of the list is a piece.
    fn piece_end(&self, connection: &mut Connection, after: Option<&Cursor>) -> QueryResult<Option<Cursor>> {
        if let Some(after) = after {
            let ties = Part { conditions: vec![self.same(&after.key), self.id_beyond(after.id)], is_one_key: true };
            if let Some(end) = self.last_of_piece(connection, ties)? {
                return Ok(Some(end));
            }
        }
        let conditions = after.map(|after| self.beyond(&after.key)).into_iter().collect();
        self.last_of_piece(connection, Part { conditions, is_one_key: false })
    }

    fn last_of_piece(&self, connection: &mut Connection, part: Part) -> QueryResult<Option<Cursor>> {
        let order = if part.is_one_key { self.order_by_id() } else { self.order() };
        let existing = part.of(tokens::table.into_boxed().filter(tokens::deleted_at.is_null()));
        let row = existing.order(sql::<BigInt>(&order)).offset(PIECE - 1).limit(1);
        let expression = self.sort.expression();
        let end = if self.sort.is_text() {
            let row = row.select((sql::<Text>(expression), tokens::id)).get_result::<(String, i64)>(connection);
            row.optional()?.map(|(key, id)| Cursor { key: Key::Text(key), id })
        } else {
            let row = row.select((sql::<BigInt>(expression), tokens::id)).get_result::<(i64, i64)>(connection);
            row.optional()?.map(|(key, id)| Cursor::number(key, id))
        };
        Ok(end)
    }

    /// What lies behind `after` up to `end`, in parts that each are a range of an index.
    fn parts(&self, after: Option<&Cursor>, end: Option<&Cursor>) -> Vec<Part> {
        let of_one_key = |conditions| Part { conditions, is_one_key: true };
        let between = |conditions| Part { conditions, is_one_key: false };
        match (after, end) {
            (None, None) => vec![between(Vec::new())],
            (None, Some(end)) => {
                vec![between(vec![self.before(&end.key)]), of_one_key(vec![self.same(&end.key), self.id_up_to(end.id)])]
            }
            (Some(after), None) => vec![
                of_one_key(vec![self.same(&after.key), self.id_beyond(after.id)]),
                between(vec![self.beyond(&after.key)]),
            ],
            (Some(after), Some(end)) if after.key == end.key => {
                vec![of_one_key(vec![self.same(&end.key), self.id_beyond(after.id), self.id_up_to(end.id)])]
            }
            (Some(after), Some(end)) => vec![
                of_one_key(vec![self.same(&after.key), self.id_beyond(after.id)]),
                between(vec![self.beyond(&after.key), self.before(&end.key)]),
                of_one_key(vec![self.same(&end.key), self.id_up_to(end.id)]),
            ],
        }
    }

    fn order(&self) -> String {
        let (expression, direction) = (self.sort.expression(), self.direction());
        format!("{expression} {direction}, tokens.id {direction}")
    }

    fn order_by_id(&self) -> String {
        format!("tokens.id {}", self.direction())
    }

    fn direction(&self) -> &'static str {
        if self.descending { "DESC" } else { "ASC" }
    }

    fn same(&self, key: &Key) -> Condition {
        compare(self.sort.expression(), "=", key)
    }

    fn beyond(&self, key: &Key) -> Condition {
        compare(self.sort.expression(), if self.descending { "<" } else { ">" }, key)
    }

    fn before(&self, key: &Key) -> Condition {
        compare(self.sort.expression(), if self.descending { ">" } else { "<" }, key)
    }

    fn id_beyond(&self, id: i64) -> Condition {
        let comparison = if self.descending { "tokens.id < " } else { "tokens.id > " };
        Box::new(sql::<Bool>(comparison).bind::<BigInt, _>(id))
    }

    fn id_up_to(&self, id: i64) -> Condition {
        let comparison = if self.descending { "tokens.id >= " } else { "tokens.id <= " };
        Box::new(sql::<Bool>(comparison).bind::<BigInt, _>(id))
    }
}
