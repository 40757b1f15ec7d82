//! Creates batches of tokens.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Background;
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
            tracing::warn!(%error, batch = %uid, "a batch was not made");
            let why = failure_message(&error);
            let saved = background.store.write(move |connection| batches::fail(connection, uid, &why)).await;
            if let Err(error) = saved {
                tracing::warn!(%error, batch = %uid, "the failure of a batch could not be recorded");
            }
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
    let permit = background.long_list_permit().await?;
    let tokens = generate(model, pattern, new.count).await?;
    let now = background.store.now();
    let work = move |connection: &mut _| {
        let _permit = &permit;
        check_may(connection, &by, Permission::Edit, now)?;
        batches::make(connection, new.uid, &tokens, |written| progress.set(written), &by, now)
    };
    background.store.write(work).await
}

/// Adds `count` tokens like `model`, all or none, as a batch if one is given. Returns their uids.
///
/// # Errors
/// A value error when a label would be too long.
pub(crate) async fn add_tokens(
    background: &Background,
    model: Token,
    pattern: String,
    count: usize,
    batch: Option<NewBatch>,
    by: Principal,
) -> Result<Vec<Uid>, Error> {
    let permit = background.long_list_permit().await?;
    let tokens = generate(model, pattern, count).await?;
    let uids = tokens.iter().map(|token| token.uid).collect();
    let now = background.store.now();
    let add = background.store.write(move |connection| {
        let _permit = &permit;
        check_may(connection, &by, Permission::Edit, now)?;
        let Some(new) = &batch else { return tokens::add_all(connection, &tokens) };
        batches::begin(connection, new, &by, now)?;
        batches::make(connection, new.uid, &tokens, |_| {}, &by, now)
    });
    add.await?;
    Ok(uids)
}

async fn generate(model: Token, pattern: String, count: usize) -> Result<Vec<Token>, Error> {
    let generated = tokio::task::spawn_blocking(move || batch::tokens(&model, &pattern, count)).await;
    Ok(generated.map_err(|error| Error::Failed(error.to_string()))??)
}

/// Why a batch was not created, for people.
fn failure_message(error: &Error) -> String {
    match error {
        Error::Token(error) => error.to_string(),
        Error::Refused(why) => why.clone(),
        Error::Unknown(_) => "The database went away meanwhile, and it is not known whether this was done.".into(),
        Error::Failed(_) => "Something went wrong here, and nothing was changed.".into(),
        Error::TooSlow | Error::Conflict(_) | Error::Unavailable(_) | Error::Lost(_) => {
            "The database cannot take this now; try again.".into()
        }
    }
}
