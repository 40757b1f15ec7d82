//! Copies SQLite's write-ahead log into the file, on a thread of its own: the commit that would do it otherwise makes
//! everybody wait.
//!
//! The log begins anew only at a moment at which nobody reads from it. Beside searches there is none, and it would grow
//! without end, so that now and then they wait for one between two of their statements. That moment needs the write lock, and
//! that the file is on the disk: SQLite syncs it then, with all that was copied while others wrote, which takes some 30 ms. So
//! it is synced before, while the lock is free.

use std::fs::File;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::connection::{Connection, Database};
use super::error::Error;

/// How often the thread looks at the log while somebody writes, and how often otherwise.
const BUSY_INTERVAL: Duration = Duration::from_millis(20);
const IDLE_INTERVAL: Duration = Duration::from_millis(500);
/// Pages of 4 KiB that are copied at a time, as SQLite does by itself: pages that were written several times are copied once.
const COPY_PAGES: i32 = 1_000;
/// Pages in the log beyond which it is to begin anew: 8 MiB.
const RESTART_PAGES: i32 = 2_048;
/// How long it may take until searches are between two statements. Their threads have a low priority, so that beside others
/// a statement of milliseconds can take a tenth of a second.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long they are held up then at most, and how often it is tried meanwhile: whoever writes has the lock most of the
/// time.
const RESTART_TIMEOUT: Duration = Duration::from_millis(200);
const RESTART_INTERVAL: Duration = Duration::from_millis(1);
/// Pages that whoever writes may have added since the log was copied: the restart copies them while it holds the lock, in
/// about a millisecond.
const RESTART_LEFT: i32 = 100;

/// How soon it is tried again if somebody read for all that time.
const RESTART_AGAIN: Duration = Duration::from_millis(500);

/// Lets searches read, or holds them up between two statements.
#[derive(Debug, Default)]
pub(super) struct SearchGate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    /// Searches that may be reading.
    reading: usize,
}

impl SearchGate {
    /// Begins to read, when the gate is open.
    pub(super) fn enter(&self) {
        let state = self.state();
        let mut state = self.changed.wait_while(state, |state| state.is_closed).unwrap_or_else(PoisonError::into_inner);
        state.reading += 1;
    }

    /// Reads no more.
    pub(super) fn leave(&self) {
        self.state().reading -= 1;
        self.changed.notify_all();
    }

    /// Between two statements: lets others do what needs that nobody reads.
    pub(super) fn pass(&self) {
        if self.state().is_closed {
            self.leave();
            self.enter();
        }
    }

    /// Holds searches up, and returns when none is reading any more, or after a while.
    fn close(&self, at_most: Duration) {
        let mut state = self.state();
        state.is_closed = true;
        let is_reading = |state: &mut GateState| state.reading > 0;
        drop(self.changed.wait_timeout_while(state, at_most, is_reading));
    }

    fn open(&self) {
        self.state().is_closed = false;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread. Dropping it ends it.
pub(super) struct Checkpointer {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread for a database in this file.
    pub(super) fn start(database: Database, file: &'static File, gate: Arc<SearchGate>) -> std::io::Result<Self> {
        let (end, ended) = channel();
        let mut worker = Worker { database, gate, file, connection: None, next_restart: Instant::now(), pages: 0 };
        let work = move || {
            let mut interval = IDLE_INTERVAL;
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                interval = worker.checkpoint().unwrap_or_else(|_| {
                    // While the database is away, the writer says so.
                    worker.connection = None;
                    IDLE_INTERVAL
                });
            }
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(work)?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a checkpoint has done (sqlite.org/pragma.html, `wal_checkpoint`).
#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
    /// Pages in the log.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Of these, those that are copied.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

fn run(connection: &mut Connection, mode: &str) -> QueryResult<Checkpoint> {
    diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(connection)
}

struct Worker {
    database: Database,
    gate: Arc<SearchGate>,
    file: &'static File,
    connection: Option<Connection>,
    next_restart: Instant,
    /// Pages in the log when the thread last looked.
    pages: i32,
}

impl Worker {
    /// Copies what was written, if it is much or nobody writes any more, and lets the log begin anew if it is long. Returns
    /// when to look again: at once, if as much was written while it copied.
    fn checkpoint(&mut self) -> Result<Duration, Error> {
        // A file that was removed or replaced is left alone.
        self.database.check()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(self.database.connect()?),
        };
        let before = run(connection, "NOOP")?;
        let is_quiet = std::mem::replace(&mut self.pages, before.log) == before.log;
        let to_copy = before.log - before.checkpointed;
        if to_copy == 0 {
            return Ok(IDLE_INTERVAL);
        }
        if !is_quiet && to_copy < COPY_PAGES {
            return Ok(BUSY_INTERVAL);
        }
        run(connection, "PASSIVE")?;
        let after = run(connection, "NOOP")?;
        if after.log < RESTART_PAGES || Instant::now() < self.next_restart {
            // Somebody who reads for long keeps the rest from being copied.
            let is_copying = after.checkpointed > before.checkpointed;
            let is_behind = after.log - after.checkpointed >= COPY_PAGES;
            return Ok(if is_copying && is_behind { Duration::ZERO } else { BUSY_INTERVAL });
        }
        // Most of it here, as searches are held up for what is left to `restart`.
        sync(self.file);
        let start = Instant::now();
        self.gate.close(CLOSE_TIMEOUT);
        let held_up = start.elapsed();
        let restarted = restart(connection, self.file);
        self.gate.open();
        let has_restarted = restarted?;
        tracing::debug!(has_restarted, pages = after.log, ?held_up, took = ?start.elapsed(), "the write-ahead log begins anew");
        if !has_restarted {
            self.next_restart = Instant::now() + RESTART_AGAIN;
        }
        Ok(BUSY_INTERVAL)
    }
}

/// Lets the log begin anew, while nobody reads from it, and returns whether it did. Each try comes straight after the log was
/// copied, and what was copied before is on the disk, so that whoever writes waits for a few pages at most.
fn restart(connection: &mut Connection, file: &File) -> QueryResult<bool> {
    let start = Instant::now();
    run(connection, "PASSIVE")?;
    sync(file);
    while start.elapsed() < RESTART_TIMEOUT {
        let copied = run(connection, "PASSIVE")?;
        if copied.log - copied.checkpointed <= RESTART_LEFT && run(connection, "RESTART")?.busy == 0 {
            return Ok(true);
        }
        std::thread::sleep(RESTART_INTERVAL);
    }
    Ok(false)
}

/// An error is left to the checkpoint, which syncs the same file again.
fn sync(file: &File) {
    let _ = file.sync_data();
}
