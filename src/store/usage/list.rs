//! The usage log with its filter, page by page.
//!
//! A page is found by walking the log by id from the newest entry, which is fast where many entries match. Where few
//! do, [`UsageScan`] first finds out where they are.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::entries::{Entry, EntryRow, entry};
use crate::store::connection::{Connection, MultiBackend, position};
use crate::store::cursor::Cursor;
use crate::store::schema::{batches, tokens, usage};
use crate::store::tokens::id_of;
use crate::store::tokens::row::fold;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros, Uid, UsageOutcome};

/// Filters the usage entries. Bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// Entries for this uid, even if no token has it.
    pub token_uid: Option<Uid>,
    /// Entries for the tokens of this batch, deleted ones included.
    pub batch: Option<Uid>,
    /// Entries for the tokens on the labels of this print run, deleted ones included.
    pub print_run: Option<Uid>,
    /// The earliest moment.
    pub from: Option<Micros>,
    /// The latest moment.
    pub to: Option<Micros>,
    /// Part of the principal, ignoring the case of ASCII letters.
    pub user: Option<String>,
    /// The outcome.
    pub outcome: Option<UsageOutcome>,
    /// Part of the value at the time of the entry, ignoring the case of ASCII letters; or of the token's present value
    /// or label, ignoring case.
    pub q: Option<String>,
}

impl UsageFilter {
    /// Whether every entry has to be read to evaluate the filter, because no index helps.
    pub(crate) fn reads_texts(&self) -> bool {
        self.user.is_some() || self.q.is_some()
    }
}

/// Up to this many entries are collected through an index and sorted. Where there are more, walking the log soon finds
/// a page.
const FEW: i64 = 20_000;

/// Where to look for the entries that a filter matches: found out once, and valid for all pages.
#[derive(Clone, Debug)]
pub(crate) struct UsageScan {
    pub(super) sources: Vec<Source>,
    /// No entry has a lower id.
    lowest: i64,
    /// No entry has a higher id.
    highest: i64,
}

/// An index that yields entries in the order of the log, or the log itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The whole log.
    All,
    /// Attempts at a token, by its id.
    Token(TokenId),
    /// Attempts at a uid that had no token at the time.
    Unknown(Uid),
    /// Attempts at the tokens of a batch, collected by their ids.
    Batch(BatchId),
    /// Attempts at the tokens of a batch while they were deleted, collected by their uids.
    BatchUnknown(BatchId),
    /// The whole log, checking for each entry whether its token is of the batch.
    BatchInLog(BatchId),
}

