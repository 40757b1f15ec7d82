//! How many requests a second a key may send.

use std::fmt;
use std::str::FromStr;

/// A limit: so many requests a second, and at once after a second without any. Each instance counts for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u16);

impl Rate {
    /// The highest limit. What sends more needs none.
    pub(crate) const MAX: u16 = 10_000;

    /// A limit from the database, which checks it.
    pub(crate) fn stored(rate: i32) -> Self {
        Self(u16::try_from(rate).unwrap_or(Self::MAX).clamp(1, Self::MAX))
    }

    /// Requests a second.
    pub(crate) fn get(self) -> u16 {
        self.0
    }

    /// The number as people read it.
    pub(crate) fn number(self) -> String {
        if self.0 < 1_000 { self.0.to_string() } else { format!("{},{:03}", self.0 / 1_000, self.0 % 1_000) }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text.parse().ok().filter(|rate| (1..=Self::MAX).contains(rate));
        rate.map(Self)
            .ok_or_else(|| "A rate limit is a whole number of requests a second, from 1 to 10,000.".to_owned())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} request{} a second", self.number(), if self.0 == 1 { "" } else { "s" })
    }
}

/// What a key may still send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Its limit.
    pub(crate) rate: Rate,
    /// Requests that it may send at once.
    pub(crate) left: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_within_its_limits() {
        for (text, rate) in [("1", Some(1)), ("250", Some(250)), ("10000", Some(10_000))] {
            assert_eq!(text.parse::<Rate>().ok().map(Rate::get), rate);
        }
        for wrong in ["", "0", "-1", "1.5", "10001", "65537", "many", " 5"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        assert_eq!(
            (Rate(1).to_string(), Rate(5).to_string()),
            ("1 request a second".into(), "5 requests a second".into())
        );
        for (rate, number) in [(999, "999"), (1_005, "1,005"), (10_000, "10,000")] {
            assert_eq!(Rate(rate).number(), number);
        }
    }
}
