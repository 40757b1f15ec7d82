//! Makes work give way to consumes: while there are any, it pauses nine times as long as it worked. Priorities alone do
//! not suffice: they count among the threads of this process, but not against a database server, which is a process of
//! its own.

use std::time::{Duration, Instant};

use crate::store::consume_counter::ConsumeCounter;

/// The length of a pause, in multiples of the time worked: a consume then meets the work one time in ten.
const PAUSE_FACTOR: u32 = 9;
/// The longest pause: time spent waiting for others is not work.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How work is measured.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    /// By the CPU time of the thread, which must be the same throughout. (By elapsed time on systems other than Linux.)
    CpuTime,
    /// By the elapsed time.
    ElapsedTime,
}

/// Measures work, and tells how long it should pause.
pub(crate) struct Throttle {
    consumes: ConsumeCounter,
    measure: Measure,
    consumes_before: u64,
    start: Instant,
    cpu_time: Duration,
}

impl Throttle {
    /// Starts measuring now.
    pub(crate) fn new(consumes: &ConsumeCounter, measure: Measure) -> Self {
        let consumes = consumes.clone();
        Self { consumes_before: consumes.total(), consumes, measure, start: Instant::now(), cpu_time: cpu_time() }
    }

    /// How long to pause for the work since the start or the last pause. Zero if there were no consumes in the
    /// meantime.
    pub(crate) fn pause_due(&self) -> Duration {
        if self.consumes.total() == self.consumes_before {
            return Duration::ZERO;
        }
        let worked = match self.measure {
            Measure::CpuTime => cpu_time().saturating_sub(self.cpu_time),
            Measure::ElapsedTime => self.start.elapsed(),
        };
        (worked * PAUSE_FACTOR).min(MAX_PAUSE)
    }

    /// Starts measuring anew, after a pause.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(&self.consumes, self.measure);
    }
}

/// The CPU time of this thread.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let unsigned = |unsigned: i64| u64::try_from(unsigned).unwrap_or_default();
    Duration::from_secs(unsigned(time.tv_sec)) + Duration::from_nanos(unsigned(time.tv_nsec))
}

/// The time since this was first called.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time() -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_pauses_only_during_consumes() {
        let consumes = ConsumeCounter::default();
        let mut throttle = Throttle::new(&consumes, Measure::ElapsedTime);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(throttle.pause_due(), Duration::ZERO);
        consumes.count();
        assert!(throttle.pause_due() >= Duration::from_millis(18), "{:?}", throttle.pause_due());
        throttle.restart();
        assert_eq!(throttle.pause_due(), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn waiting_does_not_count_as_cpu_time() {
        let consumes = ConsumeCounter::default();
        let throttle = Throttle::new(&consumes, Measure::CpuTime);
        consumes.count();
        std::thread::sleep(Duration::from_millis(20));
        assert!(throttle.pause_due() < Duration::from_millis(90), "{:?}", throttle.pause_due());
    }
}
