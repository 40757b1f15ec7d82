//! The writer's queues.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::store::connection::{Connection, LOCK_TIMEOUT};
use crate::store::error::Error;
use crate::token::settle::{Answer, Ask};

/// Most consumes, and most other writes, that may wait. Beyond that, requests are refused: a longer queue would only
/// turn an overload into timeouts.
pub const QUEUE: usize = 4_096;

/// How often the writer reads the database's clock while idle. On SQLite it also does so before each round of work, as
/// that costs nothing.
pub(super) const CLOCK_INTERVAL: Duration = Duration::from_millis(500);

/// Another write: it receives the connection, or the reason why there is none, and returns the result of its
/// transaction.
pub(super) type Job = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Result<(), Error> + Send>;

pub(super) struct Waiting {
    pub(super) ask: Ask,
    pub(super) answer: oneshot::Sender<Result<Answer, Error>>,
}

/// An item in a queue, and when it was queued.
pub(super) struct Queued<T> {
    pub(super) item: T,
    pub(super) since: Instant,
}

impl<T> Queued<T> {
    /// Whether it has waited so long that it is refused without a try, which would take as long again if the lock is
    /// still taken.
    pub(super) fn is_late(&self) -> bool {
        self.since.elapsed() > LOCK_TIMEOUT
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) asks: VecDeque<Queued<Waiting>>,
    pub(super) jobs: VecDeque<Queued<Job>>,
    pub(super) closed: bool,
}

/// What the writer does before it looks at the queues again.
pub(super) struct Round {
    pub(super) batch: Vec<Queued<Waiting>>,
    pub(super) job: Option<Queued<Job>>,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) queue: Mutex<Queue>,
    pub(super) arrived: Condvar,
}

impl Shared {
    /// No line that could panic leaves the queue inconsistent, so a poisoned lock is still good.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a moment for work. Returns none when the writer is to end and the queues are empty.
    pub(super) fn take(&self, at_most: usize) -> Option<Round> {
        let mut queue = self.queue();
        if queue.asks.is_empty() && queue.jobs.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.arrived.wait_timeout(queue, CLOCK_INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = queue.asks.len().min(at_most);
        Some(Round { batch: queue.asks.drain(..batch).collect(), job: queue.jobs.pop_front() })
    }
}
