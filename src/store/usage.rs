//! The log of attempts: rows and queries.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use serde::Serialize;

use super::connection::Connection;
use super::schema::usage;
use super::token_list::Place;
use crate::access::Principal;
use crate::token::settle::Attempt;
use crate::token::{Micros, Refusal, Uid};

/// A new row of `usage`.
#[derive(Insertable)]
#[diesel(table_name = usage)]
pub struct UsageRow<'a> {
    uid: String,
    token_uid: Option<String>,
    token_value: Option<&'a str>,
    timestamp: i64,
    principal: &'a str,
    error_code: Option<i16>,
}

impl<'a> UsageRow<'a> {
    /// The row of an attempt.
    pub fn new(attempt: &'a Attempt, who: &'a Principal, now: Micros) -> Self {
        Self {
            uid: Uid::random().to_string(),
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

/// The last attempts at a token, newest first. Stops by itself instead of by `LIMIT`, and is no boxed query: so the
/// prepared statement is kept, and a tile costs a third less.
///
/// # Errors
/// The database's.
pub fn last(connection: &mut Connection, token_uid: Uid, at_most: usize) -> QueryResult<Vec<Entry>> {
    let rows = usage::table
        .filter(usage::token_uid.eq(token_uid.to_string()))
        .order(usage::id.desc())
        .select(Row::as_select())
        .load_iter::<Row, DefaultLoadingMode>(connection)?;
    rows.take(at_most).map(|row| row.map(|row| entry(row).1)).collect()
}

/// Entries, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    filter: &UsageFilter,
    after: Option<Place>,
    limit: i64,
) -> QueryResult<Vec<(Place, Entry)>> {
    let mut query = usage::table.select(Row::as_select()).order(usage::id.desc()).limit(limit).into_boxed();
    if let Some(uid) = filter.token_uid {
        query = query.filter(usage::token_uid.eq(uid.to_string()));
    }
    if let Some(from) = filter.from {
        query = query.filter(usage::timestamp.ge(from.get()));
    }
    if let Some(to) = filter.to {
        query = query.filter(usage::timestamp.le(to.get()));
    }
    if let Some(place) = after {
        query = query.filter(usage::id.lt(place.id()));
    }
    Ok(query.load::<Row>(connection)?.into_iter().map(entry).collect())
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
