//! A machine's processor cores: whoever comes first is served first, by the core that is free first.

use super::agenda::Time;

pub struct Cpu {
    /// From when each core is free.
    free: Vec<Time>,
    busy: Time,
}

impl Cpu {
    pub fn new(cores: usize) -> Self {
        Self { free: vec![Time::ZERO; cores.max(1)], busy: Time::ZERO }
    }

    /// Does work that takes one core this long, and returns when it is done. It is asked for in the order of time.
    pub fn run(&mut self, now: Time, work: Time) -> Time {
        self.busy += work;
        let Some(core) = self.free.iter_mut().min() else { return now + work };
        *core = now.max(*core) + work;
        *core
    }

    /// The share of the time since the start that its cores worked.
    pub fn load(&self, now: Time) -> f64 {
        let cores = u32::try_from(self.free.len()).unwrap_or(u32::MAX);
        self.busy.as_secs_f64() / (now.as_secs_f64() * f64::from(cores))
    }
}
