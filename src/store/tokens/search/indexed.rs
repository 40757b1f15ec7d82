//! Searches by what leads to tokens (`store/index`): candidates are loaded, looked at, and put in order here.

use diesel::prelude::*;

use super::page::{Page, Search};
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::index::{Ids, grams, queue, uses};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{TokenFilter, filtered_by_ids};
use crate::store::tokens::row::TokenRow;
use crate::token::State;
use crate::token::search_words::SearchWords;
use crate::token::settle::TokenId;

/// Up to so many tokens that the index does not know yet, each is looked at. Where there are more, the list is walked.
pub(super) const BESIDE: usize = 300_000;
/// All ids.
pub(super) const EVERYWHERE: Ids = (i64::MIN, i64::MAX);

/// The tokens that have to be looked at beside the index; none if there are too many.
pub(super) fn beside(connection: &mut Connection, filter: &TokenFilter) -> Result<Option<Vec<TokenId>>, Error> {
    let mut beside = Vec::new();
    if matches!(filter.state, Some(State::UsedUp | State::Locked)) {
        if !uses::is_near(connection, i64::try_from(BESIDE).unwrap_or(i64::MAX))? {
            return Ok(None);
        }
        beside = uses::unfollowed(connection)?;
    }
    let Some(queued) = queue::tokens(connection, BESIDE)? else { return Ok(None) };
    beside.extend(queued);
    Ok(Some(beside))
}

/// Candidates that may have all words, if there are no more than so many; otherwise the best of them, and false.
pub(super) fn with_words(
    connection: &mut Connection,
    search: &Search,
    at_most: usize,
    limit: &SearchLimit,
) -> Result<(Vec<TokenId>, bool), Error> {
    let wanted = search.words.grams();
    if wanted.is_empty() {
        return Ok((Vec::new(), false));
    }
    let first = (search.slice.descending, at_most + 1);
    let mut found = grams::find(connection, &wanted, EVERYWHERE, first, limit)?;
    if found.len() > at_most {
        return Ok((found, false));
    }
    found.extend(by_uid(connection, search)?);
    Ok((found, true))
}

/// Candidates for a search by a uid, or its beginning.
pub(super) fn by_uid(connection: &mut Connection, search: &Search) -> QueryResult<Vec<TokenId>> {
    let mut found: Vec<TokenId> = Vec::new();
    if let Some(uid) = search.words.uid() {
        found.extend(crate::store::tokens::id_of(connection, uid)?);
    }
    for prefix in search.words.uid_prefixes() {
        let is_uid = tokens::uid.ge(prefix.to_owned()).and(tokens::uid.lt(format!("{prefix}g")));
        found.extend(tokens::table.filter(is_uid).select(tokens::id).load::<TokenId>(connection)?);
    }
    Ok(found)
}

/// Adds tokens to a page, as far as they are found.
pub(super) fn add(
    connection: &mut Connection,
    search: &Search,
    mut ids: Vec<TokenId>,
    limit: &SearchLimit,
    page: &mut Page,
) -> Result<(), Error> {
    ids.sort_unstable();
    ids.dedup();
    for chunk in ids.chunks(MOST_KEYS) {
        limit.check()?;
        let rows = filtered_by_ids(search.filter, search.now, chunk.to_vec());
        page.take(search, rows.select((tokens::id, TokenRow::as_select())).load(connection)?)?;
    }
    Ok(())
}

/// The tokens that have all words, deleted ones included; none if they may be more than so many.
pub(super) fn ids_with_words(
    connection: &mut Connection,
    search: &Search,
    at_most: usize,
    limit: &SearchLimit,
) -> Result<Option<Vec<TokenId>>, Error> {
    let Some(beside) = queue::tokens(connection, BESIDE)? else { return Ok(None) };
    let (mut ids, are_all) = with_words(connection, search, at_most, limit)?;
    if !are_all {
        return Ok(None);
    }
    ids.extend(beside);
    limit.check()?;
    Ok(Some(having_words(connection, &search.words, &ids)?))
}

/// Those of some tokens that have all words, deleted ones included.
pub(in crate::store) fn having_words(
    connection: &mut Connection,
    words: &SearchWords,
    ids: &[TokenId],
) -> QueryResult<Vec<TokenId>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(MOST_KEYS) {
        let rows = tokens::table.filter(tokens::id.eq_any(chunk.to_vec()));
        let rows = rows.select((tokens::id, tokens::uid, tokens::value, tokens::label));
        let rows: Vec<(TokenId, String, Option<String>, Option<String>)> = rows.load(connection)?;
        let having =
            rows.into_iter().filter(|(_, uid, value, label)| words.find_in(uid, value.as_deref(), label.as_deref()));
        found.extend(having.map(|(id, ..)| id));
    }
    Ok(found)
}
