//! The usage log with its filter, page by page.
//!
//! A page is found by walking the log by id from the newest entry, which is fast where many entries match. Where few
//! do, [`UsageScan`] first finds out where they are.

use std::ops::ControlFlow;

use diesel::prelude::*;

use super::chain::{FEW, PIECE, Piece};
use super::conditions::{Source, UsageFilter, between, filtered};
use super::entries::{Entry, EntryRow, entries};
use super::of_token;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::{batches, tokens, usage};
use crate::store::search::SearchLimit;
use crate::store::tokens::id_of;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros};

/// Entries, each with its cursor.
pub(crate) type Entries = Vec<(Cursor, Entry)>;

/// Where to look for the entries that a filter matches: found out once, and valid for all pages.
#[derive(Clone, Debug)]
pub(crate) struct UsageScan {
    pub(super) sources: Vec<Source>,
    /// No entry has a lower id.
    lowest: i64,
    /// No entry has a higher id.
    highest: i64,
}

impl UsageScan {
    /// The scan for a filter. With `after`, the id of a cursor bounds the walk.
    pub(crate) fn new(connection: &mut Connection, filter: &UsageFilter, after: Option<&Cursor>) -> QueryResult<Self> {
        let sources = sources(connection, filter)?;
        let walks = sources.iter().any(|source| source.is_log());
        let (lowest, highest) = match (walks, filter.from, filter.to) {
            (false, ..) | (_, None, None) => (i64::MIN, i64::MAX),
            (true, from, to) => id_bounds(connection, from, to, after.is_some())?,
        };
        Ok(Self { sources, lowest, highest })
    }

    /// Leaves out entries that come after the one with this id.
    #[must_use]
    pub(crate) fn until(mut self, id: i64) -> Self {
        self.highest = self.highest.min(id);
        self
    }
}

/// The id of the newest entry.
pub(crate) fn newest_id(connection: &mut Connection) -> QueryResult<i64> {
    let newest = usage::table.order(usage::id.desc()).limit(1).select(usage::id);
    Ok(newest.get_result(connection).optional()?.unwrap_or(0))
}

pub(super) fn sources(connection: &mut Connection, filter: &UsageFilter) -> QueryResult<Vec<Source>> {
    let batch = filter.batch.map(|batch| batches::table.filter(batches::uid.eq(batch.to_string())).select(batches::id));
    let batch: Option<Option<BatchId>> = batch.map(|row| row.get_result(connection).optional()).transpose()?;
    Ok(match (filter.token_uid, batch) {
        (_, Some(None)) => Vec::new(),
        (None, None) if is_few_at_gate(connection, filter)? => vec![Source::Gate],
        (None, None) => vec![Source::All],
        (Some(uid), None) => {
            let known = id_of(connection, uid)?.map(Source::Token);
            std::iter::once(Source::Unknown(uid)).chain(known).collect()
        }
        (Some(uid), Some(Some(batch))) => {
            let of_batch = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::batch.eq(batch));
            let known: Option<TokenId> = of_batch.select(tokens::id).get_result(connection).optional()?;
            known.map_or_else(Vec::new, |id| vec![Source::Unknown(uid), Source::Token(id)])
        }
        (None, Some(Some(batch))) => {
            let gathered = vec![Source::Batch(batch), Source::BatchUnknown(batch)];
            let unfiltered = UsageFilter::default();
            let is_few = count_sources(connection, &unfiltered, &gathered, FEW + 1)? <= FEW;
            if is_few { gathered } else { vec![Source::BatchInLog(batch)] }
        }
    })
}

fn is_few_at_gate(connection: &mut Connection, filter: &UsageFilter) -> QueryResult<bool> {
    let at_gate = UsageFilter { gate: filter.gate.clone(), ..UsageFilter::default() };
    Ok(filter.gate.is_some() && count_sources(connection, &at_gate, &[Source::Gate], FEW + 1)? <= FEW)
}

