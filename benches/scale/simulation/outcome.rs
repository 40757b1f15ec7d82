//! What came of a simulation.

use super::agenda::Time;
use super::scenario::{Loss, PATIENCE};

/// When a use began, as seen from a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    WarmUp,
    Before,
    During,
    After,
}

impl Phase {
    pub fn of(began: Time, warm_up: Time, loss: Option<&Loss>) -> Self {
        match loss {
            _ if began < warm_up => Self::WarmUp,
            Some(loss) if began >= loss.to => Self::After,
            Some(loss) if began >= loss.from => Self::During,
            _ => Self::Before,
        }
    }
}

/// Uses that began in one phase, of one kind of tokens.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub begun: u32,
    /// How long each answered one was waited for, from its first try.
    waits: Vec<Time>,
    /// Tries that were answered with 503, and those that were not answered in time.
    pub refused: u32,
    pub unanswered: u32,
}

impl Group {
    pub fn add(&mut self, wait: Time) {
        self.waits.push(wait);
    }

    /// The share that was answered before anybody is told to wait.
    pub fn in_time(&self) -> f64 {
        let in_time = self.waits.iter().filter(|wait| **wait <= PATIENCE).count();
        f64::from(u32::try_from(in_time).unwrap_or(u32::MAX)) / f64::from(self.begun.max(1))
    }

    /// The wait that so many of a thousand do not exceed.
    pub fn quantile(&self, per_mille: usize) -> Time {
        let mut sorted = self.waits.clone();
        let rank = (sorted.len() * per_mille).div_ceil(1_000).saturating_sub(1);
        if rank >= sorted.len() {
            return Time::ZERO;
        }
        *sorted.select_nth_unstable(rank).1
    }
}

/// The result of a simulation whose books are right.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By phase, uses of tokens of other databases, and those of the database that is lost.
    groups: [[Group; 2]; 4],
    /// Uses answered in a second, after warming up.
    pub rate: f64,
    pub transactions: u32,
    pub in_transactions: u32,
    /// Uses that were skipped, as another instance had locked their token.
    pub skipped: u32,
    pub done: u32,
    pub replayed: u32,
    pub turned_down: u32,
    /// Uses without an answer at the end.
    pub open: u32,
    /// The highest shares of their time that any instance's and any database's processor, and any log, worked.
    pub instance_cpu: f64,
    pub database_cpu: f64,
    pub log: f64,
}

impl Outcome {
    pub fn group(&self, phase: Phase, is_lost: bool) -> &Group {
        &self.groups[phase as usize][usize::from(is_lost)]
    }

    pub(super) fn group_mut(&mut self, phase: Phase, is_lost: bool) -> &mut Group {
        &mut self.groups[phase as usize][usize::from(is_lost)]
    }

    pub fn uses_a_transaction(&self) -> f64 {
        f64::from(self.in_transactions) / f64::from(self.transactions.max(1))
    }
}
