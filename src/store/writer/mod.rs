//! Group commit: one thread takes what waits, settles it in one transaction, and only then answers each.
//!
//! A commit waits for the disk. A hundred consumes that share one commit wait for it once.

mod desk;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Error;
use super::clock::Clock;
use super::connection::{Connection, Database, PATIENCE, exclusively};
use crate::token::settle::{Answer, Ask};
use desk::Desk;

/// Most consumes in one transaction.
pub const BATCH: usize = 256;
/// Most consumes, and most other writes, that may wait. What is above that is told to come again: a longer queue would
/// only turn an overload into time-outs.
pub const QUEUE: usize = 4_096;

/// How often the writer looks at the clock: the machine's whenever it has something to do, too, as that costs nothing.
const LOOK_AT_CLOCK: Duration = Duration::from_millis(500);

/// Another write: it gets the connection, or why there is none, and says what became of its own transaction.
type Job = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Result<(), Error> + Send>;

struct Waiting {
    ask: Ask,
    answer: oneshot::Sender<Result<Answer, Error>>,
}

/// Something in a queue, and since when.
struct Queued<T> {
    item: T,
    since: Instant,
}

impl<T> Queued<T> {
    /// Whoever waits so long has been told nothing yet, and would only be told the same after one more wait.
    fn is_late(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }
}

#[derive(Default)]
struct Queue {
    asks: VecDeque<Queued<Waiting>>,
    jobs: VecDeque<Queued<Job>>,
    closed: bool,
}

/// What is done before the queues are looked at again.
struct Turn {
    batch: Vec<Queued<Waiting>>,
    job: Option<Queued<Job>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

impl Shared {
    /// The queue is whole between any two lines that could panic, so a poisoned lock is still good.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a moment for work; none when the writer is to end and nothing waits any more.
    fn take(&self, at_most: usize) -> Option<Turn> {
        let mut queue = self.queue();
        if queue.asks.is_empty() && queue.jobs.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.arrived.wait_timeout(queue, LOOK_AT_CLOCK).unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = queue.asks.len().min(at_most);
        Some(Turn { batch: queue.asks.drain(..batch).collect(), job: queue.jobs.pop_front() })
    }
}

/// The one thread of this process that writes. Dropping it ends the thread when all that waits is done.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, with its first connection, and at most `batch` consumes in one transaction.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(database: Database, clock: Clock, connection: Connection, batch: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let desk = Desk {
            shared: Arc::clone(&shared),
            connection: Some(connection),
            database,
            clock,
            batch: batch.max(1),
            is_away: false,
        };
        let thread = std::thread::Builder::new().name("tessera-writer".into()).spawn(move || desk.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has `ask` answered within a transaction that would survive a power cut.
    ///
    /// # Errors
    /// The queue is full, or the transaction failed: then nothing of it was kept.
    pub async fn consume(&self, ask: Ask) -> Result<Answer, Error> {
        let (answer, receiver) = oneshot::channel();
        self.enqueue(|queue| &mut queue.asks, Waiting { ask, answer })?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the batch panicked".into())))
    }

    /// Has `work` done in a transaction of its own, between two batches.
    ///
    /// # Errors
    /// The queue is full, or `work` or its transaction failed: then nothing of it was kept.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| exclusively(connection, work));
            let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
            // Nobody waits any more when the client has gone; the work is done all the same.
            let _ = done.send(result);
            outcome
        });
        self.enqueue(|queue| &mut queue.jobs, job)?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the write panicked".into())))
    }

    fn enqueue<T>(&self, line: impl Fn(&mut Queue) -> &mut VecDeque<Queued<T>>, item: T) -> Result<(), Error> {
        let mut queue = self.shared.queue();
        let line = line(&mut queue);
        if line.len() >= QUEUE {
            return Err(Error::Unavailable("too many requests wait to be written".into()));
        }
        line.push_back(Queued { item, since: Instant::now() });
        drop(queue);
        self.shared.arrived.notify_one();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
