//! The log from its oldest entry on, as another system follows it: each entry once, and none is skipped. A page ends where the
//! log is whole, and its cursor is that of an entry, also of one that the filter leaves out: nobody looks at it again.

use diesel::prelude::*;

use super::conditions::{Source, UsageFilter, between, filtered};
use super::entries::{EntryRow, entries};
use super::list::{Entries, sources};
use super::of_token;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::index::uses;
use crate::store::schema::usage;
use crate::store::search::SearchLimit;
use crate::store::tokens::id_of;
use crate::token::{EntryId, Problem, TokenError};

/// Entries of the log that are looked at in one statement, and for one page: whoever begins with a long log comes through it
/// page by page, some of which may be empty.
const PIECE: i64 = 10_000;
const PIECES: i64 = 20;
/// So many entries in a time range tell where to begin; of more, it costs less to begin with the log.
const RANGE: i64 = 100_000;

/// A page of the log.
pub(crate) struct FeedPage {
    /// Its entries, oldest first.
    pub(crate) entries: Entries,
    /// Where the next one begins.
    pub(crate) next: Cursor,
}

/// Entries behind a cursor, up to the entry `settled`, oldest first.
///
/// # Errors
/// A value error, when the cursor is of another log than there is now; too slow, when the search takes longer than it may.
pub(crate) fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    (after, settled): (Option<&Cursor>, EntryId),
    at_most: i64,
    limit: &SearchLimit,
) -> Result<FeedPage, Error> {
    check(connection, after)?;
    let begin = match after {
        Some(after) => after.id(),
        None => first_in_time(connection, filter)? - 1,
    };
    let (rows, looked_at) = rows(connection, filter, (begin, settled), at_most, limit)?;
    let is_full = i64::try_from(rows.len()).unwrap_or(at_most) >= at_most;
    let entries = entries(connection, rows)?;
    let end = match entries.last() {
        Some((last, _)) if is_full => Some(last.clone()),
        _ => last_until(connection, looked_at)?,
    };
    let before = after.cloned().unwrap_or(Cursor::number(0, 0));
    let next = end.filter(|end| end.id() > before.id()).unwrap_or(before);
    Ok(FeedPage { entries, next })
}

/// Holds that the entry of a cursor can have been in this log: a database that was restored gives the numbers behind that
/// moment again, to others.
fn check(connection: &mut Connection, after: Option<&Cursor>) -> Result<(), Error> {
    let Some((timestamp, id)) = after.and_then(Cursor::as_numbers) else { return Ok(()) };
    let there = usage::table.find(id).select(usage::timestamp).get_result::<i64>(connection).optional()?;
    // Where it is not there, retention has removed it.
    let is_same = there.is_none_or(|there| there == timestamp);
    if is_same && id <= uses::highest(connection)? {
        return Ok(());
    }
    Err(TokenError::value("cursor", Problem::LostCursor).into())
}

/// The lowest number of an entry in the filter's time range, if few are behind its beginning; else that of no entry.
fn first_in_time(connection: &mut Connection, filter: &UsageFilter) -> QueryResult<EntryId> {
    if filter.from.is_none() {
        return Ok(1);
    }
    let range = UsageFilter { from: filter.from, to: filter.to, ..UsageFilter::default() };
    let ids = filtered(connection, Source::All, &range, true).select(usage::id).limit(RANGE + 1);
    let ids: Vec<EntryId> = ids.load(connection)?;
    let are_all = i64::try_from(ids.len()).is_ok_and(|count| count <= RANGE);
    Ok(ids.into_iter().min().filter(|_| are_all).unwrap_or(1))
}

/// The last entry up to a number, whatever the filter says of it.
fn last_until(connection: &mut Connection, id: EntryId) -> QueryResult<Option<Cursor>> {
    let last = usage::table.filter(usage::id.le(id)).order(usage::id.desc()).limit(1);
    let last = last.select((usage::timestamp, usage::id)).get_result::<(i64, EntryId)>(connection).optional()?;
    Ok(last.map(|(timestamp, id)| Cursor::number(timestamp, id)))
}

/// The rows of a page, and the number up to which was looked.
fn rows(
    connection: &mut Connection,
    filter: &UsageFilter,
    (begin, settled): (EntryId, EntryId),
    at_most: i64,
    limit: &SearchLimit,
) -> Result<(Vec<EntryRow>, EntryId), Error> {
    let planned = sources(connection, filter)?;
    if planned.is_empty() {
        return Ok((Vec::new(), settled));
    }
    // What lies behind is soon looked at; where it is much, an index may lead through it.
    let is_far = settled - begin > PIECE * PIECES / 4;
    if is_far && let Some(sources) = few(connection, &planned)? {
        let mut rows = Vec::new();
        for source in sources {
            limit.check()?;
            rows.extend(between(connection, (source, filter), (begin + 1, settled), true, at_most)?);
        }
        rows.sort_by_key(|row| row.id);
        rows.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
        return Ok((rows, settled));
    }
    let source = in_log(connection, filter, &planned)?;
    let (mut rows, mut looked_at) = (Vec::new(), begin);
    for _ in 0..PIECES {
        let wanted = at_most - i64::try_from(rows.len()).unwrap_or(at_most);
        // Numbers that were never given, or that retention has removed, are passed over.
        let next = usage::table.filter(usage::id.gt(looked_at)).order(usage::id).select(usage::id).limit(1);
        let next = next.get_result::<EntryId>(connection).optional()?.filter(|next| *next <= settled);
        let Some(next) = next.filter(|_| wanted > 0) else { return Ok((rows, settled)) };
        limit.check()?;
        looked_at = settled.min(next + PIECE - 1);
        rows.extend(between(connection, (source, filter), (next, looked_at), true, wanted)?);
    }
    Ok((rows, looked_at))
}

/// The sources that lead to few entries, all of them; none if one is the log itself.
fn few(connection: &mut Connection, planned: &[Source]) -> QueryResult<Option<Vec<Source>>> {
    let mut few = Vec::new();
    for source in planned {
        let source = match *source {
            Source::Token(token) => of_token::from_the_oldest(connection, token)?,
            source => source,
        };
        if source.is_log() {
            return Ok(None);
        }
        few.push(source);
    }
    Ok(Some(few))
}

/// The same by looking at each entry of the log.
fn in_log(connection: &mut Connection, filter: &UsageFilter, planned: &[Source]) -> QueryResult<Source> {
    if let Some(uid) = filter.token_uid {
        return Ok(Source::UidInLog(id_of(connection, uid)?, uid));
    }
    Ok(match planned.first() {
        Some(Source::Batch(batch) | Source::BatchUnknown(batch) | Source::BatchInLog(batch)) => {
            Source::BatchInLog(*batch)
        }
        _ => Source::All,
    })
}
