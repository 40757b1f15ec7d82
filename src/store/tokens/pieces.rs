//! All tokens that a filter matches, oldest first, piece by piece: whatever the filter, a piece looks at a bounded number of
//! tokens, and no snapshot is held between two of them.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::list::{self, Sort, TokenFilter, TokenSlice, filtered_by_ids, filtered_by_range};
use super::row::TokenRow;
use super::search;
use crate::store::batches;
use crate::store::connection::moment::at_one_moment;
use crate::store::connection::{Connection, in_order};
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros, Token};

/// Tokens of a piece, about.
const ROWS: usize = 1_000;
/// Tokens that one statement looks at, or ids in a row, and how many such statements a piece takes. Where few tokens match,
/// a piece has fewer.
const RANGE: i64 = 1_000;
const RANGES: usize = 20;
/// When a piece is enough, whatever it has: beside others who need the processor it must not take too long for a search.
const TIME: Duration = Duration::from_millis(500);
/// Up to so many tokens that a search finds are looked up by their ids. Where it finds more, all tokens are looked at.
const FOUND: usize = 20_000;

/// A token, and the name of its batch.
pub(crate) type InBatch = (Token, Option<String>);

/// What has not been read yet of the tokens that a filter matches. Those that are added meanwhile are left out.
#[derive(Clone, Debug)]
pub(crate) struct TokenPieces {
    filter: TokenFilter,
    now: Micros,
    walk: Walk,
    /// The newest token when it began.
    newest: TokenId,
    /// Batches that were being made when it began: each comes whole or not at all.
    unmade: Vec<BatchId>,
}

/// How the tokens are found.
#[derive(Clone, Debug)]
enum Walk {
    /// All tokens, by their ids, behind this one.
    Ids(TokenId),
    /// Those with these ids, of which so many are done with.
    Found(Vec<TokenId>, usize),
    /// An index leads to them in the order of creation.
    Index(Option<Cursor>),
}

impl Walk {
    fn new(connection: &mut Connection, filter: &TokenFilter, limit: &SearchLimit) -> Result<Self, Error> {
        let found = filter.q.as_deref().map(|q| search::ids(connection, q, FOUND, limit)).transpose()?.flatten();
        if let Some(mut ids) = found {
            ids.sort_unstable();
            ids.dedup();
            return Ok(Self::Found(ids, 0));
        }
        let is_in_index = filter.is_small() || filter.created_from.is_some() || filter.created_to.is_some();
        Ok(if is_in_index { Self::Index(None) } else { Self::Ids(i64::MIN) })
    }
}

impl TokenPieces {
    /// The tokens that a filter matches at `now`.
    ///
    /// # Errors
    /// Too slow, when the search takes longer than it may.
    pub(crate) fn new(
        connection: &mut Connection,
        filter: TokenFilter,
        now: Micros,
        limit: &SearchLimit,
    ) -> Result<Self, Error> {
        // At one moment: of a batch that was begun or complete between the two, some tokens would be left out.
        let (newest, unmade) = at_one_moment(connection, |connection| {
            let newest =
                tokens::table.select(diesel::dsl::max(tokens::id)).get_result::<Option<TokenId>>(connection)?;
            Ok::<_, Error>((newest, batches::unmade(connection)?))
        })?;
        let walk = Walk::new(connection, &filter, limit)?;
        Ok(Self { filter, now, walk, newest: newest.unwrap_or(0), unmade })
    }

    /// The next tokens, and whether there may be more.
    ///
    /// # Errors
    /// Too slow, when it takes longer than it may.
    pub(crate) fn next(
        &mut self,
        connection: &mut Connection,
        limit: &SearchLimit,
    ) -> Result<(Vec<InBatch>, bool), Error> {
        limit.check()?;
        let (mut found, is_more) = match &self.walk {
            Walk::Ids(_) => self.by_ranges(connection, limit)?,
            Walk::Found(..) => self.by_ids(connection)?,
            Walk::Index(_) => self.by_index(connection, limit)?,
        };
        let words = self.filter.words();
        found.retain(|(id, token)| {
            let is_there = token.batch.is_none_or(|batch| !self.unmade.contains(&batch));
            *id <= self.newest && is_there && words.find(token)
        });
        let batches = batches::of_tokens(connection, found.iter().map(|(_, token)| token))?;
        let name = |token: &Token| batches.get(&token.batch?).map(|batch| batch.name.clone());
        Ok((
            found.into_iter().map(|(_, token)| (name(&token), token)).map(|(name, token)| (token, name)).collect(),
            is_more,
        ))
    }

