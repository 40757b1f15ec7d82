//! Moments: stored in UTC with microseconds, parsed as ISO 8601 in a time zone, shown as RFC 3339.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// A sentence without a full stop: the text is malformed, or the moment does not exist in the zone or is outside
    /// 1970 to 9999.
    pub fn read(text: &str, zone: Tz) -> Result<Self, String> {
        let shown = super::quoted::quoted(text);
        let unreadable = || {
            let hint = if text.contains(' ') { " (a + in a form or an address is written %2B)" } else { "" };
            format!("{shown} is not a time; write 2026-09-22, 2026-09-22T10:30 or 2026-09-22T10:30:00+02:00{hint}")
        };
        let absent = || format!("{shown} does not exist in the time zone {zone}");
        let instant = match ParsedTime::parse(text).ok_or_else(unreadable)? {
            ParsedTime::Day(day) => first_instant(day, zone).ok_or_else(absent)?,
            ParsedTime::Local(local) => earliest(&local, zone).ok_or_else(absent)?,
            ParsedTime::Offset(local, seconds) => {
                local.and_utc().timestamp_micros().saturating_sub(i64::from(seconds) * PER_SECOND)
            }
        };
        Self::new(instant).ok_or_else(|| format!("{shown} is outside the years 1970 to 9999"))
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

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text, Tz::UTC).map_err(serde::de::Error::custom)
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

/// A parsed text, before a time zone gives it a meaning.
enum ParsedTime {
    Day(NaiveDate),
    Local(NaiveDateTime),
    Offset(NaiveDateTime, i32),
}

impl ParsedTime {
    fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let day = text.get(..10).filter(|day| has_shape(day, "0000-00-00"))?;
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        let rest = &text[10..];
        if rest.is_empty() {
            return Some(Self::Day(day));
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
        let local = day.and_time(read_clock(clock)?);
        if zone.is_empty() { Some(Self::Local(local)) } else { Some(Self::Offset(local, read_offset(zone)?)) }
    }
}

/// `10:30`, `10:30:00`, or with one to six fractional digits: a seventh could not be stored.
fn read_clock(text: &str) -> Option<chrono::NaiveTime> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, digits)| (whole, Some(digits)));
    let seconds = if whole.len() == 5 && fraction.is_none() { ":00" } else { "" };
    let whole = format!("{whole}{seconds}");
    let digits = fraction.unwrap_or("0");
    let fits =
        has_shape(&whole, "00:00:00") && matches!(digits.len(), 1..=6) && digits.bytes().all(|b| b.is_ascii_digit());
    if !fits {
        return None;
    }
    let part = |range: std::ops::Range<usize>| whole.get(range)?.parse::<u32>().ok();
    let micros = digits.parse::<u32>().ok()? * 10u32.pow(6 - u32::try_from(digits.len()).ok()?);
    chrono::NaiveTime::from_hms_micro_opt(part(0..2)?, part(3..5)?, part(6..8)?, micros)
}

/// `Z`, `+02:00`, `+0200` or `+02`, in seconds east of UTC.
fn read_offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = text.split_at(1);
    let sign = if sign == "-" { -1 } else { 1 };
    let digits = if has_shape(digits, "00:00") { digits.replace(':', "") } else { digits.to_owned() };
    let (hours, minutes) = match digits.len() {
        2 if has_shape(&digits, "00") => (digits.as_str(), "00"),
        4 if has_shape(&digits, "0000") => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes) = (i32::from_str(hours).ok()?, i32::from_str(minutes).ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Whether `text` has a digit wherever `shape` has `0`, and otherwise the same characters.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'0' { t.is_ascii_digit() } else { t == s })
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
