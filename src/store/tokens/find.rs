//! Looks up tokens by uid and by value.

use diesel::prelude::*;

use super::row::TokenRow;
use super::visible::IsOneVisible;
use crate::store::actions::pending::{Listings, pull_forward};
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::token::settle::{Lookup, TokenId};
use crate::token::{Micros, Token, Uid};

/// Selects at most one token on either database's connection. A macro, because a query with the type of one database is
/// cached as a prepared statement and takes half the time of one that is typed for both.
macro_rules! one_token {
    ($connection:expr, $filter:expr) => {{
        let query = tokens::table.filter($filter).filter(IsOneVisible);
        let row = query.select((tokens::id, TokenRow::as_select())).get_result($connection);
        row.optional().and_then(|row| row.map(|(id, row): (TokenId, TokenRow)| Ok((id, row.token()?))).transpose())
    }};
}

/// The token with this uid, unless it is deleted.
pub fn by_uid(connection: &mut Connection, uid: Uid) -> QueryResult<Option<(TokenId, Token)>> {
    let is_match = tokens::uid.eq(uid.to_string());
    match connection {
        Connection::Sqlite(connection) => one_token!(connection, is_match),
        Connection::Postgres(connection) => one_token!(connection, is_match),
    }
}

/// The token with exactly this value, unless it is deleted: a value of its own, or else its uid.
pub fn by_value(connection: &mut Connection, value: &str) -> QueryResult<Option<(TokenId, Token)>> {
    let own = match connection {
        Connection::Sqlite(connection) => return one_token!(connection, has_value(value)),
        Connection::Postgres(connection) => one_token!(connection, tokens::value.eq(value)),
    };
    match (own?, value.parse()) {
        (None, Ok(uid)) => Ok(by_uid(connection, uid)?.filter(|(_, token)| token.value == value)),
        (own, _) => Ok(own),
    }
}

/// Whether a token has this value, for SQLite. It reads both indexes in one statement, for which it takes a lock of the file
/// once; for a partial one it has to find the index's condition beside the column.
#[diesel::dsl::auto_type]
#[allow(clippy::elidable_lifetime_names, reason = "`auto_type` needs it")]
fn has_value<'a>(value: &'a str) -> _ {
    let own = tokens::value.eq(value).and(tokens::deleted_at.is_null());
    own.or(tokens::uid.eq(value).and(tokens::value.is_null()))
}

/// The token with this uid, unless it is deleted. Locks its row until the transaction ends; nothing is in the middle of
/// changing it.
///
/// # Errors
/// As those of [`pull_forward`].
pub fn lock(connection: &mut Connection, uid: Uid, now: Micros) -> Result<Option<(TokenId, Token)>, Error> {
    if let Connection::Postgres(connection) = connection {
        let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.is_null());
        row.select(tokens::id).for_no_key_update().execute(connection)?;
    }
    let locked = by_uid(connection, uid)?;
    let Some((id, _)) = locked else { return Ok(None) };
    Ok(if pull_forward(connection, &[id], now, Listings::Stay)? { by_uid(connection, uid)? } else { locked })
}

/// The id of the token with this uid, deleted or not.
pub fn id_of(connection: &mut Connection, uid: Uid) -> QueryResult<Option<TokenId>> {
    tokens::table.filter(tokens::uid.eq(uid.to_string())).select(tokens::id).get_result(connection).optional()
}

/// The token that `what` names by its uid, and the token that it names by its value or link.
pub fn by_lookup(connection: &mut Connection, what: &Lookup) -> QueryResult<[Option<(TokenId, Token)>; 2]> {
    let uid = what.uid.map_or(Ok(None), |uid| by_uid(connection, uid))?;
    let value = what.value.as_deref().map_or(Ok(None), |value| by_value(connection, value))?;
    let value = match (value, what.link) {
        (None, Some(link)) => by_uid(connection, link)?,
        (value, _) => value,
    };
    Ok([uid, value])
}

/// Whether a token has or had this uid, even if it is deleted now.
pub fn is_uid_used(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(tokens::table.filter(tokens::uid.eq(uid.to_string())))).get_result(connection)
}

#[cfg(test)]
mod tests {
    use diesel::query_builder::QueryId;
    use diesel::sqlite::Sqlite;

    use super::*;

    fn is_prepared_once<Q: QueryId>(_: &Q) -> bool {
        Q::HAS_STATIC_QUERY_ID
    }

    /// A look-up whose text is written anew each time takes twice as long, and a consume with it.
    #[test]
    fn the_look_ups_of_a_consume_are_prepared_once() {
        let by_uid = tokens::table.filter(tokens::uid.eq(String::new())).filter(IsOneVisible);
        let look_up = by_uid.select((tokens::id, <TokenRow as SelectableHelper<Sqlite>>::as_select()));
        assert!(is_prepared_once(&look_up));
        let by_value = tokens::table.filter(has_value("")).filter(IsOneVisible);
        let look_up = by_value.select((tokens::id, <TokenRow as SelectableHelper<Sqlite>>::as_select()));
        assert!(is_prepared_once(&look_up));
    }
}
