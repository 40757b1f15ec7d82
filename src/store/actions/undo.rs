//! Past actions, and undoing them.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::access::{Permission, Principal};
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::{action_tokens, actions, tokens};
use crate::store::tokens::bulk;
use crate::store::tokens::bulk::Restamp;
use crate::store::tokens::delete::RESTORE_DAYS;
use crate::store::tokens::row::{TokenRow, stamp, unique_error, voided_from_columns};
use crate::store::tokens::selection::CHUNK;
use crate::token::action::{Action, Before, UndoSkip};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, Uid};

/// Rows of undo data removed at a time.
const REMOVE_LIMIT: i64 = 1_000;

/// Microseconds for which an action can be undone.
const UNDO_MICROS: i64 = RESTORE_DAYS * 24 * 3_600 * 1_000_000;

/// Removes some undo data of actions that are too old to be undone, and returns whether there may be more. The actions
/// themselves stay.
pub(crate) fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    // The usual case reads only the oldest row: there may be millions.
    let oldest = action_tokens::table.order(action_tokens::action).select(action_tokens::action).limit(1);
    let Some(oldest) = oldest.get_result::<i64>(connection).optional()? else { return Ok(false) };
    let at = actions::table.find(oldest).select(actions::timestamp).get_result::<i64>(connection).optional()?;
    if at.is_some_and(|at| at > now.get() - UNDO_MICROS) {
        return Ok(false);
    }
    let of = action_tokens::table.filter(action_tokens::action.eq(oldest));
    let ids = of.order(action_tokens::token).limit(REMOVE_LIMIT).select(action_tokens::token);
    let ids: Vec<TokenId> = ids.load(connection)?;
    diesel::delete(of.filter(action_tokens::token.eq_any(ids))).execute(connection)?;
    Ok(true)
}

/// An action that was past.
#[derive(Clone, Debug)]
pub struct PastAction {
    id: i64,
    /// Its uid.
    pub(crate) uid: String,
    /// What it did; none if another version of Tessera did something that this one does not know.
    pub(crate) action: Option<Action>,
    /// Who did it.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Micros,
    /// How many tokens it changed.
    pub(crate) count: i32,
    /// For how many tokens of the selection it was refused.
    pub(crate) refused: i32,
    /// When and by whom it was undone.
    pub undone: Option<(Micros, String)>,
}

impl PastAction {
    /// Whether it is known, recent enough to be undone, and not yet undone.
    pub(crate) fn can_be_undone(&self, now: Micros) -> bool {
        self.action.is_some() && self.undone.is_none() && now.get() - self.at.get() < UNDO_MICROS
    }
}

type ActionRow = (i64, String, String, String, i64, i32, i32, Option<i64>, Option<String>);

fn past_action((id, uid, what, by, at, count, refused, undone, undone_by): ActionRow) -> PastAction {
    let action = serde_json::from_str(&what).ok();
    let undone = undone.map(|at| (Micros::stored(at), undone_by.unwrap_or_default()));
    PastAction { id, uid, action, by, at: Micros::stored(at), count, refused, undone }
}

/// Whether an action with this uid was past.
pub(crate) fn is_done(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(actions::table.filter(actions::uid.eq(uid.to_string())))).get_result(connection)
}

/// The action with this uid.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PastAction>> {
    let row = actions::table.filter(actions::uid.eq(uid.to_string()));
    let row: Option<ActionRow> = row.select(actions::all_columns).get_result(connection).optional()?;
    Ok(row.map(past_action))
}

/// Actions, newest first, each with its cursor; only those after the cursor `after`, if given.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PastAction)>> {
    let mut query = actions::table.order(actions::id.desc()).limit(limit).select(actions::all_columns).into_boxed();
    if let Some(after) = after {
        query = query.filter(actions::id.lt(after.id()));
    }
    let rows: Vec<ActionRow> = query.load(connection)?;
    Ok(rows.into_iter().map(past_action).map(|action| (Cursor::number(action.at.get(), action.id), action)).collect())
}

