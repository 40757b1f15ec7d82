//! The list of tokens in SQL: its filter and sort orders, page by page.

use diesel::dsl::{AsSelect, SqlTypeOf, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use serde::{Deserialize, Serialize};

use super::sort::Walked;
pub use super::sort::{Sort, TokenSlice};
use crate::store::cursor::{Cursor, Key};

use super::plain_page;
use super::row::TokenRow;
use super::visible::{AreVisible, AreVisibleById, IsOneVisibleById};
use crate::store::connection::{Connection, MultiBackend, in_one_snapshot};
use crate::store::schema::{batches, tokens};
use crate::token::print::PrintedFilter;
use crate::token::search_words::SearchWords;
use crate::token::soon::Soon;
use crate::token::value_prefix::ValuePrefix;
use crate::token::{Micros, State, Token, Uid};

/// Filters the tokens. Bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenFilter {
    /// Words of the value or label as [`SearchWords`] reads them, or a uid. Only a search heeds it.
    pub q: Option<String>,
    /// The state at `now`.
    pub state: Option<State>,
    /// The earliest moment of creation.
    pub created_from: Option<Micros>,
    /// The latest moment of creation.
    pub created_to: Option<Micros>,
    /// Created in this batch.
    pub batch: Option<Uid>,
    /// On a label of this print run.
    pub print_run: Option<Uid>,
    /// By whether they were printed.
    pub printed: Option<PrintedFilter>,
    /// Of those that begin or end to be valid within a day of `now`.
    pub soon: Option<Soon>,
    /// By whether they are voided.
    pub voided: Option<bool>,
    /// With exactly this label.
    pub label: Option<String>,
    /// With a value that begins so.
    pub value_prefix: Option<ValuePrefix>,
    /// With a time range that has this moment.
    pub valid_at: Option<Micros>,
}

impl TokenFilter {
    /// Whether a page in this order costs no more than its rows, because an index is in order. A search or a state may read
    /// a million rows, and so may a time range in another order than that of creation; by value, two indexes are in order.
    pub(crate) fn walks_an_index(&self, sort: Sort) -> bool {
        let in_order = Self { created_from: self.created_from, created_to: self.created_to, ..Self::default() };
        let is_in_order = sort == Sort::Created || self.created_from.is_none() && self.created_to.is_none();
        *self == in_order && sort != Sort::Value && is_in_order
    }

    /// Whether it has a part that an order of the list, or the index of values, leads to.
    pub(crate) fn is_of_list(&self) -> bool {
        self.label.is_some() || self.value_prefix.is_some() || self.valid_at.is_some()
    }

    /// The words that are searched for.
    pub(crate) fn words(&self) -> SearchWords {
        SearchWords::new(self.q.as_deref().unwrap_or_default())
    }

    /// Whether an index leads to all tokens that it can match: those of a batch or a print run.
    pub(crate) fn is_small(&self) -> bool {
        self.batch.is_some() || self.print_run.is_some()
    }
}

/// A page of tokens, each with its cursor. Costs the same on every page.
///
/// Reads the rest of the tokens that share the cursor's sort key first, then those with later keys. A single comparison
/// of row values would say the same, but SQLite would then walk through all tokens with that key: through a million,
/// where no token has a label.
pub fn page(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    slice: &TokenSlice,
) -> QueryResult<Vec<(Cursor, Token)>> {
    if *filter == TokenFilter::default() && slice.sort != Sort::Value {
        let rows = in_one_snapshot(connection, |connection| plain_page::rows(connection, slice))?;
        return rows.into_iter().map(|row| placed(slice.sort, row)).collect();
    }
    let (sort, expression) = (slice.sort, slice.sort.expression());
    let (comparison, direction) = if slice.descending { ("<", "DESC") } else { (">", "ASC") };
    let (by_id, order) = (format!("tokens.id {direction}"), format!("{expression} {direction}, tokens.id {direction}"));
    let rows = in_one_snapshot(connection, |connection| {
        slice.rows(|walked, limit| {
            let filtered = filtered(filter, now);
            let rows = match walked {
                Walked::All => ordered(filtered, &order, limit),
                Walked::Ties(key, id) => {
                    let behind = sql::<Bool>(&format!("tokens.id {comparison} ")).bind::<BigInt, _>(id);
                    ordered(filtered.filter(compare(expression, "=", key)).filter(behind), &by_id, limit)
                }
                Walked::Later(key) => ordered(filtered.filter(compare(expression, comparison, key)), &order, limit),
            };
            rows.load(connection)
        })
    })?;
    rows.into_iter().map(|row| placed(sort, row)).collect()
}

