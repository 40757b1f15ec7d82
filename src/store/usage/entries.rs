//! Entries of the usage log, and the latest ones of a token.

use std::collections::HashMap;

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::gates;
use crate::store::schema::{tokens, usage};
use crate::token::answer::Attempt;
use crate::token::gate::GateId;
use crate::token::settle::{Held, TokenId};
use crate::token::{EntryId, Micros, Refusal};

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

/// An entry of the usage log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "UsageEntry")]
pub struct Entry {
    /// Its own uid.
    pub(crate) uid: String,
    /// The token's uid, or the one that was asked for.
    pub(crate) token_uid: Option<String>,
    /// The token's value at that time; for an unknown token the first 64 characters of what was asked for, at `/scan` with
    /// pictures (␝) in place of control characters.
    pub(crate) token_value: Option<String>,
    /// When the attempt was made.
    pub(crate) timestamp: Micros,
    /// Who asked: `user:anna` or `key:door-3`.
    pub(crate) user: String,
    /// The refusal's code; null for a use.
    pub(crate) error_code: Option<i16>,
    /// The refusal's name; null for a use.
    pub(crate) error: Option<&'static str>,
    /// How many uses were asked for; negative in the entry of an undo, so that successes sum to what was used.
    pub(crate) uses: i32,
    /// The name of the gate, or null.
    pub(crate) gate: Option<String>,
    /// The uid of the use that this entry undoes, or null.
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

/// An entry, and its place.
pub(super) fn entry(row: EntryRow, gate: Option<String>) -> (Cursor, Entry) {
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
