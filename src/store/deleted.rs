//! Deleted tokens: which can be restored, and restoring one.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use super::schema::tokens;
use super::token_list::Place;
use super::tokens::unique;
use super::{Error, audit};
use crate::access::Principal;
use crate::token::{Micros, TokenError, Uid};

/// Days for which a deletion can be undone.
pub const RESTORE_DAYS: i64 = 30;

/// A token that was deleted.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// Its uid.
    pub uid: String,
    /// Its value.
    pub value: String,
    /// Its label.
    pub label: Option<String>,
    /// When it was deleted.
    pub at: Micros,
    /// The principal that deleted it.
    pub by: String,
}

fn oldest(now: Micros) -> i64 {
    now.get() - RESTORE_DAYS * 24 * 3_600 * 1_000_000
}

/// Deletions that can be undone, the last one first; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut Connection,
    now: Micros,
    after: Option<&Place>,
    limit: i64,
) -> QueryResult<Vec<(Place, Deleted)>> {
    type Row = (i64, String, String, Option<String>, Option<i64>, Option<String>);
    let mut query = tokens::table
        .filter(tokens::deleted_at.gt(oldest(now)))
        .order((tokens::deleted_at.desc(), tokens::id.desc()))
        .select((tokens::id, tokens::uid, tokens::value, tokens::label, tokens::deleted_at, tokens::deleted_by))
        .limit(limit)
        .into_boxed();
    if let Some((at, id)) = after.and_then(Place::as_numbers) {
        let alike = tokens::deleted_at.eq(at).and(tokens::id.lt(id));
        query = query.filter(tokens::deleted_at.lt(at).or(alike));
    }
    let deleted = |(id, uid, value, label, at, by): Row| {
        let at = at.unwrap_or_default();
        let gone = Deleted { uid, value, label, at: Micros::stored(at), by: by.unwrap_or_default() };
        (Place::number(at, id), gone)
    };
    Ok(query.load::<Row>(connection)?.into_iter().map(deleted).collect())
}

/// Whether a token is deleted, and can be restored.
///
/// # Errors
/// The database's.
pub fn is_there(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<bool> {
    let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.gt(oldest(now)));
    diesel::select(diesel::dsl::exists(row)).get_result(connection)
}

/// Restores a token, as it was, and records it.
///
/// # Errors
/// No such token among the deleted ones; a value error when another token has its value now.
pub fn restore(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<(), Error> {
    let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.gt(oldest(now)));
    // As `stamp` has it: another moment than that of any change before, and never an earlier one.
    let stamp = sql::<BigInt>("CASE WHEN modified < ").bind::<BigInt, _>(now.get());
    let stamp = stamp.sql(" THEN ").bind::<BigInt, _>(now.get()).sql(" ELSE modified + 1 END");
    let set = (tokens::deleted_at.eq(None::<i64>), tokens::deleted_by.eq(None::<String>), tokens::modified.eq(stamp));
    match diesel::update(row).set(set).execute(connection).map_err(unique)? {
        0 => Err(TokenError::Unknown(uid).into()),
        _ => audit::record(connection, by, "token restore", &uid.to_string(), "", now),
    }
}
