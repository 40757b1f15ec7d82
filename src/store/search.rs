//! Reads that can take seconds: on threads and connections of their own, within a time limit, and only while somebody
//! waits for them. Whoever looks must not stop those who consume.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::r2d2::ManageConnection as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::checkpoint::SearchGate;
use super::connection::{Connection, Database};
use super::error::Error;
use super::pool::{Manager, PooledConnection};

/// How long a search may take. PostgreSQL ends a single statement after the same time (`connection/postgres.rs`).
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_secs(5);
/// Searches at the same time: what else happens needs a processor as well.
const THREADS: usize = 2;
/// Searches that may wait for a thread. Beyond that, requests are refused.
const QUEUE_LENGTH: usize = 64;
/// The niceness of their threads: a tenth of the processor's time beside a thread of the ordinary one, all of it otherwise.
const NICENESS: i32 = 10;

/// When a search has to end. It asks between statements, each of which reads a bounded number of rows.
#[derive(Clone, Debug)]
pub struct SearchLimit {
    deadline: Instant,
    abandoned: CancellationToken,
    gate: Arc<SearchGate>,
}

impl SearchLimit {
    /// A limit of this length from now on.
    pub fn new(length: Duration) -> Self {
        let gate = Arc::default();
        Self { deadline: Instant::now() + length, abandoned: CancellationToken::new(), gate }
    }

    /// The same for a part of the search, which may take this long at most.
    pub(crate) fn within(&self, length: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + length), ..self.clone() }
    }

    /// Whether the search may go on. It holds no snapshot just then, and others may need that moment.
    ///
    /// # Errors
    /// Too slow, when its time is over; unavailable, when nobody waits for it any more.
    pub fn check(&self) -> Result<(), Error> {
        self.gate.pass();
        if self.abandoned.is_cancelled() {
            return Err(Error::Unavailable("nobody waits for this search any more".into()));
        }
        if Instant::now() >= self.deadline { Err(Error::TooSlow) } else { Ok(()) }
    }
}

type Task = Box<dyn FnOnce(Option<PooledConnection>) -> Option<PooledConnection> + Send>;

/// The threads of searches. They start when they are first needed.
#[derive(Default)]
pub(super) struct SearchPool {
    threads: OnceLock<Option<SyncSender<Task>>>,
    gate: Arc<SearchGate>,
}

impl SearchPool {
    /// Where searches can be held up.
    pub(super) fn gate(&self) -> &Arc<SearchGate> {
        &self.gate
    }

    /// Runs `work` when a thread is free. It ends at its next question when the caller is dropped.
    ///
    /// # Errors
    /// The error of `work`; unavailable, when too many wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        database: &Database,
        work: impl FnOnce(&mut Connection, &SearchLimit) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        let (abandoned, manager) = (CancellationToken::new(), Manager(database.clone()));
        let gate = Arc::clone(&self.gate);
        let _abandon = abandoned.clone().drop_guard();
        self.send(Box::new(move |own| {
            if abandoned.is_cancelled() {
                return own;
            }
            let _reading = Reading::begin(&gate);
            let limit = SearchLimit { abandoned, gate: Arc::clone(&gate), ..SearchLimit::new(SEARCH_LIMIT) };
            let valid = own.and_then(|mut own| (!manager.has_broken(&mut own)).then_some(own));
            let (result, kept) = match valid.map_or_else(|| manager.connect_to_search(), Ok) {
                Ok(mut pooled) => {
                    let result = pooled.run(|connection| work(connection, &limit).map_err(too_slow_on_server));
                    (result, (!manager.has_broken(&mut pooled)).then_some(pooled))
                }
                Err(error) => (Err(error), None),
            };
            // Whoever asked may have gone.
            let _ = sender.send(result);
            kept
        }))?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the search has panicked".into())))
    }

    fn send(&self, task: Task) -> Result<(), Error> {
        let sender =
            self.threads.get_or_init(start).as_ref().ok_or_else(|| Error::Failed("no thread for searches".into()))?;
        sender.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy("Other searches are under way; try again in a second."),
            TrySendError::Disconnected(_) => Error::Failed("the threads for searches have ended".into()),
        })
    }
}

/// A search that may be reading, until it is dropped.
struct Reading<'a>(&'a SearchGate);

impl<'a> Reading<'a> {
    fn begin(gate: &'a SearchGate) -> Self {
        gate.enter();
        Self(gate)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

fn too_slow_on_server(error: Error) -> Error {
    match error {
        Error::Unavailable(why) if why.contains("due to statement timeout") => Error::TooSlow,
        error => error,
    }
}

fn start() -> Option<SyncSender<Task>> {
    let (sender, receiver) = sync_channel(QUEUE_LENGTH);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..THREADS {
        let receiver = Arc::clone(&receiver);
        let thread = thread::Builder::new().name("search".into()).spawn(move || run_tasks(&receiver));
        thread.inspect_err(|error| tracing::error!(%error, "no thread can be started for searches")).ok()?;
    }
    Some(sender)
}

fn run_tasks(receiver: &Mutex<Receiver<Task>>) {
    lower_priority(NICENESS);
    let mut own: Option<PooledConnection> = None;
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = next else { return };
        // A panic ends neither the thread nor leaves the next search a connection in the middle of a statement.
        let before = own.take();
        own = catch_unwind(AssertUnwindSafe(|| task(before))).unwrap_or_else(|_| {
            tracing::error!("a search panicked");
            None
        });
    }
}

/// Lowers the priority of this thread. On Linux, unlike in POSIX, each thread has its own niceness; elsewhere it would be
/// that of the whole process.
pub(crate) fn lower_priority(niceness: i32) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(niceness) {
        tracing::warn!(%error, "a thread may hold up consumes: it cannot be given a low priority");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
}
