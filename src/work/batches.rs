//! Creates batches of tokens.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Background;
use super::batch_progress::BatchProgress;
use super::failure::failure_message;
use crate::access::{Permission, Principal};
use crate::store::accounts::check_may;
use crate::store::batches::{self, NewBatch};
use crate::store::{Error, tokens};
use crate::token::{Token, Uid, batch};

/// Creates a batch that [`batches::begin`] has added, in the background, and stores the reason if it fails. Calls
/// `ended` when the batch is created or has failed.
pub(crate) fn spawn(
    background: &Arc<Background>,
    new: NewBatch,
    model: Token,
    pattern: String,
    by: Principal,
    ended: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    // A server that shuts down waits for the batch, although its request was answered long ago.
    let in_progress = background.shutdown.track();
    let background = Arc::clone(background);
    tokio::spawn(async move {
        let uid = new.uid;
        if let Err(error) = make(&background, new, model, pattern, by).await {
            record_failure(&background, uid, &error).await;
        }
        ended();
        background.batches.end(uid);
        drop(in_progress);
    })
}

async fn make(
    background: &Background,
    new: NewBatch,
    model: Token,
    pattern: String,
    by: Principal,
) -> Result<(), Error> {
    let progress = background.batches.begin(new.uid);
    let _permit = background.long_list_permit().await?;
    let tokens = generate(model, pattern, new.count).await?;
    write_pieces(background, new.uid, tokens, &by, &progress).await
}

/// Writes the tokens of a batch that has begun piece by piece, between which others write, and then shows all at once.
async fn write_pieces(
    background: &Background,
    uid: Uid,
    tokens: Vec<Token>,
    by: &Principal,
    progress: &BatchProgress,
) -> Result<(), Error> {
    let (store, tokens) = (&background.store, Arc::new(tokens));
    let length = store.piece_length();
    for start in (0..tokens.len()).step_by(length) {
        let (by, now, end) = (by.clone(), store.now(), tokens.len().min(start + length));
        let piece = Arc::clone(&tokens);
        let add = move |connection: &mut _| {
            check_may(connection, &by, Permission::Edit, now)?;
            batches::add_piece(connection, uid, &piece[start..end], now)
        };
        store.write(add).await?;
        progress.set(end);
    }
    let (by, now) = (by.clone(), store.now());
    let finish = move |connection: &mut _| {
        check_may(connection, &by, Permission::Edit, now)?;
        batches::finish(connection, uid, &by, now)
    };
    store.write(finish).await
}

/// Adds `count` tokens like `model`, all or none, as a batch if one is given. Returns their uids.
///
/// # Errors
/// A value error when a label would be too long.
pub(crate) async fn add_tokens(
    background: &Arc<Background>,
    model: Token,
    pattern: String,
    count: usize,
    batch: Option<NewBatch>,
    by: Principal,
) -> Result<Vec<Uid>, Error> {
    let permit = background.long_list_permit().await?;
    let tokens = generate(model, pattern, count).await?;
    let uids = tokens.iter().map(|token| token.uid).collect();
    let store = &background.store;
    let now = store.now();
    if batch.is_none() && count <= store.piece_length() {
        let add = store.write(move |connection| {
            let _permit = &permit;
            check_may(connection, &by, Permission::Edit, now)?;
            tokens::add_all(connection, &tokens)
        });
        return add.await.map(|()| uids);
    }
    let new = batch.unwrap_or_else(|| NewBatch { uid: Uid::random(), name: String::new(), count });
    let (uid, who) = (new.uid, by.clone());
    store.write(move |connection| batches::begin(connection, &new, &who, now).map(drop)).await?;
    // It is finished, or given up, also when the client has gone.
    let (in_progress, background) = (background.shutdown.track(), Arc::clone(background));
    let made = tokio::spawn(async move {
        let result = write_pieces(&background, uid, tokens, &by, &BatchProgress::default()).await;
        if let Err(error) = &result {
            record_failure(&background, uid, error).await;
        }
        drop((in_progress, permit));
        result
    });
    made.await.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))?;
    Ok(uids)
}

async fn record_failure(background: &Background, uid: Uid, error: &Error) {
    tracing::warn!(%error, batch = %uid, "a batch was not made");
    let why = failure_message(error);
    let saved = background.store.write(move |connection| batches::fail(connection, uid, &why)).await;
    if let Err(error) = saved {
        tracing::warn!(%error, batch = %uid, "the failure of a batch could not be recorded");
    }
}

async fn generate(model: Token, pattern: String, count: usize) -> Result<Vec<Token>, Error> {
    let generated = tokio::task::spawn_blocking(move || batch::tokens(&model, &pattern, count)).await;
    Ok(generated.map_err(|error| Error::Failed(error.to_string()))??)
}
