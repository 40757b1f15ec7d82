//! What a simulation is made of, and its events.

use std::collections::{HashSet, VecDeque};

use tessera::token::Uid;
use tessera::token::settle::Held;

use super::agenda::Time;
use super::ledger::{Ledger, TokenNumber, UseNumber, Verdict};
use super::scenario::{Queues, Scenario};
use super::wal::Wal;

/// A try of a use: a door that has given one up does not hear of it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) number: UseNumber,
    pub(super) tries: u32,
}

pub(super) type TransactionId = u64;

#[derive(Clone, Copy)]
pub(super) enum Event {
    /// A use begins.
    Scan,
    /// A door asks again.
    Again(UseNumber),
    /// Doors give up tries that are not answered in time.
    Sweep,
    /// An instance has read a request.
    Received(Try, usize),
    /// A skipped use is tried again by this instance's writer.
    Unlock(Try, usize, usize, Time),
    /// A transaction's statements arrive at its database.
    Hold(TransactionId),
    Keep(TransactionId),
    Commit(TransactionId),
    /// A database's log is on disk, unless the database was lost meanwhile.
    Flushed(usize, u32),
    Committed(TransactionId),
    /// The instance hears that it was committed, or that it failed.
    Answered(TransactionId),
    Failed(TransactionId),
    /// A door hears what came of a try.
    Heard(Try, Verdict),
    Lose(usize),
    Return(usize),
}

/// What an instance does with one database, for uses of one batch.
pub(super) struct Transaction {
    pub(super) instance: usize,
    pub(super) writer: usize,
    pub(super) database: usize,
    /// Uses, and since when they wait.
    pub(super) uses: Vec<(Try, Time)>,
    /// Uses of tokens that another transaction had locked.
    pub(super) skipped: Vec<(Try, Time)>,
    /// The tokens as it has locked them, and when, by the database's clock.
    pub(super) held: Held,
    pub(super) at: Time,
    pub(super) verdicts: Vec<Verdict>,
    /// The database was lost under it.
    pub(super) is_lost: bool,
}

pub(super) struct Database {
    pub(super) cpu: usize,
    pub(super) wal: Wal,
    pub(super) ledger: Ledger,
    pub(super) locked: HashSet<TokenNumber>,
    pub(super) is_lost: bool,
    pub(super) losses: u32,
}

/// A use that somebody wants.
pub(super) struct Use {
    pub(super) token: TokenNumber,
    pub(super) uid: Uid,
    pub(super) made_with: i32,
    pub(super) database: usize,
    pub(super) began: Time,
    pub(super) tries: u32,
    /// Whether a door waits for the present try.
    pub(super) is_waiting: bool,
    pub(super) is_open: bool,
    /// How often it was counted, and what its door was told.
    pub(super) done: u32,
    pub(super) verdict: Option<Verdict>,
    /// Which connection sends it, in a closed loop.
    pub(super) connection: Option<u32>,
}

pub(super) struct Instance {
    pub(super) cpu: usize,
    pub(super) writers: Vec<Writer>,
}

#[derive(Default)]
pub(super) struct Writer {
    pub(super) waiting: VecDeque<(Try, Time)>,
    /// Uses in transactions, and uses of locked tokens.
    pub(super) taken: usize,
    /// Transactions of the present batch that have not ended.
    pub(super) parts: usize,
}

impl Instance {
    pub(super) fn new(cpu: usize, scenario: &Scenario) -> Self {
        let writers = if scenario.queues == Queues::Instance { 1 } else { scenario.databases };
        Self { cpu, writers: (0..writers).map(|_| Writer::default()).collect() }
    }

    pub(super) fn unanswered(&self) -> usize {
        self.writers.iter().map(Writer::unanswered).sum()
    }
}

impl Writer {
    pub(super) fn unanswered(&self) -> usize {
        self.waiting.len() + self.taken
    }
}
