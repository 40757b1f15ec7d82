//! Tokens in the order in which they are printed: as they were given, or in the order of their making.

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

/// How many tokens there are to be printed.
///
/// # Errors
/// The database's.
pub(crate) fn count(connection: &mut Connection, selection: &Selection, now: Micros) -> QueryResult<usize> {
    match selection {
        Selection::Uids(uids) => Ok(uids.len()),
        Selection::Filter(filter) => {
            let count: i64 = printable(connection, filter, now).count().get_result(connection)?;
            Ok(usize::try_from(count).unwrap_or_default())
        }
    }
}

/// Some of a selection's tokens: at most `limit` behind the first `skip`. Voided ones are left out of what a filter finds.
///
/// # Errors
/// Unknown, when a uid that was given is no token's, or a deleted one's; a value error when it is a voided one's; the
/// database's.
pub(crate) fn slice(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    skip: usize,
    limit: usize,
) -> Result<Vec<(TokenId, Token)>, Error> {
    match selection {
        Selection::Uids(uids) => given(connection, uids.get(skip..).unwrap_or_default(), limit),
        Selection::Filter(filter) => Ok(found(connection, filter, now, (skip, limit))?),
    }
}

fn found(
    connection: &mut Connection,
    filter: &TokenFilter,
    now: Micros,
    (skip, limit): (usize, usize),
) -> QueryResult<Vec<(TokenId, Token)>> {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = printable(connection, filter, now).select((tokens::id, TokenRow::as_select()));
    let rows = rows.order((tokens::created, tokens::id)).offset(number(skip)).limit(number(limit));
    let rows: Vec<(TokenId, TokenRow)> = rows.load(connection)?;
    rows.into_iter().map(|(id, row)| Ok((id, row.token()?))).collect()
}

/// What a filter finds, but for what is voided: that was handed out already, or should not be.
fn printable(connection: &Connection, filter: &TokenFilter, now: Micros) -> tokens::BoxedQuery<'static, MultiBackend> {
    filtered(connection, filter, now).filter(tokens::voided_at.is_null())
}

/// Whoever gives a uid twice gets two labels of it.
fn given(connection: &mut Connection, uids: &[Uid], limit: usize) -> Result<Vec<(TokenId, Token)>, Error> {
    let uids = &uids[..limit.min(uids.len())];
    let mut known: HashMap<Uid, (TokenId, Token)> = HashMap::with_capacity(uids.len());
    for (id, row) in selection::ticked(connection, uids)? {
        let token = row.token()?;
        known.insert(token.uid, (id, token));
    }
    let token = |uid: &Uid| match known.get(uid) {
        None => Err(TokenError::Unknown(*uid).into()),
        Some((_, token)) if token.voided.is_some() => Err(voided(*uid, &known).into()),
        Some(found) => Ok(found.clone()),
    };
    uids.iter().map(token).collect()
}

fn voided(first: Uid, known: &HashMap<Uid, (TokenId, Token)>) -> TokenError {
    let others = known.values().filter(|(_, token)| token.voided.is_some()).count() - 1;
    let message = match others {
        0 => format!("The token {first} is voided, and not printed: choose the others only."),
        1 => format!("The token {first} and another one are voided, and not printed: choose the others only."),
        others => format!("The token {first} and {others} others are voided, and not printed: choose the others only."),
    };
    TokenError::value("uid", message)
}

/// The next part of a selection, and where the one behind it begins: for jobs of more than one PDF. Tokens that are deleted or
/// made meanwhile shift no others.
///
/// # Errors
/// Failed, when `cursor` was not given by this; as [`slice()`].
pub fn part(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    cursor: &str,
    limit: usize,
) -> Result<(Vec<(TokenId, Token)>, String), Error> {
    let wrong = || Error::Failed(format!("a job cannot go on at {cursor}"));
    if let Selection::Uids(_) = selection {
        let skip: usize = if cursor.is_empty() { 0 } else { cursor.parse().map_err(|_| wrong())? };
        let tokens = slice(connection, selection, now, skip, limit)?;
        let next = (skip + tokens.len()).to_string();
        return Ok((tokens, next));
    }
    let Selection::Filter(filter) = selection else { return Err(wrong()) };
    // Tokens that are made while the job runs were not asked for.
    let filter = &TokenFilter { created_to: Some(filter.created_to.map_or(now, |to| to.min(now))), ..filter.clone() };
    let mut after: Option<Cursor> =
        if cursor.is_empty() { None } else { Some(serde_json::from_str(cursor).map_err(|_| wrong())?) };
    let mut tokens: Vec<(TokenId, Token)> = Vec::new();
    // Voided ones lie in between: without them too, a part is as long as it can be, and none is empty before the last one.
    while tokens.len() < limit {
        let wanted = limit - tokens.len();
        let part = TokenSlice {
            sort: Sort::Created,
            descending: false,
            after: after.clone(),
            limit: i64::try_from(wanted).unwrap_or(i64::MAX),
        };
        let found = list::page(connection, filter, now, part)?;
        let is_last = found.len() < wanted;
        after = found.last().map(|(place, _)| place.clone()).or(after);
        let printable = found.into_iter().filter(|(_, token)| token.voided.is_none());
        tokens.extend(printable.map(|(place, token)| (place.id(), token)));
        if is_last {
            break;
        }
    }
    let next = after.map(|place| serde_json::to_string(&place)).transpose().map_err(|_| wrong())?;
    Ok((tokens, next.unwrap_or_default()))
}
