//! Actions that are under way: carried out piece by piece, each piece in a short transaction, by whichever server finds
//! them.

use diesel::prelude::*;

use super::change::{Decided, change};
use super::restore::restore;
use super::rows;
use crate::access::{Permission, Principal};
use crate::store::audit;
use crate::store::connection::{Connection, look_up_by_keys};
use crate::store::error::Error;
use crate::store::ledger::replies;
use crate::store::schema::{action_tokens, actions};
use crate::store::tokens::lock::lock_ids;
use crate::token::action::Action;
use crate::token::settle::TokenId;
use crate::token::{Micros, Uid};

/// For how long nothing may have been done of an action, in microseconds. Then whoever did it has ended, and others go on.
const SILENT: i64 = 5 * 1_000_000;

/// What is still to be done of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its tokens are being written down. It is not decided, nobody has seen it, and whoever changes one of them ends it.
    Staging,
    /// The tokens of a list are being written down to be deleted, whatever they are: only a deletion of one of them ends it.
    Listing,
    /// It was not to be: somebody has changed a token of it. What was written down is being removed.
    Abandoned,
    /// It is decided, and its tokens are being changed.
    Changing,
    /// Its undoing is decided.
    Undoing,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Staging, Self::Listing, Self::Abandoned, Self::Changing, Self::Undoing];
    /// The words of those that are being written down.
    pub(super) const UNDECIDED: [&str; 2] = [Self::Staging.word(), Self::Listing.word()];

    /// The word stored in the database.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Listing => "listing",
            Self::Abandoned => "abandoned",
            Self::Changing => "changing",
            Self::Undoing => "undoing",
        }
    }

    /// The stage of this word.
    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// Whether it will be carried out, whatever happens.
    pub(crate) fn is_decided(self) -> bool {
        matches!(self, Self::Changing | Self::Undoing)
    }

    fn is_undecided(self) -> bool {
        matches!(self, Self::Staging | Self::Listing)
    }
}

/// What becomes of lists that are being written down when somebody changes one of their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listings {
    /// They stay: the token remains.
    Stay,
    /// They are given up: the token goes, or another action came first.
    GiveWay,
}

/// An action under way.
#[derive(Clone, PartialEq, Eq)]
struct Pending {
    id: i64,
    uid: String,
    action: Option<Action>,
    by: Principal,
    at: Micros,
    count: i32,
    undone: Option<(Micros, Principal)>,
    stage: Stage,
    cursor: TokenId,
    /// When somebody last worked on it.
    touched: i64,
}

type PendingRow = (i64, String, String, String, i64, i32, Option<i64>, Option<String>, Option<String>, i64, i64);

fn pending((id, uid, what, by, at, count, undone, undone_by, stage, cursor, touched): PendingRow) -> Option<Pending> {
    let (action, at) = (serde_json::from_str(&what).ok(), Micros::stored(at));
    let undone = undone.map(|at| (Micros::stored(at), Principal::stored(&undone_by.unwrap_or_default())));
    let stage = Stage::read(&stage?)?;
    Some(Pending { id, uid, action, by: Principal::stored(&by), at, count, undone, stage, cursor, touched })
}

/// The actions under way in the order in which they were decided, or the one of this id.
fn load(connection: &mut Connection, id: Option<i64>) -> QueryResult<Vec<Pending>> {
    let mut rows = actions::table.filter(actions::pending.is_not_null()).into_boxed();
    if let Some(id) = id {
        rows = rows.filter(actions::id.eq(id));
    }
    let rows = rows.order(actions::id).select((
        actions::id,
        actions::uid,
        actions::what,
        actions::principal,
        actions::timestamp,
        actions::count,
        actions::undone,
        actions::undone_by,
        actions::pending,
        actions::cursor,
        actions::touched,
    ));
    let mut pending: Vec<Pending> = rows.load::<PendingRow>(connection)?.into_iter().filter_map(pending).collect();
    pending.sort_by_key(|pending| (pending.decided(), pending.id));
    Ok(pending)
}

/// The time of a decision that is made now: later than those of all that are being carried out, whatever the clock says, as
/// they are carried out in this order.
pub(super) fn decision_time(connection: &mut Connection, now: Micros) -> QueryResult<Micros> {
    let decided = load(connection, None)?.into_iter().filter(|pending| pending.stage.is_decided());
    Ok(decided.map(|pending| pending.decided().plus_micros(1)).max().map_or(now, |later| later.max(now)))
}

