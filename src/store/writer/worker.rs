//! The writer's thread: what it does with what it takes from the queues.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Job, LOOK_AT_CLOCK, Queued, Round, Shared, Waiting};
use crate::store::actions::undo;
use crate::store::clock::Clock;
use crate::store::connection::{Connection, Database, PATIENCE, transaction, with_retries};
use crate::store::error::Error;
use crate::store::ledger;
use crate::store::ledger::replies;
use crate::store::printing::runs;
use crate::store::usage::retention;
use crate::token::Micros;
use crate::token::settle::{Answer, Ask, settle};

/// Under load SQLite's write lock is free only for moments. Every 50 ms it is left for 1 ms, so that another process
/// (the command line, a second server) gets its turn.
const GAP_EVERY: Duration = Duration::from_millis(50);
const GAP: Duration = Duration::from_millis(1);
/// How often what has expired is removed, and how soon again when there was much of it.
const TIDY_EVERY: Duration = Duration::from_mins(1);
const TIDY_MORE: Duration = Duration::from_millis(500);

/// Removes some of one kind, and says whether there is more.
type Remove = fn(&mut Connection, Micros) -> Result<bool, Error>;

/// What is removed when it is too old: replies, the log, what tokens were before actions, sheets that were given up.
const TOO_OLD: [Remove; 4] = [
    |connection, now| Ok(replies::remove_expired(connection, now)?),
    retention::remove_old,
    |connection, now| Ok(undo::forget(connection, now)?),
    |connection, now| Ok(runs::tidy(connection, now)?),
];

fn too_late() -> Error {
    Error::Unavailable(format!("the write lock was not to be had in {} seconds", PATIENCE.as_secs()))
}

/// The writer's thread.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: Option<Connection>,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    /// Most consumes in one transaction.
    pub(crate) batch: usize,
    /// The database did not answer when it was last asked for the time.
    pub(crate) is_away: bool,
}

impl Worker {
    /// Works until the queues are closed and empty.
    pub(crate) fn run(mut self) {
        let mut last_gap = Instant::now();
        let mut next_look = Instant::now();
        let mut next_tidy = Instant::now();
        let mut seen = None;
        while let Some(Round { batch, job }) = self.shared.take(self.batch) {
            if self.database.has_one_lock() || Instant::now() >= next_look {
                self.guarded(|worker| worker.watch_clock(&mut seen));
                next_look = Instant::now() + LOOK_AT_CLOCK;
            }
            if !batch.is_empty() {
                self.guarded(|worker| worker.batch(batch));
            }
            if let Some(job) = job {
                self.guarded(|worker| worker.job(job));
            }
            if Instant::now() > next_tidy {
                let mut more = false;
                self.guarded(|worker| more = worker.tidy());
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
                // Once, and not twice a second for as long as it is away.
                if !std::mem::replace(&mut self.is_away, true) {
                    tracing::warn!(%error, "the database does not answer");
                }
                let _ = self.reopen_after::<()>(Err(error));
                return;
            }
        };
        if std::mem::take(&mut self.is_away) {
            tracing::info!("the database answers again");
        }
        if seen.is_none_or(|before| now < before) {
            let watched = seen.is_some();
            match self
                .transaction(|connection| Ok(crate::store::tokens::restart_locks::restart_locks(connection, watched)?))
            {
                Ok(true) => tracing::warn!("the clock has jumped back; locks that would begin in the future begin now"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "locks could not be restarted after the clock has jumped back"),
            }
        }
        *seen = Some(now);
    }

    /// Removes some of what is too old, and says whether there is more.
    fn tidy(&mut self) -> bool {
        let clock = self.clock.clone();
        let mut more = false;
        for remove in TOO_OLD {
            match self.transaction(|connection| remove(connection, clock.now())) {
                Ok(rest) => more |= rest,
                // Not the others, too, when this one has waited for the lock in vain: everybody would wait as long again.
                Err(error) => {
                    tracing::warn!(%error, "what is too old could not be removed");
                    return false;
                }
            }
        }
        more
    }

    /// Does `work` in a transaction, again when others come between. A connection that turns out to have gone before
    /// the transaction began costs nobody anything: a new one is made, once.
    fn transaction<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        let result = with_retries(|| {
            let mut began = false;
            let result = transaction(self.connection()?, |connection| {
                began = true;
                work(connection)
            });
            if began || !matches!(result, Err(Error::Lost(_))) {
                return result;
            }
            let _ = self.reopen_after(result);
            transaction(self.connection()?, &work)
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
