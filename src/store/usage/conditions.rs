//! The filter of the usage log in SQL, for each index that leads to its entries.

use std::borrow::Cow;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::chain::{self, Condition, FEW, Piece};
use super::entries::EntryRow;
use crate::store::connection::{Connection, MultiBackend, position};
use crate::store::error::Error;
use crate::store::schema::usage;
use crate::store::search::SearchLimit;
use crate::store::tokens::search;
use crate::token::search_words::SearchWords;
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
    /// Entries at the gate with this name.
    pub gate: Option<String>,
    /// The earliest moment.
    pub from: Option<Micros>,
    /// The latest moment.
    pub to: Option<Micros>,
    /// Part of the principal, ignoring the case of ASCII letters.
    pub user: Option<String>,
    /// The whole principal.
    pub principal: Option<String>,
    /// The outcome.
    pub outcome: Option<UsageOutcome>,
    /// Part of the value at the time of the entry, ignoring the case of ASCII letters; or of the token's present value
    /// or label, as a search among tokens finds it.
    pub q: Option<String>,
    /// The tokens that `q` finds now, as far as they were looked for: see [`Self::resolved`].
    pub found: Option<Vec<TokenId>>,
}

/// Up to so many tokens that `q` finds are collected. Where there are more, those of each piece of the log are looked at.
const FOUND: usize = 20_000;

impl UsageFilter {
    /// The same with the tokens that `q` finds, which all statements of a search then need not look for.
    ///
    /// # Errors
    /// Too slow, when the search takes longer than it may.
    pub(crate) fn resolved(&self, connection: &mut Connection, limit: &SearchLimit) -> Result<Self, Error> {
        let found = self.q.as_deref().map(|q| search::ids(connection, q, FOUND, limit)).transpose()?.flatten();
        Ok(Self { found, ..self.clone() })
    }

    /// The same with those tokens that `q` finds of which there are some of these entries, if the tokens of the whole log were
    /// too many.
    pub(super) fn resolved_among(
        &self,
        connection: &mut Connection,
        entries: impl FnOnce(&Connection, &Self) -> usage::BoxedQuery<'static, MultiBackend>,
    ) -> QueryResult<Cow<'_, Self>> {
        let Some(q) = self.q.as_deref().filter(|_| self.found.is_none()) else { return Ok(Cow::Borrowed(self)) };
        let entries = entries(connection, &Self { q: None, ..self.clone() });
        let entries = entries.filter(usage::token.is_not_null()).select(usage::token.assume_not_null()).distinct();
        let tokens: Vec<TokenId> = entries.load(connection)?;
        let found = search::having_words(connection, &SearchWords::new(q), &tokens)?;
        Ok(Cow::Owned(Self { found: Some(found), ..self.clone() }))
    }

    /// Whether every entry has to be read to evaluate the filter, because no index helps.
    pub(crate) fn reads_texts(&self) -> bool {
        self.user.is_some() || self.principal.is_some() || self.q.is_some()
    }

    /// Whether a page of the log costs no more than its rows, as every entry matches.
    pub(super) fn matches_all(&self) -> bool {
        *self == Self::default()
    }
}

/// An index that yields entries in the order of the log, or the log itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The whole log.
    All,
    /// Attempts at a token, which its chain leads to.
    Token(TokenId),
    /// A part of those.
    Piece(Piece),
    /// The whole log, looking at each entry's token.
    TokenInLog(TokenId),
    /// The whole log, looking at each entry's token, or at its uid where it has none.
    UidInLog(Option<TokenId>, Uid),
    /// Attempts at a uid that had no token at the time.
    Unknown(Uid),
    /// Attempts at the gate of the filter.
    Gate,
    /// Attempts at the tokens of a batch, collected by their ids.
    Batch(BatchId),
    /// Attempts at the tokens of a batch while they were deleted, collected by their uids.
    BatchUnknown(BatchId),
    /// The whole log, checking for each entry whether its token is of the batch.
    BatchInLog(BatchId),
}

impl Source {
    /// Whether it is the whole log.
    pub(super) fn is_log(self) -> bool {
        matches!(self, Self::All | Self::TokenInLog(_) | Self::UidInLog(..) | Self::BatchInLog(_))
    }
}

/// The entries of a source that a filter matches.
pub(super) fn filtered(
    connection: &Connection,
    source: Source,
    filter: &UsageFilter,
    by_time: bool,
) -> usage::BoxedQuery<'static, MultiBackend> {
    let all = conditions(connection, source, filter, by_time);
    all.into_iter().fold(usage::table.into_boxed(), QueryDsl::filter)
}

/// Entries of a source whose ids are within these bounds, up to a number of rows.
pub(super) fn between(
    connection: &mut Connection,
    (source, filter): (Source, &UsageFilter),
    (lowest, highest): (i64, i64),
    oldest_first: bool,
    rows: i64,
) -> QueryResult<Vec<EntryRow>> {
    let in_bounds = |connection: &Connection, filter: &UsageFilter| {
        // One bound at each end: SQLite seeks to one bound only, and would walk from it to a second one.
        let mut query = filtered(connection, source, filter, false);
        if lowest > i64::MIN {
            query = query.filter(usage::id.ge(lowest));
        }
        if highest < i64::MAX {
            query = query.filter(usage::id.le(highest));
        }
        query
    };
    let filter = filter.resolved_among(connection, in_bounds)?;
    let query = in_bounds(connection, &filter);
    let query = if oldest_first { query.order(usage::id.asc()) } else { query.order(usage::id.desc()) };
    query.limit(rows).select(EntryRow::as_select()).load(connection)
}

