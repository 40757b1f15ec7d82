//! What things take. The points and the shares of the processor's time are those of docs/BENCHMARK.md: "consume 10,000 tokens
//! in turn" on PostgreSQL, 2026-11-24, two cores, uses without keys. docs/SCALE.md says how the costs follow from them.

use std::time::Duration;

use crate::simulation::scenario::{Costs, Load, Machines, Queues, Scenario, Tokens};

const fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// On the machine that was measured: senders, an instance and PostgreSQL share two cores, and the network is the loopback. What
/// is left of a use alone, beside the processor's time and the disk, is shared by the statements.
pub fn one_machine() -> Costs {
    Costs {
        receive: nanos(8_000),
        answer: nanos(8_000),
        instance_transaction: nanos(60_000),
        database_transaction: nanos(160_000),
        database_use: nanos(13_000),
        client: nanos(6_800),
        statement: nanos(45_000),
        sync: nanos(66_000),
        log_per_second: 500e6,
        standby: Duration::ZERO,
        log_transaction: 200,
        log_use: 700,
    }
}

/// On machines of their own in one data centre, with keys. Assumed, not measured: a round trip of 0.2 ms, a flush and a standby
/// of 1 ms each, and half as much again for a use that saves a reply.
pub fn apart() -> Costs {
    Costs {
        statement: nanos(200_000),
        sync: nanos(1_000_000),
        standby: nanos(1_000_000),
        database_use: nanos(20_000),
        log_use: 1_200,
        client: Duration::ZERO,
        ..one_machine()
    }
}

/// A measured point.
pub struct Point {
    pub instances: usize,
    pub connections: u32,
    /// Uses in a second, and in a transaction.
    pub rate: f64,
    pub uses_a_transaction: f64,
    /// Microseconds.
    pub median: u64,
}

pub const POINTS: [Point; 4] = [
    Point { instances: 1, connections: 1, rate: 1_667.0, uses_a_transaction: 1.0, median: 591 },
    Point { instances: 1, connections: 8, rate: 6_029.0, uses_a_transaction: 4.0, median: 1_280 },
    Point { instances: 1, connections: 64, rate: 25_600.0, uses_a_transaction: 32.0, median: 2_470 },
    Point { instances: 1, connections: 256, rate: 41_629.0, uses_a_transaction: 128.0, median: 5_790 },
];

impl Point {
    /// The same, to be simulated.
    pub fn scenario(&self) -> Scenario {
        Scenario {
            instances: self.instances,
            databases: 1,
            machines: Machines::One(2),
            load: Load::Closed(self.connections),
            tokens: Tokens::InTurn(10_000),
            queues: Queues::Database,
            loss: None,
            costs: one_machine(),
            duration: Duration::from_secs(4),
            warm_up: Duration::from_secs(1),
            seed: 1,
        }
    }
}