/// The lowest and highest id of the entries in a time range. Ids and times need not be in the same order, because the
/// clock may jump back, so the bounds come from the index of times and are no guess. They are read only if that reads
/// few entries, or if walking the log would pass many newer ones and there is no cursor yet to start from.
fn id_bounds(
    connection: &mut Connection,
    from: Option<Micros>,
    to: Option<Micros>,
    has_cursor: bool,
) -> QueryResult<(i64, i64)> {
    let range = UsageFilter { from, to, ..UsageFilter::default() };
    if count_sources(connection, &range, &[Source::All], FEW + 1)? > FEW {
        let newer = UsageFilter { from: to.map(|to| to.plus_micros(1)), ..UsageFilter::default() };
        if has_cursor || to.is_none() || count_sources(connection, &newer, &[Source::All], FEW + 1)? <= FEW {
            return Ok((i64::MIN, i64::MAX));
        }
    }
    let in_range = filtered(connection, Source::All, &range, true);
    let bounds = in_range.select((diesel::dsl::min(usage::id), diesel::dsl::max(usage::id)));
    let (lowest, highest): (Option<i64>, Option<i64>) = bounds.get_result(connection)?;
    Ok((lowest.unwrap_or(i64::MAX), highest.unwrap_or(i64::MIN)))
}

/// Which part of the log to read.
#[derive(Clone, Debug)]
pub(crate) struct UsageSlice {
    /// From the oldest to the newest.
    pub(crate) oldest_first: bool,
    /// Only what comes after this cursor.
    pub(crate) after: Option<Cursor>,
    /// Most entries.
    pub(crate) limit: i64,
}

/// Entries, newest first, each with its cursor; only those after the cursor `after`, if given.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    after: Option<&Cursor>,
    rows: i64,
    limit: &SearchLimit,
) -> Result<Entries, Error> {
    let scan = UsageScan::new(connection, filter, after)?;
    slice(connection, filter, &scan, &UsageSlice { oldest_first: false, after: after.cloned(), limit: rows }, limit)
}

/// Entries in the order of `slice`, each with its cursor.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn slice(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    slice: &UsageSlice,
    limit: &SearchLimit,
) -> Result<Entries, Error> {
    let (found, rest) = slice_part(connection, filter, scan, slice, (usize::MAX, limit))?;
    debug_assert!(rest.is_none(), "without a bound the walk ends with the log");
    Ok(found)
}

/// As [`slice()`], but looks at no more than so many pieces of the log, and then tells where to go on.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn slice_part(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    slice: &UsageSlice,
    (pieces, limit): (usize, &SearchLimit),
) -> Result<(Entries, Option<Cursor>), Error> {
    let cursor = slice.after.as_ref().map(Cursor::id);
    let lowest = cursor.filter(|_| slice.oldest_first).map_or(scan.lowest, |id| scan.lowest.max(id + 1));
    let highest = cursor.filter(|_| !slice.oldest_first).map_or(scan.highest, |id| scan.highest.min(id - 1));
    let (mut rows, mut rest): (Vec<EntryRow>, Option<i64>) = (Vec::new(), None);
    for source in &scan.sources {
        limit.check()?;
        let source = &match *source {
            Source::Token(token) if slice.oldest_first => of_token::from_the_oldest(connection, token)?,
            source => source,
        };
        if let Source::Token(token) = *source {
            let after = slice.after.as_ref().map(Cursor::id);
            rows.extend(of_token::newest(connection, (token, filter), (lowest, highest), (after, slice.limit), limit)?);
            continue;
        }
        if !source.is_log() || *source == Source::All && filter.matches_all() {
            rows.extend(between(connection, (*source, filter), (lowest, highest), slice.oldest_first, slice.limit)?);
            continue;
        }
        let mut walk = Pieces::new(connection, (lowest, highest), slice.oldest_first)?;
        for piece in walk.by_ref().take(pieces) {
            limit.check()?;
            let wanted = slice.limit - i64::try_from(rows.len()).unwrap_or(slice.limit);
            rows.extend(between(connection, (*source, filter), piece, slice.oldest_first, wanted)?);
            if i64::try_from(rows.len()).unwrap_or(slice.limit) >= slice.limit {
                return Ok((entries(connection, rows)?, None));
            }
        }
        rest = walk.rest();
    }
    rows.sort_by_key(|row| row.id);
    if !slice.oldest_first {
        rows.reverse();
    }
    rows.truncate(usize::try_from(slice.limit).unwrap_or(usize::MAX));
    Ok((entries(connection, rows)?, rest.map(|id| Cursor::number(0, id))))
}

