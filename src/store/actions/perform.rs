//! Decides actions: a small one in the transaction that also carries it out, a large one after its tokens were written
//! down piece by piece.

use std::collections::HashMap;

use diesel::prelude::*;

use super::past::is_decided;
use super::pending::{Listings, Stage, abandon, carry_out, decision_time, is_silent, is_staged_before};
use super::plan::{ActionPlan, make_plan};
use super::rows;
use super::rows::Chosen;
use crate::access::Principal;
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::error::{Error, is_duplicate};
use crate::store::schema::actions;
use crate::store::search::SearchLimit;
use crate::store::tokens::selection;
use crate::store::tokens::selection::{Selection, SelectionDigest};
use crate::token::action::Action;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, Uid};

/// How long nothing may have been written of an action that is not decided, in microseconds. Then whoever wrote it down has
/// ended.
const ABANDONED: i64 = 60 * 1_000_000;

/// The result of an action.
#[derive(Debug)]
pub enum ActionResult {
    /// It is decided, and can be undone by this uid when it is carried out.
    Done(Uid),
    /// Nothing was done: the selection has changed since somebody looked at it.
    Stale(ActionPlan),
    /// Nothing was done: no token would change.
    Nothing(ActionPlan),
}

/// An action to perform.
#[derive(Clone, Debug)]
pub struct ActionRequest {
    /// The uid that the action will have: a request sent twice is done once.
    pub uid: Uid,
    /// The tokens.
    pub selection: Selection,
    /// The action.
    pub action: Action,
    /// If given, the action is done only if the selection still has this digest.
    pub digest: Option<SelectionDigest>,
}

impl ActionRequest {
    /// An action on one token, whatever its state.
    pub fn one(token: Uid, action: Action) -> Self {
        Self { uid: Uid::random(), selection: Selection::Uids(vec![token]), action, digest: None }
    }

    /// How it is written down.
    fn first_stage(&self) -> Stage {
        let is_list = self.digest.is_none() && self.action == Action::Delete;
        if is_list { Stage::Listing } else { Stage::Staging }
    }

    /// Whether the selection is another one than was looked at.
    pub(crate) fn is_stale(&self, plan: &ActionPlan) -> bool {
        self.digest.as_ref().is_some_and(|digest| *digest != plan.digest)
    }
}

/// Performs an action on every token of its selection for which it is not refused, in this transaction.
///
/// # Errors
/// A value error when the action would be refused for every token, or the selection is too large.
pub fn perform(
    connection: &mut Connection,
    request: &ActionRequest,
    by: &Principal,
    now: Micros,
) -> Result<ActionResult, Error> {
    let ActionRequest { uid, selection, action, .. } = request;
    if is_decided(connection, *uid)? {
        return Ok(ActionResult::Done(*uid));
    }
    action.check()?;
    let listings = if *action == Action::Delete { Listings::GiveWay } else { Listings::Stay };
    let selected = selection::lock(connection, selection, now, listings)?;
    let (plan, chosen) = make_plan(selected, action, by, now, |chosen| chosen);
    if request.is_stale(&plan) {
        // When a form is sent twice at the same time, the second request has waited for the first one's locks.
        let is_decided = is_decided(connection, *uid)?;
        return Ok(if is_decided { ActionResult::Done(*uid) } else { ActionResult::Stale(plan) });
    }
    let Some(first) = chosen.first().map(|first| first.before.uid) else { return Ok(ActionResult::Nothing(plan)) };
    let id = begin(connection, request, &plan, by, now)?;
    let id = id.ok_or_else(|| Error::Conflict("the same is being done just now".into()))?;
    rows::insert(connection, id, &chosen)?;
    decide(connection, id, request, (&plan, first), by, now)?;
    while !carry_out(connection, id, usize::MAX, now)? {}
    Ok(ActionResult::Done(*uid))
}

