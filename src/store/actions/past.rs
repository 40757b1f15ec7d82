//! Past actions, and those under way.

use diesel::prelude::*;

use super::pending::Stage;
use super::rows;
use crate::store::batches;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::{action_tokens, actions, tokens};
use crate::store::tokens::delete::RESTORE_DAYS;
use crate::store::tokens::row::TokenRow;
use crate::token::action::{Action, UndoSkip};
use crate::token::{BatchId, Micros, Token, Uid};

/// Microseconds for which an action can be undone.
const UNDO_MICROS: i64 = RESTORE_DAYS * Micros::DAY;

/// Most tokens of an action that are looked at to see whether they are of one batch.
const BATCH_LOOKED_AT: i32 = 1_000;

/// Removes some undo data of actions that are too old to be undone, and returns whether there may be more. The actions
/// themselves stay.
pub(crate) fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    // The usual case reads only the oldest row: there may be millions.
    let oldest = action_tokens::table.order(action_tokens::action).select(action_tokens::action).limit(1);
    let Some(oldest) = oldest.get_result::<i64>(connection).optional()? else { return Ok(false) };
    let action = actions::table.find(oldest).select((actions::timestamp, actions::pending));
    let action = action.get_result::<(i64, Option<String>)>(connection).optional()?;
    if action.is_some_and(|(at, pending)| at > now.get() - UNDO_MICROS || pending.is_some()) {
        return Ok(false);
    }
    rows::remove_some(connection, oldest)
}

/// An action that was done, or is under way.
#[derive(Clone, Debug)]
pub struct PastAction {
    pub(crate) id: i64,
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
    /// How many of its tokens are changed, or undone, while it is under way.
    pub progress: Option<i32>,
}

impl PastAction {
    /// Whether it is known, whole, recent enough to be undone, and not yet undone.
    pub(crate) fn can_be_undone(&self, now: Micros) -> bool {
        self.action.is_some()
            && self.undone.is_none()
            && self.progress.is_none()
            && now.get() - self.at.get() < UNDO_MICROS
    }
}

type ActionRow =
    (i64, String, String, String, i64, i32, i32, Option<i64>, Option<String>, Option<String>, i64, i32, i64);

fn past_action(row: ActionRow) -> PastAction {
    let (id, uid, what, by, at, count, refused, undone, undone_by, pending, _, handled, _) = row;
    let action = serde_json::from_str(&what).ok();
    let undone = undone.map(|at| (Micros::stored(at), undone_by.unwrap_or_default()));
    let progress = pending.map(|_| handled);
    PastAction { id, uid, action, by, at: Micros::stored(at), count, refused, undone, progress }
}

/// What nobody sees: actions that are not decided.
const HIDDEN: [&str; 3] = [Stage::Staging.word(), Stage::Listing.word(), Stage::Abandoned.word()];

/// Whether an action with this uid is decided.
pub(crate) fn is_decided(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    Ok(find(connection, uid)?.is_some())
}

/// The action with this uid.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PastAction>> {
    let row = actions::table.filter(actions::uid.eq(uid.to_string()));
    let row = row.filter(actions::pending.is_null().or(actions::pending.ne_all(HIDDEN)));
    let row: Option<ActionRow> = row.select(actions::all_columns).get_result(connection).optional()?;
    Ok(row.map(past_action))
}

/// Actions, newest first, each with its cursor; only those after the cursor `after`, if given.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PastAction)>> {
    let decided = actions::table.filter(actions::pending.is_null().or(actions::pending.ne_all(HIDDEN)));
    let mut query = decided.order(actions::id.desc()).limit(limit).select(actions::all_columns).into_boxed();
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

/// What an action holds: its first and its last token, deleted ones included, and the name of the batch if they are all of
/// it and few enough to look at each.
pub(crate) struct Contents {
    pub(crate) first: Token,
    pub(crate) last: Token,
    pub(crate) batch: Option<String>,
}

/// What an action holds; none, once it is too old to be undone and its tokens are forgotten.
pub(crate) fn contents(connection: &mut Connection, action: &PastAction) -> Result<Option<Contents>, Error> {
    let Some(first) = tokens_of(connection, action, false, 1)?.pop().map(|(token, _)| token) else { return Ok(None) };
    let of = action_tokens::table.inner_join(tokens::table.on(tokens::id.eq(action_tokens::token)));
    let of = of.filter(action_tokens::action.eq(action.id));
    let last = of.order(action_tokens::token.desc()).limit(1).select(TokenRow::as_select());
    let last: Option<TokenRow> = last.get_result(connection).optional()?;
    let last = last.map_or_else(|| Ok(first.clone()), TokenRow::token)?;
    let mut batch = batches::of_tokens(connection, [&first].into_iter())?.into_values().next();
    batch = batch.filter(|batch| batch.count == action.count && action.count <= BATCH_LOOKED_AT);
    if batch.is_some() {
        let found = of.select(tokens::batch).distinct().limit(2).load::<Option<BatchId>>(connection)?;
        batch = batch.filter(|_| found.len() == 1);
    }
    Ok(Some(Contents { first, last, batch: batch.map(|batch| batch.name) }))
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