    fn by_ranges(
        &mut self,
        connection: &mut Connection,
        limit: &SearchLimit,
    ) -> Result<(Vec<(TokenId, Token)>, bool), Error> {
        let Walk::Ids(after) = &mut self.walk else { return Ok((Vec::new(), false)) };
        let (mut found, begun) = (Vec::new(), Instant::now());
        for _ in 0..RANGES {
            limit.check()?;
            // Where many ids were never given, as after a batch that was given up, nothing is looked at.
            let next = tokens::table.filter(tokens::id.gt(*after)).order(tokens::id).select(tokens::id).limit(1);
            let next = in_order(connection, |connection| Ok(next.get_result::<TokenId>(connection).optional()?))?;
            let Some(lowest) = next.filter(|id| *id <= self.newest) else { return Ok((found, false)) };
            let highest = self.newest.min(lowest.saturating_add(RANGE - 1));
            let range = filtered_by_range(&self.filter, self.now, (lowest, highest)).order(tokens::id);
            let rows = range.select((tokens::id, TokenRow::as_select()));
            take(&mut found, in_order(connection, |connection| Ok(rows.load(connection)?))?)?;
            *after = highest;
            if found.len() >= ROWS || begun.elapsed() >= TIME {
                break;
            }
        }
        Ok((found, *after < self.newest))
    }

    fn by_ids(&mut self, connection: &mut Connection) -> Result<(Vec<(TokenId, Token)>, bool), Error> {
        let Walk::Found(ids, done) = &mut self.walk else { return Ok((Vec::new(), false)) };
        let next: Vec<TokenId> = ids.iter().skip(*done).take(ROWS).copied().collect();
        *done += next.len();
        let is_more = *done < ids.len();
        let mut found = Vec::new();
        let rows = filtered_by_ids(&self.filter, self.now, next).select((tokens::id, TokenRow::as_select()));
        take(&mut found, rows.load(connection)?)?;
        found.sort_unstable_by_key(|(id, _)| *id);
        Ok((found, is_more))
    }

    /// A statement reads only what the index leads to, as the rest of the filter may match next to nothing of it.
    fn by_index(
        &mut self,
        connection: &mut Connection,
        limit: &SearchLimit,
    ) -> Result<(Vec<(TokenId, Token)>, bool), Error> {
        let Walk::Index(after) = &mut self.walk else { return Ok((Vec::new(), false)) };
        let indexed = in_index(&self.filter);
        let (mut found, begun): (Vec<(TokenId, Token)>, _) = (Vec::new(), Instant::now());
        for _ in 0..RANGES {
            limit.check()?;
            let slice = TokenSlice { sort: Sort::Created, descending: false, after: after.clone(), limit: RANGE };
            let page = list::page(connection, &indexed, self.now, &slice)?;
            let is_last = i64::try_from(page.len()).unwrap_or(RANGE) < RANGE;
            *after = page.last().map(|(place, _)| place.clone());
            let mut of_page: Vec<(TokenId, Token)> =
                page.into_iter().map(|(place, token)| (place.id(), token)).collect();
            if indexed != self.filter {
                let ids = of_page.iter().map(|(id, _)| *id).collect();
                let matching: Vec<TokenId> =
                    filtered_by_ids(&self.filter, self.now, ids).select(tokens::id).load(connection)?;
                let matching: HashSet<TokenId> = matching.into_iter().collect();
                of_page.retain(|(id, _)| matching.contains(id));
            }
            found.append(&mut of_page);
            if is_last || found.len() >= ROWS || begun.elapsed() >= TIME {
                return Ok((found, !is_last));
            }
        }
        Ok((found, true))
    }
}

/// The part of a filter that an index leads to: those of a print run, of which there are the fewest, of a batch, or of a
/// time range.
fn in_index(filter: &TokenFilter) -> TokenFilter {
    let (created_from, created_to) = (filter.created_from, filter.created_to);
    match (filter.print_run, filter.batch) {
        (Some(_), _) => TokenFilter { print_run: filter.print_run, ..TokenFilter::default() },
        (None, batch) => TokenFilter { created_from, created_to, batch, ..TokenFilter::default() },
    }
}

fn take(found: &mut Vec<(TokenId, Token)>, rows: Vec<(TokenId, TokenRow)>) -> QueryResult<()> {
    for (id, row) in rows {
        found.push((id, row.token()?));
    }
    Ok(())
}