/// A token that a plan would change.
#[derive(Clone, Debug)]
pub struct Planned {
    id: TokenId,
    /// Its uid.
    pub uid: Uid,
    number: usize,
    modified: Micros,
}

/// What an action would do now, and to which tokens, in the order in which they are written down.
///
/// # Errors
/// As those of [`plan`](super::plan()).
pub fn plan_tokens(
    connection: &mut Connection,
    request: &ActionRequest,
    by: &Principal,
    (now, limit): (Micros, &SearchLimit),
) -> Result<(ActionPlan, Vec<Planned>), Error> {
    request.action.check()?;
    let selected = selection::load(connection, &request.selection, now, limit)?;
    let planned =
        |Chosen { id, number, before, .. }: Chosen| Planned { id, uid: before.uid, number, modified: before.modified };
    let (plan, mut planned) = make_plan(selected, &request.action, by, now, planned);
    planned.sort_unstable_by_key(|planned| planned.id);
    Ok((plan, planned))
}

/// Begins to write down an action, of which nobody sees anything before it is decided, and returns its id; none, if the
/// same form was sent before and is being written down.
///
/// # Errors
/// A conflict, when the same form was sent twice at the same time.
pub fn begin(
    connection: &mut Connection,
    request: &ActionRequest,
    plan: &ActionPlan,
    by: &Principal,
    now: Micros,
) -> Result<Option<i64>, Error> {
    let same = actions::table.filter(actions::uid.eq(request.uid.to_string())).select(actions::id);
    if same.get_result::<i64>(connection).optional()?.is_some() {
        return Ok(None);
    }
    let what = serde_json::to_string(&request.action).map_err(|error| Error::Failed(error.to_string()))?;
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let row = (
        actions::uid.eq(request.uid.to_string()),
        actions::what.eq(what),
        actions::principal.eq(by.as_str()),
        actions::timestamp.eq(now.get()),
        actions::count.eq(count(plan.changed)),
        actions::refused.eq(count(plan.refused_count())),
        actions::pending.eq(request.first_stage().word()),
        actions::touched.eq(now.get()),
    );
    let inserted = diesel::insert_into(actions::table).values(row).returning(actions::id).get_result(connection);
    inserted.map(Some).map_err(|error| {
        // The retry finds the action.
        if is_duplicate(&error, "actions", "uid") {
            Error::Conflict("it was done a moment ago".into())
        } else {
            error.into()
        }
    })
}

/// Writes down a piece of an action's tokens, and returns whether the action can still be decided: not if somebody has
/// changed one of them since the selection was looked at, or is writing it down for another action, which came first.
///
/// # Errors
/// Unknown, when a token is gone and the selection is what it is now.
pub fn stage(
    connection: &mut Connection,
    id: i64,
    request: &ActionRequest,
    piece: &[Planned],
    now: Micros,
) -> Result<bool, Error> {
    let ids: Vec<TokenId> = piece.iter().map(|planned| planned.id).collect();
    if is_staged_before(connection, id, &ids, now)? {
        return Ok(false);
    }
    let locked = selection::lock_by_ids(connection, &ids, now, Listings::GiveWay)?;
    let mut there: HashMap<TokenId, Token> = locked.into_iter().collect();
    let mut chosen = Vec::with_capacity(piece.len());
    for planned in piece {
        match there.remove(&planned.id) {
            Some(before) if request.digest.is_none() || before.modified == planned.modified => {
                chosen.push(Chosen { id: planned.id, number: planned.number, before, target: None });
            }
            None if request.digest.is_none() => return Err(TokenError::Unknown(planned.uid).into()),
            _ => return Ok(false),
        }
    }
    write_down(connection, id, &chosen, now)
}

/// Writes down tokens, and returns whether their action is still undecided.
pub(super) fn write_down(connection: &mut Connection, id: i64, chosen: &[Chosen], now: Micros) -> Result<bool, Error> {
    rows::insert(connection, id, chosen)?;
    let undecided = actions::table.find(id).filter(actions::pending.eq_any(Stage::UNDECIDED));
    Ok(diesel::update(undecided).set(actions::touched.eq(now.get())).execute(connection)? > 0)
}

