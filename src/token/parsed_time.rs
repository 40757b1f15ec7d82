//! The parts of a time in ISO 8601, before a time zone gives it a meaning.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};

/// A day, or a day and a time of day; seconds east of UTC where they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParsedTime {
    Day(NaiveDate),
    Local(NaiveDateTime),
    Offset(NaiveDateTime, i32),
}

impl ParsedTime {
    pub(super) fn parse(text: &str) -> Option<Self> {
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

/// `10:30`, `10:30:00`, or with fractional digits: a seventh could not be stored, and is cut.
fn read_clock(text: &str) -> Option<chrono::NaiveTime> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, digits)| (whole, Some(digits)));
    let seconds = if whole.len() == 5 && fraction.is_none() { ":00" } else { "" };
    let whole = format!("{whole}{seconds}");
    let digits = fraction.unwrap_or("0");
    if !has_shape(&whole, "00:00:00") || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.get(..6).unwrap_or(digits);
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
