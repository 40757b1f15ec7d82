//! Doors: they send uses, each with a key of its own, and ask again with it until it is answered (`static/scan.js`).

use std::time::Duration;

use tessera::token::UNLIMITED;

use super::agenda::Time;
use super::ledger::{TokenNumber, UseNumber, Verdict, Wanted};
use super::outcome::{Group, Phase};
use super::random::uid;
use super::scenario::{Load, Tokens, WAIT};
use super::state::{Event, Try, Use};
use super::world::World;

/// How often doors look for tries that are not answered in time.
const SWEEP: Duration = Duration::from_millis(20);

/// How long a door waits before it asks again.
fn pause(tries: u32) -> Duration {
    Duration::from_secs(tries.into()).min(WAIT)
}

impl World<'_> {
    pub(super) fn open_doors(&mut self) {
        self.agenda.schedule(SWEEP, Event::Sweep);
        match self.scenario.load {
            Load::Open(_) => self.agenda.schedule(Time::ZERO, Event::Scan),
            Load::Closed(connections) => (0..connections).for_each(|connection| self.begin(Some(connection))),
        }
    }

    /// A use begins, and the next one after a random time.
    pub(super) fn scan(&mut self) {
        self.begin(None);
        if let Load::Open(per_second) = self.scenario.load {
            let next = self.now + self.random.pause(per_second);
            if next < self.scenario.duration {
                self.agenda.schedule(next, Event::Scan);
            }
        }
    }

    fn begin(&mut self, connection: Option<u32>) {
        let Ok(number) = UseNumber::try_from(self.uses.len()) else { return };
        let (token, made_with) = self.token(number);
        let Some(uid) = uid(token) else { return };
        let database = self.shards.database(uid);
        let began = self.now;
        let new = Use {
            token,
            uid,
            made_with,
            database,
            began,
            tries: 0,
            is_waiting: false,
            is_open: true,
            done: 0,
            verdict: None,
            connection,
        };
        self.uses.push(new);
        self.open += 1;
        self.group(number).begun += 1;
        self.ask(number);
    }

    /// Hot tokens have the first numbers.
    fn token(&mut self, number: UseNumber) -> (TokenNumber, i32) {
        match self.scenario.tokens {
            Tokens::InTurn(count) => (number % count, UNLIMITED),
            Tokens::Tickets { hot, share, uses, .. } if self.random.unit() < share => (self.random.below(hot), uses),
            Tokens::Tickets { count, hot, .. } => (hot + self.random.below(count), 1),
        }
    }

    /// Sends a use, also one that was sent before. The balancer knows nothing of tokens: it may be another instance.
    pub(super) fn ask(&mut self, number: UseNumber) {
        let connection = self.this(number).connection;
        let instances = self.instances.len();
        let instance = match connection {
            Some(connection) => usize::try_from(connection).unwrap_or_default() % instances,
            None => usize::try_from(self.random.below(u32::try_from(instances).unwrap_or(1))).unwrap_or_default(),
        };
        let this = self.this_mut(number);
        this.tries += 1;
        this.is_waiting = true;
        let this = Try { number, tries: this.tries };
        self.deadlines.push_back((self.now + WAIT, this));
        let costs = &self.scenario.costs;
        let work = if connection.is_some() { costs.client + costs.receive } else { costs.receive };
        let received = self.work(self.instances[instance].cpu, work);
        self.agenda.schedule(received, Event::Received(this, instance));
    }

    pub(super) fn sweep(&mut self) {
        while let Some((_, this)) = self.deadlines.pop_front_if(|(deadline, _)| *deadline <= self.now) {
            if self.waits(this) {
                self.this_mut(this.number).is_waiting = false;
                self.group(this.number).unanswered += 1;
                self.agenda.schedule(self.now + pause(this.tries), Event::Again(this.number));
            }
        }
        if self.open > 0 || self.now < self.scenario.duration {
            self.agenda.schedule(self.now + SWEEP, Event::Sweep);
        }
    }

    /// Whether a door still waits for this try.
    pub(super) fn waits(&self, this: Try) -> bool {
        let of = self.this(this.number);
        of.is_waiting && of.tries == this.tries
    }

    /// An instance has an answer. A door that has hung up does not hear it, and asks again.
    pub(super) fn hear(&mut self, this: Try, verdict: Verdict) {
        match verdict {
            Verdict::Done => self.outcome.done += 1,
            Verdict::Replayed => self.outcome.replayed += 1,
            Verdict::Refused | Verdict::Missing => self.outcome.turned_down += 1,
        }
        if !self.waits(this) {
            return;
        }
        let at = self.now;
        let of = self.this_mut(this.number);
        (of.is_waiting, of.is_open, of.verdict) = (false, false, Some(verdict));
        let (wait, database, connection) = (at.saturating_sub(of.began), of.database, of.connection);
        self.open -= 1;
        self.databases[database].ledger.forget(this.number);
        self.group(this.number).add(wait);
        if at >= self.scenario.warm_up && at < self.scenario.duration {
            self.answered += 1;
        }
        if connection.is_some() && at < self.scenario.duration {
            self.begin(connection);
        }
    }

    /// An instance answers 503, and nothing was counted.
    pub(super) fn refuse(&mut self, this: Try, instance: usize) {
        if !self.waits(this) {
            return;
        }
        let at = self.work(self.instances[instance].cpu, self.scenario.costs.answer);
        self.this_mut(this.number).is_waiting = false;
        self.group(this.number).refused += 1;
        self.agenda.schedule(at + pause(this.tries), Event::Again(this.number));
    }

    pub(super) fn wanted(&self, this: Try) -> Wanted {
        let of = self.this(this.number);
        Wanted { number: this.number, token: of.token, uid: of.uid, made_with: of.made_with }
    }

    pub(super) fn this(&self, number: UseNumber) -> &Use {
        &self.uses[number as usize]
    }

    pub(super) fn this_mut(&mut self, number: UseNumber) -> &mut Use {
        &mut self.uses[number as usize]
    }

    /// Where a use is counted.
    fn group(&mut self, number: UseNumber) -> &mut Group {
        let (began, database) = (self.this(number).began, self.this(number).database);
        let loss = self.scenario.loss.as_ref();
        let phase = Phase::of(began, self.scenario.warm_up, loss);
        self.outcome.group_mut(phase, loss.is_some_and(|loss| loss.database == database))
    }
}
