//! The list of tokens: its filter and its orders in SQL, page by page.

use diesel::dsl::{AsSelect, SqlTypeOf, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use serde::{Deserialize, Serialize};

use crate::store::cursor::{Cursor, Key};

use super::row::{TokenRow, fold};
use crate::store::connection::{Connection, MultiBackend, position};
use crate::store::schema::{batches, tokens};
use crate::token::print::PrintedFilter;
use crate::token::{Micros, State, Token, Uid};

/// Which tokens are asked for. Bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenFilter {
    /// Part of value or label in either case, or a uid.
    pub q: Option<String>,
    /// In this state at `now`.
    pub state: Option<State>,
    /// Not made before.
    pub created_from: Option<Micros>,
    /// Not made after.
    pub created_to: Option<Micros>,
    /// Made in this batch.
    pub batch: Option<Uid>,
    /// On a label of this print run.
    pub print_run: Option<Uid>,
    /// By whether they were printed.
    pub printed: Option<PrintedFilter>,
}

impl TokenFilter {
    /// Whether a page is found by walking an index, in the time of its rows: a search or a state may read a million.
    pub(crate) fn walks_an_index(&self) -> bool {
        let Self { q, state, batch, print_run, printed, .. } = self;
        q.is_none() && state.is_none() && batch.is_none() && print_run.is_none() && printed.is_none()
    }
}

/// What a list is ordered by; tokens that are alike in it are ordered by their making.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// When they were made.
    #[default]
    Created,
    /// Their values, by Unicode's numbers.
    Value,
    /// Their labels; without one comes first.
    Label,
    /// When they end; without an end comes last.
    ValidTo,
}

impl Sort {
    /// The expression, as an index has it: only then is a page found without sorting.
    fn expression(self) -> &'static str {
        match self {
            Self::Created => "tokens.created",
            Self::Value => "tokens.value",
            Self::Label => "COALESCE(tokens.label, '')",
            Self::ValidTo => "COALESCE(tokens.valid_to, 9223372036854775807)",
        }
    }

    /// The place of a token in this order.
    fn place(self, id: i64, token: &Token) -> Cursor {
        let key = match self {
            Self::Created => Key::Number(token.created.get()),
            Self::Value => Key::Text(token.value.clone()),
            Self::Label => Key::Text(token.label.clone().unwrap_or_default()),
            Self::ValidTo => Key::Number(token.valid_to.map_or(i64::MAX, Micros::get)),
        };
        Cursor { key, id }
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub struct TokenSlice {
    /// What the list is ordered by.
    pub sort: Sort,
    /// From the greatest to the least.
    pub descending: bool,
    /// Only what lies behind this place.
    pub after: Option<Cursor>,
    /// Most tokens.
    pub limit: i64,
}

impl TokenSlice {
    /// The newest, as the JSON views show them.
    pub fn newest(after: Option<Cursor>, limit: i64) -> Self {
        Self { sort: Sort::Created, descending: true, after, limit }
    }
}

/// Tokens in their order, each with its place. Costs the same on every page.
///
/// Those that are alike with the place come first, then those behind. One comparison of row values would say the same,
/// but SQLite walks through all that are alike then: through a million, where no token has a label.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    part: TokenSlice,
) -> QueryResult<Vec<(Cursor, Token)>> {
    use diesel::Connection as _;
    let TokenSlice { sort, descending, after, limit } = part;
    let expression = sort.expression();
    let (than, way) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let (by_id, order) = (format!("tokens.id {way}"), format!("{expression} {way}, tokens.id {way}"));
    let filtered = |connection: &Connection| filtered(connection, filter, now);
    let rows = connection.transaction(|connection| {
        let Some(place) = after else { return ordered(filtered(connection), &order, limit).load(connection) };
        let alike = filtered(connection).filter(compared(expression, "=", &place.key));
        let alike = alike.filter(sql::<Bool>(&format!("tokens.id {than} ")).bind::<BigInt, _>(place.id));
        let mut rows: Vec<(i64, TokenRow)> = ordered(alike, &by_id, limit).load(connection)?;
        let wanted = limit - i64::try_from(rows.len()).unwrap_or(limit);
        if wanted > 0 {
            let behind = filtered(connection).filter(compared(expression, than, &place.key));
            rows.append(&mut ordered(behind, &order, wanted).load(connection)?);
        }
        Ok(rows)
    })?;
    rows.into_iter().map(|(id, row)| row.token().map(|token| (sort.place(id, &token), token))).collect()
}

