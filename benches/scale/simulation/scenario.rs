//! What is simulated.

use std::time::Duration;

/// Uses in one transaction at most, and uses that may wait at an instance: `BATCH` and `QUEUE` of `src/store/writer`.
pub const BATCH: usize = 256;
pub const QUEUE: usize = 4_096;
/// After this an instance refuses what waits (`LOCK_TIMEOUT`); as long a door waits before it asks again (`LOST` of
/// `static/scan.js`); and as long libpq waits for a machine that is gone (`connect_timeout`, `tcp_user_timeout`).
pub const WAIT: Duration = Duration::from_secs(5);
/// After this somebody at a door is told to wait (`PATIENCE` of `static/scan.js`).
pub const PATIENCE: Duration = Duration::from_millis(400);
/// From when a locked token is tried again, at least and at most (`LOCKED_PAUSE`).
pub const LOCKED_PAUSE: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

/// What things take. `measured.rs` says where the figures are from.
#[derive(Clone, Debug)]
pub struct Costs {
    /// An instance's processor: for a use until it waits in the queue, for its answer, and for a transaction.
    pub receive: Duration,
    pub answer: Duration,
    pub instance_transaction: Duration,
    /// PostgreSQL's processor, for a transaction and for each use in it.
    pub database_transaction: Duration,
    pub database_use: Duration,
    /// Whoever sends uses, where that shares a machine.
    pub client: Duration,
    /// From a statement to its answer, beside the processor's time: the network, and waking up.
    pub statement: Duration,
    /// Until what was written is on the disk; what it writes in a second; and until a standby has it, too.
    pub sync: Duration,
    pub log_per_second: f64,
    pub standby: Duration,
    /// Bytes of write-ahead log.
    pub log_transaction: u32,
    pub log_use: u32,
}

/// Statements of a transaction of uses with keys: BEGIN, hold, replies, keep, save, COMMIT.
pub const STATEMENTS: u32 = 6;

#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// So many uses begin in a second, whatever becomes of those before.
    Open(f64),
    /// So many connections, each of which sends its next use when the last one is answered.
    Closed(u32),
}

#[derive(Clone, Copy, Debug)]
pub enum Tokens {
    /// So many tokens with unlimited uses, one after another.
    InTurn(u32),
    /// Tickets of one use, so many of them, at random; and this share of uses asks for one of `hot` tokens with `uses`.
    Tickets { count: u32, hot: u32, share: f64, uses: i32 },
}

/// Where uses wait in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Queues {
    /// In one queue. A batch is divided by database, and the next one begins when all parts have ended.
    Instance,
    /// In a queue for each database, with one limit for all of them.
    Shared,
    /// In a queue for each database, with a limit of its own.
    Database,
}

#[derive(Clone, Copy, Debug)]
pub enum Machines {
    /// Everything, the senders included, on one with so many cores.
    One(usize),
    /// Each instance and each database on its own, with so many cores.
    Apart { instance: usize, database: usize },
}

/// A database that is away for a while.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    pub database: usize,
    pub from: Duration,
    pub to: Duration,
    /// Whether its machine refuses connections meanwhile, or is gone without a word.
    pub refuses: bool,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub instances: usize,
    pub databases: usize,
    pub machines: Machines,
    pub load: Load,
    pub tokens: Tokens,
    pub queues: Queues,
    pub loss: Option<Loss>,
    pub costs: Costs,
    /// For how long uses begin, and from when they are measured.
    pub duration: Duration,
    pub warm_up: Duration,
    pub seed: u64,
}
