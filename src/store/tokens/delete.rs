//! Deleting tokens, listing deleted ones, and restoring them.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::bulk;
use super::find::id_of;
use super::foreign;
use super::lock::lock_ids;
use super::row::{stamp, unique_error, value_in_use};
use super::selection::{self, Selection};
use super::unmade_values::clear_way;
use crate::access::Principal;
use crate::store::actions::pending::{Listings, pull_forward};
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::token::settle::TokenId;
use crate::token::{Micros, TokenError, Uid};

/// Days for which a deletion can be undone.
pub(crate) const RESTORE_DAYS: i64 = 30;

/// A deleted token.
#[derive(Clone, Debug)]
pub struct DeletedToken {
    /// Its uid.
    pub(crate) uid: String,
    /// Its value.
    pub(crate) value: String,
    /// Its label.
    pub(crate) label: Option<String>,
    /// When it was deleted.
    pub(crate) at: Micros,
    /// The principal that deleted it.
    pub(crate) by: String,
}

fn restorable_since(now: Micros) -> i64 {
    now.get() - RESTORE_DAYS * Micros::DAY
}

/// Deletions that can be undone, latest first; only those after the cursor `after`, if given.
pub fn page(
    connection: &mut Connection,
    now: Micros,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, DeletedToken)>> {
    type DeletedRow = (i64, String, Option<String>, Option<String>, Option<i64>, Option<String>);
    let mut query = tokens::table
        .filter(tokens::deleted_at.gt(restorable_since(now)))
        .order((tokens::deleted_at.desc(), tokens::id.desc()))
        .select((tokens::id, tokens::uid, tokens::value, tokens::label, tokens::deleted_at, tokens::deleted_by))
        .limit(limit)
        .into_boxed();
    if let Some((at, id)) = after.and_then(Cursor::as_numbers) {
        let ties = tokens::deleted_at.eq(at).and(tokens::id.lt(id));
        query = query.filter(tokens::deleted_at.lt(at).or(ties));
    }
    let deleted = |(id, uid, value, label, at, by): DeletedRow| {
        let at = at.unwrap_or_default();
        let value = value.unwrap_or_else(|| uid.clone());
        let token = DeletedToken { uid, value, label, at: Micros::stored(at), by: by.unwrap_or_default() };
        (Cursor::number(at, id), token)
    };
    Ok(query.load::<DeletedRow>(connection)?.into_iter().map(deleted).collect())
}

/// The token with this uid, if it is deleted.
pub(crate) fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<DeletedToken>> {
    type Row = (Option<String>, Option<String>, Option<i64>, Option<String>);
    let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.is_not_null());
    let row = row.select((tokens::value, tokens::label, tokens::deleted_at, tokens::deleted_by));
    let deleted = |(value, label, at, by): Row| DeletedToken {
        uid: uid.to_string(),
        value: value.unwrap_or_else(|| uid.to_string()),
        label,
        at: Micros::stored(at.unwrap_or_default()),
        by: by.unwrap_or_default(),
    };
    Ok(row.get_result::<Row>(connection).optional()?.map(deleted))
}

/// Whether the token is deleted and can be restored.
pub(crate) fn can_be_restored(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<bool> {
    let row =
        tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.gt(restorable_since(now)));
    diesel::select(diesel::dsl::exists(row)).get_result(connection)
}

/// Restores a deleted token as it was, and records it in the audit log.
///
/// # Errors
/// Unknown when no token with this uid can be restored; a value error when another token now has its value.
pub fn restore(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<(), Error> {
    if let Some(id) = id_of(connection, uid)? {
        lock_ids(connection, &[id])?;
        pull_forward(connection, &[id], now, Listings::Stay)?;
    }
    let row =
        tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.gt(restorable_since(now)));
    let deleted: Option<(TokenId, i64, Option<String>)> =
        row.select((tokens::id, tokens::modified, tokens::value)).get_result(connection).optional()?;
    let Some((id, modified, value)) = deleted else { return Err(TokenError::Unknown(uid).into()) };
    if let Some(value) = &value {
        clear_way(connection, &[value], None, now)?;
    }
    if !foreign::in_use(connection, &[&value.unwrap_or_else(|| uid.to_string())])?.is_empty() {
        return Err(value_in_use());
    }
    bulk::restore(connection, &[(id, stamp(Micros::stored(modified), now))]).map_err(unique_error)?;
    audit::record(connection, by, "token restore", &uid.to_string(), "", now)
}

/// Deletes tokens in a way that can be undone, records it, and returns how many there were. A repeated uid counts once.
///
/// # Errors
/// Unknown for the first uid that has no token; the caller's transaction then rolls back.
pub fn delete(connection: &mut Connection, uids: &[Uid], who: &Principal, now: Micros) -> Result<usize, Error> {
    let uids: BTreeSet<Uid> = uids.iter().copied().collect();
    let selection = Selection::Uids(uids.iter().copied().collect());
    let existing = selection::lock(connection, &selection, now, Listings::GiveWay)?;
    let existing_uids: BTreeSet<Uid> = existing.iter().map(|(_, token)| token.uid).collect();
    if let Some(missing) = uids.difference(&existing_uids).next() {
        return Err(TokenError::Unknown(*missing).into());
    }
    let ids: Vec<TokenId> = existing.iter().map(|(id, _)| *id).collect();
    bulk::delete(connection, &ids, who, now)?;
    match (uids.len(), uids.first()) {
        (0, _) | (_, None) => {}
        (1, Some(uid)) => audit::record(connection, who, "token delete", &uid.to_string(), "", now)?,
        (count, _) => audit::record(connection, who, "token delete", "", &format!("{count} tokens"), now)?,
    }
    Ok(uids.len())
}
