//! The log by its filter, page by page.
//!
//! A page is found by walking the log by its numbers from the newest entry on, which is quick wherever much is found.
//! Where little is, [`UsageScan`] finds out first where that stands.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::entries::{Entry, Row, entry};
use crate::store::connection::{Connection, MultiBackend, position};
use crate::store::cursor::Cursor;
use crate::store::schema::{batches, tokens, usage};
use crate::store::tokens::number;
use crate::store::tokens::row::fold;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros, Uid, UsageOutcome};

/// Which entries are asked for. Bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// Of one uid only, also one that no token has.
    pub token_uid: Option<Uid>,
    /// Of the tokens that were made in this batch, deleted ones too.
    pub batch: Option<Uid>,
    /// Of the tokens on the labels of this print run, deleted ones too.
    pub print_run: Option<Uid>,
    /// Not before.
    pub from: Option<Micros>,
    /// Not after.
    pub to: Option<Micros>,
    /// Part of the principal, in either case.
    pub user: Option<String>,
    /// What became of it.
    pub outcome: Option<UsageOutcome>,
    /// Part of the value that the token had, in either case of the letters from a to z; or of its value or label now, in
    /// either case.
    pub q: Option<String>,
}

impl UsageFilter {
    /// Whether every entry has to be read to know whether it is meant: no index helps.
    pub(crate) fn reads_texts(&self) -> bool {
        self.user.is_some() || self.q.is_some()
    }
}

/// Up to so many entries are gathered by an index and put in order. Where there are more, walking finds a page soon.
const FEW: i64 = 20_000;

/// Where the entries of a filter stand: found out once, and good for all its pages.
#[derive(Clone, Debug)]
pub(crate) struct UsageScan {
    pub(super) sources: Vec<Source>,
    /// No entry has a lower number.
    lowest: i64,
    /// No entry has a higher number.
    highest: i64,
}

/// What an index gives in the order of the log, or the log itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The log.
    All,
    /// Attempts at a token, by its number.
    Token(TokenId),
    /// Attempts at a uid that no token had then.
    Unknown(Uid),
    /// Attempts at the tokens of a batch, gathered by their numbers.
    Batch(BatchId),
    /// Attempts at the tokens of a batch while they were deleted, gathered by their uids.
    BatchUnknown(BatchId),
    /// The log, in which each entry is asked whether its token is of the batch.
    Among(BatchId),
}

impl UsageScan {
    /// The plan for a filter, of which entries behind `after` are wanted.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn new(connection: &mut Connection, filter: &UsageFilter, after: Option<&Cursor>) -> QueryResult<Self> {
        let sources = sources(connection, filter)?;
        let walks = sources.iter().any(|source| matches!(source, Source::All | Source::Among(_)));
        let (lowest, highest) = match (walks, filter.from, filter.to) {
            (false, ..) | (_, None, None) => (i64::MIN, i64::MAX),
            (true, from, to) => numbers(connection, from, to, after.is_some())?,
        };
        Ok(Self { sources, lowest, highest })
    }

    /// Without entries that come after the one with this number.
    #[must_use]
    pub(crate) fn until(mut self, id: i64) -> Self {
        self.highest = self.highest.min(id);
        self
    }
}

/// The number of the newest entry.
///
/// # Errors
/// The database's.
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
            let known = number(connection, uid)?.map(Source::Token);
            std::iter::once(Source::Unknown(uid)).chain(known).collect()
        }
        (Some(uid), Some(Some(batch))) => {
            let of_batch = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::batch.eq(batch));
            let known: Option<TokenId> = of_batch.select(tokens::id).get_result(connection).optional()?;
            known.map_or_else(Vec::new, |id| vec![Source::Unknown(uid), Source::Token(id)])
        }
        (None, Some(Some(batch))) => {
            let gathered = vec![Source::Batch(batch), Source::BatchUnknown(batch)];
            let few = UsageFilter::default();
            let is_few = counted(connection, &few, &gathered, FEW + 1)? <= FEW;
            if is_few { gathered } else { vec![Source::Among(batch)] }
        }
    })
}

