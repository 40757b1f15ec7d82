//! Tokens that the index does not know as they are. Triggers of the table put them here when they are added, edited, deleted,
//! restored or removed.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::schema::index_queue;
use crate::token::settle::TokenId;

/// Puts tokens here whose uses or locks are not as they were, other than by a use.
pub(crate) fn add(connection: &mut Connection, tokens: &[TokenId]) -> QueryResult<()> {
    for token in tokens {
        let row = (index_queue::token.eq(*token), index_queue::text.eq(0));
        diesel::insert_into(index_queue::table).values(row).execute(connection)?;
    }
    Ok(())
}

/// The tokens that are here, each once; none if there are more than `at_most` entries.
pub(crate) fn tokens(connection: &mut Connection, at_most: usize) -> QueryResult<Option<Vec<TokenId>>> {
    let limit = i64::try_from(at_most).map_or(i64::MAX, |limit| limit + 1);
    let mut tokens: Vec<TokenId> = index_queue::table.select(index_queue::token).limit(limit).load(connection)?;
    if tokens.len() > at_most {
        return Ok(None);
    }
    tokens.sort_unstable();
    tokens.dedup();
    Ok(Some(tokens))
}

/// The oldest entries: their ids, tokens, and whether value or label is new.
pub(super) fn oldest(connection: &mut Connection, limit: i64) -> QueryResult<Vec<(i64, TokenId, bool)>> {
    let rows = index_queue::table.order(index_queue::id).limit(limit);
    let rows =
        rows.select((index_queue::id, index_queue::token, index_queue::text)).load::<(i64, i64, i16)>(connection)?;
    Ok(rows.into_iter().map(|(id, token, text)| (id, token, text != 0)).collect())
}

/// Removes these entries.
pub(super) fn remove(connection: &mut Connection, ids: Vec<i64>) -> QueryResult<()> {
    diesel::delete(index_queue::table.filter(index_queue::id.eq_any(ids))).execute(connection).map(drop)
}
