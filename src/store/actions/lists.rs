//! Changes lists of tokens, all or none: a short list in one transaction, a long one as an action whose tokens are written
//! down first.

use std::collections::HashMap;
use std::ops::Range;

use diesel::prelude::*;

use super::pending::{Listings, abandon, is_staged_before};
use super::perform;
use super::perform::{ActionRequest, write_down};
use super::plan::ActionPlan;
use super::rows::Chosen;
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::ledger::replies;
use crate::store::schema::actions;
use crate::store::tokens;
use crate::store::tokens::selection::{Selection, SelectionDigest, by_uids, lock, lock_by_ids};
use crate::token::list_change::ListChange;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, Uid};

/// Changes the tokens of a short list in this transaction.
///
/// # Errors
/// Unknown, or a value error, with the place in the list; the caller's transaction then rolls back.
pub(crate) fn change(connection: &mut Connection, list: &ListChange, by: &Principal, now: Micros) -> Result<(), Error> {
    if list.deletes() {
        return tokens::delete(connection, list.uids(), by, now).map(drop).map_err(|error| match error {
            Error::Token(error) => list.at_unknown(error).into(),
            error => error,
        });
    }
    let locked = lock(connection, &Selection::Uids(list.uids().to_vec()), now, Listings::Stay)?;
    let mut there: HashMap<Uid, (TokenId, Token)> =
        locked.into_iter().map(|(id, token)| (token.uid, (id, token))).collect();
    let mut changed = 0;
    for (place, uid) in list.uids().iter().enumerate() {
        let at_place = |error| Error::from(list.at_place(place, error));
        let (id, before) = there.remove(uid).ok_or_else(|| at_place(TokenError::Unknown(*uid)))?;
        let after = list.apply(place, &before, by, now).map_err(at_place)?;
        changed += usize::from(after != before);
        tokens::put(connection, id, &before, after, now).map_err(|error| match error {
            Error::Token(error) => at_place(error),
            error => error,
        })?;
    }
    let Some(first) = list.uids().first().filter(|_| changed > 0) else { return Ok(()) };
    perform::record(connection, &request(list, Uid::random()), &plan(changed, list.uids().len()), *first, by, now)
}

/// Begins to write down a long list as an action with this uid, and returns its id; none, if that was begun before.
pub(crate) fn begin(
    connection: &mut Connection,
    list: &ListChange,
    uid: Uid,
    by: &Principal,
    now: Micros,
) -> Result<Option<i64>, Error> {
    perform::begin(connection, &request(list, uid), &plan(0, list.uids().len()), by, now)
}

/// Writes down a piece of the list, and returns how many tokens of it are to be changed; none, if the action cannot be decided
/// any more: somebody has changed one of its tokens since, or is writing it down for another action, which came first.
///
/// # Errors
/// Unknown, or a value error, with the place in the list.
pub(crate) fn stage(
    connection: &mut Connection,
    action: i64,
    (list, places): (&ListChange, Range<usize>),
    by: &Principal,
    now: Micros,
) -> Result<Option<usize>, Error> {
    let found = by_uids(connection, &list.uids()[places.clone()])?;
    let mut ids: Vec<TokenId> = found.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    if is_staged_before(connection, action, &ids, now)? {
        return Ok(None);
    }
    let locked = lock_by_ids(connection, &ids, now, Listings::GiveWay)?;
    let there: HashMap<Uid, (TokenId, Token)> =
        locked.into_iter().map(|(id, token)| (token.uid, (id, token))).collect();
    let mut chosen = Vec::with_capacity(places.len());
    for place in places {
        let at_place = |error| Error::from(list.at_place(place, error));
        let uid = list.uids()[place];
        let (id, before) = there.get(&uid).ok_or_else(|| at_place(TokenError::Unknown(uid)))?;
        let after = list.apply(place, before, by, now).map_err(at_place)?;
        if after != *before {
            let target = Some(list.target(place, before, &after));
            chosen.push(Chosen { id: *id, number: place + 1, before: before.clone(), target });
        }
    }
    chosen.sort_unstable_by_key(|chosen| chosen.id);
    Ok(write_down(connection, action, &chosen, now)?.then_some(chosen.len()))
}

/// Decides the action, of which so many tokens are written down, and returns whether it did: not if somebody has changed one
/// of them since. Without any there is nothing to do, and no action.
pub(crate) fn decide(
    connection: &mut Connection,
    (id, uid): (i64, Uid),
    (list, changed): (&ListChange, usize),
    by: &Principal,
    now: Micros,
) -> Result<bool, Error> {
    let Some(first) = list.uids().first().filter(|_| changed > 0) else {
        abandon(connection, id)?;
        replies::complete(connection, &uid.to_string())?;
        return Ok(true);
    };
    let count = i32::try_from(changed).unwrap_or(i32::MAX);
    diesel::update(actions::table.find(id)).set(actions::count.eq(count)).execute(connection)?;
    perform::decide(connection, id, &request(list, uid), (&plan(changed, list.uids().len()), *first), by, now)
}

fn request(list: &ListChange, uid: Uid) -> ActionRequest {
    ActionRequest { uid, selection: Selection::Uids(Vec::new()), action: list.action(), digest: None }
}

fn plan(changed: usize, selected: usize) -> ActionPlan {
    let digest = SelectionDigest::of(&[]);
    let same = selected.saturating_sub(changed);
    ActionPlan { selected, changed, same, refused: Vec::new(), examples: Vec::new(), digest }
}
