//! What was done by actions, and undoing it.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::access::{Permission, Principal};
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::{action_tokens, actions, tokens};
use crate::store::tokens::bulk;
use crate::store::tokens::delete::RESTORE_DAYS;
use crate::store::tokens::row::{TokenRow, stamp};
use crate::store::tokens::selection::CHUNK;
use crate::token::action::{Action, Before, UndoSkip};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, Uid};

/// What tokens were before, that is removed at a time.
const REMOVED: i64 = 1_000;

/// Microseconds for which an action can be undone.
const UNDO_MICROS: i64 = RESTORE_DAYS * 24 * 3_600 * 1_000_000;

/// Removes some of what tokens were before actions that cannot be undone any more, and says whether there may be more. The
/// actions themselves stay.
///
/// # Errors
/// The database's.
pub(crate) fn forget(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    // One look at the oldest that is left, for the usual case: there may be millions of rows.
    let oldest = action_tokens::table.order(action_tokens::action).select(action_tokens::action).limit(1);
    let Some(oldest) = oldest.get_result::<i64>(connection).optional()? else { return Ok(false) };
    let at = actions::table.find(oldest).select(actions::timestamp).get_result::<i64>(connection).optional()?;
    if at.is_some_and(|at| at > now.get() - UNDO_MICROS) {
        return Ok(false);
    }
    let of = action_tokens::table.filter(action_tokens::action.eq(oldest));
    let ids = of.order(action_tokens::token).limit(REMOVED).select(action_tokens::token);
    let ids: Vec<TokenId> = ids.load(connection)?;
    diesel::delete(of.filter(action_tokens::token.eq_any(ids))).execute(connection)?;
    Ok(true)
}

/// An action that was done.
#[derive(Clone, Debug)]
pub struct PastAction {
    id: i64,
    /// Its uid.
    pub(crate) uid: String,
    /// What it did; none, if another version of Tessera did what this one does not know.
    pub(crate) action: Option<Action>,
    /// Who did it.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Micros,
    /// To how many tokens.
    pub(crate) count: i32,
    /// How many tokens of the selection it was refused for.
    pub(crate) refused: i32,
    /// When and by whom it was undone.
    pub undone: Option<(Micros, String)>,
}

impl PastAction {
    /// Whether it is known, not too old to be undone, and was not yet.
    pub(crate) fn can_be_undone(&self, now: Micros) -> bool {
        self.action.is_some() && self.undone.is_none() && now.get() - self.at.get() < UNDO_MICROS
    }
}

type Row = (i64, String, String, String, i64, i32, i32, Option<i64>, Option<String>);

fn done((id, uid, what, by, at, count, refused, undone, undone_by): Row) -> PastAction {
    let action = serde_json::from_str(&what).ok();
    let undone = undone.map(|at| (Micros::stored(at), undone_by.unwrap_or_default()));
    PastAction { id, uid, action, by, at: Micros::stored(at), count, refused, undone }
}

/// Whether an action of that uid was done.
///
/// # Errors
/// The database's.
pub(crate) fn is_done(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(actions::table.filter(actions::uid.eq(uid.to_string())))).get_result(connection)
}

/// The action of that uid.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PastAction>> {
    let row = actions::table.filter(actions::uid.eq(uid.to_string()));
    let row: Option<Row> = row.select(actions::all_columns).get_result(connection).optional()?;
    Ok(row.map(done))
}

/// Actions, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PastAction)>> {
    let mut query = actions::table.order(actions::id.desc()).limit(limit).select(actions::all_columns).into_boxed();
    if let Some(after) = after {
        query = query.filter(actions::id.lt(after.id()));
    }
    let rows: Vec<Row> = query.load(connection)?;
    Ok(rows.into_iter().map(done).map(|done| (Cursor::number(done.at.get(), done.id), done)).collect())
}

/// Some of the tokens that an action changed, deleted ones too, and why an undo has left one as it is.
///
/// # Errors
/// The database's.
pub fn tokens_of(
    connection: &mut Connection,
    action: &PastAction,
    only_kept: bool,
    at_most: i64,
) -> Result<Vec<(Token, Option<UndoSkip>)>, Error> {
    let of = action_tokens::table.inner_join(tokens::table.on(tokens::id.eq(action_tokens::token)));
    let mut rows = of.filter(action_tokens::action.eq(action.id)).into_boxed();
    if only_kept {
        rows = rows.filter(action_tokens::kept.is_not_null());
    }
    let rows = rows.order(action_tokens::token).limit(at_most).select((TokenRow::as_select(), action_tokens::kept));
    let rows: Vec<(TokenRow, Option<String>)> = rows.load(connection)?;
    let why = |word: Option<String>| UndoSkip::ALL.into_iter().find(|kept| Some(kept.word()) == word.as_deref());
    rows.into_iter().map(|(row, word)| Ok((row.token()?, why(word)))).collect()
}

/// The uid of the one token that an action changed, or none when it changed several.
///
/// # Errors
/// The database's.
pub(crate) fn only_token(connection: &mut Connection, action: &PastAction) -> Result<Option<Uid>, Error> {
    if action.count != 1 {
        return Ok(None);
    }
    Ok(tokens_of(connection, action, false, 1)?.pop().map(|(token, _)| token.uid))
}

/// How many tokens an undo has left as they are.
///
/// # Errors
/// The database's.
pub(crate) fn kept_count(connection: &mut Connection, action: &PastAction) -> QueryResult<i64> {
    let kept = action_tokens::table.filter(action_tokens::action.eq(action.id));
    kept.filter(action_tokens::kept.is_not_null()).count().get_result(connection)
}

