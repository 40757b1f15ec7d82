//! Tokens that something is to be done to: those that were ticked, or all that a filter finds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::list::{TokenFilter, filtered};
use super::row::TokenRow;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::token::settle::TokenId;
use crate::token::{LIST_MAX, Micros, Token, TokenError, Uid};

/// Which tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Those of these uids that are there.
    Uids(Vec<Uid>),
    /// All that a filter finds.
    Filter(TokenFilter),
}

/// How many rows are asked for by their keys in one statement: SQLite takes 32,766 parameters.
pub(in crate::store) const CHUNK: usize = 1_000;

/// What a selection was when somebody looked at it: a digest of which tokens it had, and of when each was last changed. A
/// use is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionDigest(String);

impl SelectionDigest {
    /// Of these tokens.
    pub(crate) fn of(tokens: &[(TokenId, Token)]) -> Self {
        let mut hasher = Sha256::new();
        for (id, token) in tokens {
            hasher.update(id.to_le_bytes());
            hasher.update(token.modified.get().to_le_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        Self(URL_SAFE_NO_PAD.encode(&digest[..16]))
    }

    /// As a form brings it back.
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For a form.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tokens of a selection, in the order of their making.
///
/// # Errors
/// A value error when there are more than one action may change; the database's.
pub(crate) fn load(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
) -> Result<Vec<(TokenId, Token)>, Error> {
    let rows: Vec<(TokenId, TokenRow)> = match selection {
        Selection::Filter(filter) => {
            let most = i64::try_from(LIST_MAX + 1).unwrap_or(i64::MAX);
            let found = filtered(connection, filter, now).select((tokens::id, TokenRow::as_select())).limit(most);
            found.load(connection)?
        }
        Selection::Uids(uids) => ticked(connection, uids)?,
    };
    if rows.len() > LIST_MAX {
        let most = LIST_MAX;
        let message = format!("At most {most} tokens can be changed at once; choose fewer, by a narrower filter");
        return Err(TokenError::value("select", message).into());
    }
    let mut tokens = rows.into_iter().map(|(id, row)| Ok((id, row.token()?))).collect::<QueryResult<Vec<_>>>()?;
    tokens.sort_unstable_by_key(|(id, token)| (token.created, *id));
    tokens.dedup_by_key(|(id, _)| *id);
    Ok(tokens)
}

/// The tokens of these uids that are there, in no order.
///
/// # Errors
/// The database's.
pub(in crate::store) fn ticked(connection: &mut Connection, uids: &[Uid]) -> QueryResult<Vec<(TokenId, TokenRow)>> {
    let mut rows = Vec::with_capacity(uids.len());
    for chunk in uids.chunks(CHUNK) {
        let texts: Vec<String> = chunk.iter().map(Uid::to_string).collect();
        let there = tokens::table.filter(tokens::deleted_at.is_null()).filter(tokens::uid.eq_any(texts));
        rows.append(&mut there.select((tokens::id, TokenRow::as_select())).load(connection)?);
    }
    Ok(rows)
}

/// As [`load`], and they stay as they are until the transaction ends.
///
/// # Errors
/// As [`load`].
pub(crate) fn lock(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
) -> Result<Vec<(TokenId, Token)>, Error> {
    let seen = load(connection, selection, now)?;
    let Connection::Postgres(server) = connection else { return Ok(seen) };
    let mut ids: Vec<TokenId> = seen.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    let rows = tokens::table.filter(tokens::id.eq_any(&ids)).order(tokens::uid).select(tokens::id);
    rows.for_no_key_update().execute(server)?;
    let mut locked = load(connection, selection, now)?;
    // What came to be selected meanwhile is not locked, and was not there when this looked.
    locked.retain(|(id, _)| ids.binary_search(id).is_ok());
    Ok(locked)
}
