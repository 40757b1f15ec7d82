//! Pseudo-random numbers that are the same for the same seed, on every machine and in every version: `SplitMix64` (Steele, Lea
//! and Flood, "Fast splittable pseudorandom number generators", 2014).

use std::time::Duration;

use tessera::token::Uid;

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number from 0 to below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        // The upper half of a product is below its factor.
        u32::try_from(((self.next() >> 32) * u64::from(end)) >> 32).unwrap_or_default()
    }

    /// A number from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / f64::from(u32::MAX).mul_add(1.0, 1.0)
    }

    /// The time until the next of events that come `per_second`, each independent of the others.
    pub fn pause(&mut self, per_second: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.unit()).ln() / per_second)
    }
}

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The uid of the token with this number: as random as those that Tessera gives.
pub fn uid(number: u32) -> Option<Uid> {
    let [high, low] = [1, 2].map(|half| mixed(mixed(u64::from(number)).wrapping_add(half)));
    let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().parse().ok()
}
