//! The log of attempts: rows and queries.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use serde::Serialize;

use super::connection::{Connection, MultiBackend};
use super::schema::usage;
use super::token_list::Place;
use super::tokens;
use crate::access::Principal;
use crate::token::settle::{Attempt, Held, TokenId};
use crate::token::{Micros, Refusal, Uid};

/// A new row of `usage`.
#[derive(Insertable)]
#[diesel(table_name = usage)]
pub struct UsageRow<'a> {
    pub(super) uid: String,
    pub(super) token: Option<TokenId>,
    pub(super) token_uid: Option<String>,
    pub(super) token_value: Option<&'a str>,
    pub(super) timestamp: i64,
    pub(super) principal: &'a str,
    pub(super) error_code: Option<i16>,
}

impl<'a> UsageRow<'a> {
    /// The row of an attempt at a token that is `held`, or at none.
    pub fn new(attempt: &'a Attempt, held: &Held, who: &'a Principal, now: Micros) -> Self {
        Self {
            uid: Uid::random().to_string(),
            token: attempt.token_uid.and_then(|uid| held.number(uid)),
            token_uid: attempt.token_uid.map(|uid| uid.to_string()),
            token_value: attempt.token_value.as_deref(),
            timestamp: now.get(),
            principal: who.as_str(),
            error_code: attempt.error_code,
        }
    }
}

/// When the newest attempt was.
///
/// # Errors
/// The database's.
pub fn newest(connection: &mut Connection) -> QueryResult<Option<Micros>> {
    let newest = usage::table.order(usage::id.desc()).limit(1).select(usage::timestamp);
    Ok(newest.get_result(connection).optional()?.map(Micros::stored))
}

/// A usage entry, as the JSON views show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its own uid.
    pub uid: String,
    /// The token's uid, or the one asked for.
    pub token_uid: Option<String>,
    /// The token's value at that time, or the beginning of what was asked for.
    pub token_value: Option<String>,
    /// When.
    pub timestamp: Micros,
    /// Who asked.
    pub user: String,
    /// Why it was refused; none when it was consumed.
    pub error_code: Option<i16>,
    /// The name of `error_code`.
    pub error: Option<&'static str>,
}

/// A row of `usage`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = usage)]
struct Row {
    id: i64,
    uid: String,
    token_uid: Option<String>,
    token_value: Option<String>,
    timestamp: i64,
    principal: String,
    error_code: Option<i16>,
}

/// The newest of some rows on SQLite. Stops by itself instead of by `LIMIT`, and is no boxed query: so the prepared
/// statement is kept, and a tile costs a third less.
macro_rules! newest {
    ($rows:expr, $connection:expr, $at_most:expr) => {{
        let rows = $rows.order(usage::id.desc()).select(Row::as_select());
        let rows = rows.load_iter::<Row, DefaultLoadingMode>($connection)?;
        rows.take($at_most).collect::<QueryResult<Vec<Row>>>()
    }};
}

/// Which entries are asked for. Bounds are inclusive.
#[derive(Clone, Debug, Default)]
pub struct UsageFilter {
    /// Of one uid only, also one that no token has.
    pub token_uid: Option<Uid>,
    /// Not before.
    pub from: Option<Micros>,
    /// Not after.
    pub to: Option<Micros>,
}

/// The last attempts at a token with that number and uid, newest first.
///
/// # Errors
/// The database's.
pub fn last(connection: &mut Connection, id: TokenId, uid: Uid, at_most: usize) -> QueryResult<Vec<Entry>> {
    let of_token = usage::table.filter(usage::token.eq(id));
    let of_none = usage::table.filter(usage::token.is_null()).filter(usage::token_uid.eq(uid.to_string()));
    let (mut rows, early) = match connection {
        Connection::Sqlite(connection) => {
            (newest!(of_token, connection, at_most)?, newest!(of_none, connection, at_most)?)
        }
        Connection::Postgres(connection) => {
            let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
            let newest = usage::id.desc();
            let rows = of_token.order(newest).limit(limit).select(Row::as_select()).load(connection)?;
            (rows, of_none.order(newest).limit(limit).select(Row::as_select()).load(connection)?)
        }
    };
    merge(&mut rows, early);
    Ok(rows.into_iter().take(at_most).map(|row| entry(row).1).collect())
}

/// Entries, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    after: Option<&Place>,
    limit: i64,
) -> QueryResult<Vec<(Place, Entry)>> {
    let ordered = || filtered(filter, after).order(usage::id.desc()).limit(limit).select(Row::as_select());
    let mut rows: Vec<Row> = match filter.token_uid {
        None => ordered().load(connection)?,
        Some(uid) => {
            let early = ordered().filter(usage::token.is_null()).filter(usage::token_uid.eq(uid.to_string()));
            let mut rows = early.load(connection)?;
            if let Some(id) = tokens::number(connection, uid)? {
                merge(&mut rows, ordered().filter(usage::token.eq(id)).load(connection)?);
            }
            rows
        }
    };
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows.into_iter().map(entry).collect())
}

/// Newest first again. Attempts at a uid that no token had then, or that was deleted, stand under the uid; the others
/// under the token's number, whose index is a fifth of the size.
fn merge(rows: &mut Vec<Row>, others: Vec<Row>) {
    rows.extend(others);
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
}

fn filtered(filter: &UsageFilter, after: Option<&Place>) -> usage::BoxedQuery<'static, MultiBackend> {
    let mut query = usage::table.into_boxed();
    if let Some(from) = filter.from {
        query = query.filter(usage::timestamp.ge(from.get()));
    }
    if let Some(to) = filter.to {
        query = query.filter(usage::timestamp.le(to.get()));
    }
    if let Some(place) = after {
        query = query.filter(usage::id.lt(place.id()));
    }
    query
}

fn entry(row: Row) -> (Place, Entry) {
    let entry = Entry {
        uid: row.uid,
        token_uid: row.token_uid,
        token_value: row.token_value,
        timestamp: Micros::stored(row.timestamp),
        user: row.principal,
        error: row.error_code.map(Refusal::name_of),
        error_code: row.error_code,
    };
    (Place::number(row.timestamp, row.id), entry)
}
