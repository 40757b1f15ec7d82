//! In which tokens some characters stand in a row: an FTS5 table on SQLite ([`words`]), and a GIN index of numbers on
//! PostgreSQL ([`numbers`]), which needs no extension. They are asked for candidates: tokens in which all of some grams stand
//! somewhere.

mod gram;
mod numbers;
mod words;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

pub(super) use self::gram::Texts;
use super::Ids;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::token::search_words::Gram;
use crate::token::settle::TokenId;
use gram::RANGE;

/// Puts tokens in place of what was known of them.
pub(super) fn put(connection: &mut Connection, all: &[Texts]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => words::put(connection, all),
        Connection::Postgres(connection) => numbers::put(connection, all),
    }
}

/// Forgets tokens.
pub(super) fn remove(connection: &mut Connection, tokens: &[TokenId]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => words::remove(connection, tokens),
        Connection::Postgres(connection) => {
            let rows = diesel::sql_query("DELETE FROM token_grams WHERE token = ANY($1)");
            rows.bind::<Array<BigInt>, _>(tokens).execute(connection).map(drop)
        }
    }
}

/// Puts the index in order a little. Costs nothing when there is nothing to do.
pub(super) fn tidy(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => words::tidy(connection),
        Connection::Postgres(_) => Ok(()),
    }
}

/// Tokens with these ids in which all the grams may stand, from the highest id on or from the lowest, at most so many.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn find(
    connection: &mut Connection,
    wanted: &[Gram],
    ids: Ids,
    (descending, at_most): (bool, usize),
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    limit.check()?;
    let first = (descending, i64::try_from(at_most).unwrap_or(i64::MAX));
    match connection {
        Connection::Sqlite(connection) => Ok(words::find(connection, wanted, ids, first)?),
        Connection::Postgres(connection) => numbers::find(connection, wanted, ids, first, limit),
    }
}

/// The range of ids that a token is in.
pub(crate) fn range_of(token: TokenId) -> i64 {
    token >> RANGE
}

/// Which of these ranges of ids have tokens in which all the grams may stand.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn ranges_with(
    connection: &mut Connection,
    wanted: &[Gram],
    ranges: &[i64],
    limit: &SearchLimit,
) -> Result<Vec<i64>, Error> {
    limit.check()?;
    match connection {
        Connection::Sqlite(connection) => Ok(words::ranges_with(connection, wanted, ranges)?),
        Connection::Postgres(connection) => Ok(numbers::ranges_with(connection, wanted, ranges)?),
    }
}
