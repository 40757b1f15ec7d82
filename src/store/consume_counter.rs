//! Counts consumes, so that background work can make way for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many consumes this process was asked for.
#[derive(Clone, Default)]
pub(crate) struct ConsumeCounter(Arc<AtomicU64>);

impl ConsumeCounter {
    /// Counts one more.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
