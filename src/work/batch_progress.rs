//! Batches that this instance is making right now, and how far each is. What is not here another instance makes, or nobody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::token::Uid;

/// Batches by their uid.
#[derive(Default)]
pub(crate) struct BatchesInProgress(Mutex<HashMap<Uid, Arc<BatchProgress>>>);

/// How far a batch is.
#[derive(Default)]
pub(crate) struct BatchProgress(AtomicUsize);

impl BatchProgress {
    /// So many tokens are written.
    pub(crate) fn set(&self, written: usize) {
        self.0.store(written, Ordering::Relaxed);
    }
}

impl BatchesInProgress {
    /// Begins to make a batch.
    pub(crate) fn begin(&self, uid: Uid) -> Arc<BatchProgress> {
        Arc::clone(self.known().entry(uid).or_default())
    }

    /// It is made, or was not.
    pub(crate) fn end(&self, uid: Uid) {
        self.known().remove(&uid);
    }

    /// How many tokens of a batch are written, if it is made here.
    pub(crate) fn written(&self, uid: Uid) -> Option<usize> {
        self.known().get(&uid).map(|making| making.0.load(Ordering::Relaxed))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Uid, Arc<BatchProgress>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