/// The ranges of ids in which a walk through the log looks, one statement each.
struct Pieces {
    lowest: i64,
    highest: i64,
    oldest_first: bool,
}

impl Pieces {
    /// Of the entries that there are between two ids.
    fn new(connection: &mut Connection, (lowest, highest): (i64, i64), oldest_first: bool) -> QueryResult<Self> {
        let oldest = usage::table.order(usage::id.asc()).limit(1).select(usage::id).get_result(connection);
        let (oldest, newest) = (oldest.optional()?.unwrap_or(0), newest_id(connection)?);
        Ok(Self { lowest: lowest.max(oldest), highest: highest.min(newest), oldest_first })
    }

    /// The id behind which the walk has not looked; none at its end.
    fn rest(&self) -> Option<i64> {
        let next = if self.oldest_first { self.lowest - 1 } else { self.highest + 1 };
        (self.lowest <= self.highest).then_some(next)
    }
}

impl Iterator for Pieces {
    type Item = (i64, i64);

    fn next(&mut self) -> Option<(i64, i64)> {
        if self.lowest > self.highest {
            return None;
        }
        if self.oldest_first {
            let piece = (self.lowest, self.highest.min(self.lowest + PIECE - 1));
            self.lowest = piece.1 + 1;
            return Some(piece);
        }
        let piece = (self.lowest.max(self.highest - PIECE + 1), self.highest);
        self.highest = piece.0 - 1;
        Some(piece)
    }
}

/// How many entries the filter matches, counted up to `at_most`.
///
/// # Errors
/// Too slow, when counting takes longer than it may.
pub(crate) fn count(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    (at_most, limit): (i64, &SearchLimit),
) -> Result<i64, Error> {
    let mut count = 0;
    for source in &scan.sources {
        if source.is_log() && filter.q.is_some() && filter.found.is_none() {
            count += count_by_pieces(connection, filter, *source, (at_most - count, limit))?;
            continue;
        }
        let Source::Token(token) = *source else {
            count += count_sources(connection, filter, &[*source], at_most)?;
            continue;
        };
        Piece::newest(token, PIECE).walk(connection, limit, |connection, piece| {
            count += count_sources(connection, filter, &[Source::Piece(piece)], at_most)?;
            Ok(if count < at_most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
    }
    Ok(count.min(at_most))
}

fn count_by_pieces(
    connection: &mut Connection,
    filter: &UsageFilter,
    source: Source,
    (at_most, limit): (i64, &SearchLimit),
) -> Result<i64, Error> {
    let mut count = 0;
    for piece in Pieces::new(connection, (i64::MIN, i64::MAX), false)? {
        limit.check()?;
        let found = between(connection, (source, filter), piece, false, at_most - count)?;
        count += i64::try_from(found.len()).unwrap_or(at_most);
        if count >= at_most {
            break;
        }
    }
    Ok(count)
}

fn count_sources(
    connection: &mut Connection,
    filter: &UsageFilter,
    sources: &[Source],
    at_most: i64,
) -> QueryResult<i64> {
    let mut count = 0;
    for source in sources {
        // A filter that reads no texts can be counted in the index of times alone.
        let entries = |connection: &Connection, filter: &UsageFilter| {
            filtered(connection, *source, filter, !filter.reads_texts())
        };
        let filter = filter.resolved_among(connection, entries)?;
        let ids = entries(connection, &filter).select(usage::id).limit(at_most);
        count += i64::try_from(ids.load::<i64>(connection)?.len()).unwrap_or(at_most);
    }
    Ok(count.min(at_most))
}
