//! The tokens of a selection in printing order: given uids in the given order, those of a filter in the order of
//! creation.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::store::batches;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use crate::store::tokens::selection::Selection;
use crate::store::tokens::{search, selection};
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros, Problem, Token, TokenError, Uid};

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

/// How many voided tokens a selection leaves out: those that a filter matches. None if counting takes too long.
pub(crate) fn count_left_out(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    limit: &SearchLimit,
) -> Result<Option<i64>, Error> {
    let Selection::Filter(filter) = selection else { return Ok(Some(0)) };
    if filter.voided == Some(false) {
        return Ok(Some(0));
    }
    let voided = TokenFilter { voided: Some(true), ..filter.clone() };
    let (count, is_all) = search::count(connection, &voided, now, i64::MAX, limit)?;
    Ok(is_all.then_some(count))
}

/// The first and the last token of a selection, and the batch that its filter names.
///
/// # Errors
/// As those of [`slice()`].
pub(crate) fn ends(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    limit: &SearchLimit,
) -> Result<Option<(Token, Token, Option<String>)>, Error> {
    let Some((_, first)) = slice(connection, selection, now, (0, 1), limit)?.pop() else { return Ok(None) };
    let (last, batch) = match selection {
        Selection::Uids(uids) => (slice(connection, selection, now, (uids.len() - 1, 1), limit)?.pop(), None),
        Selection::Filter(filter) => {
            let newest = TokenSlice { descending: true, ..oldest_first(None, 1) };
            let last = search::page(connection, &printable(filter), now, newest, limit)?.pop();
            let batch = filter.batch.map_or(Ok(None), |uid| batches::find(connection, uid))?;
            (last.map(|(cursor, token)| (cursor.id(), token)), batch.map(|batch| batch.name))
        }
    };
    Ok(last.map(|(_, last)| (first, last, batch)))
}

/// The names of these tokens' batches.
pub(crate) fn batch_names(
    connection: &mut Connection,
    tokens: &[(TokenId, Token)],
) -> QueryResult<HashMap<BatchId, String>> {
    let batches = batches::of_tokens(connection, tokens.iter().map(|(_, token)| token))?;
    Ok(batches.into_iter().map(|(id, batch)| (id, batch.name)).collect())
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

/// As [`part`], without the given uids whose tokens are voided or deleted. The cursor is behind those, too.
///
/// # Errors
/// As those of [`part`].
pub(crate) fn part_without_gone(
    connection: &mut Connection,
    selection: &Selection,
    now: Micros,
    (cursor, length): (&str, usize),
    limit: &SearchLimit,
) -> Result<(Vec<(TokenId, Token)>, String), Error> {
    let Selection::Uids(uids) = selection else {
        return part(connection, selection, now, (cursor, length), limit);
    };
    let skip: usize = cursor.parse().unwrap_or_default();
    let uids: Vec<Uid> = uids.iter().skip(skip).take(length).copied().collect();
    let mut known = HashMap::with_capacity(uids.len());
    for (id, token) in selection::by_uids(connection, &uids)? {
        known.insert(token.uid, (id, token));
    }
    let tokens = uids.iter().filter_map(|uid| known.get(uid)).filter(|(_, token)| token.voided.is_none());
    Ok((tokens.cloned().collect(), (skip + uids.len()).to_string()))
}

/// Those of a part's given uids whose tokens are voided or deleted: what the first `named` are called, and how many there
/// are.
pub(crate) fn gone(
    connection: &mut Connection,
    selection: &Selection,
    (cursor, length): (&str, usize),
    named: usize,
) -> Result<(Vec<String>, usize), Error> {
    let Selection::Uids(uids) = selection else { return Ok((Vec::new(), 0)) };
    let skip: usize = cursor.parse().unwrap_or_default();
    let uids: Vec<Uid> = uids.iter().skip(skip).take(length).copied().collect();
    let found: HashMap<Uid, Token> =
        selection::by_uids(connection, &uids)?.into_iter().map(|(_, token)| (token.uid, token)).collect();
    let is_gone = |uid: &Uid| found.get(uid).is_none_or(|token| token.voided.is_some());
    let gone: Vec<Uid> = uids.into_iter().filter(is_gone).collect();
    let mut titles = Vec::new();
    for uid in gone.iter().take(named) {
        let row = tokens::table.filter(tokens::uid.eq(uid.to_string())).select(tokens::label);
        let label: Option<Option<String>> = row.get_result(connection).optional()?;
        titles.push(label.flatten().unwrap_or_else(|| uid.to_string()));
    }
    Ok((titles, gone.len()))
}
