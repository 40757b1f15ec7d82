//! A primary's write-ahead log: one flush at a time. All transactions that commit during a flush share the next one
//! (PostgreSQL's documentation, "WAL Configuration").

use super::agenda::Time;

pub struct Wal {
    /// How long a flush waits for the disk, and bytes that it writes in a second.
    pub sync: Time,
    pub bytes_per_second: f64,
    flushing: Vec<u64>,
    waiting: Vec<u64>,
    bytes: u32,
    busy: Time,
    pub flushes: u32,
}

impl Wal {
    pub fn new(sync: Time, bytes_per_second: f64) -> Self {
        let (flushing, waiting) = (Vec::new(), Vec::new());
        Self { sync, bytes_per_second, flushing, waiting, bytes: 0, busy: Time::ZERO, flushes: 0 }
    }

    /// Adds a transaction that commits. Returns when a flush ends, if one begins now.
    pub fn commit(&mut self, transaction: u64, bytes: u32, now: Time) -> Option<Time> {
        self.waiting.push(transaction);
        self.bytes += bytes;
        if self.flushing.is_empty() { self.begin(now) } else { None }
    }

    /// Ends a flush. Returns the transactions that are on disk now, and when the next flush ends, if one begins.
    pub fn flushed(&mut self, now: Time) -> (Vec<u64>, Option<Time>) {
        let done = std::mem::take(&mut self.flushing);
        (done, self.begin(now))
    }

    /// Forgets everything: the machine is gone.
    pub fn lose(&mut self) {
        self.flushing.clear();
        self.waiting.clear();
        self.bytes = 0;
    }

    fn begin(&mut self, now: Time) -> Option<Time> {
        if self.waiting.is_empty() {
            return None;
        }
        let took = self.sync + Time::from_secs_f64(f64::from(self.bytes) / self.bytes_per_second);
        self.flushing = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        self.busy += took;
        self.flushes += 1;
        Some(now + took)
    }

    /// The share of the time since the start in which it flushed.
    pub fn load(&self, now: Time) -> f64 {
        self.busy.as_secs_f64() / now.as_secs_f64()
    }
}
