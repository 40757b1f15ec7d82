//! Saves a print run in short steps, with consumes in between. The run is invisible until the last step.

use std::sync::Arc;
use std::time::Duration;

use crate::store::printing::runs::save::{self, BeginResult, PDF_CHUNK, TOKEN_CHUNK};
use crate::store::printing::runs::{NewPrintRun, PrintRun};
use crate::store::{Connection, Error, Store};
use crate::work::throttle::{Measure, Throttle};

/// The shortest pause between two steps.
const PAUSE: Duration = Duration::from_millis(5);

/// Saves a run and its PDF. If the same principal has printed exactly the same before, returns that run.
///
/// # Errors
/// Unavailable or failed: then nothing of the run is visible.
pub async fn save_run(store: &Store, new: impl Into<Arc<NewPrintRun>>) -> Result<PrintRun, Error> {
    let new: Arc<NewPrintRun> = new.into();
    let is_short = new.pdf.len() <= PDF_CHUNK && new.tokens.len() <= TOKEN_CHUNK;
    let now = store.now();
    // Hashing megabytes would delay the other requests of this thread.
    let hashed = tokio::task::spawn_blocking(move || {
        let digest = new.digest();
        Arc::new((new, digest))
    });
    let new = hashed.await.map_err(|error| Error::Failed(error.to_string()))?;
    let begin_result = {
        let new = Arc::clone(&new);
        let work = move |connection: &mut Connection| {
            let (new, digest) = &*new;
            let id = match save::begin(connection, new, digest, now)? {
                BeginResult::Saved(run) => return Ok(BeginResult::Saved(run)),
                BeginResult::New(id) => id,
            };
            if !is_short {
                return Ok(BeginResult::New(id));
            }
            save::put_pdf_chunk(connection, id, new, 0)?;
            save::put_tokens(connection, id, new, 0)?;
            save::finish(connection, id, new, digest, now).map(|run| BeginResult::Saved(Box::new(run)))
        };
        store.write(work).await?
    };
    let id = match begin_result {
        BeginResult::Saved(run) => return Ok(*run),
        BeginResult::New(id) => id,
    };
    let mut throttle = Throttle::new(store.consumes(), Measure::ElapsedTime);
    for chunk in 0..new.0.pdf.len().div_ceil(PDF_CHUNK) {
        let new = Arc::clone(&new);
        store.write(move |connection| Ok(save::put_pdf_chunk(connection, id, &new.0, chunk)?)).await?;
        pause(&mut throttle).await;
    }
    for chunk in 0..new.0.tokens.len().div_ceil(TOKEN_CHUNK) {
        let new = Arc::clone(&new);
        store.write(move |connection| Ok(save::put_tokens(connection, id, &new.0, chunk)?)).await?;
        pause(&mut throttle).await;
    }
    store.write(move |connection| save::finish(connection, id, &new.0, &new.1, now)).await
}

/// Frees the write lock for others.
async fn pause(throttle: &mut Throttle) {
    tokio::time::sleep(throttle.pause_due().max(PAUSE)).await;
    throttle.restart();
}
