//! Undoing an action.

use diesel::prelude::*;

use super::past::{PastAction, find};
use super::pending::{Stage, carry_out, decision_time};
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::actions;
use crate::store::tokens::delete::RESTORE_DAYS;
use crate::token::{Micros, TokenError, Uid};

/// Undoes an action, once, in this transaction. Each token that nobody has changed since is as it was before, minus the
/// uses consumed in the meantime. The others are skipped, each with a reason. If all are skipped, the action does not count
/// as undone, and can be undone later, when the changes since then have been undone themselves.
///
/// # Errors
/// As those of [`decide`].
pub fn undo(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<PastAction, Error> {
    let decided = decide(connection, uid, by, now)?;
    if decided.progress.is_some() || decided.undone.is_some() {
        return Ok(decided);
    }
    while !carry_out(connection, decided.id, usize::MAX, now)? {}
    find(connection, uid)?.ok_or_else(|| TokenError::Unknown(uid).into())
}

/// Decides that an action is undone. One that is under way, or undone already, stays as it is.
///
/// # Errors
/// Unknown when there is no such action; refused when it is too old, or this version does not know what it did.
pub fn decide(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<PastAction, Error> {
    if let Connection::Postgres(connection) = connection {
        let row = actions::table.filter(actions::uid.eq(uid.to_string())).select(actions::id);
        row.for_update().execute(connection)?;
    }
    let Some(past) = find(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    if past.undone.is_some() || past.progress.is_some() {
        return Ok(past);
    }
    if past.action.is_none() {
        return Err(Error::Refused("Only the version of Tessera that did this knows how to undo it.".into()));
    }
    if !past.can_be_undone(now) {
        return Err(Error::Refused(format!(
            "This is more than {RESTORE_DAYS} days ago, and cannot be undone any more."
        )));
    }
    let at = decision_time(connection, now)?;
    let undone = (actions::undone.eq(at.get()), actions::undone_by.eq(by.as_str()));
    let begun = (
        actions::pending.eq(Stage::Undoing.word()),
        actions::cursor.eq(0),
        actions::handled.eq(0),
        actions::touched.eq(now.get()),
    );
    diesel::update(actions::table.find(past.id)).set((undone, begun)).execute(connection)?;
    Ok(past)
}
