//! The batches that this instance is creating now, and the progress of each. Any other unfinished batch is being
//! created by another instance, or was abandoned.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::token::Uid;

/// Batches in progress, by uid.
#[derive(Default)]
pub(crate) struct BatchesInProgress(Mutex<HashMap<Uid, Arc<BatchProgress>>>);

/// The progress of a batch.
#[derive(Default)]
pub(crate) struct BatchProgress(AtomicUsize);

impl BatchProgress {
    /// Sets how many tokens are written.
    pub(crate) fn set(&self, written: usize) {
        self.0.store(written, Ordering::Relaxed);
    }
}

impl BatchesInProgress {
    /// Adds a batch that is about to be created.
    pub(crate) fn begin(&self, uid: Uid) -> Arc<BatchProgress> {
        Arc::clone(self.batches().entry(uid).or_default())
    }

    /// Removes a batch that was created, or has failed.
    pub(crate) fn end(&self, uid: Uid) {
        self.batches().remove(&uid);
    }

    /// How many tokens of a batch are written, if this instance is creating it.
    pub(crate) fn written(&self, uid: Uid) -> Option<usize> {
        self.batches().get(&uid).map(|batch| batch.0.load(Ordering::Relaxed))
    }

    fn batches(&self) -> MutexGuard<'_, HashMap<Uid, Arc<BatchProgress>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
