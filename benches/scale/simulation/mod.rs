//! A discrete-event simulation of n instances over m databases, among which tokens are divided by uid.
//!
//! It does what Tessera does: doors send uses with idempotency keys and ask again until they are answered; an instance's
//! writer collects what waits into batches; a transaction locks what nobody else has locked, and skips the rest; commits
//! share flushes of the log. What is decided about a token is decided by the rule of the library itself.

pub mod agenda;
mod books;
pub mod cpu;
mod doors;
pub mod ledger;
pub mod outcome;
mod primaries;
pub mod random;
pub mod scenario;
pub mod shards;
mod state;
pub mod wal;
mod world;
mod writers;

use outcome::Outcome;
use scenario::Scenario;
use world::World;

/// Runs a scenario until every use is answered, or nobody can be any more.
///
/// # Errors
/// The books are wrong: a token was used more often than it may be, or a use was counted twice.
pub fn run(scenario: &Scenario) -> Result<Outcome, String> {
    let mut world = World::new(scenario);
    world.run();
    world.close()
}
