//! Divides a time range into hours, days, weeks, months or years of a time zone, and sums counts over them.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use super::time::Micros;

/// A quarter of an hour in microseconds. Today every zone's offset is a multiple of it, so counts per quarter can be
/// summed to hours and days of any zone.
pub(crate) const QUARTER: i64 = 15 * 60 * 1_000_000;
const HOUR: i64 = 4 * QUARTER;
const DAY: i64 = 24 * HOUR;
/// Most spans of a range.
pub(crate) const SPANS_MAX: usize = 160;

/// The length of the spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Hours of the wall clock. An hour that occurs twice is two spans.
    Hour,
    /// Days from midnight to midnight, some of 23 or 25 hours.
    Day,
    /// Weeks from Monday.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

impl Step {
    /// The step that divides a range into a number of spans that fits on a chart.
    pub(crate) fn fitting(from: Micros, to: Micros) -> Self {
        match (to.get() - from.get()) / HOUR {
            ..=72 => Self::Hour,
            // A hundred and twenty days, plus one hour for a clock that is put back.
            73..=2_881 => Self::Day,
            2_882..=17_568 => Self::Week,
            17_569..=87_672 => Self::Month,
            _ => Self::Year,
        }
    }

    /// The first day of the span that contains `day`.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Hour | Self::Day => None,
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => day.with_day(1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        first.unwrap_or(day)
    }

    /// The first day of the span after the one that begins on `day`.
    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => day.succ_opt(),
            Self::Week => day.checked_add_days(Days::new(7)),
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Year => day.checked_add_months(Months::new(12)),
        }
    }
}

/// Part of a time range, from `from` to just before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its first moment.
    pub(crate) from: Micros,
    /// The first moment after it.
    pub(crate) end: Micros,
}

/// Counts of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Successful attempts.
    pub(crate) used: i64,
    /// Refused attempts.
    pub(crate) refused: i64,
}

impl Tally {
    /// All attempts.
    pub(crate) fn all(self) -> i64 {
        self.used + self.refused
    }

    /// Adds the counts of another tally.
    pub(crate) fn add(&mut self, other: Self) {
        self.used += other.used;
        self.refused += other.refused;
    }
}

/// The complete spans that cover `from` to `to` without gaps, earliest first; only the last [`SPANS_MAX`] if there are
/// more.
pub(crate) fn spans(from: Micros, to: Micros, zone: Tz, step: Step) -> Vec<Span> {
    let mut starts = if step == Step::Hour { hours(from, to, zone) } else { days(from, to, zone, step) };
    starts.dedup();
    let mut spans: Vec<Span> = starts.windows(2).map(|pair| Span { from: pair[0], end: pair[1] }).collect();
    spans.drain(..spans.len().saturating_sub(SPANS_MAX));
    spans
}

/// The starts of the hours up to the first one after `to`. Walks through the quarters, so that an hour is correct even
/// when the clock is put back by half an hour, as on Lord Howe Island.
fn hours(from: Micros, to: Micros, zone: Tz) -> Vec<Micros> {
    let at = |quarter: i64| Micros::stored(quarter * QUARTER);
    let local = |quarter: i64| at(quarter).local(zone);
    let begins = |quarter: i64| {
        let (before, now): (NaiveDateTime, NaiveDateTime) = (local(quarter - 1), local(quarter));
        quarter <= 0 || before.hour() != now.hour() || now <= before
    };
    let mut first = from.get() / QUARTER;
    while !begins(first) {
        first -= 1;
    }
    let mut starts = vec![at(first)];
    let limit = first + i64::try_from(SPANS_MAX * 8).unwrap_or(i64::MAX);
    for quarter in first + 1..limit {
        if begins(quarter) {
            starts.push(at(quarter));
            if at(quarter) > to {
                break;
            }
        }
    }
    starts
}

fn days(from: Micros, to: Micros, zone: Tz, step: Step) -> Vec<Micros> {
    // A day that the zone skips begins with the next day.
    let start =
        |day: NaiveDate| Micros::first_of_day(day, zone).or_else(|| Micros::first_of_day(day.succ_opt()?, zone));
    let mut day = step.first_day(from.local(zone).date());
    let mut starts = vec![start(day).unwrap_or(Micros::EPOCH)];
    loop {
        let next = step.next(day).and_then(|next| Some((next, start(next)?)));
        let Some((next, begins)) = next else {
            starts.push(Micros::LAST);
            return starts;
        };
        starts.push(begins);
        if begins > to {
            return starts;
        }
        day = next;
    }
}

/// Sums tallies per quarter of an hour since 1970 over the spans. Quarters before the first span count towards it.
pub(crate) fn fold(spans: &[Span], quarters: &[(i64, Tally)]) -> Vec<Tally> {
    let mut folded = vec![Tally::default(); spans.len()];
    for (quarter, tally) in quarters {
        let begins = Micros::stored(quarter.saturating_mul(QUARTER));
        let span = spans.partition_point(|span| span.from <= begins).saturating_sub(1);
        if let Some(total) = folded.get_mut(span) {
            total.add(*tally);
        }
    }
    folded
}

/// The first moment of the `days` days in `zone` that end with the day of `last`.
pub(crate) fn days_before(last: Micros, days: u64, zone: Tz) -> Micros {
    let day = last.local(zone).date();
    let first = day.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(day);
    Micros::first_of_day(first, zone)
        .unwrap_or_else(|| last.plus_micros(-DAY.saturating_mul(i64::try_from(days).unwrap_or(i64::MAX))))
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
