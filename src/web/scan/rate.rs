//! How often a caller may have a photo read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::access::Principal;
use crate::web::error::Error;

/// Within this time two photos of a caller are read.
const PERIOD: Duration = Duration::from_secs(1);

/// From this many callers on, those are forgotten who have sent nothing for a while.
const CALLERS: usize = 1_024;

/// When the last two photos of each caller came, the older one first.
#[derive(Default)]
pub(crate) struct PhotoRate(Mutex<HashMap<Principal, [Option<Instant>; 2]>>);

impl PhotoRate {
    /// Counts a photo that a caller sends.
    ///
    /// # Errors
    /// Too many requests, when two of the last second were counted. This one is not.
    pub(crate) fn count(&self, who: &Principal) -> Result<(), Error> {
        self.count_at(who, Instant::now())
    }

    fn count_at(&self, who: &Principal, now: Instant) -> Result<(), Error> {
        let is_recent = |at: Option<Instant>| at.is_some_and(|at| now.duration_since(at) < PERIOD);
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS {
            callers.retain(|_, [_, last]| is_recent(*last));
        }
        let times = callers.entry(who.clone()).or_default();
        if is_recent(times[0]) {
            return Err(Error::TooManyRequests(1));
        }
        *times = [times[1], Some(now)];
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_photos_a_second_are_counted_for_each_caller() {
        let (rate, start) = (PhotoRate::default(), Instant::now());
        let (door, other) = (Principal::key("door"), Principal::key("other"));
        let is_taken = |who, millis| rate.count_at(who, start + Duration::from_millis(millis)).is_ok();
        assert!(is_taken(&door, 0) && is_taken(&door, 900));
        assert!(!is_taken(&door, 950) && is_taken(&other, 950));
        assert!(is_taken(&door, 1_000), "the first was a second ago");
        assert!(!is_taken(&door, 1_899) && is_taken(&door, 1_900), "a refused one does not count");
    }

    #[test]
    fn callers_are_forgotten_after_a_while() {
        let (rate, start) = (PhotoRate::default(), Instant::now());
        for number in 0..CALLERS {
            assert!(rate.count_at(&Principal::key(&number.to_string()), start).is_ok());
        }
        assert!(rate.count_at(&Principal::key("one more"), start + PERIOD).is_ok());
        assert_eq!(rate.0.lock().unwrap().len(), 1);
    }
}
