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

/// A consume of a token that somebody else has locked, and when it is tried again.
pub(super) struct Locked {
    waiting: Queued<Waiting>,
    again: Instant,
}

/// How long a consume waits at least, and at most, until its token is tried again; in between, as long as a quarter of
/// the time that it has waited.
const LOCKED_PAUSE: Duration = Duration::from_millis(2);
const LOCKED_PAUSE_MAX: Duration = Duration::from_millis(50);

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
    /// Asks for locked tokens, beside which the others go on.
    locked: Vec<Locked>,
    /// Asks that the writer has taken.
    taken: usize,
    pub(super) jobs: VecDeque<Queued<Job>>,
    pub(super) closed: bool,
}

impl Queue {
    /// How many asks wait that are not in the queue: the writer has taken them, or their tokens are locked.
    pub(super) fn unanswered(&self) -> usize {
        self.taken + self.locked.len()
    }
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
        queue.taken = 0;
        if queue.asks.is_empty() && queue.jobs.is_empty() {
            if queue.closed && queue.locked.is_empty() {
                return None;
            }
            let now = Instant::now();
            let next = queue.locked.iter().map(|locked| locked.again.saturating_duration_since(now)).min();
            let pause = next.map_or(CLOCK_INTERVAL, |next| next.min(CLOCK_INTERVAL));
            if !pause.is_zero() {
                queue = self.arrived.wait_timeout(queue, pause).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        let now = Instant::now();
        let again = queue.locked.extract_if(.., |locked| locked.again <= now).take(at_most);
        let mut batch: Vec<_> = again.map(|locked| locked.waiting).collect();
        let count = queue.asks.len().min(at_most - batch.len());
        batch.extend(queue.asks.drain(..count));
        queue.taken = batch.len();
        Some(Round { batch, job: queue.jobs.pop_front() })
    }

    /// Tries asks for locked tokens again in a moment. Not all at the same one: whoever has locked them may be another
    /// instance that tries as often.
    pub(super) fn try_again(&self, locked: Vec<Queued<Waiting>>) {
        let again = |waiting: Queued<Waiting>| {
            let pause = (waiting.since.elapsed() / 4).clamp(LOCKED_PAUSE, LOCKED_PAUSE_MAX);
            Locked { again: Instant::now() + pause.mul_f64(rand::random_range(0.5..1.5)), waiting }
        };
        self.queue().locked.extend(locked.into_iter().map(again));
    }
}
