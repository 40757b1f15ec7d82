//! Carries out actions beside requests: decides a large one after its tokens were written down, changes its tokens piece
//! by piece, and goes on with what a server left behind that has ended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::Background;
use crate::access::Principal;
use crate::store::accounts::check_may;
use crate::store::actions::past::PastAction;
use crate::store::actions::perform::{self, Planned};
use crate::store::actions::{ActionPlan, ActionRequest, ActionResult, past, pending, undo};
use crate::store::idempotency::{self, KeyedWork};
use crate::store::tokens::selection::Selection;
use crate::store::{Connection, Error};
use crate::token::list_change::ListChange;
use crate::token::{TokenError, Uid};

/// How often an action is planned anew when others change its tokens while they are written down, and how soon: whoever came
/// first has decided by then, or is taken for dead after five seconds.
pub(super) const TRIES: usize = 40;
pub(super) const PLAN_AGAIN_PAUSE: Duration = Duration::from_millis(250);
/// How often a form that was sent twice looks whether the first one is decided.
const DECIDED_INTERVAL: Duration = Duration::from_millis(100);
/// How often the server looks for actions that others have left behind, and how long it waits after an error.
const LEFT_BEHIND_INTERVAL: Duration = Duration::from_secs(1);

/// A decided action that is being carried out: it ends with that.
pub(crate) type CarriedOut = JoinHandle<()>;

/// What became of a request, and what is still being done for it.
type Outcome = (ActionResult, Option<CarriedOut>);

/// Performs an action. When this returns, it is decided, and its tokens are being changed.
///
/// # Errors
/// A value error when the action would be refused for every token, or the selection is too large; refused, when `by` may
/// no longer do it. Nothing is changed then.
pub(crate) async fn perform(
    background: &Arc<Background>,
    request: ActionRequest,
    by: Principal,
    permit: OwnedSemaphorePermit,
) -> Result<Outcome, Error> {
    let (in_progress, background) = (background.shutdown.track(), Arc::clone(background));
    // Also when whoever asked has gone.
    let decided = tokio::spawn(async move {
        let outcome = decide(&background, &Arc::new(request), &by, |_, _| Ok(()), None).await;
        drop((in_progress, permit));
        outcome
    });
    decided.await.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))
}

/// Decides that the tokens of a long list are deleted.
///
/// # Errors
/// Unknown for the first place in the list that has no token.
pub(super) async fn decide_deletion(
    background: &Arc<Background>,
    list: &ListChange,
    by: &Principal,
    keyed: Option<KeyedWork>,
) -> Result<Option<CarriedOut>, Error> {
    let (selection, action) = (Selection::Uids(list.uids().to_vec()), list.action());
    let request = Arc::new(ActionRequest { uid: Uid::random(), selection, action, digest: None });
    match decide(background, &request, by, all_exist, keyed).await {
        Ok((_, carried_out)) => Ok(carried_out),
        Err(Error::Token(error)) => Err(list.at_unknown(error).into()),
        Err(error) => Err(error),
    }
}

fn all_exist(request: &ActionRequest, planned: &[Planned]) -> Result<(), Error> {
    let Selection::Uids(uids) = &request.selection else { return Ok(()) };
    let there: HashSet<Uid> = planned.iter().map(|planned| planned.uid).collect();
    match uids.iter().filter(|uid| !there.contains(uid)).min() {
        Some(missing) => Err(TokenError::Unknown(*missing).into()),
        None => Ok(()),
    }
}

/// Undoes an action. When this returns, that is decided; the tokens of a large one are still being restored.
///
/// # Errors
/// Unknown when there is no such action; refused when it is too old, or this version does not know what it did.
pub(crate) async fn undo(
    background: &Arc<Background>,
    uid: Uid,
    by: Principal,
) -> Result<(PastAction, Option<CarriedOut>), Error> {
    let (store, now) = (&background.store, background.store.now());
    let length = store.change_length();
    let decide = move |connection: &mut Connection| {
        let past = past::find(connection, uid)?.ok_or(TokenError::Unknown(uid))?;
        if usize::try_from(past.count).is_ok_and(|count| count <= length) {
            return Ok((undo::undo(connection, uid, &by, now)?, None));
        }
        undo::decide(connection, uid, &by, now)?;
        let decided = past::find(connection, uid)?.ok_or(TokenError::Unknown(uid))?;
        let id = decided.progress.map(|_| decided.id);
        Ok((decided, id))
    };
    let (past, id) = store.write(decide).await?;
    Ok((past, id.map(|id| carry_out(background, id))))
}

/// Goes on with actions that were left behind by servers that have ended, until this one ends.
pub(crate) fn watch(background: &Arc<Background>) {
    let background = Arc::clone(background);
    tokio::spawn(async move {
        while !background.shutdown.is_ending() {
            tokio::time::sleep(LEFT_BEHIND_INTERVAL).await;
            let now = background.store.now();
            // If the database is away, the writer says so.
            let left_behind =
                background.store.read_inline(move |connection| Ok(pending::left_behind(connection, now)?));
            for id in left_behind.await.unwrap_or_default() {
                carry_out(&background, id);
            }
        }
    });
}

