//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::store::connection::{Connection, PATIENCE};
use crate::store::error::Error;
use crate::token::settle::{Answer, Ask};

/// Most consumes, and most other writes, that may wait. What is above that is told to come again: a longer queue would
/// only turn an overload into time-outs.
pub const QUEUE: usize = 4_096;

/// How often the writer looks at the clock: the machine's whenever it has something to do, too, as that costs nothing.
pub(super) const LOOK_AT_CLOCK: Duration = Duration::from_millis(500);

/// Another write: it gets the connection, or why there is none, and says what became of its own transaction.
pub(super) type Job = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Result<(), Error> + Send>;

pub(super) struct Waiting {
    pub(super) ask: Ask,
    pub(super) answer: oneshot::Sender<Result<Answer, Error>>,
}

/// Something in a queue, and since when.
pub(super) struct Queued<T> {
    pub(super) item: T,
    pub(super) since: Instant,
}

impl<T> Queued<T> {
    /// Whoever waits so long has been told nothing yet, and would only be told the same after one more wait.
    pub(super) fn is_late(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) asks: VecDeque<Queued<Waiting>>,
    pub(super) jobs: VecDeque<Queued<Job>>,
    pub(super) closed: bool,
}

/// What is done before the queues are looked at again.
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
    /// The queue is whole between any two lines that could panic, so a poisoned lock is still good.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a moment for work; none when the writer is to end and nothing waits any more.
    pub(super) fn take(&self, at_most: usize) -> Option<Round> {
        let mut queue = self.queue();
        if queue.asks.is_empty() && queue.jobs.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.arrived.wait_timeout(queue, LOOK_AT_CLOCK).unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = queue.asks.len().min(at_most);
        Some(Round { batch: queue.asks.drain(..batch).collect(), job: queue.jobs.pop_front() })
    }
}
