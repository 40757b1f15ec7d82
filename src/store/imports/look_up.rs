//! Which tokens there are already that a file names.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::store::batches;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::schema::{batches as unmade, tokens};
use crate::store::tokens::row::TokenRow;
use crate::store::tokens::selection;
use crate::store::tokens::visible::IsOneVisible;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Token, Uid};

/// Which of some uids and values are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct InUse {
    /// Those uids that a token has or had.
    pub(crate) uids: HashSet<Uid>,
    /// Those values that a token has, each with whether anybody can see it: not, if another import adds it just now, or was
    /// given up and is being removed.
    pub(crate) values: HashMap<String, bool>,
}

/// Which of these uids and values are taken.
pub(crate) fn in_use(connection: &mut Connection, uids: &[Uid], values: &[String]) -> QueryResult<InUse> {
    let mut found = InUse::default();
    for chunk in uids.chunks(MOST_KEYS) {
        let texts: Vec<String> = chunk.iter().map(Uid::to_string).collect();
        let rows = tokens::table.filter(tokens::uid.eq_any(texts)).select(tokens::uid);
        found.uids.extend(rows.load::<String>(connection)?.iter().filter_map(|uid| uid.parse::<Uid>().ok()));
    }
    for chunk in values.chunks(MOST_KEYS) {
        let rows = tokens::table.filter(tokens::deleted_at.is_null()).filter(tokens::value.eq_any(chunk));
        let rows = rows.select((tokens::value.assume_not_null(), tokens::batch));
        let rows: Vec<(String, Option<BatchId>)> = rows.load(connection)?;
        if rows.is_empty() {
            continue;
        }
        let unmade = unmade::table.filter(unmade::made.is_null()).select(unmade::id);
        let unmade: HashSet<BatchId> = unmade.load(connection)?.into_iter().collect();
        let is_seen = |batch: Option<BatchId>| batch.is_none_or(|batch| !unmade.contains(&batch));
        found.values.extend(rows.into_iter().map(|(value, batch)| (value, is_seen(batch))));
    }
    // A token without a value of its own has its uid for one.
    let like_uids: Vec<&String> = values.iter().filter(|value| value.parse::<Uid>().is_ok()).collect();
    for chunk in like_uids.chunks(MOST_KEYS) {
        let rows = tokens::table.filter(tokens::deleted_at.is_null()).filter(tokens::value.is_null());
        let rows = rows.filter(tokens::uid.eq_any(chunk.to_vec())).select(tokens::uid);
        found.values.extend(rows.load::<String>(connection)?.into_iter().map(|uid| (uid, true)));
    }
    Ok(found)
}

/// A token with its id and the name of its batch.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: TokenId,
    /// The token.
    pub(crate) token: Token,
    /// The name of its batch, if people hear of it.
    pub(crate) batch: Option<String>,
}

/// The tokens with these uids.
pub(crate) fn by_uids(connection: &mut Connection, uids: &[Uid]) -> Result<HashMap<Uid, Named>, Error> {
    let found = selection::by_uids(connection, uids)?;
    let named = with_batches(connection, found)?.into_iter();
    Ok(named.map(|named| (named.token.uid, named)).collect())
}

/// The tokens with these values.
pub(crate) fn by_values(connection: &mut Connection, values: &[String]) -> Result<HashMap<String, Named>, Error> {
    let mut found = Vec::with_capacity(values.len());
    for chunk in values.chunks(MOST_KEYS) {
        let rows = tokens::table.filter(IsOneVisible).filter(tokens::value.eq_any(chunk));
        for (id, row) in rows.select((tokens::id, TokenRow::as_select())).load::<(TokenId, TokenRow)>(connection)? {
            found.push((id, row.token()?));
        }
    }
    let named = with_batches(connection, found)?.into_iter();
    let mut found: HashMap<String, Named> = named.map(|named| (named.token.value.clone(), named)).collect();
    // Most values are uids, and are not stored twice.
    let uids: Vec<Uid> =
        values.iter().filter(|value| !found.contains_key(*value)).filter_map(|value| value.parse().ok()).collect();
    let by_uid =
        by_uids(connection, &uids)?.into_values().filter(|named| named.token.value == named.token.uid.to_string());
    found.extend(by_uid.map(|named| (named.token.value.clone(), named)));
    Ok(found)
}

fn with_batches(connection: &mut Connection, tokens: Vec<(TokenId, Token)>) -> Result<Vec<Named>, Error> {
    let batches = batches::of_tokens(connection, tokens.iter().map(|(_, token)| token))?;
    let name = |token: &Token| Some(batches.get(&token.batch?)?.name.clone());
    Ok(tokens.into_iter().map(|(id, token)| Named { id, batch: name(&token), token }).collect())
}