/// A token that an action changed, as it is now, and what it was before.
#[derive(Queryable)]
struct Then {
    id: TokenId,
    now: TokenRow,
    deleted_at: Option<i64>,
    stamp: i64,
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

/// Undoes an action, once: each of its tokens that nobody changed since then is as it was before, without the uses that
/// were consumed meanwhile. The others are left as they are, and it is noted why. Where all are, it is not undone, and can
/// be later, when what was changed since has been undone itself.
///
/// # Errors
/// No such action; refused, when it is too old or not known.
pub fn undo(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<PastAction, Error> {
    if let Connection::Postgres(connection) = connection {
        let row = actions::table.filter(actions::uid.eq(uid.to_string())).select(actions::id);
        row.for_update().execute(connection)?;
    }
    let Some(done) = find(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    if done.undone.is_some() {
        return Ok(done);
    }
    let Some(action) = &done.action else {
        return Err(Error::Refused("Only the version of Tessera that did this knows how to undo it.".into()));
    };
    if !done.can_be_undone(now) {
        return Err(Error::Refused(format!(
            "This is more than {RESTORE_DAYS} days ago, and cannot be undone any more."
        )));
    }
    let tokens = load(connection, done.id)?;
    let count = tokens.len();
    let kept = match action {
        Action::Delete => restore(connection, tokens, now)?,
        action => put_back(connection, action, tokens, now)?,
    };
    note(connection, done.id, &kept)?;
    if kept.len() == count {
        return Ok(done);
    }
    follow(connection, done.id)?;
    let set = (actions::undone.eq(now.get()), actions::undone_by.eq(by.as_str()));
    diesel::update(actions::table.find(done.id)).set(set).execute(connection)?;
    if done.count > 1 || action.permission() != Permission::Edit {
        audit::record(connection, by, "bulk undo", &done.uid, &format!("{} tokens", done.count), now)?;
    }
    Ok(PastAction { undone: Some((now, by.to_string())), ..done })
}

/// Has the actions before this one take what it leaves now for what they left: but for the moment of this change, it is. So
/// one undo after the other goes back step by step.
fn follow(connection: &mut Connection, action: i64) -> QueryResult<()> {
    let follow = diesel::sql_query(
        "UPDATE action_tokens SET stamp = (SELECT modified FROM tokens WHERE tokens.id = action_tokens.token)
         WHERE EXISTS (SELECT 1 FROM action_tokens AS undone WHERE undone.action = $1
             AND undone.token = action_tokens.token AND undone.kept IS NULL AND undone.modified = action_tokens.stamp)",
    );
    follow.bind::<BigInt, _>(action).execute(connection).map(drop)
}

/// Notes why tokens were left as they are.
fn note(connection: &mut Connection, action: i64, kept: &[(TokenId, UndoSkip)]) -> QueryResult<()> {
    let noted = action_tokens::table.filter(action_tokens::action.eq(action)).filter(action_tokens::kept.is_not_null());
    diesel::update(noted).set(action_tokens::kept.eq(None::<String>)).execute(connection)?;
    for why in UndoSkip::ALL {
        let ids: Vec<TokenId> = kept.iter().filter(|(_, kept)| *kept == why).map(|(id, _)| *id).collect();
        for chunk in ids.chunks(CHUNK) {
            let rows = action_tokens::table.filter(action_tokens::action.eq(action));
            let rows = rows.filter(action_tokens::token.eq_any(chunk.to_vec()));
            diesel::update(rows).set(action_tokens::kept.eq(why.word())).execute(connection)?;
        }
    }
    Ok(())
}

fn load(connection: &mut Connection, action: i64) -> QueryResult<Vec<Then>> {
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

fn put_back(
    connection: &mut Connection,
    action: &Action,
    tokens: Vec<Then>,
    now: Micros,
) -> Result<Vec<(TokenId, UndoSkip)>, Error> {
    let (mut undone, mut kept) = (Vec::new(), Vec::new());
    for then in tokens {
        let token = then.now.token()?;
        if then.deleted_at.is_some() {
            kept.push((then.id, UndoSkip::Deleted));
        } else if token.modified.get() != then.stamp {
            kept.push((then.id, UndoSkip::Changed));
        } else {
            let before = Before {
                label: then.label,
                valid_from: then.valid_from.map(Micros::stored),
                valid_to: then.valid_to.map(Micros::stored),
                usage_count: then.usage_count,
                lock_time: then.lock_time,
                used: then.used,
                voided: crate::store::tokens::row::read_void(then.voided_at, then.voided_by, then.void_reason),
            };
            let after = Token { modified: stamp(token.modified, now), ..action.undo(&token, &before) };
            undone.push((then.id, after));
        }
    }
    bulk::put(connection, action, &undone)?;
    Ok(kept)
}

fn restore(connection: &mut Connection, tokens: Vec<Then>, now: Micros) -> Result<Vec<(TokenId, UndoSkip)>, Error> {
    let in_use = values_in_use(connection, tokens.iter().map(|then| then.now.value()))?;
    let (mut restored, mut kept) = (Vec::new(), Vec::new());
    for then in tokens {
        let token = then.now.token()?;
        if then.deleted_at != Some(then.stamp) {
            kept.push((then.id, UndoSkip::Restored));
        } else if in_use.contains(&token.value) {
            kept.push((then.id, UndoSkip::ValueTaken));
        } else {
            restored.push((then.id, stamp(token.modified, now)));
        }
    }
    bulk::restore(connection, &restored).map_err(|error| match crate::store::tokens::row::unique(error) {
        // Somebody was quicker; the next look finds the value taken.
        Error::Token(error) => Error::Again(error.to_string()),
        error => error,
    })?;
    Ok(kept)
}

/// Those of the values that tokens have which are not deleted.
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
