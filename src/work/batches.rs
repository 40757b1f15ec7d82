//! Creates batches of tokens.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::Background;
use super::batch_progress::BatchProgress;
use super::failure::failure_message;
use crate::access::{Permission, Principal};
use crate::store::accounts::check_may;
use crate::store::batches::{self, NewBatch};
use crate::store::idempotency::{self, Kept, KeyedWork};
use crate::store::{Connection, Error, tokens};
use crate::token::batch::{self, UidSeed};
use crate::token::label::LabelSeries;
use crate::token::{KeyedRequest, Problem, Token, TokenError, Uid};

/// How long a list waits for another one that has its values and began later, and how often it looks.
const GIVE_WAY_TIMEOUT: Duration = Duration::from_secs(45);
const GIVE_WAY_PAUSE: Duration = Duration::from_millis(100);

/// Creates a batch that [`batches::begin`] has added, in the background, and stores the reason if it fails. Calls
/// `ended` when the batch is created or has failed.
pub(crate) fn spawn(
    background: &Arc<Background>,
    new: NewBatch,
    model: Token,
    labels: LabelSeries,
    by: Principal,
    ended: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    // A server that shuts down waits for the batch, although its request was answered long ago.
    let in_progress = background.shutdown.track();
    let background = Arc::clone(background);
    tokio::spawn(async move {
        let uid = new.uid;
        if let Err(error) = make(&background, new, model, labels, by).await {
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
    labels: LabelSeries,
    by: Principal,
) -> Result<(), Error> {
    let progress = background.batches.begin(new.uid);
    let _permit = background.long_list_permit().await?;
    let tokens = generate(model, labels, new.count).await?;
    write_pieces(background, new.uid, &Arc::new(tokens), &by, &progress).await
}

/// Writes the tokens of a batch that has begun piece by piece, between which others write, and then shows all at once.
async fn write_pieces(
    background: &Background,
    uid: Uid,
    tokens: &Arc<Vec<Token>>,
    by: &Principal,
    progress: &BatchProgress,
) -> Result<(), Error> {
    let store = &background.store;
    let length = store.piece_length();
    for start in (0..tokens.len()).step_by(length) {
        let end = tokens.len().min(start + length);
        write_piece(background, uid, tokens, start..end, by).await?;
        progress.set(end);
    }
    let (by, now) = (by.clone(), store.now());
    let finish = move |connection: &mut _| {
        check_may(connection, &by, Permission::Edit, now)?;
        batches::finish(connection, uid, &by, now)
    };
    store.write(finish).await
}

/// Writes a piece, as soon as no list that began later has its values: of two with the same values the first is added.
async fn write_piece(
    background: &Background,
    uid: Uid,
    tokens: &Arc<Vec<Token>>,
    piece: Range<usize>,
    by: &Principal,
) -> Result<(), Error> {
    let (store, deadline) = (&background.store, Instant::now() + GIVE_WAY_TIMEOUT);
    while Instant::now() < deadline {
        let (tokens_of, by, now, of) = (Arc::clone(tokens), by.clone(), store.now(), piece.clone());
        let add = move |connection: &mut _| {
            check_may(connection, &by, Permission::Edit, now)?;
            batches::add_piece(connection, uid, &tokens_of[of.clone()], now)
        };
        match store.write(add).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if is_held(background, &error, uid, &tokens[piece.clone()]).await => {}
            Err(error) => return Err(at_place(background, error, &tokens[piece.clone()], piece.start).await),
        }
        tokio::time::sleep(GIVE_WAY_PAUSE).await;
    }
    Err(Error::Busy("Another list with one of these values is being added, and takes long. Try again in a moment."))
}

/// Whether a value is in use only by a list that is being added as well: on PostgreSQL that can be seen too late.
async fn is_held(background: &Background, error: &Error, mine: Uid, piece: &[Token]) -> bool {
    let values = own_values(piece);
    let look = move |connection: &mut Connection| {
        let mine = batches::find(connection, mine)?.map(|batch| batch.id);
        Ok(tokens::are_held(connection, &values.iter().map(String::as_str).collect::<Vec<_>>(), mine)?)
    };
    is_not_unique(error) && background.store.read(look).await.unwrap_or(false)
}

fn is_not_unique(error: &Error) -> bool {
    matches!(error, Error::Token(TokenError::Value { problem: Problem::NotUnique, .. }))
}

fn own_values(piece: &[Token]) -> Vec<String> {
    piece.iter().filter(|token| token.has_own_value()).map(|token| token.value.clone()).collect()
}

/// Adds tokens, all or none, as a batch if one is given, and returns the answer.
///
/// # Errors
/// A value error with the place in the list when a value is in use.
pub(crate) async fn add_tokens<A: Clone + Serialize + DeserializeOwned + Send + 'static>(
    background: &Arc<Background>,
    tokens: Vec<Token>,
    (batch, by): (Option<NewBatch>, Principal),
    (permit, request): (OwnedSemaphorePermit, Option<KeyedRequest>),
    answer: A,
) -> Result<Kept<A>, Error> {
    let (store, tokens) = (&background.store, Arc::new(tokens));
    let now = store.now();
    if batch.is_none() && tokens.len() <= store.piece_length() {
        let new = Arc::clone(&tokens);
        let add = move |connection: &mut Connection| {
            let _permit = &permit;
            check_may(connection, &by, Permission::Edit, now)?;
            idempotency::once(connection, request.as_ref(), now, |connection| {
                let own = new.iter().filter(|token| token.has_own_value());
                tokens::clear_way(connection, &own.map(|token| &*token.value).collect::<Vec<_>>(), None, now)?;
                tokens::add_all(connection, &new)?;
                Ok(answer.clone())
            })
        };
        return match store.write(add).await {
            Err(error) => Err(at_place(background, error, &tokens, 0).await),
            added => added,
        };
    }
    let new = batch.unwrap_or_else(|| NewBatch { uid: Uid::random(), name: String::new(), count: tokens.len() });
    let (uid, who, has_key) = (new.uid, by.clone(), request.is_some());
    let keyed = KeyedWork::new(request, &answer)?;
    let begin = move |connection: &mut Connection| {
        idempotency::begin(connection, keyed.as_ref(), uid, now)?;
        batches::begin(connection, &new, &who, now).map(drop)
    };
    store.write(begin).await?;
    if has_key {
        // What a first try has left behind that a crash has ended.
        remove_abandoned(background).await;
    }
    // It is finished, or given up, also when the client has gone.
    let (in_progress, background) = (background.shutdown.track(), Arc::clone(background));
    let made = tokio::spawn(async move {
        let result = write_pieces(&background, uid, &tokens, &by, &BatchProgress::default()).await;
        if let Err(error) = &result {
            record_failure(&background, uid, error).await;
            remove_abandoned(&background).await;
        }
        drop((in_progress, permit));
        result
    });
    made.await.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))?;
    Ok(Kept::Now(answer))
}

