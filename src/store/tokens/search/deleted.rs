//! Deleted tokens by what their codes say.

use diesel::prelude::*;

use super::indexed::with_words;
use super::page::Search;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::index::queue;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{TokenFilter, TokenSlice};
use crate::token::settle::Lookup;
use crate::token::{Micros, Uid};

/// Up to so many tokens that may have had the value, all are looked at.
const FEW: usize = 2_000;

/// The deleted token whose tile this links to, or the one that had this value and was deleted last. None as well if too many
/// tokens may have had it: no index leads to the values of deleted ones.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn deleted(connection: &mut Connection, what: &Lookup, limit: &SearchLimit) -> Result<Option<Uid>, Error> {
    if let Some(uid) = what.link {
        let gone = tokens::table.filter(tokens::uid.eq(uid.to_string())).filter(tokens::deleted_at.is_not_null());
        if diesel::select(diesel::dsl::exists(gone)).get_result(connection)? {
            return Ok(Some(uid));
        }
    }
    let Some(value) = &what.value else { return Ok(None) };
    let filter = TokenFilter { q: Some(value.clone()), ..TokenFilter::default() };
    let search = Search::new(&filter, Micros::EPOCH, TokenSlice::newest(None, 0));
    let mut ids = queue::tokens(connection, FEW)?.unwrap_or_default();
    let (found, are_all) = with_words(connection, &search, FEW, limit)?;
    if !are_all {
        return Ok(None);
    }
    ids.extend(found);
    let mut last: Option<(i64, String)> = None;
    for chunk in ids.chunks(MOST_KEYS) {
        limit.check()?;
        let gone = tokens::table.filter(tokens::id.eq_any(chunk.to_vec())).filter(tokens::value.eq(value));
        let gone = gone.filter(tokens::deleted_at.is_not_null());
        let rows: Vec<(i64, String)> =
            gone.select((tokens::deleted_at.assume_not_null(), tokens::uid)).load(connection)?;
        last = last.max(rows.into_iter().max());
    }
    Ok(last.and_then(|(_, uid)| uid.parse().ok()))
}
