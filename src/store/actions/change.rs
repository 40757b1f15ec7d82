//! Changes tokens as a decided action says.

use diesel::QueryResult;
use diesel::prelude::*;

use super::rows;
use super::rows::Changed;
use crate::access::Principal;
use crate::store::clock;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::actions;
use crate::store::tokens::bulk;
use crate::store::tokens::row::stamp;
use crate::token::action::{Action, Place};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};

/// A decided action.
pub(super) struct Decided<'a> {
    pub(super) id: i64,
    pub(super) action: &'a Action,
    pub(super) by: &'a Principal,
    /// When it was decided.
    pub(super) at: Micros,
}

/// Changes those of these tokens that the action has not changed yet. The caller has locked them. Nobody has edited them
/// since the action was decided, but they may have been used: then a change of their uses may be refused now, or change
/// nothing.
pub(super) fn change(
    connection: &mut Connection,
    decided: &Decided,
    tokens: &[TokenId],
    now: Micros,
) -> Result<(), Error> {
    let Decided { id, action, by, at } = decided;
    // Uses before it are told from those since by their time, which is read while their token is locked, too.
    let now = if action.changes_uses() { clock::now(connection)? } else { now };
    let (mut changed, mut after_each, mut same, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows::load(connection, *id, tokens)? {
        if row.stamp.is_some() {
            continue;
        }
        let (token, is_deleted, target) = (row.now.token()?, row.deleted_at.is_some(), rows::target(row.target)?);
        let place = Place { number: usize::try_from(row.number).unwrap_or_default(), target: target.as_ref() };
        match action.apply(&token, place, by, *at) {
            Ok(after) if !is_deleted && (after != token || **action == Action::Delete) => {
                let stamp = if **action == Action::Delete { now } else { stamp(token.modified, now) };
                changed.push(Changed {
                    token: row.id,
                    stamp: stamp.get(),
                    modified: token.modified.get(),
                    usage_count: token.usage_count,
                    used: token.used,
                });
                after_each.push((row.id, Token { modified: stamp, ..after }));
            }
            Ok(_) => same.push(row.id),
            Err(_) => refused.push(row.id),
        }
    }
    if !same.is_empty() || !refused.is_empty() {
        leave_out(connection, *id, &same, &refused)?;
    }
    rows::set_changed(connection, *id, &changed)?;
    if **action == Action::Delete {
        let ids: Vec<TokenId> = after_each.iter().map(|(id, _)| *id).collect();
        bulk::delete(connection, &ids, by, now)?;
    } else {
        bulk::update(connection, action, &after_each)?;
    }
    Ok(())
}

/// Takes tokens out of the action that it does not change after all.
fn leave_out(connection: &mut Connection, id: i64, same: &[TokenId], refused: &[TokenId]) -> QueryResult<()> {
    let count = |ids: &[TokenId]| i32::try_from(ids.len()).unwrap_or(i32::MAX);
    let left_out = [same, refused].concat();
    rows::remove(connection, id, &left_out)?;
    let set =
        (actions::count.eq(actions::count - count(&left_out)), actions::refused.eq(actions::refused + count(refused)));
    diesel::update(actions::table.find(id)).set(set).execute(connection).map(drop)
}
