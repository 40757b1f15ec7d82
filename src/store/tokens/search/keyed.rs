//! Filters by what an index of the table has: a label, the beginning of a value, an end that is not over yet. Where few tokens
//! match, their ids are collected from it.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::indexed;
use super::page::{Page, Search};
use crate::store::connection::{Connection, MultiBackend};
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Sort, TokenFilter};
use crate::token::settle::TokenId;
use crate::token::value_prefix::ValuePrefix;

/// Up to so many tokens that may match, all are looked at, whatever the order.
pub(super) const FEW: usize = 20_000;

type Ids = tokens::BoxedQuery<'static, MultiBackend, BigInt>;

/// Tokens among which are all that a filter by label or value can match; none if they are more than so many, or if it has no
/// such filter.
pub(super) fn few(
    connection: &mut Connection,
    filter: &TokenFilter,
    at_most: usize,
) -> QueryResult<Option<Vec<TokenId>>> {
    if let Some(label) = &filter.label
        && let Some(ids) = collect(connection, vec![of_label(label)], at_most)?
    {
        return Ok(Some(ids));
    }
    match &filter.value_prefix {
        Some(prefix) => collect(connection, of_values(prefix), at_most),
        None => Ok(None),
    }
}

/// The page of a filter by the end of validity, if there are few tokens that are not over then.
pub(super) fn few_by_end(
    connection: &mut Connection,
    search: &Search,
    (at_most, limit): (usize, &SearchLimit),
) -> Result<Option<Page>, Error> {
    let Some(at) = search.filter.valid_at else { return Ok(None) };
    let key = Sort::ValidTo.expression();
    let ends = there().filter(sql::<Bool>(&format!("{key} >= ")).bind::<BigInt, _>(at.get()));
    let Some(ids) = collect(connection, vec![ends.order(sql::<BigInt>(key))], at_most)? else { return Ok(None) };
    let mut page = Page::new(&search.slice);
    indexed::add(connection, search, ids, limit, &mut page)?;
    Ok(Some(page))
}

fn there() -> Ids {
    tokens::table.select(tokens::id).filter(tokens::deleted_at.is_null()).into_boxed()
}

/// In the order of the index: otherwise PostgreSQL may read all that match before it counts them.
fn of_label(label: &str) -> Ids {
    let key = Sort::Label.expression();
    let of_label = there().filter(sql::<Bool>(&format!("{key} = ")).bind::<Text, _>(label.to_owned()));
    of_label.order(tokens::id)
}

fn of_values(prefix: &ValuePrefix) -> Vec<Ids> {
    let own = there().filter(tokens::value.is_not_null()).filter(tokens::value.ge(prefix.first().to_owned()));
    let own = match prefix.end() {
        Some(end) => own.filter(tokens::value.lt(end)),
        None => own,
    };
    let mut all = vec![own.order(tokens::value)];
    if prefix.may_begin_a_uid() {
        // Whether a value is the uid stands in the table only: those that have another one count here, too.
        let uids = tokens::table.select(tokens::id).filter(tokens::uid.ge(prefix.first().to_owned())).into_boxed();
        let uids = match prefix.end() {
            Some(end) => uids.filter(tokens::uid.lt(end)),
            None => uids,
        };
        all.push(uids.order(tokens::uid));
    }
    all
}

fn collect(connection: &mut Connection, all: Vec<Ids>, at_most: usize) -> QueryResult<Option<Vec<TokenId>>> {
    let mut ids: Vec<TokenId> = Vec::new();
    for query in all {
        let more = i64::try_from(at_most + 1 - ids.len()).unwrap_or(i64::MAX);
        ids.append(&mut query.limit(more).load(connection)?);
        if ids.len() > at_most {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}
