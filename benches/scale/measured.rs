//! What things take, measured by `cargo bench --bench http -- --instances`; docs/SCALE.md says on what, and when.

use std::time::Duration;

use crate::simulation::scenario::{Costs, Load, Machines, Queues, Scenario, Tokens};

const fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// On the machine that was measured: senders, instances and PostgreSQL share two cores, and the network is the loopback.
pub fn one_machine() -> Costs {
    Costs {
        receive: nanos(10_000),
        answer: nanos(10_000),
        instance_transaction: nanos(100_000),
        database_transaction: nanos(150_000),
        database_use: nanos(20_000),
        client: nanos(5_000),
        statement: nanos(50_000),
        sync: nanos(100_000),
        log_per_second: 500e6,
        standby: Duration::ZERO,
        log_transaction: 200,
        log_use: 900,
    }
}

/// The same on machines of their own in one data centre.
pub fn apart() -> Costs {
    Costs {
        statement: nanos(200_000),
        sync: nanos(1_000_000),
        standby: nanos(1_000_000),
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

pub const POINTS: [Point; 1] =
    [Point { instances: 1, connections: 1, rate: 1_500.0, uses_a_transaction: 1.0, median: 600 }];

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
