//! Databases: what a transaction does there (`src/store/ledger/postgres.rs`), and what a lost one does.

use super::agenda::Time;
use super::ledger::Wanted;
use super::scenario::WAIT;
use super::state::{Event, Transaction, TransactionId};
use super::world::World;

impl World<'_> {
    /// Locks the tokens that nobody else has locked, and skips the others.
    pub(super) fn hold(&mut self, id: TransactionId) {
        let Some(mut transaction) = self.running(id) else { return };
        let locked = &self.databases[transaction.database].locked;
        let uses = &self.uses;
        let is_free = |token: &u32| !locked.contains(token);
        let (free, skipped) = std::mem::take(&mut transaction.uses)
            .into_iter()
            .partition(|(this, _)| is_free(&uses[this.number as usize].token));
        (transaction.uses, transaction.skipped) = (free, skipped);
        let tokens = transaction.uses.iter().map(|(this, _)| self.uses[this.number as usize].token);
        self.databases[transaction.database].locked.extend(tokens);
        let held = self.half(transaction.database, transaction.uses.len() + transaction.skipped.len());
        transaction.at = held;
        transaction.held = self.databases[transaction.database].ledger.hold(&self.all_wanted(&transaction));
        // The tokens arrive, the replies are asked for and arrive, and what is kept is sent.
        self.agenda.schedule(held + self.statements(2), Event::Keep(id));
        self.transactions.insert(id, transaction);
    }

    pub(super) fn keep(&mut self, id: TransactionId) {
        let Some(transaction) = self.running(id) else { return };
        let kept = self.half(transaction.database, transaction.uses.len());
        // The replies to be saved are sent, and COMMIT.
        self.agenda.schedule(kept + self.statements(2), Event::Commit(id));
        self.transactions.insert(id, transaction);
    }

    pub(super) fn commit(&mut self, id: TransactionId) {
        let Some(transaction) = self.running(id) else { return };
        let costs = &self.scenario.costs;
        let bytes = costs.log_transaction + costs.log_use * u32::try_from(transaction.uses.len()).unwrap_or_default();
        let database = &mut self.databases[transaction.database];
        if let Some(at) = database.wal.commit(id, bytes, self.now) {
            self.agenda.schedule(at, Event::Flushed(transaction.database, database.losses));
        }
        self.transactions.insert(id, transaction);
    }

    pub(super) fn flushed(&mut self, number: usize, losses: u32) {
        let database = &mut self.databases[number];
        if database.losses != losses {
            return;
        }
        let (done, next) = database.wal.flushed(self.now);
        if let Some(next) = next {
            self.agenda.schedule(next, Event::Flushed(number, losses));
        }
        for id in done {
            self.agenda.schedule(self.now + self.scenario.costs.standby, Event::Committed(id));
        }
    }

    pub(super) fn committed(&mut self, id: TransactionId) {
        let Some(mut transaction) = self.running(id) else { return };
        let wanted = self.all_wanted(&transaction);
        let database = &mut self.databases[transaction.database];
        transaction.verdicts = database.ledger.keep(&wanted, &mut transaction.held, transaction.at);
        for token in wanted.iter().map(|wanted| wanted.token) {
            database.locked.remove(&token);
        }
        for (n, (this, _)) in transaction.uses.iter().enumerate() {
            self.count(*this, transaction.verdicts[n]);
        }
        self.agenda.schedule(self.now + self.scenario.costs.statement / 2, Event::Answered(id));
        self.transactions.insert(id, transaction);
    }

    /// Loses a database: what it has committed will be there again, what was under way is gone, and nobody hears of either.
    pub(super) fn lose(&mut self, number: usize) {
        let database = &mut self.databases[number];
        (database.is_lost, database.losses) = (true, database.losses + 1);
        database.locked.clear();
        database.wal.lose();
        let refuses = self.scenario.loss.is_some_and(|loss| loss.refuses);
        let heard = if refuses { self.now } else { self.now + WAIT };
        let mut lost: Vec<TransactionId> = Vec::new();
        for (id, transaction) in &mut self.transactions {
            if transaction.database == number && !transaction.is_lost {
                transaction.is_lost = true;
                lost.push(*id);
            }
        }
        lost.sort_unstable();
        for id in lost {
            self.agenda.schedule(heard, Event::Failed(id));
        }
    }

    /// A transaction whose database has not been lost under it; it is to be put back.
    fn running(&mut self, id: TransactionId) -> Option<Transaction> {
        self.transactions.get(&id).filter(|transaction| !transaction.is_lost)?;
        self.transactions.remove(&id)
    }

    fn all_wanted(&self, transaction: &Transaction) -> Vec<Wanted> {
        transaction.uses.iter().map(|(this, _)| self.wanted(*this)).collect()
    }

    /// Half of the database's work for a transaction with so many uses, and when it is done.
    fn half(&mut self, number: usize, uses: usize) -> Time {
        let costs = &self.scenario.costs;
        let uses = u32::try_from(uses).unwrap_or(u32::MAX);
        let work = (costs.database_transaction + costs.database_use * uses) / 2;
        self.work(self.databases[number].cpu, work)
    }
}