fn placed(sort: Sort, (id, row): (i64, TokenRow)) -> QueryResult<(Cursor, Token)> {
    row.token().map(|token| (sort.cursor(id, &token), token))
}

type SelectedColumns = SqlTypeOf<(tokens::id, AsSelect<TokenRow, MultiBackend>)>;
type OrderedQuery = tokens::BoxedQuery<'static, MultiBackend, SelectedColumns>;

pub(super) fn ordered(query: tokens::BoxedQuery<'static, MultiBackend>, order: &str, limit: i64) -> OrderedQuery {
    query.select((tokens::id, TokenRow::as_select())).order(sql::<BigInt>(order)).limit(limit)
}

pub(super) fn compare(expression: &str, comparison: &str, key: &Key) -> Condition {
    let condition = sql::<Bool>(&format!("{expression} {comparison} "));
    match key {
        Key::Number(number) => Box::new(condition.bind::<BigInt, _>(*number)),
        Key::Text(text) => Box::new(condition.bind::<Text, _>(text.clone())),
    }
}

/// How many tokens the filter matches, counted up to `at_most`.
pub fn count(connection: &mut Connection, filter: &TokenFilter, now: Micros, at_most: i64) -> QueryResult<i64> {
    // Counted from the newest on, so that a search with many matches ends early.
    let ids = filtered(filter, now).select(tokens::id).limit(at_most);
    Ok(i64::try_from(ids.load::<i64>(connection)?.len()).unwrap_or(i64::MAX))
}

/// The tokens that a filter matches, whatever it searches for.
pub(in crate::store) fn filtered(filter: &TokenFilter, now: Micros) -> tokens::BoxedQuery<'static, MultiBackend> {
    matching(tokens::table.into_boxed().filter(AreVisible), filter, now)
}

/// The same for reading them by other keys than that of creation: databases seek to one bound of an index, and it would be
/// the wrong one.
pub(super) fn filtered_by_keys(filter: &TokenFilter, now: Micros) -> tokens::BoxedQuery<'static, MultiBackend> {
    matching_by_keys(tokens::table.into_boxed().filter(AreVisible), filter, now)
}

/// The same of tokens with these ids.
pub(super) fn filtered_by_ids(
    filter: &TokenFilter,
    now: Micros,
    ids: Vec<i64>,
) -> tokens::BoxedQuery<'static, MultiBackend> {
    matching_by_keys(tokens::table.into_boxed().filter(IsOneVisibleById).filter(tokens::id.eq_any(ids)), filter, now)
}

/// The same of tokens with ids in a row.
pub(super) fn filtered_by_range(
    filter: &TokenFilter,
    now: Micros,
    (lowest, highest): (i64, i64),
) -> tokens::BoxedQuery<'static, MultiBackend> {
    let range = tokens::table.into_boxed().filter(AreVisibleById).filter(tokens::id.between(lowest, highest));
    matching_by_keys(range, filter, now)
}

fn matching_by_keys(
    query: tokens::BoxedQuery<'static, MultiBackend>,
    filter: &TokenFilter,
    now: Micros,
) -> tokens::BoxedQuery<'static, MultiBackend> {
    let timeless = TokenFilter { created_from: None, created_to: None, ..filter.clone() };
    let bounds = [(filter.created_from, ">="), (filter.created_to, "<=")];
    bounds.into_iter().fold(matching(query, &timeless, now), |query, (bound, comparison)| match bound {
        Some(bound) => {
            query.filter(sql::<Bool>(&format!("+tokens.created {comparison} ")).bind::<BigInt, _>(bound.get()))
        }
        None => query,
    })
}

fn matching(
    mut query: tokens::BoxedQuery<'static, MultiBackend>,
    filter: &TokenFilter,
    now: Micros,
) -> tokens::BoxedQuery<'static, MultiBackend> {
    if let Some(state) = filter.state {
        query = query.filter(in_state(state, now));
    }
    if let Some(soon) = filter.soon {
        query = query.filter(in_state(soon.state(), now)).filter(is_soon(soon, now));
    }
    query = match filter.voided {
        Some(true) => query.filter(tokens::voided_at.is_not_null()),
        Some(false) => query.filter(tokens::voided_at.is_null()),
        None => query,
    };
    if let Some(from) = filter.created_from {
        query = query.filter(tokens::created.ge(from.get()));
    }
    if let Some(to) = filter.created_to {
        query = query.filter(tokens::created.le(to.get()));
    }
    if let Some(batch) = filter.batch {
        let batch_id = batches::table.filter(batches::uid.eq(batch.to_string())).select(batches::id);
        query = query.filter(tokens::batch.nullable().eq(batch_id.single_value()));
    }
    if let Some(run) = filter.print_run {
        query = query.filter(on_run(run));
    }
    if let Some(printed) = filter.printed {
        query = query.filter(is_printed(printed));
    }
    // None of these fits an index: whoever reads by one of them says so (`search/keyed.rs`), and others read by their own.
    if let Some(label) = &filter.label {
        query = query.filter(tokens::label.assume_not_null().eq(label.clone()));
    }
    if let Some(prefix) = &filter.value_prefix {
        query = query.filter(begins(prefix));
    }
    if let Some(at) = filter.valid_at {
        query = query.filter(is_valid_at(at));
    }
    query
}

