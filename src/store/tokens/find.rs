//! Looking tokens up by uid and by value.

use diesel::prelude::*;

use super::row::TokenRow;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::token::settle::{Lookup, TokenId};
use crate::token::{Token, Uid};

/// A row that is the only one of its kind, or none, from either database's connection: a macro, as a query that is typed
/// for its database is prepared once and costs half of one that is typed for both.
macro_rules! one_token {
    ($connection:expr, $filter:expr) => {{
        let query = tokens::table.filter($filter).filter(tokens::deleted_at.is_null());
        let found = query.select((tokens::id, TokenRow::as_select())).get_result($connection);
        found.optional()?.map(|(id, row): (TokenId, TokenRow)| Ok((id, row.token()?))).transpose()
    }};
}

/// The token of a uid, unless it is deleted.
///
/// # Errors
/// The database's.
pub fn by_uid(connection: &mut Connection, uid: Uid) -> QueryResult<Option<(TokenId, Token)>> {
    let is_it = tokens::uid.eq(uid.to_string());
    match connection {
        Connection::Sqlite(connection) => one_token!(connection, is_it),
        Connection::Postgres(connection) => one_token!(connection, is_it),
    }
}

/// The token whose value is exactly this, unless it is deleted.
///
/// # Errors
/// The database's.
pub fn by_value(connection: &mut Connection, value: &str) -> QueryResult<Option<(TokenId, Token)>> {
    let is_it = tokens::value.eq(value);
    match connection {
        Connection::Sqlite(connection) => one_token!(connection, is_it),
        Connection::Postgres(connection) => one_token!(connection, is_it),
    }
}

/// The token of a uid, unless it is deleted, as it is and stays until the transaction ends.
///
/// # Errors
/// The database's.
pub fn locked(connection: &mut Connection, uid: Uid) -> QueryResult<Option<(TokenId, Token)>> {
    if let Connection::Postgres(connection) = connection {
        let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.is_null());
        row.select(tokens::id).for_no_key_update().execute(connection)?;
    }
    by_uid(connection, uid)
}

/// The number of the token that has a uid or had it once.
///
/// # Errors
/// The database's.
pub fn number(connection: &mut Connection, uid: Uid) -> QueryResult<Option<TokenId>> {
    tokens::table.filter(tokens::uid.eq(uid.to_string())).select(tokens::id).get_result(connection).optional()
}

/// The token that `what` names by its uid, and the one it names by its value or link.
///
/// # Errors
/// The database's.
pub fn named(connection: &mut Connection, what: &Lookup) -> QueryResult<[Option<(TokenId, Token)>; 2]> {
    let uid = what.uid.map_or(Ok(None), |uid| by_uid(connection, uid))?;
    let value = what.value.as_deref().map_or(Ok(None), |value| by_value(connection, value))?;
    let value = match (value, what.link) {
        (None, Some(link)) => by_uid(connection, link)?,
        (value, _) => value,
    };
    Ok([uid, value])
}

/// The one token that `what` names.
///
/// # Errors
/// A value error when uid and value name different ones.
pub fn find(connection: &mut Connection, what: &Lookup) -> Result<Option<Token>, Error> {
    let [by_uid, by_value] = named(connection, what)?;
    Ok(what.agree(by_uid, by_value)?.map(|(_, token)| token))
}

/// Whether a uid was ever given, also to a token that is deleted now.
///
/// # Errors
/// The database's.
pub fn is_given(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(tokens::table.filter(tokens::uid.eq(uid.to_string())))).get_result(connection)
}
