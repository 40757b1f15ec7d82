//! Makes tokens what they were before an action.

use super::rows;
use super::rows::{ActionToken, Restamp};
use crate::store::clock;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::tokens;
use crate::store::tokens::bulk;
use crate::store::tokens::row::{stamp, unique_error, voided_from_columns};
use crate::store::usage;
use crate::store::usage::ChargedAnew;
use crate::token::action::{Action, Before, UndoSkip};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};

/// The tokens that were undone, and those that were not.
type Undone = (Vec<Restamp>, Vec<(TokenId, UndoSkip)>);

/// Makes those of these tokens what they were before the action that nobody has changed since, minus the uses consumed in
/// the meantime, and notes why the others stay as they are. The caller has locked them.
pub(super) fn restore(
    connection: &mut Connection,
    id: i64,
    action: &Action,
    tokens: &[TokenId],
    now: Micros,
) -> Result<(), Error> {
    let mut rows = rows::load(connection, id, tokens)?;
    rows.retain(|row| row.stamp.is_some());
    let (undone, skipped) = match action {
        Action::Delete => restore_deleted(connection, rows, now)?,
        action => restore_columns(connection, action, rows, now)?,
    };
    rows::set_undone(connection, id, &undone, &skipped)?;
    rows::restamp(connection, &undone)?;
    Ok(())
}

fn restore_columns(
    connection: &mut Connection,
    action: &Action,
    rows: Vec<ActionToken>,
    now: Micros,
) -> Result<Undone, Error> {
    let (mut undone, mut restamped, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let mut charged = Vec::new();
    let now = if action.changes_uses() { clock::now(connection)? } else { now };
    for changed in rows {
        let token = changed.now.token()?;
        if changed.deleted_at.is_some() {
            skipped.push((changed.id, UndoSkip::Deleted));
        } else if Some(token.modified.get()) != changed.stamp {
            skipped.push((changed.id, UndoSkip::Changed));
        } else {
            let before = Before {
                label: changed.label,
                valid_from: changed.valid_from.map(Micros::stored),
                valid_to: changed.valid_to.map(Micros::stored),
                usage_count: changed.usage_count,
                lock_time: changed.lock_time,
                used: changed.used,
                voided: voided_from_columns(changed.voided_at, changed.voided_by, changed.void_reason),
            };
            if let Some(charge) = action.charge(&token, &before)
                && token.last_used >= Some(Micros::stored(changed.modified))
            {
                charged.push(ChargedAnew { token: changed.id, since: Micros::stored(changed.modified), charge });
            }
            let after = Token { modified: stamp(token.modified, now), ..action.undo(&token, &before) };
            restamped.push(Restamp { token: changed.id, from: changed.modified, to: after.modified.get() });
            undone.push((changed.id, after));
        }
    }
    bulk::update(connection, action, &undone)?;
    usage::charge_anew(connection, &charged, now)?;
    Ok((restamped, skipped))
}

fn restore_deleted(connection: &mut Connection, rows: Vec<ActionToken>, now: Micros) -> Result<Undone, Error> {
    let values: Vec<&str> = rows.iter().map(|changed| changed.now.value_or_uid()).collect();
    let in_use = tokens::in_use(connection, &values)?;
    let (mut restored, mut restamped, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for changed in rows {
        let token = changed.now.token()?;
        if changed.deleted_at != changed.stamp {
            skipped.push((changed.id, UndoSkip::Restored));
        } else if in_use.contains(&token.value) {
            skipped.push((changed.id, UndoSkip::ValueTaken));
        } else {
            let modified = stamp(token.modified, now);
            restamped.push(Restamp { token: changed.id, from: changed.modified, to: modified.get() });
            restored.push((changed.id, modified));
        }
    }
    bulk::restore(connection, &restored).map_err(|error| match unique_error(error) {
        // Somebody was faster; the retry finds the value in use.
        Error::Token(error) => Error::Conflict(error.to_string()),
        error => error,
    })?;
    Ok((restamped, skipped))
}
