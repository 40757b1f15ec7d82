//! How long work gives way to consumes: while there are any, it rests nine times as long as it worked. Priorities alone do not do:
//! they count among threads of this process, and not against a database that is a program of its own.

use std::time::{Duration, Instant};

use crate::store::consume_counter::ConsumeCounter;

/// Rests for each time worked: so a consume meets somebody at work one time in ten.
const RESTS: u32 = 9;
/// The longest rest: work that waited for others was none.
const LONGEST: Duration = Duration::from_secs(1);

/// What work is measured by.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    /// The processor's time of the thread that works, which has to stay the same one. (The time that passes, where that is not known.)
    Processor,
    /// The time that passes.
    Passed,
}

/// Work that gives way.
pub(crate) struct Throttle {
    consumes: ConsumeCounter,
    measure: Measure,
    seen: u64,
    began: Instant,
    spent: Duration,
}

impl Throttle {
    /// Of work that begins now.
    pub(crate) fn new(consumes: &ConsumeCounter, measure: Measure) -> Self {
        let consumes = consumes.clone();
        Self { seen: consumes.total(), consumes, measure, began: Instant::now(), spent: spent() }
    }

    /// How long to rest for what was done since the beginning or the last rest: not at all, when nobody consumed meanwhile.
    pub(crate) fn due(&self) -> Duration {
        if self.consumes.total() == self.seen {
            return Duration::ZERO;
        }
        let worked = match self.measure {
            Measure::Processor => spent().saturating_sub(self.spent),
            Measure::Passed => self.began.elapsed(),
        };
        (worked * RESTS).min(LONGEST)
    }

    /// Begins to measure anew, after a rest.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(&self.consumes, self.measure);
    }
}

/// The processor's time that this thread has had.
#[cfg(target_os = "linux")]
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(number(time.tv_sec)) + Duration::from_nanos(number(time.tv_nsec))
}

/// The time that has passed since it was first asked for.
#[cfg(not(target_os = "linux"))]
fn spent() -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_rests_only_while_somebody_consumes() {
        let consumes = ConsumeCounter::default();
        let mut throttle = Throttle::new(&consumes, Measure::Passed);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(throttle.due(), Duration::ZERO);
        consumes.count();
        assert!(throttle.due() >= Duration::from_millis(18), "{:?}", throttle.due());
        throttle.restart();
        assert_eq!(throttle.due(), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn waiting_for_others_is_no_work() {
        let consumes = ConsumeCounter::default();
        let throttle = Throttle::new(&consumes, Measure::Processor);
        consumes.count();
        std::thread::sleep(Duration::from_millis(20));
        assert!(throttle.due() < Duration::from_millis(90), "{:?}", throttle.due());
    }
}
