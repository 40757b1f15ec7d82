//! Counts consumes, so that background work can give way to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of consumes that this process was asked for.
#[derive(Clone, Default)]
pub(crate) struct ConsumeCounter(Arc<AtomicU64>);

impl ConsumeCounter {
    /// Counts one consume.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of consumes so far.
    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
