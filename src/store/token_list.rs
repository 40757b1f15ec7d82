//! The list of tokens: its filter in SQL, newest first, page by page.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::Sqlite;

use super::connection::Connection;
use super::schema::tokens;
use super::tokens::TokenRow;
use crate::token::{Micros, State, Token, Uid};

/// Which tokens are asked for. Bounds are inclusive.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Part of value or label in either case, or a uid.
    pub q: Option<String>,
    /// In this state at `now`.
    pub state: Option<State>,
    /// Not made before.
    pub created_from: Option<Micros>,
    /// Not made after.
    pub created_to: Option<Micros>,
}

/// A place in the list: behind the token made then, with that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// When it was made, in microseconds.
    pub created: i64,
    /// Its number.
    pub id: i64,
}

/// Tokens, newest first, each with its place; those behind `after` when it is given. Costs the same on every page.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    after: Option<Place>,
    limit: i64,
) -> QueryResult<Vec<(Place, Token)>> {
    let mut query = tokens::table
        .filter(tokens::deleted_at.is_null())
        .select((tokens::id, TokenRow::as_select()))
        .order((tokens::created.desc(), tokens::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(q) = &filter.q {
        let found = tokens::search.like(pattern(q)).escape('\\');
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
    if let Some(place) = after {
        // A row value, as only that lets both databases walk the index from here; `a < x OR (a = x AND b < y)` does not.
        let behind = sql::<Bool>("(tokens.created, tokens.id) < (").bind::<BigInt, _>(place.created).sql(", ");
        query = query.filter(behind.bind::<BigInt, _>(place.id).sql(")"));
    }
    let rows: Vec<(i64, TokenRow)> = query.load(connection)?;
    rows.into_iter()
        .map(|(id, row)| row.token().map(|token| (Place { created: token.created.get(), id }, token)))
        .collect()
}

/// The pattern that finds `q` anywhere in `tokens.search`.
fn pattern(q: &str) -> String {
    let mut pattern = String::from("%");
    for c in q.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

type Condition = Box<dyn BoxableExpression<tokens::table, Sqlite, SqlType = Bool>>;

/// The rule of `token::consume::state` in SQL. A test holds the two equal.
fn is(state: State, now: Micros) -> Condition {
    let used_up = "tokens.usage_count = 0";
    let locked = "(tokens.lock_time > 0 AND tokens.lock_start IS NOT NULL
        AND tokens.lock_start + tokens.lock_time * CAST(1000000 AS BIGINT) > ";
    let now = now.get();
    let not_locked =
        move || sql::<Bool>("NOT ").sql(used_up).sql(" AND NOT ").sql(locked).bind::<BigInt, _>(now).sql(")");
    let before = "COALESCE(tokens.valid_from, 0) > ";
    let after = "COALESCE(tokens.valid_to, 9223372036854775807) < ";
    match state {
        State::UsedUp => Box::new(sql::<Bool>(used_up)),
        State::Locked => {
            Box::new(sql::<Bool>("NOT ").sql(used_up).sql(" AND ").sql(locked).bind::<BigInt, _>(now).sql(")"))
        }
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
