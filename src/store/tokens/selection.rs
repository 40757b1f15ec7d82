//! Selections of tokens: ticked ones, or all that a filter matches.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::list::TokenFilter;
use super::lock::lock_ids;
use super::row::TokenRow;
use super::search;
use super::visible::{IsOneVisible, IsOneVisibleById};
use crate::store::actions::pending::{Listings, pull_forward};
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::{SEARCH_LIMIT, SearchLimit};
use crate::token::settle::TokenId;
use crate::token::{LIST_MAX, Micros, Problem, Token, TokenError, Uid};

/// A selection of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The tokens with these uids, as far as they exist.
    Uids(Vec<Uid>),
    /// All tokens that a filter matches.
    Filter(TokenFilter),
}

/// The state of a selection when somebody looked at it: a digest of its tokens' ids and of when each was last changed.
/// A use does not count as a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionDigest(String);

impl SelectionDigest {
    /// The digest of these tokens.
    pub(crate) fn of(tokens: &[(TokenId, Token)]) -> Self {
        let mut hasher = Sha256::new();
        for (id, token) in tokens {
            hasher.update(id.to_le_bytes());
            hasher.update(token.modified.get().to_le_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        Self(URL_SAFE_NO_PAD.encode(&digest[..16]))
    }

    /// The digest as a form sends it back.
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text for a form.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tokens of a selection, in the order of creation.
///
/// # Errors
/// A value error when there are more than one action may change; too slow, when finding them takes longer than it may.
pub(crate) fn load(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    limit: &SearchLimit,
) -> Result<Vec<(TokenId, Token)>, Error> {
    let mut found = match selection {
        Selection::Filter(filter) => search::all(connection, filter, now, LIST_MAX, limit)?,
        Selection::Uids(uids) => by_uids(connection, uids)?,
    };
    if found.len() > LIST_MAX {
        return Err(TokenError::value("select", Problem::TooManyTokens { max: LIST_MAX as u64 }).into());
    }
    found.sort_unstable_by_key(|(id, token)| (token.created, *id));
    found.dedup_by_key(|(id, _)| *id);
    Ok(found)
}

/// The tokens with these uids, as far as they exist, in no particular order.
pub(in crate::store) fn by_uids(connection: &mut Connection, uids: &[Uid]) -> QueryResult<Vec<(TokenId, Token)>> {
    let mut found = Vec::with_capacity(uids.len());
    for chunk in uids.chunks(MOST_KEYS) {
        let texts: Vec<String> = chunk.iter().map(Uid::to_string).collect();
        let existing = tokens::table.filter(IsOneVisible).filter(tokens::uid.eq_any(texts));
        let rows: Vec<(TokenId, TokenRow)> = existing.select((tokens::id, TokenRow::as_select())).load(connection)?;
        for (id, row) in rows {
            found.push((id, row.token()?));
        }
    }
    Ok(found)
}

/// Like [`load`], but locks the rows until the transaction ends. Nothing is in the middle of changing them, and `listings`
/// of them are dealt with.
///
/// # Errors
/// As those of [`load`], and of [`pull_forward`].
pub(crate) fn lock(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    listings: Listings,
) -> Result<Vec<(TokenId, Token)>, Error> {
    let limit = SearchLimit::new(SEARCH_LIMIT);
    let loaded = load(connection, selection, now, &limit)?;
    let mut ids: Vec<TokenId> = loaded.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    lock_ids(connection, &ids)?;
    let is_current = !pull_forward(connection, &ids, now, listings)? && matches!(connection, Connection::Sqlite(_));
    if is_current {
        return Ok(loaded);
    }
    let mut locked = load(connection, selection, now, &limit)?;
    // A token that came to match in the meantime is not locked, and was not there when this looked.
    locked.retain(|(id, _)| ids.binary_search(id).is_ok());
    Ok(locked)
}

/// The tokens of these ids, as far as they exist, locked as by [`lock`].
///
/// # Errors
/// As those of [`pull_forward`].
pub(in crate::store) fn lock_by_ids(
    connection: &mut Connection,
    ids: &[TokenId],
    now: Micros,
    listings: Listings,
) -> Result<Vec<(TokenId, Token)>, Error> {
    lock_ids(connection, ids)?;
    pull_forward(connection, ids, now, listings)?;
    let mut locked = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(MOST_KEYS) {
        let there = tokens::table.filter(IsOneVisibleById).filter(tokens::id.eq_any(chunk.to_vec()));
        let rows: Vec<(TokenId, TokenRow)> = there.select((tokens::id, TokenRow::as_select())).load(connection)?;
        for (id, row) in rows {
            locked.push((id, row.token()?));
        }
    }
    Ok(locked)
}