/// Removes what was written of batches that were not made: its values must not be in the way of whoever tries again.
async fn remove_abandoned(background: &Background) {
    let mut is_more = true;
    while is_more {
        let now = background.store.now();
        let removed = background.store.write(move |connection| batches::remove_abandoned(connection, now)).await;
        // If the database is away, it is done later.
        is_more = removed.unwrap_or(false);
    }
}

/// The error of a piece that begins at `start`, with the place of the first value that is in use, if it is about that.
async fn at_place(background: &Background, error: Error, piece: &[Token], start: usize) -> Error {
    if !is_not_unique(&error) {
        return error;
    }
    let values = own_values(piece);
    let look = move |connection: &mut Connection| {
        Ok(tokens::in_use(connection, &values.iter().map(String::as_str).collect::<Vec<_>>())?)
    };
    let in_use = background.store.read(look).await;
    let place = in_use.ok().and_then(|in_use| piece.iter().position(|token| in_use.contains(&token.value)));
    match (place, error) {
        (Some(place), Error::Token(error)) => error.in_list("tokens", start + place).into(),
        (_, error) => error,
    }
}

async fn record_failure(background: &Background, uid: Uid, error: &Error) {
    match error {
        // Whoever asked is told.
        Error::Token(_) | Error::Busy(_) => tracing::debug!(%error, batch = %uid, "a batch was refused"),
        _ => tracing::warn!(%error, batch = %uid, "a batch was not made"),
    }
    let why = failure_message(error);
    let saved = background.store.write(move |connection| batches::fail(connection, uid, &why)).await;
    if let Err(error) = saved {
        tracing::warn!(%error, batch = %uid, "the failure of a batch could not be recorded");
    }
}

async fn generate(model: Token, labels: LabelSeries, count: usize) -> Result<Vec<Token>, Error> {
    let generated =
        tokio::task::spawn_blocking(move || batch::tokens(&model, &labels, UidSeed::random().uids(count))).await;
    Ok(generated.map_err(|error| Error::Failed(error.to_string()))??)
}
