//! Closes the books: whatever was lost and asked again, every use was counted once at most, and no token more often than it may.

use tessera::token::UNLIMITED;

use super::ledger::Verdict;
use super::outcome::Outcome;
use super::world::World;

impl World<'_> {
    /// The outcome.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn close(mut self) -> Result<Outcome, String> {
        self.check_uses()?;
        self.check_tokens()?;
        let measured = self.scenario.duration.saturating_sub(self.scenario.warm_up);
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.rate = f64::from(self.answered) / measured.as_secs_f64();
        outcome.open = self.open;
        let cpu = |numbers: &mut dyn Iterator<Item = usize>| {
            numbers.map(|cpu| self.cpus[cpu].load(self.now)).fold(0.0, f64::max)
        };
        outcome.instance_cpu = cpu(&mut self.instances.iter().map(|instance| instance.cpu));
        outcome.database_cpu = cpu(&mut self.databases.iter().map(|database| database.cpu));
        outcome.log = self.databases.iter().map(|database| database.wal.load(self.now)).fold(0.0, f64::max);
        Ok(outcome)
    }

    fn check_uses(&self) -> Result<(), String> {
        for (number, this) in self.uses.iter().enumerate() {
            if this.done > 1 {
                return Err(format!("use {number} was counted {} times", this.done));
            }
            let is_right = match this.verdict {
                Some(Verdict::Done | Verdict::Replayed) => this.done == 1,
                Some(Verdict::Refused) => this.done == 0,
                Some(Verdict::Missing) => false,
                None => this.is_open,
            };
            if !is_right {
                return Err(format!("use {number} was counted {} times and answered {:?}", this.done, this.verdict));
            }
        }
        Ok(())
    }

    /// The ledgers against what was counted beside them, and against what tokens were made with. Where more were asked for than
    /// there are, all of them were used.
    fn check_tokens(&self) -> Result<(), String> {
        let mut asked = std::collections::HashMap::new();
        for this in &self.uses {
            let (count, made_with) = asked.entry(this.token).or_insert((0_i64, this.made_with));
            *count += i64::from(!this.is_open);
            if *made_with != this.made_with {
                return Err(format!("token {} was made twice", this.token));
            }
        }
        for (token, used, left) in self.databases.iter().flat_map(|database| database.ledger.tokens()) {
            let counted = self.successes.get(&token).copied().unwrap_or_default();
            let (asked, made_with) = asked.get(&token).copied().unwrap_or_default();
            let is_right = made_with == UNLIMITED || (i64::from(left) == i64::from(made_with) - used);
            if used != i64::from(counted) || !is_right || left < UNLIMITED {
                return Err(format!(
                    "token {token}, made with {made_with}: {used} used, {counted} counted, {left} left"
                ));
            }
            if made_with != UNLIMITED && used < asked.min(i64::from(made_with)) {
                return Err(format!("token {token}, made with {made_with}, was asked for {asked} times: {used} used"));
            }
        }
        Ok(())
    }
}
