//! An instance's writers: they collect what waits, and hand it over to its database (`src/store/writer`).

use std::collections::BTreeMap;

use tessera::token::settle::Held;

use super::agenda::Time;
use super::ledger::Verdict;
use super::scenario::{BATCH, LOCKED_PAUSE, QUEUE, Queues, STATEMENTS, WAIT};
use super::state::{Event, Transaction, TransactionId, Try};
use super::world::World;

impl World<'_> {
    pub(super) fn enqueue(&mut self, this: Try, instance: usize) {
        let database = self.this(this.number).database;
        let writer = if self.scenario.queues == Queues::Instance { 0 } else { database };
        let of = &mut self.instances[instance];
        let unanswered =
            if self.scenario.queues == Queues::Database { of.writers[writer].unanswered() } else { of.unanswered() };
        if unanswered >= QUEUE {
            return self.refuse(this, instance);
        }
        of.writers[writer].waiting.push_back((this, self.now));
        self.begin_batch(instance, writer);
    }

    /// A use whose token was locked is tried before those that came later.
    pub(super) fn enqueue_first(&mut self, this: Try, instance: usize, writer: usize, since: Time) {
        let of = &mut self.instances[instance].writers[writer];
        of.taken -= 1;
        of.waiting.push_front((this, since));
        self.begin_batch(instance, writer);
    }

    /// Takes what waits, if the writer is idle.
    fn begin_batch(&mut self, instance: usize, writer: usize) {
        if self.instances[instance].writers[writer].parts > 0 {
            return;
        }
        let mut by_database: BTreeMap<usize, Vec<(Try, Time)>> = BTreeMap::new();
        let mut count = 0;
        while count < BATCH {
            let Some((this, since)) = self.instances[instance].writers[writer].waiting.pop_front() else { break };
            if self.now.saturating_sub(since) > WAIT {
                self.refuse(this, instance);
            } else if self.waits(this) {
                by_database.entry(self.this(this.number).database).or_default().push((this, since));
                count += 1;
            }
        }
        let of = &mut self.instances[instance];
        (of.writers[writer].parts, of.writers[writer].taken) = (by_database.len(), of.writers[writer].taken + count);
        let cpu = of.cpu;
        for (database, uses) in by_database {
            let ready = self.work(cpu, self.scenario.costs.instance_transaction);
            self.begin_transaction(instance, writer, database, uses, ready);
        }
    }

    fn begin_transaction(
        &mut self,
        instance: usize,
        writer: usize,
        database: usize,
        uses: Vec<(Try, Time)>,
        ready: Time,
    ) {
        let id = self.next_transaction;
        self.next_transaction += 1;
        let (skipped, verdicts, held, at) = (Vec::new(), Vec::new(), Held::default(), ready);
        let is_lost = self.databases[database].is_lost;
        let new = Transaction { instance, writer, database, uses, skipped, held, at, verdicts, is_lost };
        self.transactions.insert(id, new);
        let (at, event) = match self.scenario.loss {
            Some(loss) if is_lost && loss.refuses => (ready, Event::Failed(id)),
            Some(_) if is_lost => (ready + WAIT, Event::Failed(id)),
            // BEGIN there and back, and the next statement there.
            _ => (ready + self.scenario.costs.statement.mul_f64(1.5), Event::Hold(id)),
        };
        self.agenda.schedule(at, event);
    }

    pub(super) fn transaction_answered(&mut self, id: TransactionId) {
        if self.transactions.get(&id).is_none_or(|transaction| transaction.is_lost) {
            return;
        }
        let Some(Transaction { instance, writer, uses, skipped, verdicts, .. }) = self.transactions.remove(&id) else {
            return;
        };
        self.outcome.transactions += 1;
        self.outcome.in_transactions += u32::try_from(uses.len()).unwrap_or_default();
        self.outcome.skipped += u32::try_from(skipped.len()).unwrap_or_default();
        let of = &mut self.instances[instance];
        of.writers[writer].taken -= uses.len();
        let cpu = of.cpu;
        self.end_part(instance, writer);
        for ((this, _), verdict) in uses.into_iter().zip(verdicts) {
            let at = self.work(cpu, self.scenario.costs.answer);
            self.agenda.schedule(at, Event::Heard(this, verdict));
        }
        for (this, since) in skipped {
            let pause = (self.now.saturating_sub(since) / 4).clamp(LOCKED_PAUSE[0], LOCKED_PAUSE[1]);
            let again = self.now + pause.mul_f64(0.5 + self.random.unit());
            self.agenda.schedule(again, Event::Unlock(this, instance, writer, since));
        }
    }

    pub(super) fn transaction_failed(&mut self, id: TransactionId) {
        let Some(Transaction { instance, writer, uses, skipped, .. }) = self.transactions.remove(&id) else { return };
        self.instances[instance].writers[writer].taken -= uses.len() + skipped.len();
        for (this, _) in uses.into_iter().chain(skipped) {
            self.refuse(this, instance);
        }
        self.end_part(instance, writer);
    }

    fn end_part(&mut self, instance: usize, writer: usize) {
        self.instances[instance].writers[writer].parts -= 1;
        self.begin_batch(instance, writer);
    }

    /// The network and waking up, from one statement's processing to the next one's, with `between` others.
    pub(super) fn statements(&self, count: u32) -> Time {
        debug_assert!(count < STATEMENTS);
        self.scenario.costs.statement * count
    }

    /// Counts a success, apart from the ledger.
    pub(super) fn count(&mut self, this: Try, verdict: Verdict) {
        if verdict == Verdict::Done {
            let token = self.this(this.number).token;
            self.this_mut(this.number).done += 1;
            *self.successes.entry(token).or_default() += 1;
        }
    }
}
