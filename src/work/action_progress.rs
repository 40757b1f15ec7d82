//! The actions that this instance is carrying out now.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Actions in progress, by id.
#[derive(Default)]
pub(crate) struct ActionsInProgress(Mutex<HashSet<i64>>);

impl ActionsInProgress {
    /// Adds an action, and returns whether it was not there.
    pub(super) fn begin(&self, id: i64) -> bool {
        self.ids().insert(id)
    }

    /// Removes an action that is carried out.
    pub(super) fn end(&self, id: i64) {
        self.ids().remove(&id);
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
