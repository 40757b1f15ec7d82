//! A length on paper.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A length in whole micrometres, so that makers' figures (15.875 mm) and their sums are exact.
///
/// Parsed from millimetres with up to three decimals, after a point or a comma; shown in millimetres without trailing
/// zeros; stored in JSON and the database as the number of micrometres. Sums saturate at the limits (2 km).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mm(i32);

/// The text is not a supported length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("enter millimetres, such as 12.5, with at most three decimals")]
pub struct NoLength;

/// The longest length that can be parsed, in whole millimetres: ten metres.
const MAX_MILLIMETRES: u32 = 10_000;

impl Mm {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// A length in micrometres.
    pub const fn from_micrometres(micrometres: i32) -> Self {
        Self(micrometres)
    }

    /// The length in micrometres.
    pub const fn micrometres(self) -> i32 {
        self.0
    }

    /// A length in millimetres, rounded to micrometres.
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond the range stays at its end")]
    pub(crate) fn from_f32(millimetres: f32) -> Self {
        Self((f64::from(millimetres) * 1_000.0).round() as i32)
    }

    /// The length in millimetres, for drawing.
    #[expect(clippy::cast_possible_truncation, reason = "a page's micrometres are far within a float's digits")]
    pub fn f32(self) -> f32 {
        (f64::from(self.0) / 1_000.0) as f32
    }
}

impl Add for Mm {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Mm {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Mm {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Mul<u16> for Mm {
    type Output = Self;

    fn mul(self, times: u16) -> Self {
        Self(self.0.saturating_mul(times.into()))
    }
}

impl fmt::Display for Mm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / 1_000, self.0.unsigned_abs() % 1_000);
        let fraction = format!("{fraction:03}");
        let decimals = fraction.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{decimals}")
    }
}

impl FromStr for Mm {
    type Err = NoLength;

    fn from_str(text: &str) -> Result<Self, NoLength> {
        let text = text.trim();
        // Phones and word processors use a minus sign of their own.
        let negative = text.strip_prefix(['-', '\u{2212}']);
        let digits = negative.or_else(|| text.strip_prefix('+')).unwrap_or(text);
        let (whole, decimals) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
        let decimals = if decimals.len() > 3 { decimals.trim_end_matches('0') } else { decimals };
        let plain = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        if whole.len() + decimals.len() == 0 || decimals.len() > 3 || !plain(whole) || !plain(decimals) {
            return Err(NoLength);
        }
        let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<u32>().map_err(|_| NoLength) };
        let (whole, decimals) = (parse(whole)?, parse(&format!("{decimals:0<3}"))?);
        if whole > MAX_MILLIMETRES {
            return Err(NoLength);
        }
        let micrometres = i32::try_from(whole * 1_000 + decimals).map_err(|_| NoLength)?;
        Ok(Self(if negative.is_some() { -micrometres } else { micrometres }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_exact() {
        for (text, micrometres, shown) in [
            ("15.875", 15_875, "15.875"),
            ("12,5", 12_500, "12.5"),
            (" 210 ", 210_000, "210"),
            ("-0.05", -50, "-0.05"),
            ("\u{2212}20", -20_000, "-20"),
            ("+3.", 3_000, "3"),
            (".5", 500, "0.5"),
            ("1.50000", 1_500, "1.5"),
            ("-0", 0, "0"),
            ("10000", 10_000_000, "10000"),
        ] {
            let length: Mm = text.parse().unwrap();
            assert_eq!((length.micrometres(), length.to_string().as_str()), (micrometres, shown), "{text}");
            assert_eq!(Mm::from_f32(length.f32()), length);
        }
    }

    #[test]
    fn invalid_lengths_are_refused() {
        for text in
            ["", " ", "-", ".", ",", "1.2.3", "1,000.5", "1e3", "NaN", "inf", "1.2345", "٣", "5 mm", "--1", "10001.5"]
        {
            assert_eq!(text.parse::<Mm>(), Err(NoLength), "{text}");
        }
        assert_eq!("9".repeat(40).parse::<Mm>(), Err(NoLength));
    }

    #[test]
    fn sums_saturate() {
        let far = Mm::from_micrometres(i32::MAX);
        assert_eq!((far + far, far * 9, -(-far - far)), (far, far, far));
    }

    #[test]
    fn json_is_in_micrometres() {
        assert_eq!(serde_json::to_string(&Mm(15_875)).unwrap(), "15875");
        assert_eq!(serde_json::from_str::<Mm>("-50").unwrap(), Mm(-50));
    }
}
