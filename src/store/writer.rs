//! Group commit: one thread takes what waits, settles it in one transaction, and only then answers each.
//!
//! A commit waits for the disk. A hundred consumes that share one commit wait for it once.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Error;
use super::clock::{self, Clock};
use super::connection::{Connection, Database, PATIENCE, exclusively, repeatedly};
use super::{ledger, replies};
use crate::token::Micros;
use crate::token::settle::{Answer, Ask, settle};

/// Most consumes in one transaction.
pub const BATCH: usize = 256;
/// Most consumes, and most other writes, that may wait. What is above that is told to come again: a longer queue would
/// only turn an overload into time-outs.
pub const QUEUE: usize = 4_096;

/// Under load SQLite's write lock is free only for moments. Every 50 ms it is left for 1 ms, so that another process
/// (the command line, a second server) gets its turn.
const GAP_EVERY: Duration = Duration::from_millis(50);
const GAP: Duration = Duration::from_millis(1);
/// How often the writer looks at the clock: the machine's whenever it has something to do, too, as that costs nothing.
const LOOK_AT_CLOCK: Duration = Duration::from_millis(500);
/// How often what has expired is removed, and how soon again when there was much of it.
const TIDY_EVERY: Duration = Duration::from_mins(1);
const TIDY_MORE: Duration = Duration::from_millis(500);

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
    /// Starts the thread, with a connection of its own, and at most `batch` consumes in one transaction.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(database: Database, clock: Clock, batch: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let desk = Desk { shared: Arc::clone(&shared), connection: None, database, clock, batch: batch.max(1) };
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

fn too_late() -> Error {
    Error::Unavailable(format!("the write lock was not to be had in {} seconds", PATIENCE.as_secs()))
}

/// Where the thread sits.
struct Desk {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    database: Database,
    clock: Clock,
    /// Most consumes in one transaction.
    batch: usize,
}

impl Desk {
    fn run(mut self) {
        let mut last_gap = Instant::now();
        let mut next_look = Instant::now();
        let mut next_tidy = Instant::now();
        let mut seen = None;
        while let Some(Turn { batch, job }) = self.shared.take(self.batch) {
            if self.database.has_one_lock() || Instant::now() >= next_look {
                self.guarded(|desk| desk.watch_clock(&mut seen));
                next_look = Instant::now() + LOOK_AT_CLOCK;
            }
            if !batch.is_empty() {
                self.guarded(|desk| desk.batch(batch));
            }
            if let Some(job) = job {
                self.guarded(|desk| desk.job(job));
            }
            if Instant::now() > next_tidy {
                let mut more = false;
                self.guarded(|desk| more = desk.tidy());
                next_tidy = Instant::now() + if more { TIDY_MORE } else { TIDY_EVERY };
            }
            if self.database.has_one_lock() && last_gap.elapsed() > GAP_EVERY {
                std::thread::sleep(GAP);
                last_gap = Instant::now();
            }
        }
    }

    /// A panic costs those who are in this transaction an answer, and the thread nothing. Their senders are
    /// dropped on the way, which tells them; the connection may be in the middle of something and is not used again.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.connection = None;
        }
    }

    fn batch(&mut self, batch: Vec<Queued<Waiting>>) {
        let (late, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(Queued::is_late);
        for late in late {
            let _ = late.item.answer.send(Err(too_late()));
        }
        // Whose client has gone shall not lose a use for an answer that nobody gets.
        let batch = batch.into_iter().map(|queued| queued.item).filter(|waiting| !waiting.answer.is_closed());
        let (asks, senders): (Vec<Ask>, Vec<_>) = batch.map(|waiting| (waiting.ask, waiting.answer)).unzip();
        if asks.is_empty() {
            return;
        }
        match self.settle(&asks) {
            Ok(answers) => senders.into_iter().zip(answers).for_each(|(sender, answer)| drop(sender.send(Ok(answer)))),
            // One that the database cannot take shall not spoil the others'.
            Err(Error::Failed(_)) if asks.len() > 1 => {
                for (ask, sender) in asks.iter().zip(senders) {
                    let answer = self.settle(std::slice::from_ref(ask)).map(|mut answers| answers.remove(0));
                    let _ = sender.send(answer);
                }
            }
            Err(error) => senders.into_iter().for_each(|sender| drop(sender.send(Err(error.clone())))),
        }
    }

    /// Answers asks in one transaction.
    fn settle(&mut self, asks: &[Ask]) -> Result<Vec<Answer>, Error> {
        self.transaction(|connection| {
            let (mut held, now) = ledger::hold(connection, asks)?;
            let answers = settle(asks, &mut held, now);
            ledger::keep(connection, &held, asks, &answers, now)?;
            Ok(answers)
        })
    }

    fn job(&mut self, job: Queued<Job>) {
        let connection = if job.is_late() { Err(too_late()) } else { self.connection() };
        let outcome = (job.item)(connection);
        let _ = self.reopen_after(outcome);
    }

    /// Restarts locks when the clock has jumped back since it was `seen`, or may have while nobody watched it.
    fn watch_clock(&mut self, seen: &mut Option<Micros>) {
        let clock = self.clock.clone();
        let now = match self.connection().and_then(|connection| Ok(clock.ask(connection)?)) {
            Ok(now) => now,
            Err(error) => {
                tracing::warn!(%error, "the database's clock cannot be read");
                let _ = self.reopen_after::<()>(Err(error));
                return;
            }
        };
        if seen.is_none_or(|before| now < before) {
            let watched = seen.is_some();
            match self.transaction(|connection| Ok(clock::restart_locks(connection, watched)?)) {
                Ok(true) => tracing::warn!("the clock has jumped back; locks that would begin in the future begin now"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "locks could not be restarted after the clock has jumped back"),
            }
        }
        *seen = Some(now);
    }

    /// Says whether there is more to remove.
    fn tidy(&mut self) -> bool {
        let clock = self.clock.clone();
        let more = self.transaction(|connection| Ok(replies::remove_expired(connection, clock.now())?));
        more.unwrap_or_else(|error| {
            tracing::warn!(%error, "expired replies could not be removed");
            false
        })
    }

    /// Does `work` in a transaction, again when others come between. A connection that turns out to have gone before
    /// the transaction began costs nobody anything: a new one is made, once.
    fn transaction<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        let result = repeatedly(|| {
            let began = std::cell::Cell::new(false);
            let mut transaction = || {
                exclusively(self.connection()?, |connection| {
                    began.set(true);
                    work(connection)
                })
            };
            let result = transaction();
            if !began.get() && matches!(result, Err(Error::Lost(_))) {
                let _ = self.reopen_after(result);
                return exclusively(self.connection()?, &work);
            }
            result
        });
        self.reopen_after(result)
    }

    /// A connection on which a transaction broke may be in any state, and is not used again. One whose work was
    /// refused by a rule was rolled back in order, and keeps its prepared statements.
    fn reopen_after<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if matches!(result, Err(Error::Lost(_) | Error::Unknown(_))) {
            self.database.lost();
        }
        if matches!(result, Err(Error::Lost(_) | Error::Unknown(_) | Error::Unavailable(_) | Error::Failed(_))) {
            self.connection = None;
        }
        result
    }

    fn connection(&mut self) -> Result<&mut Connection, Error> {
        self.database.check()?;
        if self.connection.is_none() {
            self.connection = Some(self.database.connect()?);
        }
        self.connection.as_mut().ok_or_else(|| Error::Unavailable("no connection".into()))
    }
}
