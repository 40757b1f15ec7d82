//! The tokens of a selection in printing order: given uids in the given order, those of a filter in the order of
//! creation.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::store::connection::{Connection, MultiBackend};
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::tokens::list::{Sort, TokenFilter, TokenSlice, filtered};
use crate::store::tokens::row::TokenRow;
use crate::store::tokens::selection::Selection;
use crate::store::tokens::{list, selection};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, Uid};

/// How many labels a selection takes.
pub(crate) fn count(connection: &mut Connection, selection: &Selection, now: Micros) -> QueryResult<usize> {
    match selection {
        Selection::Uids(uids) => Ok(uids.len()),
        Selection::Filter(filter) => {
            let count: i64 = printable(connection, filter, now).count().get_result(connection)?;
            Ok(usize::try_from(count).unwrap_or_default())
        }
    }
}

/// Part of a selection: at most `limit` tokens after the first `skip`. Voided tokens are left out if a filter selects
/// them.
///
/// # Errors
/// Unknown when a given uid has no token; a value error when its token is voided.
pub(crate) fn slice(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    skip: usize,
    limit: usize,
) -> Result<Vec<(TokenId, Token)>, Error> {
    match selection {
        Selection::Uids(uids) => tokens_by_uids(connection, uids.get(skip..).unwrap_or_default(), limit),
        Selection::Filter(filter) => Ok(tokens_by_filter(connection, filter, now, (skip, limit))?),
    }
}

fn tokens_by_filter(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    (skip, limit): (usize, usize),
) -> QueryResult<Vec<(TokenId, Token)>> {
    let integer = |count| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = printable(connection, filter, now).select((tokens::id, TokenRow::as_select()));
    let rows = rows.order((tokens::created, tokens::id)).offset(integer(skip)).limit(integer(limit));
    let rows: Vec<(TokenId, TokenRow)> = rows.load(connection)?;
    rows.into_iter().map(|(id, row)| Ok((id, row.token()?))).collect()
}

/// The tokens that a filter matches, without the voided ones: those were handed out already, or should not be.
fn printable(connection: &Connection, filter: &TokenFilter, now: Micros) -> tokens::BoxedQuery<'static, MultiBackend> {
    filtered(connection, filter, now).filter(tokens::voided_at.is_null())
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
    let others = known.values().filter(|(_, token)| token.voided.is_some()).count() - 1;
    let message = match others {
        0 => format!("The token {first} is voided, and not printed: choose the others only."),
        1 => format!("The token {first} and another one are voided, and not printed: choose the others only."),
        others => format!("The token {first} and {others} others are voided, and not printed: choose the others only."),
    };
    TokenError::value("uid", message)
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
    cursor: &str,
    limit: usize,
) -> Result<(Vec<(TokenId, Token)>, String), Error> {
    let invalid_cursor = || Error::Failed(format!("a job cannot go on at {cursor}"));
    if let Selection::Uids(_) = selection {
        let skip: usize = if cursor.is_empty() { 0 } else { cursor.parse().map_err(|_| invalid_cursor())? };
        let tokens = slice(connection, selection, now, skip, limit)?;
        let next = (skip + tokens.len()).to_string();
        return Ok((tokens, next));
    }
    let Selection::Filter(filter) = selection else { return Err(invalid_cursor()) };
    // Tokens created while the job runs do not belong to it.
    let filter = &TokenFilter { created_to: Some(filter.created_to.map_or(now, |to| to.min(now))), ..filter.clone() };
    let mut after: Option<Cursor> =
        if cursor.is_empty() { None } else { Some(serde_json::from_str(cursor).map_err(|_| invalid_cursor())?) };
    let mut tokens: Vec<(TokenId, Token)> = Vec::new();
    // Voided tokens lie in between. Reads on until the part is full, so that only the last part can be short or empty.
    while tokens.len() < limit {
        let wanted = limit - tokens.len();
        let slice = TokenSlice {
            sort: Sort::Created,
            descending: false,
            after: after.clone(),
            limit: i64::try_from(wanted).unwrap_or(i64::MAX),
        };
        let page = list::page(connection, filter, now, slice)?;
        let is_last = page.len() < wanted;
        after = page.last().map(|(cursor, _)| cursor.clone()).or(after);
        let printable = page.into_iter().filter(|(_, token)| token.voided.is_none());
        tokens.extend(printable.map(|(cursor, token)| (cursor.id(), token)));
        if is_last {
            break;
        }
    }
    let next = after.map(|cursor| serde_json::to_string(&cursor)).transpose().map_err(|_| invalid_cursor())?;
    Ok((tokens, next.unwrap_or_default()))
}
