//! Ending in order: what is in progress is counted, so that the server ends when nothing is.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
pub(crate) use tokio_util::task::task_tracker::TaskTrackerToken as InProgress;

/// How long a finished answer gets to leave the machine.
const FLUSH: Duration = Duration::from_millis(200);

/// Counts what is in progress and knows whether the server is to end. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Shutdown {
    tasks: TaskTracker,
    ending: CancellationToken,
}

impl Shutdown {
    /// Counts as in progress until the returned value is dropped.
    pub(crate) fn track(&self) -> InProgress {
        self.tasks.token()
    }

    /// Whether the server is to end: long work should stop at the next good place.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.is_cancelled()
    }

    /// From now on the server is to end.
    pub(crate) fn begin(&self) {
        self.ending.cancel();
    }

    /// Returns when nothing is in progress and the last answer has had time to leave.
    pub(crate) async fn finished(&self) {
        self.tasks.close();
        loop {
            self.tasks.wait().await;
            tokio::time::sleep(FLUSH).await;
            if self.tasks.is_empty() {
                return;
            }
        }
    }
}