/// Some of the tokens that an action changed, deleted ones included, each with the reason if an undo has skipped it.
pub fn tokens_of(
    connection: &mut Connection,
    action: &PastAction,
    only_skipped: bool,
    at_most: i64,
) -> Result<Vec<(Token, Option<UndoSkip>)>, Error> {
    let of = action_tokens::table.inner_join(tokens::table.on(tokens::id.eq(action_tokens::token)));
    let mut rows = of.filter(action_tokens::action.eq(action.id)).into_boxed();
    if only_skipped {
        rows = rows.filter(action_tokens::kept.is_not_null());
    }
    let rows = rows.order(action_tokens::token).limit(at_most).select((TokenRow::as_select(), action_tokens::kept));
    let rows: Vec<(TokenRow, Option<String>)> = rows.load(connection)?;
    let skip = |word: Option<String>| UndoSkip::ALL.into_iter().find(|skip| Some(skip.word()) == word.as_deref());
    rows.into_iter().map(|(row, word)| Ok((row.token()?, skip(word)))).collect()
}

/// The uid of the one token that an action changed; none if it changed several.
pub(crate) fn only_token(connection: &mut Connection, action: &PastAction) -> Result<Option<Uid>, Error> {
    if action.count != 1 {
        return Ok(None);
    }
    Ok(tokens_of(connection, action, false, 1)?.pop().map(|(token, _)| token.uid))
}

/// How many tokens an undo has skipped.
pub(crate) fn skipped_count(connection: &mut Connection, action: &PastAction) -> QueryResult<i64> {
    let skipped = action_tokens::table.filter(action_tokens::action.eq(action.id));
    skipped.filter(action_tokens::kept.is_not_null()).count().get_result(connection)
}

