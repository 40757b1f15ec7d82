//! ISO 8601 in and out, with gaps and repeated hours.

use super::*;
use std::str::FromStr;

use crate::token::{TokenError, WrittenTime};
use proptest::prelude::*;

const VIENNA: Tz = Tz::Europe__Vienna;

#[track_caller]
fn check(text: &str, zone: Tz, shown: &str) {
    assert_eq!(Micros::read(text, zone).map(|m| m.to_string()), Ok(shown.to_owned()), "{text}");
}

#[track_caller]
fn check_refused(text: &str, zone: Tz, says: &str) {
    let problem = Micros::read(text, zone).expect_err(text);
    let message = TokenError::value("at", problem).to_string();
    assert!(message.contains(says), "{text}: {message}");
}

#[test]
fn iso_8601_is_parsed() {
    check("2026-09-22", VIENNA, "2026-09-21T22:00:00Z");
    check("2026-09-22T10:30", VIENNA, "2026-09-22T08:30:00Z");
    check("2026-09-22 10:30", VIENNA, "2026-09-22T08:30:00Z");
    check("2026-09-22T10:30:00.123456", VIENNA, "2026-09-22T08:30:00.123456Z");
    check("2026-09-22T10:30:00.5", VIENNA, "2026-09-22T08:30:00.500Z");
    check("2026-09-22T10:30:00.1234569", VIENNA, "2026-09-22T08:30:00.123456Z");
    check("2026-09-22T10:30:59.999999999999999999999999+02:00", VIENNA, "2026-09-22T08:30:59.999999Z");
    check("9999-12-31T23:59:59.9999999Z", VIENNA, "9999-12-31T23:59:59.999999Z");
    check("2026-09-22T10:30:00Z", VIENNA, "2026-09-22T10:30:00Z");
    check("2026-09-22t10:30z", VIENNA, "2026-09-22T10:30:00Z");
    check("2026-09-22T10:30:00-05:30", VIENNA, "2026-09-22T16:00:00Z");
    check("2026-09-22T10:30:00+0200", VIENNA, "2026-09-22T08:30:00Z");
    check("2026-09-22T10:30:00+02", VIENNA, "2026-09-22T08:30:00Z");
    check("1970-01-01T00:00:00Z", VIENNA, "1970-01-01T00:00:00Z");
    check("9999-12-31T23:59:59.999999Z", VIENNA, "9999-12-31T23:59:59.999999Z");
    check("2024-02-29", Tz::UTC, "2024-02-29T00:00:00Z");
}

#[test]
fn invalid_times_are_refused() {
    for bad in [
        "yesterday",
        "2026",
        "2026-9-22",
        "2026-09-22T",
        "2026-09-22T10",
        "2026-09-22T10:3",
        "2026-02-30",
        "2026-13-01",
        "2026-09-22T24:00",
        "2026-09-22T10:60",
        "2026-09-22T10:30:60",
        "2026-09-22T10:30:00.",
        "2026-09-22T10:30:00.123456x",
        "2026-09-22T10:30:00.1234567x",
        "2026-09-22T10:30.5",
        "2026-09-22Z",
        "2026-09-22T10:30+24:00",
        "2026-09-22T10:30+2",
        "2026-09-22T10:30+02:00:00",
        "20260922",
        " 2026-09-22",
        "2026-09-22 ",
        "2026−09−22",
        "+026-09-22",
        "2026-W39-2",
        "2026-09-22T10:30ZZ",
        "2026-09-22T1 :30",
        "１026-09-22",
    ] {
        check_refused(bad, VIENNA, "is not a time");
    }
    check_refused("2026-09-22T10:30:00 02:00", VIENNA, "%2B");
    check_refused("1969-12-31T23:59:59.999999Z", VIENNA, "outside the years");
    check_refused("1970-01-01", VIENNA, "outside the years");
    check_refused("9999-12-31T23:59:59-01:00", VIENNA, "outside the years");
    check_refused("0000-01-01T00:00Z", VIENNA, "outside the years");
}

