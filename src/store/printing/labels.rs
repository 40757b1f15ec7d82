//! The tokens of a selection in printing order: given uids in the given order, those of a filter in the order of
//! creation.

use std::collections::HashMap;

use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use crate::store::tokens::selection::Selection;
use crate::store::tokens::{search, selection};
use crate::token::settle::TokenId;
use crate::token::{Micros, Problem, Token, TokenError, Uid};

/// How many labels a selection takes.
///
/// # Errors
/// Too slow, when counting takes longer than it may.
pub(crate) fn count(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    limit: &SearchLimit,
) -> Result<usize, Error> {
    match selection {
        Selection::Uids(uids) => Ok(uids.len()),
        Selection::Filter(filter) => match search::count(connection, &printable(filter), now, i64::MAX, limit)? {
            (count, true) => Ok(usize::try_from(count).unwrap_or_default()),
            (_, false) => Err(Error::TooSlow),
        },
    }
}

/// Part of a selection: at most `length` tokens after the first `skip`. Voided tokens are left out if a filter selects
/// them.
///
/// # Errors
/// Unknown when a given uid has no token; a value error when its token is voided; too slow, when finding them takes longer
/// than it may.
pub(crate) fn slice(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    (skip, length): (usize, usize),
    limit: &SearchLimit,
) -> Result<Vec<(TokenId, Token)>, Error> {
    match selection {
        Selection::Uids(uids) => tokens_by_uids(connection, uids.get(skip..).unwrap_or_default(), length),
        Selection::Filter(filter) => {
            let found = search::page(connection, &printable(filter), now, oldest_first(None, skip + length), limit)?;
            Ok(found.into_iter().skip(skip).map(|(cursor, token)| (cursor.id(), token)).collect())
        }
    }
}

/// The tokens that a filter matches, without the voided ones: those were handed out already, or should not be.
fn printable(filter: &TokenFilter) -> TokenFilter {
    TokenFilter { voided: Some(false), ..filter.clone() }
}

/// The order of labels.
fn oldest_first(after: Option<Cursor>, length: usize) -> TokenSlice {
    TokenSlice { sort: Sort::Created, descending: false, after, limit: i64::try_from(length).unwrap_or(i64::MAX) }
}

/// A uid that is given twice takes two labels.
fn tokens_by_uids(connection: &mut Connection, uids: &[Uid], limit: usize) -> Result<Vec<(TokenId, Token)>, Error> {
    let uids = &uids[..limit.min(uids.len())];
    let mut known: HashMap<Uid, (TokenId, Token)> = HashMap::with_capacity(uids.len());
    for (id, token) in selection::by_uids(connection, uids)? {
        known.insert(token.uid, (id, token));
    }
    let token = |uid: &Uid| match known.get(uid) {
        None => Err(TokenError::Unknown(*uid).into()),
        Some((_, token)) if token.voided.is_some() => Err(voided_error(*uid, &known).into()),
        Some(token) => Ok(token.clone()),
    };
    uids.iter().map(token).collect()
}

fn voided_error(first: Uid, known: &HashMap<Uid, (TokenId, Token)>) -> TokenError {
    let others = known.values().filter(|(_, token)| token.voided.is_some()).count() as u64 - 1;
    TokenError::value("uid", Problem::VoidedNotPrinted { token_uid: first.to_string(), others })
}

/// The next part of a selection and the cursor after it, for jobs of more than one PDF. Tokens that are deleted or
/// created in the meantime do not shift the others.
///
/// # Errors
/// Failed when `cursor` was not returned by this function; otherwise the same as for [`slice()`].
pub fn part(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    (cursor, length): (&str, usize),
    limit: &SearchLimit,
) -> Result<(Vec<(TokenId, Token)>, String), Error> {
    let invalid_cursor = || Error::Failed(format!("a job cannot go on at {cursor}"));
    let filter = match selection {
        Selection::Uids(_) => {
            let skip: usize = if cursor.is_empty() { 0 } else { cursor.parse().map_err(|_| invalid_cursor())? };
            let tokens = slice(connection, selection, now, (skip, length), limit)?;
            let next = (skip + tokens.len()).to_string();
            return Ok((tokens, next));
        }
        Selection::Filter(filter) => filter,
    };
    // Tokens created while the job runs do not belong to it.
    let created_to = Some(filter.created_to.map_or(now, |to| to.min(now)));
    let filter = TokenFilter { created_to, ..printable(filter) };
    let after: Option<Cursor> =
        if cursor.is_empty() { None } else { Some(serde_json::from_str(cursor).map_err(|_| invalid_cursor())?) };
    let found = search::page(connection, &filter, now, oldest_first(after.clone(), length), limit)?;
    let after = found.last().map(|(cursor, _)| cursor.clone()).or(after);
    let next = after.map(|cursor| serde_json::to_string(&cursor)).transpose().map_err(|_| invalid_cursor())?;
    Ok((found.into_iter().map(|(cursor, token)| (cursor.id(), token)).collect(), next.unwrap_or_default()))
}