/// Between which numbers the entries of a time range stand. Numbers and times need not be in one order, as a clock may
/// jump back: so this is what their index says, and no guess. It is asked only where it has little to read, or where
/// walking the log would pass much that is newer, and no page tells yet from where on.
fn numbers(
    connection: &mut Connection,
    from: Option<Micros>,
    to: Option<Micros>,
    has_place: bool,
) -> QueryResult<(i64, i64)> {
    let range = UsageFilter { from, to, ..UsageFilter::default() };
    if counted(connection, &range, &[Source::All], FEW + 1)? > FEW {
        let newer = UsageFilter { from: to.map(|to| to.plus_micros(1)), ..UsageFilter::default() };
        if has_place || to.is_none() || counted(connection, &newer, &[Source::All], FEW + 1)? <= FEW {
            return Ok((i64::MIN, i64::MAX));
        }
    }
    let ends = filtered(connection, Source::All, &range, true);
    let ends = ends.select((diesel::dsl::min(usage::id), diesel::dsl::max(usage::id)));
    let (lowest, highest): (Option<i64>, Option<i64>) = ends.get_result(connection)?;
    Ok((lowest.unwrap_or(i64::MAX), highest.unwrap_or(i64::MIN)))
}

/// Which part of the log is asked for.
#[derive(Clone, Debug)]
pub(crate) struct UsageSlice {
    /// From the oldest to the newest.
    pub(crate) oldest_first: bool,
    /// Only what lies behind this place.
    pub(crate) after: Option<Cursor>,
    /// Most entries.
    pub(crate) limit: i64,
}

/// Entries, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    let plan = UsageScan::new(connection, filter, after)?;
    part(connection, filter, &plan, &UsageSlice { oldest_first: false, after: after.cloned(), limit })
}

/// Entries in the order that is asked for, each with its place.
///
/// # Errors
/// The database's.
pub(crate) fn part(
    connection: &mut Connection,
    filter: &UsageFilter,
    plan: &UsageScan,
    part: &UsageSlice,
) -> QueryResult<Vec<(Cursor, Entry)>> {
    // One bound at each end: SQLite seeks by one, and would pass what lies between it and another.
    let place = part.after.as_ref().map(Cursor::id);
    let lowest = place.filter(|_| part.oldest_first).map_or(plan.lowest, |id| plan.lowest.max(id + 1));
    let highest = place.filter(|_| !part.oldest_first).map_or(plan.highest, |id| plan.highest.min(id - 1));
    let mut rows: Vec<Row> = Vec::new();
    for source in &plan.sources {
        let mut query = filtered(connection, *source, filter, false);
        if lowest > i64::MIN {
            query = query.filter(usage::id.ge(lowest));
        }
        if highest < i64::MAX {
            query = query.filter(usage::id.le(highest));
        }
        let query = if part.oldest_first { query.order(usage::id.asc()) } else { query.order(usage::id.desc()) };
        rows.extend(query.limit(part.limit).select(Row::as_select()).load::<Row>(connection)?);
    }
    rows.sort_by_key(|row| row.id);
    if !part.oldest_first {
        rows.reverse();
    }
    rows.truncate(usize::try_from(part.limit).unwrap_or(usize::MAX));
    Ok(rows.into_iter().map(entry).collect())
}

/// How many entries there are, counted no further than `at_most`.
///
/// # Errors
/// The database's.
pub(crate) fn count(
    connection: &mut Connection,
    filter: &UsageFilter,
    plan: &UsageScan,
    at_most: i64,
) -> QueryResult<i64> {
    counted(connection, filter, &plan.sources, at_most)
}

fn counted(connection: &mut Connection, filter: &UsageFilter, sources: &[Source], at_most: i64) -> QueryResult<i64> {
    let mut count = 0;
    for source in sources {
        // What stands in the index of times can be counted there.
        let found = filtered(connection, *source, filter, !filter.reads_texts()).select(usage::id).limit(at_most);
        count += i64::try_from(found.load::<i64>(connection)?.len()).unwrap_or(at_most);
    }
    Ok(count.min(at_most))
}