#[test]
fn gaps_and_repeated_hours() {
    check("2026-03-29T01:59:59", VIENNA, "2026-03-29T00:59:59Z");
    check_refused("2026-03-29T02:00", VIENNA, "does not exist in the time zone Europe/Vienna");
    check_refused("2026-03-29T02:59:59.999999", VIENNA, "does not exist");
    check("2026-03-29T03:00", VIENNA, "2026-03-29T01:00:00Z");
    check("2026-10-25T02:30", VIENNA, "2026-10-25T00:30:00Z");
    check("2026-10-25T02:30+01:00", VIENNA, "2026-10-25T01:30:00Z");
    // Years beyond the tabulated rules.
    check("2200-07-01T12:00", VIENNA, "2200-07-01T10:00:00Z");
    check("2200-01-01T12:00", VIENNA, "2200-01-01T11:00:00Z");
    check_refused("2150-03-29T02:30", VIENNA, "does not exist");
    check("9999-07-01", VIENNA, "9999-06-30T22:00:00Z");
    // Midnight itself is missing: Cairo puts its clocks forward at 00:00.
    check("2026-04-24", Tz::Africa__Cairo, "2026-04-23T22:00:00Z");
    check_refused("2026-04-24T00:30", Tz::Africa__Cairo, "does not exist");
    // A whole day is missing: Samoa crossed the date line.
    check_refused("2011-12-30", Tz::Pacific__Apia, "does not exist");
    // Midnight occurs twice: Havana puts its clocks back from 01:00 to 00:00.
    check("2026-11-01", Tz::America__Havana, "2026-11-01T04:00:00Z");
}

#[test]
fn a_day_as_an_end_is_its_last_microsecond() {
    let last = |day: &str, zone| WrittenTime::from_str(day).unwrap().moment("valid_to", zone).map(|at| at.to_string());
    for (day, zone, shown) in [
        ("2026-09-22", VIENNA, "2026-09-22T21:59:59.999999Z"),
        ("2026-09-22", Tz::UTC, "2026-09-22T23:59:59.999999Z"),
        ("2200-07-01", VIENNA, "2200-07-01T21:59:59.999999Z"),
        ("9999-12-30", VIENNA, "9999-12-30T22:59:59.999999Z"),
        ("9999-12-31", VIENNA, "9999-12-31T22:59:59.999999Z"),
        // It would be in the year 10000.
        ("9999-12-31", Tz::America__New_York, "9999-12-31T23:59:59.999999Z"),
        ("1970-01-01", Tz::Asia__Tokyo, "1970-01-01T14:59:59.999999Z"),
        // 23 hours and 25.
        ("2026-03-29", VIENNA, "2026-03-29T21:59:59.999999Z"),
        ("2026-10-25", VIENNA, "2026-10-25T22:59:59.999999Z"),
        // The next day begins at 01:00.
        ("2018-11-03", Tz::America__Sao_Paulo, "2018-11-04T02:59:59.999999Z"),
        ("2018-11-04", Tz::America__Sao_Paulo, "2018-11-05T01:59:59.999999Z"),
        // The last hour of the day occurs twice.
        ("2018-02-17", Tz::America__Sao_Paulo, "2018-02-18T02:59:59.999999Z"),
        // The next day is missing, or the day itself.
        ("2011-12-29", Tz::Pacific__Apia, "2011-12-30T09:59:59.999999Z"),
        ("2011-12-30", Tz::Pacific__Apia, "2011-12-30T09:59:59.999999Z"),
        ("2011-12-31", Tz::Pacific__Apia, "2011-12-31T09:59:59.999999Z"),
    ] {
        assert_eq!(last(day, zone), Ok(shown.to_owned()), "{day} in {zone}");
    }
    for (day, zone) in [("1969-12-31", VIENNA), ("0001-01-01", Tz::UTC)] {
        assert_eq!(last(day, zone), Err(Problem::TimeOutOfRange { value: day.into() }));
    }
    let named = |name, text: &str| WrittenTime::from_str(text).unwrap().moment(name, Tz::UTC).unwrap().to_string();
    for end in ["valid_to", "created_to", "to"] {
        assert_eq!(named(end, "2026-09-22"), "2026-09-22T23:59:59.999999Z");
        assert_eq!(named(end, "2026-09-22T10:30"), "2026-09-22T10:30:00Z", "with a time it is exact");
    }
    for other in ["valid_from", "created_from", "from", "at", "valid_at", "voided"] {
        assert_eq!(named(other, "2026-09-22"), "2026-09-22T00:00:00Z");
    }
}

#[test]
fn local_times_survive_a_round_trip() {
    for text in ["2026-09-22T10:30:00", "2026-01-22T10:30:00", "2200-07-01T12:00:00", "9999-12-31T23:59:59"] {
        let moment = Micros::read(text, VIENNA).unwrap();
        assert_eq!(moment.local(VIENNA).format("%Y-%m-%dT%H:%M:%S").to_string(), text);
    }
}

#[test]
fn retry_after_rounds_up() {
    let at = |micros| Micros::new(micros).unwrap();
    assert_eq!(at(10_000_000).seconds_after(at(0)), 10);
    assert_eq!(at(10_000_001).seconds_after(at(0)), 11);
    assert_eq!(at(1).seconds_after(at(0)), 1);
    assert_eq!(at(0).seconds_after(at(5)), 1);
}