/// Whether an action that is being written down has a token of these, and came before the action of this id. One that
/// nobody has gone on with for a while is given up: it would otherwise be in the way of those who try again after a crash.
pub(super) fn is_staged_before(
    connection: &mut Connection,
    id: i64,
    tokens: &[TokenId],
    now: Micros,
) -> QueryResult<bool> {
    let earlier = load(connection, None)?;
    for other in earlier.into_iter().filter(|other| other.stage.is_undecided() && other.id < id) {
        if rows::ids_after(connection, other.id, other.cursor, tokens)?.is_empty() {
            continue;
        }
        if !is_silent(other.touched, now) || !abandon(connection, other.id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether nobody has worked on an action for a while. A time that is still to come is of a clock that was wrong.
pub(in crate::store) fn is_silent(touched: i64, now: Micros) -> bool {
    (now.get() - touched).abs() > SILENT
}

/// Whether any action is under way: nearly always none is.
fn is_any(connection: &mut Connection) -> QueryResult<bool> {
    let any = actions::table.filter(actions::pending.is_not_null());
    match connection {
        Connection::Sqlite(connection) => diesel::select(diesel::dsl::exists(any)).get_result(connection),
        Connection::Postgres(connection) => diesel::select(diesel::dsl::exists(any)).get_result(connection),
    }
}

/// Whether an action with this uid is decided and being carried out, or being written down by somebody who has not ended.
pub(in crate::store) fn is_under_way(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<bool> {
    let row = actions::table.filter(actions::uid.eq(uid.to_string())).filter(actions::pending.is_not_null());
    let row = row.select((actions::pending.assume_not_null(), actions::touched));
    let row = row.get_result::<(String, i64)>(connection).optional()?;
    Ok(row.is_some_and(|(word, touched)| match Stage::read(&word) {
        Some(stage) => stage.is_decided() || (stage.is_undecided() && !is_silent(touched, now)),
        None => true,
    }))
}

/// Decided actions that nobody has gone on with for a while.
pub(crate) fn left_behind(connection: &mut Connection, now: Micros) -> QueryResult<Vec<i64>> {
    if !is_any(connection)? {
        return Ok(Vec::new());
    }
    let decided = actions::pending.eq_any([Stage::Changing.word(), Stage::Undoing.word()]);
    // As `is_silent` says.
    let silent = actions::touched.lt(now.get() - SILENT).or(actions::touched.gt(now.get() + SILENT));
    actions::table.filter(decided).filter(silent).order(actions::id).select(actions::id).load(connection)
}

/// Carries out the next piece of a decided action, and returns whether it is done, or another version's to do.
///
/// Any number of servers may do so at once: a piece is done once, by whoever first has its tokens' locks.
pub fn carry_out(connection: &mut Connection, id: i64, length: usize, now: Micros) -> Result<bool, Error> {
    let Some(pending) = load(connection, Some(id))?.pop().filter(|pending| pending.stage.is_decided()) else {
        return Ok(true);
    };
    if pending.action.is_none() {
        return Ok(true);
    }
    let ids = rows::next_ids(connection, id, pending.cursor, length)?;
    lock_ids(connection, &ids)?;
    let under_way = load(connection, None)?;
    if !under_way.contains(&pending) {
        // Another server has done this piece while this one waited for its tokens.
        return Ok(false);
    }
    // Only what was decided before it comes first.
    let place = |pending: &Pending| (pending.decided(), pending.id);
    let is_first = |other: &Pending| other.id != id && (!other.stage.is_decided() || place(other) < place(&pending));
    bring_out(connection, under_way.into_iter().filter(is_first), &ids, now, pending.listings())?;
    pending.carry_out(connection, &ids, now)?;
    if let Some(last) = ids.last() {
        let handled = actions::handled + i32::try_from(ids.len()).unwrap_or(i32::MAX);
        let set = (actions::cursor.eq(last), actions::handled.eq(handled), actions::touched.eq(now.get()));
        diesel::update(actions::table.find(id)).set(set).execute(connection)?;
    }
    if ids.len() == length {
        return Ok(false);
    }
    pending.end(connection, now)?;
    Ok(true)
}

/// Brings these tokens, which the caller has locked to change them, out of the middle of all actions: one that is decided
/// is done to them at once, before the caller's change; one that is not decided is abandoned. Returns whether any of the
/// tokens may have changed.
///
/// # Errors
/// Unavailable, when only another version of Tessera knows what is being done to them.
pub(in crate::store) fn pull_forward(
    connection: &mut Connection,
    tokens: &[TokenId],
    now: Micros,
    listings: Listings,
) -> Result<bool, Error> {
    if !is_any(connection)? {
        return Ok(false);
    }
    look_up_by_keys(connection)?;
    let under_way = load(connection, None)?;
    bring_out(connection, under_way.into_iter(), tokens, now, listings)
}

/// Brings tokens out of the middle of these actions, in their order.
fn bring_out(
    connection: &mut Connection,
    under_way: impl Iterator<Item = Pending>,
    tokens: &[TokenId],
    now: Micros,
    listings: Listings,
) -> Result<bool, Error> {
    let mut may_have_changed = false;
    for pending in under_way {
        let ids = rows::ids_after(connection, pending.id, pending.cursor, tokens)?;
        let stays = pending.stage == Stage::Listing && listings == Listings::Stay;
        if ids.is_empty() || stays || pending.stage == Stage::Abandoned {
            continue;
        }
        if pending.stage.is_undecided() && abandon(connection, pending.id)? {
            continue;
        }
        // It may have been decided since it was loaded.
        let Some(pending) = load(connection, Some(pending.id))?.pop().filter(|pending| pending.stage.is_decided())
        else {
            continue;
        };
        pending.carry_out(connection, &ids, now)?;
        may_have_changed = true;
    }
    Ok(may_have_changed)
}

/// Gives up an action that is not decided, and returns whether it was not. Its uid is free for the next try.
pub(super) fn abandon(connection: &mut Connection, id: i64) -> QueryResult<bool> {
    let undecided = actions::table.find(id).filter(actions::pending.eq_any(Stage::UNDECIDED));
    let abandoned = (actions::pending.eq(Stage::Abandoned.word()), actions::uid.eq(Uid::random().to_string()));
    let given_up = diesel::update(undecided).set(abandoned).execute(connection)?;
    Ok(given_up > 0)
}

impl Pending {
    /// When it was decided, or its undoing.
    fn decided(&self) -> Micros {
        self.undone.as_ref().filter(|_| self.stage == Stage::Undoing).map_or(self.at, |(at, _)| *at)
    }

    fn listings(&self) -> Listings {
        let deletes = self.stage == Stage::Changing && self.action == Some(Action::Delete);
        if deletes { Listings::GiveWay } else { Listings::Stay }
    }

    fn carry_out(&self, connection: &mut Connection, tokens: &[TokenId], now: Micros) -> Result<(), Error> {
        let Some(action) = &self.action else {
            return Err(Error::Unavailable("another version of Tessera is changing this token".into()));
        };
        if self.stage == Stage::Undoing {
            return restore(connection, self.id, action, tokens, now);
        }
        change(connection, &Decided { id: self.id, action, by: &self.by, at: self.at }, tokens, now)
    }

    /// Ends it. An undoing that found every token changed since is as if it had not been asked for: it can be tried again
    /// when those changes have been undone themselves.
    fn end(&self, connection: &mut Connection, now: Micros) -> Result<(), Error> {
        let rest = (actions::pending.eq(None::<String>), actions::touched.eq(now.get()));
        diesel::update(actions::table.find(self.id)).set(rest).execute(connection)?;
        if self.stage != Stage::Undoing {
            return Ok(replies::complete(connection, &self.uid)?);
        }
        let undone = action_tokens::table.filter(action_tokens::action.eq(self.id));
        let undone = undone.filter(action_tokens::stamp.is_null());
        if !diesel::select(diesel::dsl::exists(undone)).get_result::<bool>(connection)? {
            let nobody = (actions::undone.eq(None::<i64>), actions::undone_by.eq(None::<String>));
            diesel::update(actions::table.find(self.id)).set(nobody).execute(connection)?;
            return Ok(());
        }
        let needs_more_than_edit = self.action.as_ref().is_some_and(|action| action.permission() != Permission::Edit);
        if self.count == 1 && !needs_more_than_edit {
            return Ok(());
        }
        let by = self.undone.as_ref().map_or_else(Principal::itself, |(_, by)| by.clone());
        audit::record(connection, &by, "bulk undo", &self.uid, &format!("{} tokens", self.count), now)
    }
}
