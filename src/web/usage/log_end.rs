//! How far the usage log can be followed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::Store;
use crate::store::usage::{unsettled, watch};
use crate::token::EntryId;
use crate::web::error::Error;

/// How long a page waits for transactions that have drawn numbers, and how long between two looks.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// The entry up to which the log was whole when this process last knew.
#[derive(Default)]
pub(crate) struct LogEnd(AtomicI64);

impl LogEnd {
    /// The entry up to which the log is whole. What does not get so far in a second is left for a later page.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub(crate) async fn settled(&self, store: &Store) -> Result<EntryId, Error> {
        let watched = store.read(|connection| Ok(watch(connection)?)).await?;
        let (newest, mut awaited) = (watched.newest, watched.awaited);
        let deadline = Instant::now() + PATIENCE;
        while !awaited.is_empty() {
            if Instant::now() >= deadline {
                // None behind the newest: the database may be an older one meanwhile.
                return Ok(self.0.load(Ordering::Relaxed).min(newest));
            }
            sleep(PAUSE).await;
            awaited = store.read(move |connection| Ok(unsettled(connection, &awaited)?)).await?;
        }
        self.0.fetch_max(newest, Ordering::Relaxed);
        Ok(newest)
    }
}