proptest! {
    #[test]
    fn any_moment_with_an_offset_survives_a_round_trip(
        micros in 0..=Micros::LAST.get(),
        zone in proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let moment = Micros::new(micros).unwrap();
        prop_assert_eq!(Micros::read(&moment.to_string(), zone), Ok(moment));
        let local = moment.utc().with_timezone(&zone);
        // A century ago, offsets had seconds, which ISO 8601 cannot express.
        let written = local.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
        if local.year_is_four_digits() && written.len() == 32 && whole_minutes(&local) {
            prop_assert_eq!(Micros::read(&written, zone), Ok(moment));
        }
    }

    #[test]
    fn a_local_time_means_its_earliest_occurrence(
        micros in 0..4_102_444_800_000_000i64,
        zone in proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let moment = Micros::new(micros).unwrap();
        let shown = moment.utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        if let Ok(read) = Micros::read(&shown, zone) {
            prop_assert!(read <= moment);
            let again = read.utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            prop_assert_eq!(again, shown);
        } else {
            prop_assert!(micros < 86_400_000_000, "only what a zone shows before 1970 may be refused: {}", shown);
        }
    }

    #[test]
    fn a_day_ends_where_the_next_one_begins(
        days in 0..3_000_000u64,
        zone in proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let day = NaiveDate::from_ymd_opt(1970, 1, 2).unwrap() + chrono::Days::new(days);
        let written = |day: NaiveDate, name| WrittenTime::from_str(&day.to_string()).and_then(|day| day.moment(name, zone));
        if let (Ok(end), Ok(next)) = (written(day, "to"), written(day.succ_opt().unwrap(), "from")) {
            prop_assert_eq!(end.get() + 1, next.get());
        }
        if let (Ok(begin), Ok(end)) = (written(day, "from"), written(day, "to")) {
            prop_assert!(begin < end);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC*", dateish in "[0-9T:.+Zz -]{0,34}") {
        let _ = Micros::read(&text, VIENNA);
        let _ = Micros::read(&dateish, VIENNA);
    }
}

trait FourDigits {
    fn year_is_four_digits(&self) -> bool;
}

impl FourDigits for DateTime<Tz> {
    fn year_is_four_digits(&self) -> bool {
        (0..=9_999).contains(&chrono::Datelike::year(self))
    }
}

fn whole_minutes(local: &DateTime<Tz>) -> bool {
    use chrono::Offset;
    local.offset().fix().local_minus_utc() % 60 == 0
}

#[test]
fn a_wall_clock_shows_a_time_once_twice_or_never() {
    let utc = |text: &str| Micros::read(text, Tz::UTC).unwrap();
    for (text, right) in [
        ("2026-07-01 12:00:00", WallClock::Moment(utc("2026-07-01T10:00:00Z"))),
        ("2026-07-01 12:00:00.000001", WallClock::Moment(utc("2026-07-01T10:00:00.000001Z"))),
        ("2026-10-25 02:30:00", WallClock::Moment(utc("2026-10-25T00:30:00Z"))),
        ("2026-03-29 01:59:59.999999", WallClock::Moment(utc("2026-03-29T00:59:59.999999Z"))),
        ("2026-03-29 02:00:00", WallClock::Skipped(utc("2026-03-29T01:00:00Z"))),
        ("2026-03-29 02:59:59.999999", WallClock::Skipped(utc("2026-03-29T01:00:00Z"))),
        ("2026-03-29 03:00:00", WallClock::Moment(utc("2026-03-29T01:00:00Z"))),
        ("1970-01-01 01:00:00", WallClock::Moment(Micros::EPOCH)),
        ("1970-01-01 00:59:59.999999", WallClock::Outside(Micros::EPOCH)),
        ("0001-01-01 00:00:00", WallClock::Outside(Micros::EPOCH)),
    ] {
        assert_eq!(Micros::of_wall_clock(text, VIENNA), Some(right), "{text}");
    }
    let last = "9999-12-31 23:59:59.999999";
    assert_eq!(Micros::of_wall_clock(last, Tz::UTC), Some(WallClock::Moment(Micros::LAST)));
    assert_eq!(Micros::of_wall_clock(last, Tz::America__Lima), Some(WallClock::Outside(Micros::LAST)));
    // What a database never writes.
    for wrong in ["", "2026-07-01", "2026-07-01 12:00:00+02:00", "2026-07-01 12:00:00Z", "1.7.2026 12:00", "infinity"] {
        assert_eq!(Micros::of_wall_clock(wrong, VIENNA), None, "{wrong}");
    }
}