fn begins(prefix: &ValuePrefix) -> Condition {
    let value = Sort::Value.expression();
    let behind = sql::<Bool>(&format!("{value} >= ")).bind::<Text, _>(prefix.first().to_owned());
    match prefix.end() {
        Some(end) => Box::new(behind.sql(&format!(" AND {value} < ")).bind::<Text, _>(end)),
        None => Box::new(behind),
    }
}

fn is_soon(soon: Soon, now: Micros) -> Condition {
    let moment = match soon {
        Soon::Opening => "tokens.valid_from <= ",
        Soon::Ending => "tokens.valid_to <= ",
    };
    Box::new(sql::<Bool>(moment).bind::<BigInt, _>(Soon::until(now).get()))
}

fn is_valid_at(at: Micros) -> Condition {
    let begins = sql::<Bool>("(tokens.valid_from IS NULL OR tokens.valid_from <= ").bind::<BigInt, _>(at.get());
    let ends = begins.sql(") AND (tokens.valid_to IS NULL OR tokens.valid_to >= ").bind::<BigInt, _>(at.get());
    Box::new(ends.sql(")"))
}

pub(super) type Condition = Box<dyn BoxableExpression<tokens::table, MultiBackend, SqlType = Bool>>;

/// The rule of `token::consume::state` in SQL. A test checks that the two agree.
fn in_state(state: State, now: Micros) -> Condition {
    let voided = "tokens.voided_at IS NOT NULL";
    let used_up = "tokens.usage_count = 0";
    let locked = "(tokens.lock_time > 0 AND tokens.lock_start IS NOT NULL
        AND tokens.lock_start + tokens.lock_time * CAST(1000000 AS BIGINT) > ";
    let now = now.get();
    let can_be_used = move || sql::<Bool>("tokens.voided_at IS NULL AND NOT ").sql(used_up);
    let not_locked = move || can_be_used().sql(" AND NOT ").sql(locked).bind::<BigInt, _>(now).sql(")");
    let before = "COALESCE(tokens.valid_from, 0) > ";
    let after = "COALESCE(tokens.valid_to, 9223372036854775807) < ";
    match state {
        State::Voided => Box::new(sql::<Bool>(voided)),
        State::UsedUp => Box::new(sql::<Bool>("tokens.voided_at IS NULL AND ").sql(used_up)),
        State::Locked => Box::new(can_be_used().sql(" AND ").sql(locked).bind::<BigInt, _>(now).sql(")")),
        State::Pending => Box::new(not_locked().sql(" AND ").sql(before).bind::<BigInt, _>(now)),
        State::Expired => Box::new(
            not_locked()
                .sql(" AND NOT ")
                .sql(before)
                .bind::<BigInt, _>(now)
                .sql(" AND ")
                .sql(after)
                .bind::<BigInt, _>(now),
        ),
        State::Active => Box::new(
            not_locked()
                .sql(" AND NOT ")
                .sql(before)
                .bind::<BigInt, _>(now)
                .sql(" AND NOT ")
                .sql(after)
                .bind::<BigInt, _>(now),
        ),
    }
}

/// Tokens on a label of a run, found through the run's labels.
fn on_run(run: Uid) -> Condition {
    let is_on_run = "tokens.id IN (SELECT token FROM print_run_tokens WHERE run = \
              (SELECT id FROM print_runs WHERE done IS NOT NULL AND uid = ";
    Box::new(sql::<Bool>(is_on_run).bind::<Text, _>(run.to_string()).sql("))"))
}

/// By whether a token is on a printed sheet: one index look-up for each token.
fn is_printed(printed: PrintedFilter) -> Condition {
    let exists = "EXISTS (SELECT 1 FROM print_run_tokens AS label JOIN print_runs AS run ON run.id = label.run \
              WHERE label.token = tokens.id AND run.done IS NOT NULL)";
    match printed {
        // Not by `last_used`, which stays when a use is undone.
        PrintedFilter::NeverUsed => Box::new(sql::<Bool>("tokens.used = 0 AND ").sql(exists)),
        PrintedFilter::Never => Box::new(sql::<Bool>("NOT ").sql(exists)),
    }
}
