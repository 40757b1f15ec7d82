//! The writer's thread: what it does with the work that it takes from the queues.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{CLOCK_INTERVAL, Job, Queued, Round, Shared, Waiting};
use crate::store::actions::{past, perform};
use crate::store::batches;
use crate::store::clock::Clock;
use crate::store::connection::{Connection, Database, LOCK_TIMEOUT, Plans, is_broken, transaction_with, with_retries};
use crate::store::error::Error;
use crate::store::halves::in_halves;
use crate::store::imports;
use crate::store::ledger;
use crate::store::ledger::replies;
use crate::store::migrations;
use crate::store::printing::runs;
use crate::store::usage::retention;
use crate::token::Micros;
use crate::token::settle::{Answer, Ask, settle};

/// Under load, SQLite's write lock is hardly ever free. Every 50 ms it is left free for 1 ms, so that another process
/// (the command line, a second server) gets it.
const GAP_INTERVAL: Duration = Duration::from_millis(50);
const GAP: Duration = Duration::from_millis(1);
/// How often expired rows are removed, and how soon again when there are more: a few at a time, since consumes wait for it.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(1);
const CLEANUP_MORE_INTERVAL: Duration = Duration::from_millis(100);

/// Removes some rows of one kind, and returns whether there may be more.
type Cleanup = fn(&mut Connection, Micros) -> Result<bool, Error>;

/// What is removed when it is too old: replies, usage entries, undo data of actions, undecided actions,
/// print runs, unfinished print runs and batches, files that were imported.
const CLEANUPS: [Cleanup; 8] = [
    |connection, now| Ok(replies::remove_expired(connection, now)?),
    retention::remove_old,
    |connection, now| Ok(past::remove_expired(connection, now)?),
    perform::remove_abandoned,
    runs::remove_old,
    |connection, now| Ok(runs::remove_abandoned(connection, now)?),
    batches::remove_abandoned,
    imports::remove_old,
];

fn too_late() -> Error {
    Error::Unavailable(format!("the write lock was not to be had in {} seconds", LOCK_TIMEOUT.as_secs()))
}

/// The writer's thread.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: Option<Connection>,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    /// Most consumes in one transaction.
    pub(crate) batch: usize,
    /// The database did not answer when its clock was last read.
    pub(crate) is_unreachable: bool,
}

impl Worker {
    /// Works until the queues are closed and empty.
    pub(crate) fn run(mut self) {
        let mut last_gap = Instant::now();
        let mut next_clock_check = Instant::now();
        let mut next_schema_check = Instant::now();
        let mut next_cleanup = Instant::now();
        let mut last_seen = None;
        while let Some(Round { batch, job }) = self.shared.take(self.batch) {
            if self.database.has_one_lock() || Instant::now() >= next_clock_check {
                self.catch_panics(|worker| worker.check_clock(&mut last_seen));
                next_clock_check = Instant::now() + CLOCK_INTERVAL;
            }
            if Instant::now() >= next_schema_check {
                self.catch_panics(Self::check_schema);
                next_schema_check = Instant::now() + CLOCK_INTERVAL;
            }
            if !batch.is_empty() {
                self.catch_panics(|worker| worker.batch(batch));
            }
            if let Some(job) = job {
                self.catch_panics(|worker| worker.job(job));
            }
            if Instant::now() > next_cleanup {
                let mut more = false;
                self.catch_panics(|worker| more = worker.clean_up());
                next_cleanup = Instant::now() + if more { CLEANUP_MORE_INTERVAL } else { CLEANUP_INTERVAL };
            }
            if self.database.has_one_lock() && last_gap.elapsed() > GAP_INTERVAL {
                std::thread::sleep(GAP);
                last_gap = Instant::now();
            }
        }
    }