impl UsageScan {
    /// The scan for a filter. With `after`, the id of a cursor bounds the walk.
    pub(crate) fn new(connection: &mut Connection, filter: &UsageFilter, after: Option<&Cursor>) -> QueryResult<Self> {
        let sources = sources(connection, filter)?;
        let walks = sources.iter().any(|source| matches!(source, Source::All | Source::BatchInLog(_)));
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

fn sources(connection: &mut Connection, filter: &UsageFilter) -> QueryResult<Vec<Source>> {
    let batch = filter.batch.map(|batch| batches::table.filter(batches::uid.eq(batch.to_string())).select(batches::id));
    let batch: Option<Option<BatchId>> = batch.map(|row| row.get_result(connection).optional()).transpose()?;
    Ok(match (filter.token_uid, batch) {
        (_, Some(None)) => Vec::new(),
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
pub fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    let scan = UsageScan::new(connection, filter, after)?;
    slice(connection, filter, &scan, &UsageSlice { oldest_first: false, after: after.cloned(), limit })
}

/// Entries in the order of `slice`, each with its cursor.
pub(crate) fn slice(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    slice: &UsageSlice,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    // One bound at each end: SQLite seeks to one bound only, and would walk from it to a second one.
    let cursor = slice.after.as_ref().map(Cursor::id);
    let lowest = cursor.filter(|_| slice.oldest_first).map_or(scan.lowest, |id| scan.lowest.max(id + 1));
    let highest = cursor.filter(|_| !slice.oldest_first).map_or(scan.highest, |id| scan.highest.min(id - 1));
    let mut rows: Vec<EntryRow> = Vec::new();
    for source in &scan.sources {
        let mut query = filtered(connection, *source, filter, false);
        if lowest > i64::MIN {
            query = query.filter(usage::id.ge(lowest));
        }
        if highest < i64::MAX {
            query = query.filter(usage::id.le(highest));
        }
        let query = if slice.oldest_first { query.order(usage::id.asc()) } else { query.order(usage::id.desc()) };
        rows.extend(query.limit(slice.limit).select(EntryRow::as_select()).load::<EntryRow>(connection)?);
    }
    rows.sort_by_key(|row| row.id);
    if !slice.oldest_first {
        rows.reverse();
    }
    rows.truncate(usize::try_from(slice.limit).unwrap_or(usize::MAX));
    Ok(rows.into_iter().map(entry).collect())
}

/// How many entries the filter matches, counted up to `at_most`.
pub(crate) fn count(
    connection: &mut Connection,
    filter: &UsageFilter,
    scan: &UsageScan,
    at_most: i64,
) -> QueryResult<i64> {
    count_sources(connection, filter, &scan.sources, at_most)
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
        let ids = filtered(connection, *source, filter, !filter.reads_texts()).select(usage::id).limit(at_most);
        count += i64::try_from(ids.load::<i64>(connection)?.len()).unwrap_or(at_most);
    }
    Ok(count.min(at_most))
}

/// The entries of a source that a filter matches.
fn filtered(
    connection: &Connection,
    source: Source,
    filter: &UsageFilter,
    by_time: bool,
) -> usage::BoxedQuery<'static, MultiBackend> {
    let all = conditions(connection, source, filter, by_time);
    all.into_iter().fold(usage::table.into_boxed(), QueryDsl::filter)
}

pub(super) type Condition = Box<dyn BoxableExpression<usage::table, MultiBackend, SqlType = Bool>>;

/// The conditions for the entries of a source that a filter matches. The index of times is used only if `by_time`: when
/// walking by id, the databases would otherwise read and sort the whole time range for a single page.
pub(super) fn conditions(
    connection: &Connection,
    source: Source,
    filter: &UsageFilter,
    by_time: bool,
) -> Vec<Condition> {
    let mut all = source_conditions(source);
    let by_time = by_time && matches!(source, Source::All | Source::BatchInLog(_));
    let time = if by_time { "usage.timestamp" } else { "+usage.timestamp" };
    for (bound, comparison) in [(filter.from, ">="), (filter.to, "<=")] {
        if let Some(bound) = bound {
            all.push(Box::new(sql::<Bool>(&format!("{time} {comparison} ")).bind::<BigInt, _>(bound.get())));
        }
    }
    match filter.outcome {
        None => {}
        Some(UsageOutcome::Used) => all.push(Box::new(usage::error_code.is_null())),
        Some(UsageOutcome::Refused) => all.push(Box::new(usage::error_code.is_not_null())),
        Some(UsageOutcome::Because(code)) => all.push(Box::new(usage::error_code.assume_not_null().eq(code))),
    }
    if let Some(run) = filter.print_run {
        all.push(on_run(run));
    }
    let position = position(connection);
    // Both databases fold ASCII letters only; PostgreSQL because of `COLLATE "C"`.
    let contains = |column: &str, part: &str| {
        let contains = sql::<Bool>(&format!("({position}(lower({column}), "));
        contains.bind::<Text, _>(part.to_ascii_lowercase()).sql(") > 0")
    };
    if let Some(user) = &filter.user {
        all.push(Box::new(contains("usage.principal", user).sql(")")));
    }
    if let Some(q) = &filter.q {
        // The value as it was at the time; value and label as they are now.
        let of_token = format!(" OR usage.token IN (SELECT id FROM tokens WHERE {position}(tokens.search, ");
        let contains = contains("usage.token_value", q).sql(&of_token).bind::<Text, _>(fold(q)).sql(") > 0))");
        all.push(Box::new(contains));
    }
    all
}

fn source_conditions(source: Source) -> Vec<Condition> {
    let unknown = || -> Condition { Box::new(usage::token.is_null()) };
    match source {
        Source::All => Vec::new(),
        Source::Token(id) => vec![Box::new(usage::token.assume_not_null().eq(id))],
        Source::Unknown(uid) => vec![unknown(), Box::new(usage::token_uid.assume_not_null().eq(uid.to_string()))],
        Source::Batch(batch) => vec![in_batch("usage.token", "id", batch)],
        Source::BatchUnknown(batch) => vec![unknown(), in_batch("usage.token_uid", "uid", batch)],
        Source::BatchInLog(batch) => {
            let by_id = "(usage.token IS NOT NULL AND EXISTS
                (SELECT 1 FROM tokens WHERE tokens.id = usage.token AND tokens.batch = ";
            let or_by_uid = ") OR usage.token IS NULL AND EXISTS
                (SELECT 1 FROM tokens WHERE tokens.uid = usage.token_uid AND tokens.batch = ";
            let is_of = sql::<Bool>(by_id).bind::<BigInt, _>(batch).sql(or_by_uid).bind::<BigInt, _>(batch).sql("))");
            vec![Box::new(is_of)]
        }
    }
}

/// Entries by their token's id; those made while the token was deleted are found by its uid.
fn on_run(run: Uid) -> Condition {
    let labels =
        "SELECT token FROM print_run_tokens WHERE run = (SELECT id FROM print_runs WHERE done IS NOT NULL AND uid = ";
    let by_id = sql::<Bool>(&format!("(usage.token IN ({labels}")).bind::<Text, _>(run.to_string());
    let or_by_uid =
        format!(")) OR usage.token IS NULL AND usage.token_uid IN (SELECT uid FROM tokens WHERE id IN ({labels}");
    Box::new(by_id.sql(&or_by_uid).bind::<Text, _>(run.to_string()).sql("))))"))
}

/// Two look-ups, since the index of batches leaves out deleted tokens, and the index of deleted tokens is small.
fn in_batch(column: &str, key: &str, batch: BatchId) -> Condition {
    let existing = format!("{column} IN (SELECT {key} FROM tokens WHERE deleted_at IS NULL AND batch = ");
    let deleted = format!(" UNION ALL SELECT {key} FROM tokens WHERE deleted_at IS NOT NULL AND batch = ");
    let both = sql::<Bool>(&existing).bind::<BigInt, _>(batch).sql(&deleted).bind::<BigInt, _>(batch).sql(")");
    Box::new(both)
}
