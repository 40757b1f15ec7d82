//! Moments: stored in UTC with microseconds, parsed as ISO 8601 in a time zone, shown as RFC 3339.

use std::borrow::Cow;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parsed_time::ParsedTime;
use super::problem::{Problem, shown};

const PER_SECOND: i64 = 1_000_000;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

impl Micros {
    /// 1970-01-01T00:00:00Z, the first supported moment.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z, the last supported moment: RFC 3339 has four digits for a year.
    pub const LAST: Self = Self(253_402_300_799_999_999);

    /// A day of 24 hours, in microseconds.
    pub(crate) const DAY: i64 = 24 * 3_600 * PER_SECOND;

    /// The moment `micros` microseconds after 1970, if it is before the year 10000.
    pub(crate) fn new(micros: i64) -> Option<Self> {
        (Self::EPOCH.0..=Self::LAST.0).contains(&micros).then_some(Self(micros))
    }

    /// A moment from the database, moved into the supported range if necessary.
    pub fn stored(micros: i64) -> Self {
        Self(micros.clamp(Self::EPOCH.0, Self::LAST.0))
    }

    /// The time by this machine's clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::stored(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// Microseconds since 1970.
    pub fn get(self) -> i64 {
        self.0
    }

    /// This moment plus `seconds`; at most [`Micros::LAST`].
    #[must_use]
    pub fn plus_seconds(self, seconds: i32) -> Self {
        Self::stored(self.0.saturating_add(i64::from(seconds) * PER_SECOND))
    }

    /// This moment plus `micros`, which may be negative, moved into the supported range if necessary.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::stored(self.0.saturating_add(micros))
    }

    /// Whole seconds from `earlier` to this moment, rounded up; at least 1, as `Retry-After` needs.
    pub(crate) fn seconds_after(self, earlier: Self) -> i64 {
        let micros = self.0.saturating_sub(earlier.0).max(1);
        (micros + PER_SECOND - 1) / PER_SECOND
    }

    /// Parses ISO 8601: a date (its first instant), or a date and a time, with an offset or in `zone`. A local time
    /// that occurs twice means the earlier one.
    ///
    /// # Errors
    /// The text is malformed, or the moment does not exist in the zone or is outside 1970 to 9999.
    pub fn read(text: &str, zone: Tz) -> Result<Self, Problem> {
        let parsed = ParsedTime::parse(text).ok_or_else(|| Problem::NotATime { value: shown(text) })?;
        Self::of_parsed(&parsed, text, zone)
    }

    /// What a wall clock in `zone` has shown, as databases write it: `2026-09-22 10:30:00`, with a fraction or without.
    /// None if it is written otherwise.
    pub(crate) fn of_wall_clock(text: &str, zone: Tz) -> Option<WallClock> {
        let Some(ParsedTime::Local(local)) = ParsedTime::parse(text) else { return None };
        let (instant, is_skipped) = match earliest(&local, zone) {
            Some(instant) => (instant, false),
            None => (at_or_after(&local, zone)?, true),
        };
        let moment = Self::stored(instant);
        Some(match Self::new(instant) {
            None => WallClock::Outside(moment),
            Some(_) if is_skipped => WallClock::Skipped(moment),
            Some(moment) => WallClock::Moment(moment),
        })
    }

    /// The local time in `zone` at this moment.
    pub fn local(self, zone: Tz) -> NaiveDateTime {
        let utc = self.utc().naive_utc();
        let (equivalent, _) = equivalent_year(&utc);
        zone.from_utc_datetime(&equivalent).naive_local() + (utc - equivalent)
    }

    /// The first instant of a day in `zone`; none for a day that the zone skips, or outside 1970 to 9999.
    pub(crate) fn first_of_day(day: NaiveDate, zone: Tz) -> Option<Self> {
        first_instant(day, zone).and_then(Self::new)
    }

    /// The last microsecond of a day that was written as `text`: the one before the next day begins. Of a day that the zone
    /// skips, too; and where that is later than [`Micros::LAST`], this.
    ///
    /// # Errors
    /// It is before 1970.
    pub(super) fn last_of_day(day: NaiveDate, text: &str, zone: Tz) -> Result<Self, Problem> {
        let next = day.succ_opt().and_then(|next| at_or_after(&next.and_time(chrono::NaiveTime::MIN), zone));
        let last = next.map_or(Self::LAST.0, |next| (next - 1).min(Self::LAST.0));
        Self::new(last).ok_or_else(|| Problem::TimeOutOfRange { value: shown(text) })
    }

    /// The moment of a time that was written as `text`; the first instant of a day.
    ///
    /// # Errors
    /// It does not exist in the zone, or is outside 1970 to 9999.
    pub(super) fn of_parsed(parsed: &ParsedTime, text: &str, zone: Tz) -> Result<Self, Problem> {
        let instant = match parsed {
            ParsedTime::Day(day) => first_instant(*day, zone),
            ParsedTime::Local(local) => earliest(local, zone),
            ParsedTime::Offset(local, seconds) => {
                Some(local.and_utc().timestamp_micros().saturating_sub(i64::from(*seconds) * PER_SECOND))
            }
        };
        let skipped = || Problem::NoSuchLocalTime { value: shown(text), time_zone: zone.to_string() };
        Self::new(instant.ok_or_else(skipped)?).ok_or_else(|| Problem::TimeOutOfRange { value: shown(text) })
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Micros {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text, Tz::UTC).map_err(|problem| serde::de::Error::custom(problem.reason()))
    }
}

