//! Background work, beside requests. Knows nothing of HTTP.

pub(crate) mod action_progress;
pub(crate) mod actions;
pub(crate) mod batch_progress;
pub(crate) mod batches;
pub(crate) mod export;
mod failure;
pub(crate) mod import;
pub(crate) mod indexer;
pub(crate) mod kept;
pub(crate) mod lists;
pub(crate) mod password_hashing;
pub(crate) mod photo_queue;
pub mod printing;
pub(crate) mod rate_limits;
pub(crate) mod render_pool;
pub(crate) mod shutdown;
pub(crate) mod throttle;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use action_progress::ActionsInProgress;
use batch_progress::BatchesInProgress;
use password_hashing::PasswordHasher;
use render_pool::RenderPool;
use shutdown::Shutdown;

use crate::sheet::fonts::Fonts;
use crate::store::{Error, Store};

/// How many tasks may hold a list of 100,000 tokens in memory at once. Others wait.
const LONG_LISTS: usize = 4;

/// How many files may be checked or imported at once. Others wait.
const IMPORTS: usize = 2;

/// What background work and requests share.
pub(crate) struct Background {
    /// The database.
    pub(crate) store: Store,
    /// The fonts for sheets.
    pub(crate) fonts: Arc<Fonts>,
    /// The threads that render pages.
    pub(crate) render_pool: RenderPool,
    /// The progress of the batches that this instance is creating.
    pub(crate) batches: BatchesInProgress,
    /// The actions that this instance is carrying out.
    pub(crate) actions: ActionsInProgress,
    /// Ends the server in good order.
    pub(crate) shutdown: Shutdown,
    /// Hashes passwords, a few at a time.
    pub(crate) passwords: PasswordHasher,
    /// Permits for holding a long list in memory.
    long_lists: Arc<Semaphore>,
    /// Permits for reading a file of tokens.
    imports: Semaphore,
    /// Only one print job runs at a time, so that the render pool stays free for people.
    print_job: Semaphore,
}

impl Background {
    /// A permit to hold a long list in memory. It goes along with the list, into the work that the request may not wait for.
    pub(crate) async fn long_list_permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.long_lists).acquire_owned().await.map_err(|error| Error::Failed(error.to_string()))
    }

    /// The state of a server that has just started.
    pub(crate) fn new(store: Store, fonts: Arc<Fonts>) -> Self {
        Self {
            render_pool: RenderPool::new(store.consumes()),
            store,
            fonts,
            batches: BatchesInProgress::default(),
            actions: ActionsInProgress::default(),
            shutdown: Shutdown::default(),
            passwords: PasswordHasher::default(),
            long_lists: Arc::new(Semaphore::new(LONG_LISTS)),
            imports: Semaphore::new(IMPORTS),
            print_job: Semaphore::new(1),
        }
    }
}
