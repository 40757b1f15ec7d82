//! Entries of the usage log, and the latest ones of a token.

use std::collections::HashMap;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use serde::Serialize;

use super::newest::NewestQuery;
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

/// The latest `N` attempts at each of these tokens, newest first.
pub(crate) fn last<const N: usize>(
    connection: &mut Connection,
    of: &[(TokenId, &Token)],
) -> QueryResult<Vec<Vec<Entry>>> {
    match connection {
        Connection::Postgres(connection) => last_of_many::<N>(connection, of),
        sqlite @ Connection::Sqlite(_) => of.iter().map(|of| last_of_one(sqlite, *of, N)).collect(),
    }
}

fn last_of_many<const N: usize>(
    connection: &mut PgConnection,
    of: &[(TokenId, &Token)],
) -> QueryResult<Vec<Vec<Entry>>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(TokenId, EntryRow, Option<String>)> = NewestQuery::<N>::new(of).load(connection)?;
    let mut by_token: HashMap<TokenId, Vec<(EntryRow, Option<String>)>> = HashMap::new();
    for (token, row, gate) in rows {
        by_token.entry(token).or_default().push((row, gate));
    }
    let histories = of.iter().map(|(token, _)| {
        let mut rows = by_token.remove(token).unwrap_or_default();
        rows.sort_by_key(|(row, _)| std::cmp::Reverse(row.id));
        rows.into_iter().take(N).map(|(row, gate)| entry(row, gate).1).collect()
    });
    Ok(histories.collect())
}

fn last_of_one(connection: &mut Connection, of: (TokenId, &Token), at_most: usize) -> QueryResult<Vec<Entry>> {
    let (id, token) = of;
    let of_none = usage::table.filter(usage::token.is_null()).filter(usage::token_uid.eq(token.uid.to_string()));
    let of_none = of_none.order(usage::id.desc()).select(EntryRow::as_select());
    let Connection::Sqlite(sqlite) = connection else { return Ok(Vec::new()) };
    let mut rows = walk(sqlite, (id, token.last_entry), at_most)?;
    // Reading stops: a bound `LIMIT` would be prepared anew each time.
    let others = of_none.load_iter::<EntryRow, DefaultLoadingMode>(sqlite)?;
    rows.extend(others.take(at_most).collect::<QueryResult<Vec<_>>>()?);
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
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

/// Entries with the names of their gates.
pub(super) fn entries(connection: &mut Connection, rows: Vec<EntryRow>) -> QueryResult<Vec<(Cursor, Entry)>> {
    let names = if rows.iter().any(|row| row.gate.is_some()) { gates::names(connection)? } else { HashMap::new() };
    let name = |gate: Option<GateId>| names.get(&gate?).cloned();
    Ok(rows.into_iter().map(|row| (name(row.gate), row)).map(|(gate, row)| entry(row, gate)).collect())
}

fn entry(row: EntryRow, gate: Option<String>) -> (Cursor, Entry) {
    let entry = Entry {
        uid: row.uid,
        token_uid: row.token_uid,
        token_value: row.token_value,
        timestamp: Micros::stored(row.timestamp),
        user: row.principal,
        error: row.error_code.map(Refusal::name_of),
        error_code: row.error_code,
        uses: row.uses,
        gate,
        undoes: row.undoes,
    };
    (Cursor::number(row.timestamp, row.id), entry)
}
