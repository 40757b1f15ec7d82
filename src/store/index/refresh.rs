//! Brings the index up to the tokens, in short transactions.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;

use super::zones::zone_of;
use super::{grams, queue, uses, zones};
use crate::store::advisory_lock::{self, AdvisoryLock};
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::token::settle::TokenId;

/// Entries of the queue that one transaction deals with, and of how many zones at most: on SQLite consumes wait for it, for
/// some milliseconds. On PostgreSQL nobody does, and a commit costs more.
const PIECE_ON_SQLITE: (i64, usize) = (250, 8);
const PIECE_ON_POSTGRES: (i64, usize) = (2_000, 16);

/// Whether there is anything to do.
///
/// # Errors
/// The database's.
pub(crate) fn has_work(connection: &mut Connection) -> QueryResult<bool> {
    Ok(!uses::is_near(connection, uses::FOLLOWED)? || !queue::oldest(connection, 1)?.is_empty())
}

/// Deals with some of what the index does not know yet, and returns whether there may be more. Another instance may be at it:
/// then this one has nothing to do.
///
/// # Errors
/// The database's.
pub fn refresh(connection: &mut Connection) -> Result<bool, Error> {
    if !advisory_lock::try_acquire(connection, AdvisoryLock::Index)? {
        return Ok(false);
    }
    let has_uses = uses::follow(connection)?;
    let (most, most_zones) = match connection {
        Connection::Sqlite(_) => PIECE_ON_SQLITE,
        Connection::Postgres(_) => PIECE_ON_POSTGRES,
    };
    let entries = queue::oldest(connection, most)?;
    let is_full = i64::try_from(entries.len()).is_ok_and(|count| count == most);
    let mut at_hand: BTreeSet<i64> = BTreeSet::new();
    let (mut ids, mut new_texts) = (Vec::new(), BTreeMap::new());
    for (id, token, is_new_text) in &entries {
        if at_hand.len() == most_zones && !at_hand.contains(&zone_of(*token)) {
            continue;
        }
        at_hand.insert(zone_of(*token));
        ids.push(*id);
        *new_texts.entry(*token).or_insert(false) |= *is_new_text;
    }
    let is_rest = ids.len() < entries.len();
    if !ids.is_empty() {
        let with_texts: Vec<TokenId> =
            new_texts.into_iter().filter(|(_, is_new)| *is_new).map(|(token, _)| token).collect();
        grams::refresh(connection, &with_texts)?;
        for zone in at_hand {
            zones::refresh(connection, zone)?;
        }
        queue::remove(connection, ids)?;
    }
    Ok(has_uses || is_full || is_rest)
}