/// The conditions for the entries of a source that a filter matches. The index of times is used only if `by_time`: when
/// walking by id, the databases would otherwise read and sort the whole time range for a single page.
pub(super) fn conditions(
    connection: &Connection,
    source: Source,
    filter: &UsageFilter,
    by_time: bool,
) -> Vec<Condition> {
    let mut all = source_conditions(connection, source);
    let by_time = by_time && (source.is_log() || source == Source::Gate);
    let time = if by_time { "usage.timestamp" } else { "+usage.timestamp" };
    for (bound, comparison) in [(filter.from, ">="), (filter.to, "<=")] {
        if let Some(bound) = bound {
            all.push(Box::new(sql::<Bool>(&format!("{time} {comparison} ")).bind::<BigInt, _>(bound.get())));
        }
    }
    match filter.outcome {
        None => {}
        Some(UsageOutcome::Used) => all.push(Box::new(usage::error_code.is_null().and(usage::uses.gt(0)))),
        Some(UsageOutcome::Undone) => all.push(Box::new(usage::error_code.is_null().and(usage::uses.lt(0)))),
        Some(UsageOutcome::Refused) => all.push(Box::new(usage::error_code.is_not_null())),
        Some(UsageOutcome::Because(code)) => all.push(Box::new(usage::error_code.assume_not_null().eq(code))),
    }
    if let Some(run) = filter.print_run {
        all.push(on_run(run));
    }
    if let Some(gate) = &filter.gate {
        // The index of gates, too, is used only where it yields few entries.
        let gate_column = if source == Source::Gate { "usage.gate" } else { "+usage.gate" };
        let at = format!("{gate_column} = (SELECT gates.id FROM gates WHERE gates.name = ");
        all.push(Box::new(sql::<Bool>(&at).bind::<Text, _>(gate.clone()).sql(")")));
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
    if let Some(principal) = &filter.principal {
        all.push(Box::new(sql::<Bool>("usage.principal = ").bind::<Text, _>(principal.clone())));
    }
    if let Some(q) = &filter.q {
        // The value as it was at the time; value and label as they are now.
        let at_the_time = contains("usage.token_value", q);
        let found = filter.found.as_deref().unwrap_or_default();
        let (before, behind) = one_of(connection);
        all.push(Box::new(at_the_time.sql(before).bind::<Text, _>(format!("{found:?}")).sql(behind)));
    }
    all
}

/// Or whether an entry's token is one of a list, which is a text between these two parts.
fn one_of(connection: &Connection) -> (&'static str, &'static str) {
    match connection {
        Connection::Sqlite(_) => (" OR usage.token IN (SELECT value FROM json_each(", ")))"),
        Connection::Postgres(_) => {
            (" OR usage.token = ANY (ARRAY (SELECT CAST(json_array_elements_text(CAST(", " AS json)) AS bigint))))")
        }
    }
}

fn source_conditions(connection: &Connection, source: Source) -> Vec<Condition> {
    let unknown = || -> Condition { Box::new(usage::token.is_null()) };
    match source {
        Source::All | Source::Gate => Vec::new(),
        Source::Token(id) | Source::TokenInLog(id) => vec![Box::new(usage::token.assume_not_null().eq(id))],
        Source::UidInLog(id, uid) => {
            // No token has the number 0.
            let of_token = sql::<Bool>("(usage.token = ").bind::<BigInt, _>(id.unwrap_or_default());
            let or_unknown = of_token.sql(" OR usage.token IS NULL AND usage.token_uid = ");
            vec![Box::new(or_unknown.bind::<Text, _>(uid.to_string()).sql(")"))]
        }
        Source::Piece(piece) => vec![piece.entries(connection)],
        Source::Unknown(uid) => vec![unknown(), Box::new(usage::token_uid.assume_not_null().eq(uid.to_string()))],
        Source::Batch(batch) => vec![chain::of_batch(connection, batch, FEW + 1)],
        Source::BatchUnknown(batch) => vec![unknown(), uid_in_batch(batch)],
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

/// Entries by their token's id; those made while the token was deleted are found by its uid. One look-up for each entry:
/// each piece of the log would otherwise collect all labels of the run anew.
fn on_run(run: Uid) -> Condition {
    let of_run = "run = (SELECT id FROM print_runs WHERE done IS NOT NULL AND uid = ";
    let by_id = format!("(EXISTS (SELECT 1 FROM print_run_tokens WHERE token = usage.token AND {of_run}");
    let or_by_uid = format!(
        ")) OR usage.token IS NULL AND EXISTS (SELECT 1 FROM tokens JOIN print_run_tokens AS label ON label.token = tokens.id \
         WHERE tokens.uid = usage.token_uid AND label.{of_run}"
    );
    let by_id = sql::<Bool>(&by_id).bind::<Text, _>(run.to_string());
    Box::new(by_id.sql(&or_by_uid).bind::<Text, _>(run.to_string()).sql(")))"))
}

/// Two look-ups, since the index of batches leaves out deleted tokens, and the index of deleted tokens is small.
fn uid_in_batch(batch: BatchId) -> Condition {
    let existing = "usage.token_uid IN (SELECT uid FROM tokens WHERE deleted_at IS NULL AND batch = ";
    let deleted = " UNION ALL SELECT uid FROM tokens WHERE deleted_at IS NOT NULL AND batch = ";
    let both = sql::<Bool>(existing).bind::<BigInt, _>(batch).sql(deleted).bind::<BigInt, _>(batch).sql(")");
    Box::new(both)
}
