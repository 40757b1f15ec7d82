//! Graceful shutdown: counts the work in progress, and ends the server when there is none.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
pub(crate) use tokio_util::task::task_tracker::TaskTrackerToken as InProgress;

/// How long a finished response gets to leave the machine.
const FLUSH: Duration = Duration::from_millis(200);

/// Counts the work in progress, and knows whether the server is shutting down. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Shutdown {
    tasks: TaskTracker,
    ending: CancellationToken,
}

impl Shutdown {
    /// Counts one piece of work until the returned value is dropped.
    pub(crate) fn track(&self) -> InProgress {
        self.tasks.token()
    }

    /// Whether the server is shutting down. Long work should then stop at the next good point.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.is_cancelled()
    }

    /// Returns when the server begins to shut down.
    pub(crate) async fn begun(&self) {
        self.ending.cancelled().await;
    }

    /// Begins the shutdown.
    pub(crate) fn begin(&self) {
        self.ending.cancel();
    }

    /// Returns when nothing is in progress and the last response has had time to leave.
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
