//! How often a device may have a photo read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::web::error::Error;
use crate::web::words;
use crate::work::photo_queue::Device;

/// Within this time two photos of a device are read.
const PERIOD: Duration = Duration::from_secs(1);

/// From this many devices on, those are forgotten who have sent nothing for a while.
const DEVICES: usize = 1_024;

/// When the last two photos of each device came, the older one first.
#[derive(Default)]
pub(crate) struct PhotoRate(Mutex<HashMap<Device, [Option<Instant>; 2]>>);

impl PhotoRate {
    /// Counts a photo that a device sends.
    ///
    /// # Errors
    /// Too many requests, when two of the last second were counted. This one is not.
    pub(crate) fn count(&self, who: &Device) -> Result<(), Error> {
        self.count_at(who, Instant::now())
    }

    fn count_at(&self, who: &Device, now: Instant) -> Result<(), Error> {
        let is_recent = |at: Option<Instant>| at.is_some_and(|at| now.duration_since(at) < PERIOD);
        let mut devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if devices.len() >= DEVICES {
            devices.retain(|_, [_, last]| is_recent(*last));
        }
        let times = devices.entry(*who).or_default();
        if is_recent(times[0]) {
            return Err(Error::TooManyPhotos(words::scan::PHOTOS_TOO_QUICK));
        }
        *times = [times[1], Some(now)];
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::session::hash;

    #[test]
    fn two_photos_a_second_are_counted_for_each_device() {
        let (rate, start) = (PhotoRate::default(), Instant::now());
        let (door, other) = ([1; 32], [2; 32]);
        let is_taken = |who, millis| rate.count_at(who, start + Duration::from_millis(millis)).is_ok();
        assert!(is_taken(&door, 0) && is_taken(&door, 900));
        assert!(!is_taken(&door, 950) && is_taken(&other, 950));
        assert!(is_taken(&door, 1_000), "the first was a second ago");
        assert!(!is_taken(&door, 1_899) && is_taken(&door, 1_900), "a refused one does not count");
    }

    #[test]
    fn devices_are_forgotten_after_a_while() {
        let (rate, start) = (PhotoRate::default(), Instant::now());
        for number in 0..DEVICES {
            assert!(rate.count_at(&hash(&number.to_string()), start).is_ok());
        }
        assert!(rate.count_at(&hash("one more"), start + PERIOD).is_ok());
        assert_eq!(rate.0.lock().unwrap().len(), 1);
    }
}
