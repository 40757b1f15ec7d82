//! Named time ranges of a day, such as "morning, 08:00 to 12:00", and the moments they stand for today.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate, NaiveTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::{Micros, at_or_after};

/// Longest name, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 40;

/// The time of day on a wall clock, to the minute; written like `08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayTime {
    minutes: u16,
}

impl DayTime {
    /// The time of day with this hour and minute.
    pub(crate) const fn new(hour: u16, minute: u16) -> Self {
        Self { minutes: (hour * 60 + minute) % (24 * 60) }
    }

    fn clock(self) -> NaiveTime {
        NaiveTime::from_hms_opt(u32::from(self.minutes / 60), u32::from(self.minutes % 60), 0).unwrap_or_default()
    }
}

impl FromStr for DayTime {
    type Err = ();

    /// Accepts `00:00` to `23:59`, and seconds that are zero, which some browsers append.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.strip_suffix(":00").filter(|rest| rest.len() == 5).unwrap_or(text);
        let clock = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5).ok_or(())?;
        let part = |number: u32| u16::try_from(number).map_err(drop);
        Ok(Self::new(part(clock.hour())?, part(clock.minute())?))
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Serialize for DayTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DayTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("no time of a day"))
    }
}

/// A named time range of a day. One whose end is before its beginning ends on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// Its unique name.
    pub name: String,
    /// When it begins.
    pub(crate) from: DayTime,
    /// When it ends.
    pub(crate) to: DayTime,
}

impl TimeRange {
    /// Whether it ends on the day after it begins.
    pub fn ends_next_day(&self) -> bool {
        self.to < self.from
    }

    /// The first and the last moment of the range that `now` lies in, if it goes over midnight and began yesterday; else of
    /// the one that begins on the day of `now` in `zone`. A local time in a gap means the end of the gap, and one that occurs
    /// twice means the earlier occurrence.
    ///
    /// None if nothing is left of the range because it lies in a gap or after the year 9999.
    pub(crate) fn at(&self, now: Micros, zone: Tz) -> Option<(Micros, Micros)> {
        let today = now.local(zone).date();
        let last_night = today.pred_opt().filter(|_| self.ends_next_day()).and_then(|day| self.on_day(day, zone));
        last_night.filter(|(_, to)| now <= *to).or_else(|| self.on_day(today, zone))
    }

    fn on_day(&self, day: NaiveDate, zone: Tz) -> Option<(Micros, Micros)> {
        let last_day = if self.ends_next_day() { day.checked_add_days(Days::new(1))? } else { day };
        let from = Micros::stored(at_or_after(&day.and_time(self.from.clock()), zone)?);
        let to = Micros::stored(at_or_after(&last_day.and_time(self.to.clock()), zone)?);
        (from < to).then_some((from, to))
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}", self.name, self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIENNA: Tz = Tz::Europe__Vienna;