type Selected = SqlTypeOf<(tokens::id, AsSelect<TokenRow, MultiBackend>)>;
type Rows = tokens::BoxedQuery<'static, MultiBackend, Selected>;

fn ordered(query: tokens::BoxedQuery<'static, MultiBackend>, order: &str, limit: i64) -> Rows {
    query.select((tokens::id, TokenRow::as_select())).order(sql::<BigInt>(order)).limit(limit)
}

fn compared(expression: &str, than: &str, key: &Key) -> Condition {
    let compared = sql::<Bool>(&format!("{expression} {than} "));
    match key {
        Key::Number(number) => Box::new(compared.bind::<BigInt, _>(*number)),
        Key::Text(text) => Box::new(compared.bind::<Text, _>(text.clone())),
    }
}

/// How many tokens there are, counted no further than `at_most`.
///
/// # Errors
/// The database's.
pub fn count(connection: &mut Connection, filter: &TokenFilter, now: Micros, at_most: i64) -> QueryResult<i64> {
    // Counted from the newest on, so that a search that finds much ends early.
    let found = filtered(connection, filter, now).select(tokens::id).limit(at_most);
    Ok(i64::try_from(found.load::<i64>(connection)?.len()).unwrap_or(i64::MAX))
}

/// How many tokens there are at all.
///
/// # Errors
/// The database's.
pub(crate) fn count_all(connection: &mut Connection) -> QueryResult<i64> {
    tokens::table.filter(tokens::deleted_at.is_null()).count().get_result(connection)
}

pub(in crate::store) fn filtered(
    connection: &Connection,
    filter: &TokenFilter,
    now: Micros,
) -> tokens::BoxedQuery<'static, MultiBackend> {
    let mut query = tokens::table.into_boxed().filter(tokens::deleted_at.is_null());
    if let Some(q) = &filter.q {
        let found = sql::<Bool>(position(connection)).sql("(tokens.search, ").bind::<Text, _>(fold(q)).sql(") > 0");
        query = match q.parse::<Uid>() {
            Ok(uid) => query.filter(tokens::uid.eq(uid.to_string()).or(found)),
            Err(_) => query.filter(found),
        };
    }
    if let Some(state) = filter.state {
        query = query.filter(is(state, now));
    }
    if let Some(from) = filter.created_from {
        query = query.filter(tokens::created.ge(from.get()));
    }
    if let Some(to) = filter.created_to {
        query = query.filter(tokens::created.le(to.get()));
    }
    if let Some(batch) = filter.batch {
        let number = batches::table.filter(batches::uid.eq(batch.to_string())).select(batches::id);
        query = query.filter(tokens::batch.nullable().eq(number.single_value()));
    }
    if let Some(run) = filter.print_run {
        query = query.filter(on_run(run));
    }
    if let Some(printed) = filter.printed {
        query = query.filter(is_printed(printed));
    }
    query
}

type Condition = Box<dyn BoxableExpression<tokens::table, MultiBackend, SqlType = Bool>>;

/// The rule of `token::consume::state` in SQL. A test holds the two equal.
fn is(state: State, now: Micros) -> Condition {
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

/// On a label of a run: found by the run's labels.
fn on_run(run: Uid) -> Condition {
    let of = "tokens.id IN (SELECT token FROM print_run_tokens WHERE run = \
              (SELECT id FROM print_runs WHERE done IS NOT NULL AND uid = ";
    Box::new(sql::<Bool>(of).bind::<Text, _>(run.to_string()).sql("))"))
}

/// By whether a token is on a sheet that was printed: one look at an index for each token.
fn is_printed(printed: PrintedFilter) -> Condition {
    let is = "EXISTS (SELECT 1 FROM print_run_tokens AS label JOIN print_runs AS run ON run.id = label.run \
              WHERE label.token = tokens.id AND run.done IS NOT NULL)";
    match printed {
        // What was used before there was a count of it has the moment of its last use.
        PrintedFilter::NeverUsed => Box::new(sql::<Bool>("tokens.used = 0 AND tokens.last_used IS NULL AND ").sql(is)),
        PrintedFilter::Never => Box::new(sql::<Bool>("NOT ").sql(is)),
    }
}
