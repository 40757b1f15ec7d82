//! A simulation that goes from event to event.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::agenda::{Agenda, Time};
use super::cpu::Cpu;
use super::ledger::{Ledger, TokenNumber};
use super::outcome::Outcome;
use super::random::Random;
use super::scenario::{Machines, Scenario};
use super::shards::ShardMap;
use super::state::{Database, Event, Instance, Transaction, TransactionId, Try, Use};
use super::wal::Wal;

/// How long it goes on after the last use has begun, if a database never comes back.
const DRAIN: Duration = Duration::from_secs(30);

pub(super) struct World<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: Time,
    pub(super) agenda: Agenda<Event>,
    pub(super) random: Random,
    pub(super) shards: ShardMap,
    pub(super) cpus: Vec<Cpu>,
    pub(super) instances: Vec<Instance>,
    pub(super) databases: Vec<Database>,
    pub(super) transactions: HashMap<TransactionId, Transaction>,
    pub(super) next_transaction: TransactionId,
    pub(super) uses: Vec<Use>,
    /// Uses without an answer.
    pub(super) open: u32,
    pub(super) deadlines: VecDeque<(Time, Try)>,
    /// Successes of each token, counted apart from the ledgers.
    pub(super) successes: BTreeMap<TokenNumber, u32>,
    pub(super) outcome: Outcome,
    pub(super) answered: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let (instances, databases) = (scenario.instances, scenario.databases);
        let (cpus, instance_cpu, database_cpu): (Vec<Cpu>, Vec<usize>, Vec<usize>) = match scenario.machines {
            Machines::One(cores) => (vec![Cpu::new(cores)], vec![0; instances], vec![0; databases]),
            Machines::Apart { instance, database } => {
                let cores = std::iter::repeat_n(instance, instances).chain(std::iter::repeat_n(database, databases));
                let both = instances..instances + databases;
                (cores.map(Cpu::new).collect(), (0..instances).collect(), both.collect())
            }
        };
        let database = |cpu| Database {
            cpu,
            wal: Wal::new(scenario.costs.sync, scenario.costs.log_per_second),
            ledger: Ledger::default(),
            locked: HashSet::new(),
            is_lost: false,
            losses: 0,
        };
        Self {
            scenario,
            now: Time::ZERO,
            agenda: Agenda::new(),
            random: Random::new(scenario.seed),
            shards: ShardMap::even(databases),
            cpus,
            instances: instance_cpu.into_iter().map(|cpu| Instance::new(cpu, scenario)).collect(),
            databases: database_cpu.into_iter().map(database).collect(),
            transactions: HashMap::new(),
            next_transaction: 0,
            uses: Vec::new(),
            open: 0,
            deadlines: VecDeque::new(),
            successes: BTreeMap::new(),
            outcome: Outcome::default(),
            answered: 0,
        }
    }

    pub(super) fn run(&mut self) {
        self.open_doors();
        if let Some(loss) = self.scenario.loss {
            self.agenda.schedule(loss.from, Event::Lose(loss.database));
            self.agenda.schedule(loss.to, Event::Return(loss.database));
        }
        while let Some((now, event)) = self.agenda.next() {
            self.now = now;
            let has_ended = now > self.scenario.duration;
            if has_ended && (self.open == 0 || now > self.scenario.duration + DRAIN) {
                break;
            }
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Scan => self.scan(),
            Event::Again(number) => self.ask(number),
            Event::Sweep => self.sweep(),
            Event::Received(this, instance) => self.enqueue(this, instance),
            Event::Unlock(this, instance, writer, since) => self.enqueue_first(this, instance, writer, since),
            Event::Hold(id) => self.hold(id),
            Event::Keep(id) => self.keep(id),
            Event::Commit(id) => self.commit(id),
            Event::Flushed(database, losses) => self.flushed(database, losses),
            Event::Committed(id) => self.committed(id),
            Event::Answered(id) => self.transaction_answered(id),
            Event::Failed(id) => self.transaction_failed(id),
            Event::Heard(this, verdict) => self.hear(this, verdict),
            Event::Lose(database) => self.lose(database),
            Event::Return(database) => self.databases[database].is_lost = false,
        }
    }

    /// Works on a machine from now on, and returns when that is done.
    pub(super) fn work(&mut self, cpu: usize, time: Duration) -> Time {
        self.cpus[cpu].run(self.now, time)
    }
}
