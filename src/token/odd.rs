//! What is odd among the attempts of a day: a token that is refused again and again, a gate that refuses most, many unknown
//! codes.

use super::Micros;

/// So many refusals of one token within [`WINDOW`] are a burst.
const BURST: usize = 5;
/// Ten minutes, in microseconds.
const WINDOW: i64 = 10 * 60 * 1_000_000;
/// A gate with more refusals than these is odd, if they are more than half of its attempts.
const GATE_REFUSALS: i64 = 20;
/// As many unknown codes on one day are odd.
const UNKNOWN_CODES: i64 = 20;

/// Refusals of one token that follow each other closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    /// How many.
    pub(crate) count: i64,
    /// The first one.
    pub(crate) first: Micros,
    /// The last one.
    pub(crate) last: Micros,
}

/// The ten minutes with the most refusals, if these are a burst.
pub(crate) fn burst(refusals: &[Micros]) -> Option<Burst> {
    let mut times = refusals.to_vec();
    times.sort_unstable();
    let mut first = 0;
    let mut most: Option<(usize, usize)> = None;
    for last in 0..times.len() {
        while times[last].get() - times[first].get() > WINDOW {
            first += 1;
        }
        if most.is_none_or(|(from, to)| last - first > to - from) {
            most = Some((first, last));
        }
    }
    let (first, last) = most.filter(|(first, last)| last - first + 1 >= BURST)?;
    let count = i64::try_from(last - first + 1).unwrap_or(i64::MAX);
    Some(Burst { count, first: times[first], last: times[last] })
}

/// Whether a gate refuses so many that somebody should look.
pub(crate) fn is_gate_odd(used: i64, refused: i64) -> bool {
    refused > GATE_REFUSALS && refused > used
}

/// Whether so many unknown codes look like somebody who guesses.
pub(crate) fn are_unknown_codes_odd(unknown: i64) -> bool {
    unknown >= UNKNOWN_CODES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: &[i64]) -> Vec<Micros> {
        minutes.iter().map(|minute| Micros::stored(minute * 60_000_000)).collect()
    }

    #[test]
    fn five_within_ten_minutes_are_a_burst() {
        assert_eq!(burst(&[]), None);
        assert_eq!(burst(&at(&[0, 1, 2, 3])), None);
        assert_eq!(burst(&at(&[0, 3, 6, 9, 12])), None);
        let found = burst(&at(&[90, 10, 2, 4, 0, 6, 60])).unwrap();
        assert_eq!((found.count, found.first, found.last), (5, at(&[0])[0], at(&[10])[0]));
        let found = burst(&at(&[0, 1, 2, 3, 4, 60, 61, 62, 63, 64, 65])).unwrap();
        assert_eq!((found.count, found.first), (6, at(&[60])[0]), "the worst one");
    }

    #[test]
    fn a_gate_is_odd_that_refuses_many_and_most() {
        for (used, refused, is_odd) in
            [(0, 20, false), (0, 21, true), (20, 21, true), (21, 21, false), (500, 40, false)]
        {
            assert_eq!(is_gate_odd(used, refused), is_odd, "{used} {refused}");
        }
        assert!(!are_unknown_codes_odd(19) && are_unknown_codes_odd(20));
    }
}
