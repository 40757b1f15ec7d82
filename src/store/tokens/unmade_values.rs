//! Values of tokens that nobody sees, as their batch is being made, or never will be: its server has ended.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::schema::{batches, tokens};
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros};

/// How long nothing may have been noted of a batch, in microseconds: then its values are in nobody's way any more. An import
/// notes every five seconds that it goes on.
const SILENT: i64 = 20 * 1_000_000;

/// Why the tokens of a batch are not there whose server ended.
pub(crate) const ABANDONED_WHY: &str = "The server that made them ended before they were done. None of them was kept.";

const BUSY: &str = "Another list with one of these values is being added just now. Try again in a moment.";

/// A token of a batch that is not made, which has one of some values.
struct Holder {
    token: TokenId,
    batch: BatchId,
    is_alive: bool,
}

/// Whether tokens of batches other than `mine` that are not made have some of these values.
pub(crate) fn are_held(connection: &mut Connection, values: &[&str], mine: Option<BatchId>) -> QueryResult<bool> {
    Ok(!holders(connection, values, mine, Micros::EPOCH)?.is_empty())
}

/// Makes way for tokens with these values, of the batch `mine` if they are of one: what a server has left behind that has
/// ended is removed. Returns false if a batch has them that began later, which will give way.
///
/// # Errors
/// Busy, when somebody is adding them who began earlier.
pub(crate) fn clear_way(
    connection: &mut Connection,
    values: &[&str],
    mine: Option<BatchId>,
    now: Micros,
) -> Result<bool, Error> {
    let holders = holders(connection, values, mine, now)?;
    let mut alive = holders.iter().filter(|holder| holder.is_alive).peekable();
    if alive.peek().is_some() {
        let are_later = mine.is_some_and(|mine| alive.all(|holder| mine < holder.batch));
        return if are_later { Ok(false) } else { Err(Error::Busy(BUSY)) };
    }
    let gone: BTreeSet<BatchId> = holders.iter().map(|holder| holder.batch).collect();
    for batch in gone {
        let unmade = batches::table.find(batch).filter(batches::made.is_null()).filter(batches::failure.is_null());
        diesel::update(unmade).set(batches::failure.eq(ABANDONED_WHY)).execute(connection)?;
    }
    let left: Vec<TokenId> = holders.iter().map(|holder| holder.token).collect();
    for chunk in left.chunks(MOST_KEYS) {
        diesel::delete(tokens::table.filter(tokens::id.eq_any(chunk))).execute(connection)?;
    }
    Ok(true)
}

fn holders(
    connection: &mut Connection,
    values: &[&str],
    mine: Option<BatchId>,
    now: Micros,
) -> QueryResult<Vec<Holder>> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    // Nearly always there is none.
    let unmade = batches::table.filter(batches::made.is_null()).filter(batches::id.ne(mine.unwrap_or(0)));
    let unmade = unmade.select((batches::id, batches::failure, batches::touched));
    let unmade: Vec<(BatchId, Option<String>, i64)> = unmade.load(connection)?;
    let ids: Vec<BatchId> = unmade.iter().map(|(id, ..)| *id).collect();
    let is_alive = |batch: BatchId| {
        let of = unmade.iter().find(|(id, ..)| *id == batch);
        of.is_some_and(|(_, failure, touched)| failure.is_none() && (now.get() - touched).abs() <= SILENT)
    };
    let mut holders = Vec::new();
    for chunk in values.chunks(MOST_KEYS).filter(|_| !ids.is_empty()) {
        let rows = tokens::table.filter(tokens::value.eq_any(chunk.to_vec())).filter(tokens::deleted_at.is_null());
        let rows = rows.filter(tokens::batch.eq_any(&ids)).select((tokens::id, tokens::batch.assume_not_null()));
        let found: Vec<(TokenId, BatchId)> = rows.load(connection)?;
        holders.extend(found.into_iter().map(|(token, batch)| Holder { token, batch, is_alive: is_alive(batch) }));
    }
    Ok(holders)
}