    /// Survives a panic. The requests of the current transaction get an error, because their senders are dropped; the
    /// connection may be in the middle of something, so it is not used again.
    fn catch_panics(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.connection = None;
        }
    }

    fn batch(&mut self, batch: Vec<Queued<Waiting>>) {
        let (late, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(Queued::is_late);
        for late in late {
            let _ = late.item.answer.send(Err(too_late()));
        }
        // A client that has gone must not lose a use for an answer that nobody receives.
        let batch = batch.into_iter().filter(|queued| !queued.item.answer.is_closed());
        let batch = batch.map(|Queued { item: Waiting { ask, answer }, since }| (ask, (answer, since)));
        let (asks, senders): (Vec<Ask>, Vec<_>) = batch.unzip();
        if asks.is_empty() {
            return;
        }
        let answers = in_halves(&asks, &mut |asks| self.settle(asks));
        let mut locked = Vec::new();
        for ((ask, (sender, since)), answer) in asks.into_iter().zip(senders).zip(answers) {
            match answer.transpose() {
                Some(answer) => drop(sender.send(answer)),
                None => locked.push(Queued { item: Waiting { ask, answer: sender }, since }),
            }
        }
        if !locked.is_empty() {
            self.shared.try_again(locked);
        }
    }

    /// Answers asks in one transaction; those for locked tokens have no answer.
    fn settle(&mut self, asks: &[Ask]) -> Result<Vec<Option<Answer>>, Error> {
        // An undo looks through the log, with statements whose plans depend on how long that is.
        let plans = if asks.iter().any(|ask| ask.undone_use().is_some()) { Plans::Usual } else { Plans::Kept };
        self.transaction_with(plans, |connection| {
            let (mut held, now) = ledger::hold(connection, asks)?;
            let answers = settle(asks, &mut held, now);
            ledger::keep(connection, &held, asks, &answers, now)?;
            Ok(answers)
        })
    }

    fn job(&mut self, job: Queued<Job>) {
        let connection = if job.is_late() { Err(too_late()) } else { self.connection() };
        let result = (job.item)(connection);
        let _ = self.discard_if_broken(result);
    }

    /// Restarts locks when the clock is behind `last_seen`, or may have jumped back before this process watched it.
    fn check_clock(&mut self, last_seen: &mut Option<Micros>) {
        let clock = self.clock.clone();
        let now = match self.connection().and_then(|connection| Ok(clock.sync(connection)?)) {
            Ok(now) => now,
            Err(error) => {
                // Once, and not twice a second for as long as the database is away.
                if !std::mem::replace(&mut self.is_unreachable, true) {
                    tracing::warn!(%error, "the database does not answer");
                }
                let _ = self.discard_if_broken::<()>(Err(error));
                return;
            }
        };
        if std::mem::take(&mut self.is_unreachable) {
            tracing::info!("the database answers again");
        }
        if last_seen.is_none_or(|before| now < before) {
            let watched = last_seen.is_some();
            match self
                .transaction(|connection| Ok(crate::store::tokens::restart_locks::restart_locks(connection, watched)?))
            {
                Ok(true) => tracing::warn!("the clock has jumped back; locks that would begin in the future begin now"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "locks could not be restarted after the clock has jumped back"),
            }
        }
        *last_seen = Some(now);
    }

    /// Notices that a newer version has migrated the database under this one.
    fn check_schema(&mut self) {
        let outdated = self.connection().and_then(|connection| Ok(migrations::is_outdated(connection)?));
        match outdated {
            Ok(true) => self.database.set_outdated(),
            Ok(false) => {}
            // The clock's check has told.
            Err(error) => drop(self.discard_if_broken::<()>(Err(error))),
        }
    }

    /// Removes some of what is too old, and returns whether there may be more.
    fn clean_up(&mut self) -> bool {
        let clock = self.clock.clone();
        let mut more = false;
        for remove in CLEANUPS {
            match self.transaction(|connection| remove(connection, clock.now())) {
                Ok(has_more) => more |= has_more,
                // Does not go on to the others when this one waited for the lock in vain: everybody would wait as long
                // again.
                Err(error) => {
                    tracing::warn!(%error, "what is too old could not be removed");
                    return false;
                }
            }
        }
        more
    }

    /// Runs `work` in a transaction, with retries. A connection that was lost before the transaction began costs nobody
    /// anything: a new one is made, once.
    fn transaction<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.transaction_with(Plans::Usual, work)
    }

    fn transaction_with<T>(
        &mut self,
        plans: Plans,
        work: impl Fn(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = with_retries(|| {
            let mut began = false;
            let result = transaction_with(plans, self.connection()?, |connection| {
                began = true;
                work(connection)
            });
            if began || !matches!(result, Err(Error::Lost(_))) {
                return result;
            }
            let _ = self.discard_if_broken(result);
            transaction_with(plans, self.connection()?, &work)
        });
        self.discard_if_broken(result)
    }

    /// Drops the connection when a transaction broke on it, since it may be in any state. After a refusal by a rule, and
    /// after a rejected statement that was rolled back in order, the connection keeps its prepared statements.
    fn discard_if_broken<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if matches!(result, Err(Error::Lost(_) | Error::Unknown(_))) {
            self.database.record_loss();
        }
        let is_broken = match &result {
            Err(Error::Lost(_) | Error::Unknown(_) | Error::Unavailable(_)) => true,
            Err(Error::Failed(_)) => self.connection.as_mut().is_some_and(is_broken),
            _ => false,
        };
        if is_broken {
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
