//! Counts the requests of keys that have a limit, by token buckets. A bucket is one number: the moment at which it will be
//! full again. One that is full is as good as none, so only keys that sent something a moment ago take memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use crate::access::api_key::KeyHash;
use crate::access::rate::{Allowance, Rate};

const SECOND: u64 = 1_000_000_000;
/// How often full buckets are removed.
const SWEEP_INTERVAL: u64 = 60 * SECOND;

/// The buckets of all keys with a limit.
pub(crate) struct RateLimits {
    /// Moments are nanoseconds since then, by a clock that nobody sets.
    start: Instant,
    buckets: RwLock<HashMap<KeyHash, AtomicU64>>,
    next_sweep: AtomicU64,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { start: Instant::now(), buckets: RwLock::default(), next_sweep: AtomicU64::new(SWEEP_INTERVAL) }
    }
}

impl RateLimits {
    /// Counts a request of a key, and returns what the key may still send; none if it is over its limit. Requests of other
    /// keys, and of the same key, are not in the way.
    pub(crate) fn count(&self, key: &KeyHash, rate: Rate) -> Option<Allowance> {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX / 2);
        self.count_at(key, rate, now)
    }

    fn count_at(&self, key: &KeyHash, rate: Rate, now: u64) -> Option<Allowance> {
        if now >= self.next_sweep.load(Ordering::Relaxed) {
            self.sweep(now);
        }
        if let Some(bucket) = self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return take(bucket, rate, now);
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        take(buckets.entry(*key).or_default(), rate, now)
    }

    fn sweep(&self, now: u64) {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        self.next_sweep.store(now + SWEEP_INTERVAL, Ordering::Relaxed);
        buckets.retain(|_, full_at| *full_at.get_mut() > now);
    }
}

/// Takes one out of a bucket, unless it is empty.
fn take(bucket: &AtomicU64, rate: Rate, now: u64) -> Option<Allowance> {
    let interval = SECOND / u64::from(rate.get());
    let burst = interval * u64::from(rate.get());
    // How long the bucket will take to be full again, once one is taken out.
    let missing = |full_at: u64| (full_at.max(now) + interval) - now;
    let take = |full_at| (missing(full_at) <= burst).then(|| now + missing(full_at));
    let before = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
    let left = (burst - missing(before)) / interval;
    Some(Allowance { rate, left: u16::try_from(left).unwrap_or(u16::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = SECOND / 1_000;
    const DOOR: KeyHash = [1; 32];
    const OTHER: KeyHash = [2; 32];

    /// What is left after a request, if it is let through.
    fn left(limits: &RateLimits, key: &KeyHash, rate: i32, millis: u64) -> Option<u16> {
        limits.count_at(key, Rate::stored(rate), millis * MILLI).map(|allowance| allowance.left)
    }

    #[test]
    fn a_bucket_has_the_burst_of_a_second_and_fills_at_its_rate() {
        let limits = RateLimits::default();
        for (millis, expected) in [
            (1_000, Some(3)),
            (1_000, Some(2)),
            (1_000, Some(1)),
            (1_000, Some(0)),
            (1_000, None),
            (1_249, None),
            (1_250, Some(0)),
            (1_250, None),
            (1_750, Some(1)),
            (1_750, Some(0)),
            (1_750, None),
            (9_000, Some(3)),
            (9_250, Some(3)),
            (9_250, Some(2)),
        ] {
            assert_eq!(left(&limits, &DOOR, 4, millis), expected, "at {millis} ms");
        }
    }

    #[test]
    fn a_refused_request_costs_nothing_and_keys_have_nothing_to_do_with_each_other() {
        let limits = RateLimits::default();
        assert_eq!(left(&limits, &DOOR, 1, 0), Some(0));
        for millis in 0..1_000 {
            assert_eq!(left(&limits, &DOOR, 1, millis), None);
        }
        assert_eq!(left(&limits, &OTHER, 1, 999), Some(0));
        assert_eq!(left(&limits, &DOOR, 1, 1_000), Some(0), "after a second at the latest");
    }

    #[test]
    fn every_rate_gives_as_many_in_a_second_as_it_says() {
        for rate in [1, 2, 3, 7, 333, 9_999, 10_000] {
            let limits = RateLimits::default();
            let burst = (0..20_000).filter(|_| left(&limits, &DOOR, rate, 5_000).is_some()).count();
            assert_eq!(i32::try_from(burst), Ok(rate));
            let steady = (0..200_000_u64).filter(|n| left(&limits, &DOOR, rate, 5_001 + n / 20).is_some()).count();
            let expected = usize::try_from(rate).unwrap() * 10;
            assert!(steady.abs_diff(expected) <= 10, "{steady} of {expected}");
        }
    }

    #[test]
    fn of_many_at_once_as_many_are_let_through_as_may_be() {
        let limits = RateLimits::default();
        let through = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let count = (0..1_000).filter(|_| left(&limits, &DOOR, 500, 7).is_some()).count();
                    through.fetch_add(count, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(through.into_inner(), 500);
    }

    #[test]
    fn what_is_full_takes_no_memory() {
        let limits = RateLimits::default();
        let buckets = || limits.buckets.read().unwrap().len();
        for number in 0..5_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            left(&limits, &key, 10, 59_000).unwrap();
        }
        assert_eq!(buckets(), 5_000);
        for _ in 0..10 {
            assert!(left(&limits, &DOOR, 10, 59_990).is_some());
        }
        assert_eq!(left(&limits, &DOOR, 10, 60_000), None, "it is still empty");
        assert_eq!(buckets(), 1);
        left(&limits, &OTHER, 10, 120_000).unwrap();
        assert_eq!(buckets(), 1);
    }
}
