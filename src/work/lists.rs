//! Changes lists of tokens for programs, all or none.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::Background;
use super::actions::{CarriedOut, PLAN_AGAIN_PAUSE, TRIES, carry_out, decide_deletion};
use super::kept::or_kept;
use crate::access::Principal;
use crate::store::accounts::check_may;
use crate::store::actions::{lists, perform};
use crate::store::idempotency::{self, Kept, KeyedWork};
use crate::store::{Connection, Error};
use crate::token::list_change::ListChange;
use crate::token::{KeyedRequest, Uid};

/// How long a call waits for a long list to be changed.
const CARRY_OUT_TIMEOUT: Duration = Duration::from_mins(1);

/// Changes the tokens of a list once, and returns the answer.
///
/// # Errors
/// Unknown, or a value error, with the place in the list; unknown to the caller, when they are being changed and it takes too
/// long.
pub(crate) async fn change<A: Clone + Serialize + DeserializeOwned + Send + Sync + 'static>(
    background: &Arc<Background>,
    list: ListChange,
    (by, permit): (Principal, OwnedSemaphorePermit),
    request: Option<KeyedRequest>,
    answer: A,
) -> Result<Kept<A>, Error> {
    let changed = change_new(background, list, (by, permit), request.clone(), answer).await;
    or_kept(&background.store, request, changed).await
}

async fn change_new<A: Clone + Serialize + DeserializeOwned + Send + Sync + 'static>(
    background: &Arc<Background>,
    list: ListChange,
    (by, permit): (Principal, OwnedSemaphorePermit),
    request: Option<KeyedRequest>,
    answer: A,
) -> Result<Kept<A>, Error> {
    let (store, now) = (&background.store, background.store.now());
    if list.uids().len() <= store.change_length() {
        let change = move |connection: &mut Connection| {
            let _permit = &permit;
            check_may(connection, &by, list.permission(), now)?;
            idempotency::once(connection, request.as_ref(), now, |connection| {
                lists::change(connection, &list, &by, now)?;
                Ok(answer.clone())
            })
        };
        return store.write(change).await;
    }
    let keyed = KeyedWork::new(request, &answer)?;
    // It is decided or given up, also when the client has gone.
    let (in_progress, background) = (background.shutdown.track(), Arc::clone(background));
    let decided = tokio::spawn(async move {
        let list = Arc::new(list);
        let decided = if list.deletes() {
            decide_deletion(&background, &list, &by, keyed).await
        } else {
            decide(&background, &list, &by, keyed).await
        };
        drop((in_progress, permit));
        decided
    });
    let decided = decided.await.unwrap_or_else(|error| Err(Error::Failed(error.to_string())));
    if let Some(carried_out) = decided?
        && tokio::time::timeout(CARRY_OUT_TIMEOUT, carried_out).await.is_err()
    {
        return Err(Error::Unknown("the tokens are being changed, which takes longer than usual".into()));
    }
    Ok(Kept::Now(answer))
}

/// Writes a long list down and decides it, anew if others change its tokens meanwhile.
async fn decide(
    background: &Arc<Background>,
    list: &Arc<ListChange>,
    by: &Principal,
    keyed: Option<KeyedWork>,
) -> Result<Option<CarriedOut>, Error> {
    let (store, uid, keyed) = (&background.store, Uid::random(), Arc::new(keyed));
    for _ in 0..TRIES {
        let (changes, keyed, who, now) = (Arc::clone(list), Arc::clone(&keyed), by.clone(), store.now());
        let begin = move |connection: &mut Connection| {
            check_may(connection, &who, changes.permission(), now)?;
            idempotency::begin(connection, keyed.as_ref().as_ref(), uid, now)?;
            lists::begin(connection, &changes, uid, &who, now)
        };
        let id = store.write(begin).await?.ok_or_else(|| Error::Failed("an action's uid was drawn twice".into()))?;
        let decided = stage(background, (id, uid), list, by).await;
        match decided {
            Ok(Some(0)) => return Ok(None),
            Ok(Some(_)) => return Ok(Some(carry_out(background, id))),
            Ok(None) | Err(_) => store.write(move |connection| perform::give_up(connection, id)).await?,
        }
        decided?;
        tokio::time::sleep(PLAN_AGAIN_PAUSE.mul_f64(rand::random_range(0.5..1.5))).await;
    }
    Err(Error::Unavailable("others change these tokens again and again".into()))
}

/// Returns how many tokens are to be changed; none, if it was not decided.
async fn stage(
    background: &Background,
    (id, uid): (i64, Uid),
    list: &Arc<ListChange>,
    by: &Principal,
) -> Result<Option<usize>, Error> {
    let (store, mut changed) = (&background.store, 0);
    let (length, count) = (store.change_length(), list.uids().len());
    for start in (0..count).step_by(length) {
        let (list, by, now) = (Arc::clone(list), by.clone(), store.now());
        let piece = move |connection: &mut Connection| {
            check_may(connection, &by, list.permission(), now)?;
            lists::stage(connection, id, (&list, start..count.min(start + length)), &by, now)
        };
        let Some(staged) = store.write(piece).await? else { return Ok(None) };
        changed += staged;
    }
    let (list, by, now) = (Arc::clone(list), by.clone(), store.now());
    let decide = move |connection: &mut Connection| {
        check_may(connection, &by, list.permission(), now)?;
        lists::decide(connection, (id, uid), (&list, changed), &by, now)
    };
    Ok(store.write(decide).await?.then_some(changed))
}
