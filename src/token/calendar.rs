//! A time range in the hours, days, weeks, months or years of a zone, and what was counted folded into them.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use super::time::Micros;

/// A quarter of an hour in microseconds. What a zone is off by is a whole number of these everywhere today, so that what
/// is counted by quarters can be folded into the hours and days of any zone.
pub(crate) const QUARTER: i64 = 15 * 60 * 1_000_000;
const HOUR: i64 = 4 * QUARTER;
const DAY: i64 = 24 * HOUR;
/// Most spans that a range is cut into.
pub(crate) const SPANS_MAX: usize = 160;

/// What a range is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The hours that a clock shows, one that comes twice as two.
    Hour,
    /// Days from midnight to midnight: of 23 or 25 hours, too.
    Day,
    /// Weeks from Monday.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

impl Step {
    /// What cuts a range into a number of spans that can be looked at together.
    pub(crate) fn fitting(from: Micros, to: Micros) -> Self {
        match (to.get() - from.get()) / HOUR {
            ..=72 => Self::Hour,
            // A hundred and twenty days, and an hour that was put back.
            73..=2_881 => Self::Day,
            2_882..=17_568 => Self::Week,
            17_569..=87_672 => Self::Month,
            _ => Self::Year,
        }
    }

    /// The first day of the span that a day lies in.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Hour | Self::Day => None,
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => day.with_day(1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        first.unwrap_or(day)
    }

    /// The first day of the span behind the one that begins on `day`.
    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => day.succ_opt(),
            Self::Week => day.checked_add_days(Days::new(7)),
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Year => day.checked_add_months(Months::new(12)),
        }
    }
}

/// A part of a range: from a moment until just before another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its first moment.
    pub(crate) from: Micros,
    /// The first moment behind it.
    pub(crate) end: Micros,
}

/// How many attempts there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// That used a token.
    pub(crate) used: i64,
    /// That were refused.
    pub(crate) refused: i64,
}

impl Tally {
    /// All of them.
    pub(crate) fn all(self) -> i64 {
        self.used + self.refused
    }

    /// Adds others.
    pub(crate) fn add(&mut self, other: Self) {
        self.used += other.used;
        self.refused += other.refused;
    }
}

/// The whole spans in which `from` to `to` lies, without gaps, the earliest first; of more than [`SPANS_MAX`] the last.
pub(crate) fn spans(from: Micros, to: Micros, zone: Tz, step: Step) -> Vec<Span> {
    let mut starts = if step == Step::Hour { hours(from, to, zone) } else { days(from, to, zone, step) };
    starts.dedup();
    let mut spans: Vec<Span> = starts.windows(2).map(|pair| Span { from: pair[0], end: pair[1] }).collect();
    spans.drain(..spans.len().saturating_sub(SPANS_MAX));
    spans
}

/// The starts of hours up to the first one behind `to`, found by walking the quarters: so an hour that is put back by
/// half of one, as on Lord Howe Island, is right.
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
    let most = first + i64::try_from(SPANS_MAX * 8).unwrap_or(i64::MAX);
    for quarter in first + 1..most {
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
    // A day that the zone skipped begins with the next one.
    let start = |day: NaiveDate| Micros::first_of(day, zone).or_else(|| Micros::first_of(day.succ_opt()?, zone));
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

/// What was counted in quarters of hours since 1970, by span. What lies before the first span counts to it.
pub(crate) fn fold(spans: &[Span], quarters: &[(i64, Tally)]) -> Vec<Tally> {
    let mut folded = vec![Tally::default(); spans.len()];
    for (quarter, tally) in quarters {
        let begins = Micros::stored(quarter.saturating_mul(QUARTER));
        let span = spans.partition_point(|span| span.from <= begins).saturating_sub(1);
        if let Some(into) = folded.get_mut(span) {
            into.add(*tally);
        }
    }
    folded
}

/// The last `days` days in `zone` that end with the one of `last`: their first moment.
pub(crate) fn days_before(last: Micros, days: u64, zone: Tz) -> Micros {
    let day = last.local(zone).date();
    let first = day.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(day);
    Micros::first_of(first, zone)
        .unwrap_or_else(|| last.plus_micros(-DAY.saturating_mul(i64::try_from(days).unwrap_or(i64::MAX))))
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