/// The entries of a source that a filter means.
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

/// What the entries of a source fulfil that a filter means. Databases take the index of times only `by_time`: walking by
/// numbers, they would put all that lies in a range in order first, to give a page of it.
pub(super) fn conditions(
    connection: &Connection,
    source: Source,
    filter: &UsageFilter,
    by_time: bool,
) -> Vec<Condition> {
    let mut all = of(source);
    let by_time = by_time && matches!(source, Source::All | Source::Among(_));
    let time = if by_time { "usage.timestamp" } else { "+usage.timestamp" };
    for (bound, than) in [(filter.from, ">="), (filter.to, "<=")] {
        if let Some(bound) = bound {
            all.push(Box::new(sql::<Bool>(&format!("{time} {than} ")).bind::<BigInt, _>(bound.get())));
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
    // Both databases know the letters from a to z only: on PostgreSQL because of COLLATE "C".
    let found = |column: &str, part: &str| {
        let found = sql::<Bool>(&format!("({position}(lower({column}), "));
        found.bind::<Text, _>(part.to_ascii_lowercase()).sql(") > 0")
    };
    if let Some(user) = &filter.user {
        all.push(Box::new(found("usage.principal", user).sql(")")));
    }
    if let Some(q) = &filter.q {
        // The value as it was then; value and label as they are now.
        let of_token = format!(" OR usage.token IN (SELECT id FROM tokens WHERE {position}(tokens.search, ");
        let named = found("usage.token_value", q).sql(&of_token).bind::<Text, _>(fold(q)).sql(") > 0))");
        all.push(Box::new(named));
    }
    all
}

fn of(source: Source) -> Vec<Condition> {
    let unknown = || -> Condition { Box::new(usage::token.is_null()) };
    match source {
        Source::All => Vec::new(),
        Source::Token(id) => vec![Box::new(usage::token.assume_not_null().eq(id))],
        Source::Unknown(uid) => vec![unknown(), Box::new(usage::token_uid.assume_not_null().eq(uid.to_string()))],
        Source::Batch(batch) => vec![in_batch("usage.token", "id", batch)],
        Source::BatchUnknown(batch) => vec![unknown(), in_batch("usage.token_uid", "uid", batch)],
        Source::Among(batch) => {
            let numbered = "(usage.token IS NOT NULL AND EXISTS
                (SELECT 1 FROM tokens WHERE tokens.id = usage.token AND tokens.batch = ";
            let unknown = ") OR usage.token IS NULL AND EXISTS
                (SELECT 1 FROM tokens WHERE tokens.uid = usage.token_uid AND tokens.batch = ";
            let is_of = sql::<Bool>(numbered).bind::<BigInt, _>(batch).sql(unknown).bind::<BigInt, _>(batch).sql("))");
            vec![Box::new(is_of)]
        }
    }
}

/// By their token's number; attempts while it was deleted stand under its uid.
fn on_run(run: Uid) -> Condition {
    let labels =
        "SELECT token FROM print_run_tokens WHERE run = (SELECT id FROM print_runs WHERE done IS NOT NULL AND uid = ";
    let numbered = sql::<Bool>(&format!("(usage.token IN ({labels}")).bind::<Text, _>(run.to_string());
    let unknown =
        format!(")) OR usage.token IS NULL AND usage.token_uid IN (SELECT uid FROM tokens WHERE id IN ({labels}");
    Box::new(numbered.sql(&unknown).bind::<Text, _>(run.to_string()).sql("))))"))
}

/// Two walks, as the index of batches has no deleted tokens, and that of deleted ones has few.
fn in_batch(column: &str, key: &str, batch: BatchId) -> Condition {
    let there = format!("{column} IN (SELECT {key} FROM tokens WHERE deleted_at IS NULL AND batch = ");
    let gone = format!(" UNION ALL SELECT {key} FROM tokens WHERE deleted_at IS NOT NULL AND batch = ");
    let both = sql::<Bool>(&there).bind::<BigInt, _>(batch).sql(&gone).bind::<BigInt, _>(batch).sql(")");
    Box::new(both)
}
