//! In which tokens some characters stand in a row: rows for each zone on SQLite ([`postings`]), and a GIN index of numbers on
//! PostgreSQL ([`numbers`]), which needs no extension. They are asked for candidates: tokens in which all of some grams stand
//! somewhere.

mod gram;
mod numbers;
mod postings;

use diesel::prelude::*;

use super::Ids;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::token::search_words::Gram;
use crate::token::settle::TokenId;
use gram::RANGE;

/// Brings what is known of tokens up to them.
pub(super) fn refresh(connection: &mut Connection, tokens: &[TokenId]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => postings::refresh(connection, tokens),
        Connection::Postgres(connection) => {
            tokens.chunks(MOST_KEYS).try_for_each(|chunk| numbers::refresh(connection, chunk))
        }
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
    match connection {
        Connection::Sqlite(connection) => postings::find(connection, wanted, ids, (descending, at_most), limit),
        Connection::Postgres(connection) => {
            let first = (descending, i64::try_from(at_most).unwrap_or(i64::MAX));
            numbers::find(connection, wanted, ids, first, limit)
        }
    }
}

/// Tokens in these ranges of ids in which all the grams may stand, in no order: all of them, or more than `most`.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn find_in(
    connection: &mut Connection,
    wanted: &[Gram],
    ranges: &[Ids],
    most: usize,
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    let mut found = Vec::new();
    let alone = match connection {
        Connection::Postgres(connection) => {
            let (short, long): (Vec<Ids>, Vec<Ids>) = ranges.iter().partition(|ids| is_short(**ids));
            found = numbers::find_in(connection, wanted, &short, most, limit)?;
            long
        }
        // A statement costs next to nothing.
        Connection::Sqlite(_) => ranges.to_vec(),
    };
    for ids in alone {
        if found.len() > most {
            break;
        }
        found.append(&mut find(connection, wanted, ids, (true, most.saturating_add(1)), limit)?);
    }
    Ok(found)
}

/// Whether some ids are in few ranges.
fn is_short((lowest, highest): Ids) -> bool {
    range_of(highest) - range_of(lowest) < 8
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
    if let Connection::Postgres(connection) = connection {
        limit.check()?;
        return Ok(numbers::ranges_with(connection, wanted, ranges)?);
    }
    let mut with_any = Vec::new();
    for range in ranges {
        let ids = (range << RANGE, ((range + 1) << RANGE) - 1);
        if !find(connection, wanted, ids, (false, 1), limit)?.is_empty() {
            with_any.push(*range);
        }
    }
    Ok(with_any)
}
