//! Entries of the usage log, and the latest ones of a token.

use std::collections::HashMap;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use serde::Serialize;

use super::newest::AmongNewest;
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::gates;
use crate::store::schema::{tokens, usage};
use crate::token::answer::Attempt;
use crate::token::gate::GateId;
use crate::token::settle::{Held, TokenId};
use crate::token::{EntryId, Micros, Refusal, Token};

/// A new row of `usage`.
#[derive(Insertable)]
#[diesel(table_name = usage)]
pub(crate) struct UsageRow<'a> {
    /// The database numbers it, if there is none.
    pub(in crate::store) id: Option<EntryId>,
    pub(in crate::store) uid: String,
    pub(in crate::store) token: Option<TokenId>,
    pub(in crate::store) token_uid: Option<String>,
    pub(in crate::store) token_value: Option<&'a str>,
    pub(in crate::store) timestamp: i64,
    pub(in crate::store) principal: &'a str,
    pub(in crate::store) error_code: Option<i16>,
    pub(in crate::store) gate: Option<GateId>,
    pub(in crate::store) uses: i32,
    pub(in crate::store) taken: i32,
    pub(in crate::store) lock_before: Option<i64>,
    pub(in crate::store) undoes: Option<String>,
    pub(in crate::store) previous: Option<EntryId>,
}

impl<'a> UsageRow<'a> {
    /// The row of an attempt at a token in `held`, or at a token that does not exist.
    pub(crate) fn new(attempt: &'a Attempt, held: &Held, who: &'a Principal, now: Micros) -> Self {
        let token = attempt.token_uid.and_then(|uid| held.id_of(uid));
        Self {
            id: None,
            previous: token.and_then(|id| held.token(id)?.last_entry),
            uid: attempt.uid.to_string(),
            token,
            token_uid: attempt.token_uid.map(|uid| uid.to_string()),
            token_value: attempt.token_value.as_deref(),
            timestamp: now.get(),
            principal: who.as_str(),
            error_code: attempt.error_code,
            gate: attempt.gate,
            uses: attempt.uses,
            taken: attempt.undo.taken,
            lock_before: attempt.undo.lock_before.map(Micros::get),
            undoes: attempt.undo.undoes.map(|uid| uid.to_string()),
        }
    }
}

/// The time of the newest attempt.
pub(crate) fn newest(connection: &mut Connection) -> QueryResult<Option<Micros>> {
    let newest = usage::table.order(usage::id.desc()).limit(1).select(usage::timestamp);
    Ok(newest.get_result(connection).optional()?.map(Micros::stored))
}

/// A usage entry, as the JSON views show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its own uid.
    pub(crate) uid: String,
    /// The token's uid, or the one in the request.
    pub(crate) token_uid: Option<String>,
    /// The token's value at that time, or the beginning of the one in the request.
    pub(crate) token_value: Option<String>,
    /// When the attempt was made.
    pub(crate) timestamp: Micros,
    /// The principal that asked.
    pub(crate) user: String,
    /// The refusal's code; none if the token was consumed.
    pub(crate) error_code: Option<i16>,
    /// The refusal's name.
    pub(crate) error: Option<&'static str>,
    /// How many uses: asked for, used, or given back, and then negative.
    pub(crate) uses: i32,
    /// At which gate.
    pub(crate) gate: Option<String>,
    /// The uid of the entry that this one undoes.
    pub(crate) undoes: Option<String>,
}

/// A row of `usage`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = usage)]
pub(super) struct EntryRow {
    pub(super) id: i64,
    pub(super) uid: String,
    pub(super) token_uid: Option<String>,
    pub(super) token_value: Option<String>,
    pub(super) timestamp: i64,
    pub(super) principal: String,
    pub(super) error_code: Option<i16>,
    pub(super) gate: Option<GateId>,
    pub(super) uses: i32,
    pub(super) undoes: Option<String>,
}

