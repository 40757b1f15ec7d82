//! Adding tokens, and changing a single one.

use diesel::prelude::*;

use super::find::{is_uid_used, lock};
use super::foreign;
use super::row::{NewTokenRow, stamp, unique_error, value_in_use};
use super::unmade_values::clear_way;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::token::input::Change;
use crate::token::settle::TokenId;
use crate::token::{Micros, Problem, Token, TokenError, Uid};

/// Adds a token.
///
/// # Errors
/// A value error when its uid is or was in use, or its value is in use; busy, when a list with that value is being added.
pub fn add(connection: &mut Connection, token: &Token) -> Result<(), Error> {
    if token.has_own_value() {
        clear_way(connection, &[&token.value], None, token.created)?;
    }
    // Who waits for another one with the same uid here is then told that it is the uid.
    let is_taken = is_taken(connection, &token.value)?;
    if is_uid_used(connection, token.uid)? {
        return Err(TokenError::value("token_uid", Problem::UidUsed).into());
    }
    if is_taken {
        return Err(value_in_use());
    }
    add_all(connection, std::slice::from_ref(token))
}

/// Adds many tokens with new uids.
///
/// # Errors
/// A value error when a value is in use; the caller's transaction then rolls back.
pub fn add_all(connection: &mut Connection, new: &[Token]) -> Result<(), Error> {
    let rows = new.iter().map(NewTokenRow::new);
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(tokens::table).values(row).execute(connection).map_err(unique_error)?;
            }
        }
        // One row at a time would be one round trip at a time.
        Connection::Postgres(connection) => {
            let rows: Vec<NewTokenRow> = rows.collect();
            diesel::copy_from(tokens::table).from_insertable(rows).execute(connection).map_err(unique_error)?;
        }
    }
    Ok(())
}

/// Changes a token.
///
/// # Errors
/// Unknown when there is no such token; a value error when the changed token breaks a limit, or its value is in use.
pub fn change(connection: &mut Connection, uid: Uid, change: &Change, now: Micros) -> Result<(), Error> {
    let Some((id, token)) = lock(connection, uid, now)? else { return Err(TokenError::Unknown(uid).into()) };
    let changed = change.apply(&token)?;
    put(connection, id, &token, changed, now)
}

/// Whether a token has this value, if it looks like a uid. Of other values an index holds that none has.
fn is_taken(connection: &mut Connection, value: &str) -> QueryResult<bool> {
    Ok(value.parse::<Uid>().is_ok() && !foreign::in_use(connection, &[value])?.is_empty())
}

/// Stores `changed` in place of `before`. `modified` advances only if something is different.
///
/// # Errors
/// A value error when its value is in use.
pub fn put(
    connection: &mut Connection,
    id: TokenId,
    before: &Token,
    mut changed: Token,
    now: Micros,
) -> Result<(), Error> {
    if changed == *before {
        return Ok(());
    }
    if changed.value != before.value {
        clear_way(connection, &[&changed.value], None, now)?;
        if is_taken(connection, &changed.value)? {
            return Err(value_in_use());
        }
    }
    changed.modified = stamp(before.modified, now);
    diesel::update(tokens::table.find(id)).set(NewTokenRow::new(&changed)).execute(connection).map_err(unique_error)?;
    Ok(())
}