/// Decides an action whose tokens are written down, unless one of them was changed since, and returns whether it did: the
/// plan, with the uid of its first token, is recorded in the audit log.
pub fn decide(
    connection: &mut Connection,
    id: i64,
    request: &ActionRequest,
    (plan, first): (&ActionPlan, Uid),
    by: &Principal,
    now: Micros,
) -> Result<bool, Error> {
    let undecided = actions::table.find(id).filter(actions::pending.eq_any(Stage::UNDECIDED));
    let at = decision_time(connection, now)?.get();
    let changing =
        (actions::pending.eq(Stage::Changing.word()), actions::timestamp.eq(at), actions::touched.eq(now.get()));
    if diesel::update(undecided).set(changing).execute(connection)? == 0 {
        return Ok(false);
    }
    record(connection, request, plan, first, by, now)?;
    Ok(true)
}

/// Whether an action with this uid is being written down. If whoever began it has ended, it is given up, and is not.
pub(crate) fn is_being_staged(connection: &mut Connection, uid: Uid, now: Micros) -> Result<bool, Error> {
    let row = actions::table.filter(actions::uid.eq(uid.to_string()));
    let row = row.filter(actions::pending.eq_any(Stage::UNDECIDED)).select((actions::id, actions::touched));
    let Some((id, touched)) = row.get_result::<(i64, i64)>(connection).optional()? else { return Ok(false) };
    if is_silent(touched, now) {
        abandon(connection, id)?;
        return Ok(false);
    }
    Ok(true)
}

/// Gives up an action that is not decided. What was written down of it is removed by and by.
pub(crate) fn give_up(connection: &mut Connection, id: i64) -> Result<(), Error> {
    abandon(connection, id)?;
    Ok(())
}

/// Removes some of what was written down of actions that were not decided, and returns whether there may be more.
pub fn remove_abandoned(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let silent = actions::table.filter(actions::pending.eq_any(Stage::UNDECIDED));
    let silent = silent.filter(actions::touched.lt(now.get() - ABANDONED)).select(actions::id);
    for id in silent.load::<i64>(connection)? {
        abandon(connection, id)?;
    }
    let abandoned = actions::table.filter(actions::pending.eq(Stage::Abandoned.word())).select(actions::id);
    let Some(id) = abandoned.limit(1).get_result::<i64>(connection).optional()? else { return Ok(false) };
    if !rows::remove_some(connection, id)? {
        diesel::delete(actions::table.find(id)).execute(connection)?;
    }
    Ok(true)
}

/// Records in the audit log every change of many tokens, and those of a single token that need more than the right to
/// edit.
pub(super) fn record(
    connection: &mut Connection,
    request: &ActionRequest,
    plan: &ActionPlan,
    first: Uid,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let is_one = plan.selected == 1;
    let (name, reason) = match &request.action {
        Action::Delete => ("bulk delete", None),
        Action::Void { reason } => (if is_one { "token void" } else { "bulk void" }, reason.as_deref()),
        Action::Unvoid => (if is_one { "token unvoid" } else { "bulk unvoid" }, None),
        Action::Import { file, .. } => ("import change", Some(file.as_str())),
        _ if is_one => return Ok(()),
        action => ("bulk change", action.part()),
    };
    if name.starts_with("token") {
        return audit::record(connection, by, name, &first.to_string(), reason.unwrap_or_default(), now);
    }
    let tokens = if plan.changed == 1 { "1 token".to_owned() } else { format!("{} tokens", plan.changed) };
    let detail = reason.map_or_else(|| tokens.clone(), |reason| format!("{tokens}: {reason}"));
    audit::record(connection, by, name, &request.uid.to_string(), &detail, now)
}