/// A token that an action changed: as it is now, and as it was before.
#[derive(Queryable)]
struct ActionToken {
    id: TokenId,
    now: TokenRow,
    deleted_at: Option<i64>,
    stamp: i64,
    modified: i64,
    label: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    used: i64,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

/// Undoes an action, once. Each token that nobody has changed since is as it was before, minus the uses consumed in the
/// meantime. The others are skipped, each with a reason. If all are skipped, the action does not count as undone, and
/// can be undone later, when the changes since then have been undone themselves.
///
/// # Errors
/// Unknown when there is no such action; refused when it is too old, or this version does not know what it did.
pub fn undo(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<PastAction, Error> {
    if let Connection::Postgres(connection) = connection {
        let row = actions::table.filter(actions::uid.eq(uid.to_string())).select(actions::id);
        row.for_update().execute(connection)?;
    }
    let Some(past) = find(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    if past.undone.is_some() {
        return Ok(past);
    }
    let Some(action) = &past.action else {
        return Err(Error::Refused("Only the version of Tessera that did this knows how to undo it.".into()));
    };
    if !past.can_be_undone(now) {
        return Err(Error::Refused(format!(
            "This is more than {RESTORE_DAYS} days ago, and cannot be undone any more."
        )));
    }
    let tokens = load(connection, past.id)?;
    let count = tokens.len();
    let (restamped, skipped) = match action {
        Action::Delete => restore_deleted(connection, tokens, now)?,
        action => restore_columns(connection, action, tokens, now)?,
    };
    save_skips(connection, past.id, &skipped)?;
    if skipped.len() == count {
        return Ok(past);
    }
    bulk::restamp(connection, &restamped)?;
    let set = (actions::undone.eq(now.get()), actions::undone_by.eq(by.as_str()));
    diesel::update(actions::table.find(past.id)).set(set).execute(connection)?;
    if past.count > 1 || action.permission() != Permission::Edit {
        audit::record(connection, by, "bulk undo", &past.uid, &format!("{} tokens", past.count), now)?;
    }
    Ok(PastAction { undone: Some((now, by.to_string())), ..past })
}

/// Stores why tokens were skipped.
fn save_skips(connection: &mut Connection, action: i64, skipped: &[(TokenId, UndoSkip)]) -> QueryResult<()> {
    let rows = action_tokens::table.filter(action_tokens::action.eq(action)).filter(action_tokens::kept.is_not_null());
    diesel::update(rows).set(action_tokens::kept.eq(None::<String>)).execute(connection)?;
    for skip in UndoSkip::ALL {
        let ids: Vec<TokenId> = skipped.iter().filter(|(_, reason)| *reason == skip).map(|(id, _)| *id).collect();
        for chunk in ids.chunks(CHUNK) {
            let rows = action_tokens::table.filter(action_tokens::action.eq(action));
            let rows = rows.filter(action_tokens::token.eq_any(chunk.to_vec()));
            diesel::update(rows).set(action_tokens::kept.eq(skip.word())).execute(connection)?;
        }
    }
    Ok(())
}

fn load(connection: &mut Connection, action: i64) -> QueryResult<Vec<ActionToken>> {
    let of = || action_tokens::table.filter(action_tokens::action.eq(action));
    if let Connection::Postgres(connection) = connection {
        let ids = of().select(action_tokens::token);
        let rows = tokens::table.filter(tokens::id.eq_any(ids)).order(tokens::uid).select(tokens::id);
        rows.for_no_key_update().execute(connection)?;
    }
    of().inner_join(tokens::table.on(tokens::id.eq(action_tokens::token)))
        .order(action_tokens::token)
        .select((
            tokens::id,
            TokenRow::as_select(),
            tokens::deleted_at,
            action_tokens::stamp,
            action_tokens::modified,
            action_tokens::label,
            action_tokens::valid_from,
            action_tokens::valid_to,
            action_tokens::usage_count,
            action_tokens::lock_time,
            action_tokens::used,
            action_tokens::voided_at,
            action_tokens::voided_by,
            action_tokens::void_reason,
        ))
        .load(connection)
}

/// The tokens that were undone, and those that were not.
type Undone = (Vec<Restamp>, Vec<(TokenId, UndoSkip)>);

fn restore_columns(
    connection: &mut Connection,
    action: &Action,
    tokens: Vec<ActionToken>,
    now: Micros,
) -> Result<Undone, Error> {
    let (mut undone, mut restamped, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for changed in tokens {
        let token = changed.now.token()?;
        if changed.deleted_at.is_some() {
            skipped.push((changed.id, UndoSkip::Deleted));
        } else if token.modified.get() != changed.stamp {
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
            let after = Token { modified: stamp(token.modified, now), ..action.undo(&token, &before) };
            restamped.push(Restamp { token: changed.id, from: changed.modified, to: after.modified.get() });
            undone.push((changed.id, after));
        }
    }
    bulk::update(connection, action, &undone)?;
    Ok((restamped, skipped))
}

fn restore_deleted(connection: &mut Connection, tokens: Vec<ActionToken>, now: Micros) -> Result<Undone, Error> {
    let in_use = values_in_use(connection, tokens.iter().map(|changed| changed.now.value()))?;
    let (mut restored, mut restamped, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for changed in tokens {
        let token = changed.now.token()?;
        if changed.deleted_at != Some(changed.stamp) {
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

/// Which of the values are in use by tokens that are not deleted.
fn values_in_use<'a>(
    connection: &mut Connection,
    values: impl Iterator<Item = &'a str>,
) -> QueryResult<BTreeSet<String>> {
    let values: Vec<&str> = values.collect();
    let mut in_use = BTreeSet::new();
    for chunk in values.chunks(CHUNK) {
        let rows = tokens::table.filter(tokens::deleted_at.is_null()).filter(tokens::value.eq_any(chunk.to_vec()));
        in_use.extend(rows.select(tokens::value).load::<String>(connection)?);
    }
    Ok(in_use)
}