/// Reads rows on either database's connection. A macro, because a query with the type of one database is prepared once: a
/// tile costs a third less. SQLite stops reading: a bound `LIMIT` would be prepared anew each time.
macro_rules! newest {
    ($rows:expr, $connection:expr, $at_most:expr) => {{
        let rows = $rows.order(usage::id.desc()).select(EntryRow::as_select());
        let rows = rows.load_iter::<EntryRow, DefaultLoadingMode>($connection)?;
        rows.take($at_most).collect::<QueryResult<Vec<EntryRow>>>()?
    }};
}

/// The latest `N` attempts at the token with this id, newest first.
pub(crate) fn last<const N: i64>(connection: &mut Connection, id: TokenId, token: &Token) -> QueryResult<Vec<Entry>> {
    let at_most = usize::try_from(N).unwrap_or(usize::MAX);
    let of_none = usage::table.filter(usage::token.is_null()).filter(usage::token_uid.eq(token.uid.to_string()));
    let (mut rows, rows_of_none) = match connection {
        Connection::Sqlite(connection) => {
            (walk(connection, (id, token.last_entry), at_most)?, newest!(of_none, connection, at_most))
        }
        Connection::Postgres(connection) => {
            let of_token = usage::table.filter(AmongNewest::<N>(id));
            (newest!(of_token, connection, at_most), newest!(of_none.limit(N), connection, at_most))
        }
    };
    merge(&mut rows, rows_of_none);
    rows.truncate(at_most);
    Ok(entries(connection, rows)?.into_iter().map(|(_, entry)| entry).collect())
}

/// The newest entries of a token on SQLite, one after the other: a recursive statement takes the time of twenty of these,
/// and most tokens have one entry or two.
fn walk(
    connection: &mut SqliteConnection,
    (token, mut next): (TokenId, Option<EntryId>),
    at_most: usize,
) -> QueryResult<Vec<EntryRow>> {
    let mut rows = Vec::new();
    while let Some(entry) = next.filter(|_| rows.len() < at_most) {
        let row = usage::table.find(entry).filter(usage::token.eq(token));
        let row = row.select((EntryRow::as_select(), usage::previous)).get_result::<(EntryRow, _)>(connection);
        let Some((row, previous)) = row.optional()? else { break };
        rows.push(row);
        next = Option::filter(previous, |previous: &EntryId| *previous < entry);
    }
    Ok(rows)
}

/// The labels of tokens that still exist, by uid.
pub fn labels(connection: &mut Connection, uids: Vec<String>) -> QueryResult<HashMap<String, Option<String>>> {
    let rows = tokens::table.filter(tokens::uid.eq_any(uids)).filter(tokens::deleted_at.is_null());
    let rows: Vec<(String, Option<String>)> = rows.select((tokens::uid, tokens::label)).load(connection)?;
    Ok(rows.into_iter().collect())
}

/// Merges two lists, newest first. Attempts at a uid that had no token at the time, or a deleted one, are stored with
/// the uid only; the others are found by the token's id, whose index is a fifth of the size.
fn merge(rows: &mut Vec<EntryRow>, others: Vec<EntryRow>) {
    rows.extend(others);
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
}

/// Entries with the names of their gates.
pub(super) fn entries(connection: &mut Connection, rows: Vec<EntryRow>) -> QueryResult<Vec<(Cursor, Entry)>> {
    let names = if rows.iter().any(|row| row.gate.is_some()) { gates::names(connection)? } else { HashMap::new() };
    Ok(rows.into_iter().map(|row| entry(row, &names)).collect())
}

fn entry(row: EntryRow, gates: &HashMap<GateId, String>) -> (Cursor, Entry) {
    let entry = Entry {
        uid: row.uid,
        token_uid: row.token_uid,
        token_value: row.token_value,
        timestamp: Micros::stored(row.timestamp),
        user: row.principal,
        error: row.error_code.map(Refusal::name_of),
        error_code: row.error_code,
        uses: row.uses,
        gate: row.gate.and_then(|gate| gates.get(&gate).cloned()),
        undoes: row.undoes,
    };
    (Cursor::number(row.timestamp, row.id), entry)
}