    fn range(from: &str, to: &str) -> TimeRange {
        TimeRange { name: "x".into(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[track_caller]
    fn check(now: &str, zone: Tz, (from, to): (&str, &str), means: Option<(&str, &str)>) {
        let found = range(from, to).at(Micros::read(now, zone).unwrap(), zone);
        let found = found.map(|(from, to)| (from.to_string(), to.to_string()));
        assert_eq!(found, means.map(|(from, to)| (from.to_owned(), to.to_owned())), "{now} {from} {to}");
    }

    #[test]
    fn a_range_is_on_the_local_day() {
        let morning = ("08:00", "12:00");
        check("2026-11-24T00:00", VIENNA, morning, Some(("2026-11-24T07:00:00Z", "2026-11-24T11:00:00Z")));
        check("2026-11-24T23:59:59", VIENNA, morning, Some(("2026-11-24T07:00:00Z", "2026-11-24T11:00:00Z")));
        check("2026-06-01T12:00", VIENNA, morning, Some(("2026-06-01T06:00:00Z", "2026-06-01T10:00:00Z")));
        let tokyo = Some(("2026-11-23T23:00:00Z", "2026-11-24T03:00:00Z"));
        check("2026-11-24T02:00", Tz::Asia__Tokyo, morning, tokyo);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_ends_on_the_next_day() {
        let night = ("22:00", "06:00");
        check("2026-11-24T07:00", VIENNA, night, Some(("2026-11-24T21:00:00Z", "2026-11-25T05:00:00Z")));
        check("2026-12-31T12:00", VIENNA, night, Some(("2026-12-31T21:00:00Z", "2027-01-01T05:00:00Z")));
        check("2028-02-28T12:00", VIENNA, night, Some(("2028-02-28T21:00:00Z", "2028-02-29T05:00:00Z")));
        check("2026-11-24T12:00", VIENNA, ("12:00", "00:00"), Some(("2026-11-24T11:00:00Z", "2026-11-24T23:00:00Z")));
    }

    #[test]
    fn after_midnight_a_night_is_the_one_that_is_going_on() {
        let night = ("22:00", "04:00");
        let this = Some(("2026-11-23T21:00:00Z", "2026-11-24T03:00:00Z"));
        let next = Some(("2026-11-24T21:00:00Z", "2026-11-25T03:00:00Z"));
        check("2026-11-24T00:30", VIENNA, night, this);
        check("2026-11-24T04:00", VIENNA, night, this);
        check("2026-11-24T04:00:01", VIENNA, night, next);
        check("2026-11-24T21:59", VIENNA, night, next);
        check("2026-11-24T23:59", VIENNA, night, next);
        check("2026-11-24T00:30", VIENNA, ("08:00", "12:00"), Some(("2026-11-24T07:00:00Z", "2026-11-24T11:00:00Z")));
        // Times begin in 1970, and so does what is left of that night.
        check("1970-01-01T00:30", Tz::UTC, night, Some(("1970-01-01T00:00:00Z", "1970-01-01T04:00:00Z")));
    }

    #[test]
    fn a_time_in_a_gap_means_the_end_of_the_gap() {
        // At 02:00 the clock jumps to 03:00.
        let day = "2026-03-29T12:00";
        check(day, VIENNA, ("00:00", "06:00"), Some(("2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z")));
        check(day, VIENNA, ("02:30", "06:00"), Some(("2026-03-29T01:00:00Z", "2026-03-29T04:00:00Z")));
        check(day, VIENNA, ("01:00", "02:15"), Some(("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")));
        check(day, VIENNA, ("02:10", "02:50"), None);
        check(day, VIENNA, ("02:10", "03:00"), None);
        check("2026-03-28T12:00", VIENNA, ("22:00", "02:30"), Some(("2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z")));
    }

    #[test]
    fn a_repeated_time_means_its_earlier_occurrence() {
        // At 03:00 the clock goes back to 02:00.
        let day = "2026-10-25T12:00";
        check(day, VIENNA, ("02:30", "06:00"), Some(("2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z")));
        check(day, VIENNA, ("01:00", "02:30"), Some(("2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z")));
        check(day, VIENNA, ("08:00", "12:00"), Some(("2026-10-25T07:00:00Z", "2026-10-25T11:00:00Z")));
    }

    #[test]
    fn a_range_ends_with_the_year_9999() {
        let last = "9999-12-31T23:59:59.999999Z";
        check("9999-12-31T12:00", Tz::UTC, ("08:00", "18:00"), Some(("9999-12-31T08:00:00Z", "9999-12-31T18:00:00Z")));
        check("9999-12-31T12:00", Tz::UTC, ("22:00", "06:00"), Some(("9999-12-31T22:00:00Z", last)));
        check("9999-12-31T12:00", Tz::America__New_York, ("17:00", "23:00"), Some(("9999-12-31T22:00:00Z", last)));
        check("9999-12-31T12:00", Tz::America__New_York, ("20:00", "23:00"), None);
    }

    #[test]
    fn a_time_of_day_has_minutes() {
        for (text, shown) in [("08:00", "08:00"), ("00:00", "00:00"), ("23:59", "23:59"), ("08:05:00", "08:05")] {
            assert_eq!(text.parse::<DayTime>().unwrap().to_string(), shown);
        }
        for bad in ["", "8:00", "24:00", "08:60", "08:00:01", "08", "0800", " 08:00", "+8:00", "08:00:00:00", "٠٨:٠٠"]
        {
            assert!(bad.parse::<DayTime>().is_err(), "{bad}");
        }
    }
}