/// When a wall clock has shown a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WallClock {
    /// At this moment; at the earlier one, if it has shown the time twice.
    Moment(Micros),
    /// Never: at this moment it was put forward over the time.
    Skipped(Micros),
    /// At no moment that is supported; this one is the nearest.
    Outside(Micros),
}

/// The first moment at which the local time in `zone` is `local`. Time zone rules are available up to the year 2099;
/// later years use those of an equivalent year.
fn earliest(local: &NaiveDateTime, zone: Tz) -> Option<i64> {
    let (equivalent, shift) = equivalent_year(local);
    match zone.from_local_datetime(&equivalent) {
        LocalResult::Single(one) | LocalResult::Ambiguous(one, _) => Some(one.timestamp_micros() + shift),
        LocalResult::None => None,
    }
}

/// The same day and time in a year before 2100 with the same calendar (the same length, beginning on the same weekday:
/// the 28 years from 2072 cover all calendars), and the microseconds from there to `local`.
fn equivalent_year(local: &NaiveDateTime) -> (NaiveDateTime, i64) {
    let calendar = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| (day.weekday(), day.leap_year()));
    if local.year() < 2100 {
        return (*local, 0);
    }
    let equivalent = (2072..2100).find(|year| calendar(*year) == calendar(local.year()));
    let equivalent = equivalent.and_then(|year| local.with_year(year)).unwrap_or(*local);
    (equivalent, (*local - equivalent).num_microseconds().unwrap_or_default())
}

/// A day begins at midnight, or, where clocks are put forward at midnight, at the end of that gap. A day that a zone
/// skips completely (Samoa, 30 December 2011) has no first instant.
fn first_instant(day: NaiveDate, zone: Tz) -> Option<i64> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    earliest(&midnight, zone)
        .or_else(|| gap_end(&midnight, zone).filter(|(shown, _)| *shown == day).map(|(_, end)| end))
}

/// The first moment at which the local time in `zone` is `local` or later: the first occurrence of `local`, or the end
/// of the gap that contains it.
pub(super) fn at_or_after(local: &NaiveDateTime, zone: Tz) -> Option<i64> {
    earliest(local, zone).or_else(|| gap_end(local, zone).map(|(_, end)| end))
}

/// The local day and the moment at which the gap that contains `local` ends.
fn gap_end(local: &NaiveDateTime, zone: Tz) -> Option<(NaiveDate, i64)> {
    let (equivalent, shift) = equivalent_year(local);
    let end = GapInfo::new(&equivalent, &zone)?.end?;
    let day = end.naive_local() + (*local - equivalent);
    Some((day.date(), end.timestamp_micros() + shift))
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