async fn decide(
    background: &Arc<Background>,
    request: &Arc<ActionRequest>,
    by: &Principal,
    check: fn(&ActionRequest, &[Planned]) -> Result<(), Error>,
    keyed: Option<KeyedWork>,
) -> Result<Outcome, Error> {
    let (length, keyed) = (background.store.change_length(), Arc::new(keyed));
    if matches!(&request.selection, Selection::Uids(uids) if uids.len() <= length) {
        let (request, by, now) = (Arc::clone(request), by.clone(), background.store.now());
        let perform = move |connection: &mut Connection| {
            check_may(connection, &by, request.action.permission(), now)?;
            perform::perform(connection, &request, &by, now)
        };
        return Ok((background.store.write(perform).await?, None));
    }
    for _ in 0..TRIES {
        if is_decided(background, request.uid).await? {
            return Ok((ActionResult::Done(request.uid), None));
        }
        let (plan, planned) = plan(background, request, by).await?;
        check(request, &planned)?;
        if request.is_stale(&plan) || planned.is_empty() {
            // The same form, sent at the same time, may have changed the tokens before they were looked at.
            return Ok(match (is_decided(background, request.uid).await?, request.is_stale(&plan)) {
                (true, _) => (ActionResult::Done(request.uid), None),
                (false, true) => (ActionResult::Stale(plan), None),
                (false, false) => (ActionResult::Nothing(plan), None),
            });
        }
        if let Some(id) = stage(background, request, (plan, planned), by, &keyed).await? {
            return Ok((ActionResult::Done(request.uid), Some(carry_out(background, id))));
        }
        tokio::time::sleep(PLAN_AGAIN_PAUSE.mul_f64(rand::random_range(0.5..1.5))).await;
    }
    Err(Error::Unavailable("others change these tokens again and again".into()))
}

/// Whether the same request was decided before. Waits for one that is being written down.
async fn is_decided(background: &Background, uid: Uid) -> Result<bool, Error> {
    loop {
        let now = background.store.now();
        let look = move |connection: &mut Connection| {
            Ok((past::is_decided(connection, uid)?, perform::is_being_staged(connection, uid, now)?))
        };
        match background.store.write(look).await? {
            (false, true) => tokio::time::sleep(DECIDED_INTERVAL).await,
            (is_decided, _) => return Ok(is_decided),
        }
    }
}

async fn plan(
    background: &Background,
    request: &Arc<ActionRequest>,
    by: &Principal,
) -> Result<(ActionPlan, Vec<Planned>), Error> {
    let (request, by, now) = (Arc::clone(request), by.clone(), background.store.now());
    let plan =
        move |connection: &mut Connection, limit: &_| perform::plan_tokens(connection, &request, &by, (now, limit));
    background.store.search(plan).await
}

/// Writes down an action's tokens and decides it. Returns its id, or none if others have changed one of them meanwhile.
async fn stage(
    background: &Background,
    request: &Arc<ActionRequest>,
    planned: (ActionPlan, Vec<Planned>),
    by: &Principal,
    keyed: &Arc<Option<KeyedWork>>,
) -> Result<Option<i64>, Error> {
    let (store, staging) = (&background.store, Arc::new(planned));
    let (wanted, plan, who, now) = (Arc::clone(request), Arc::clone(&staging), by.clone(), store.now());
    let keyed = Arc::clone(keyed);
    let begin = move |connection: &mut Connection| {
        idempotency::begin(connection, keyed.as_ref().as_ref(), wanted.uid, now)?;
        perform::begin(connection, &wanted, &plan.0, &who, now)
    };
    let Some(id) = store.write(begin).await? else { return Ok(None) };
    let decided = stage_pieces(background, id, request, &staging, by).await;
    if !matches!(decided, Ok(true)) {
        store.write(move |connection| perform::give_up(connection, id)).await?;
    }
    Ok(decided?.then_some(id))
}

async fn stage_pieces(
    background: &Background,
    id: i64,
    request: &Arc<ActionRequest>,
    staging: &Arc<(ActionPlan, Vec<Planned>)>,
    by: &Principal,
) -> Result<bool, Error> {
    let (store, length) = (&background.store, background.store.change_length());
    for start in (0..staging.1.len()).step_by(length) {
        let (request, staging, by, now) = (Arc::clone(request), Arc::clone(staging), by.clone(), store.now());
        let piece = move |connection: &mut Connection| {
            check_may(connection, &by, request.action.permission(), now)?;
            let end = staging.1.len().min(start + length);
            perform::stage(connection, id, &request, &staging.1[start..end], now)
        };
        if !store.write(piece).await? {
            return Ok(false);
        }
    }
    let (request, staging, by, now) = (Arc::clone(request), Arc::clone(staging), by.clone(), store.now());
    let decide = move |connection: &mut Connection| {
        check_may(connection, &by, request.action.permission(), now)?;
        perform::decide(connection, id, &request, (&staging.0, staging.1[0].uid), &by, now)
    };
    store.write(decide).await
}

/// Carries out a decided action until it is done, unless this instance does already.
pub(super) fn carry_out(background: &Arc<Background>, id: i64) -> CarriedOut {
    let (in_progress, background) = (background.shutdown.track(), Arc::clone(background));
    tokio::spawn(async move {
        if !background.actions.begin(id) {
            return;
        }
        let length = background.store.change_length();
        loop {
            let now = background.store.now();
            match background.store.write(move |connection| pending::carry_out(connection, id, length, now)).await {
                Ok(true) => break,
                Ok(false) => {}
                // It is decided: it will be done, if not by this server, then by another one.
                Err(_) if background.shutdown.is_ending() => break,
                Err(error) => {
                    tracing::warn!(%error, action = id, "an action is held up");
                    tokio::time::sleep(LEFT_BEHIND_INTERVAL).await;
                }
            }
        }
        background.actions.end(id);
        drop(in_progress);
    })
}
