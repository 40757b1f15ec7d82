//! The chart in words, and its bars in addresses.

use chrono::{Duration, TimeZone, Timelike};
use chrono_tz::Tz;

use super::chart_range::Range;
use super::query::UsageQuery;
use crate::token::Micros;
use crate::token::calendar::{Span, Step};
use crate::web::words::usage as words;

/// A moment in the zone.
pub(crate) fn by(moment: Micros, zone: Tz, format: &str) -> String {
    moment.local(zone).format(format).to_string()
}

/// What a part of the time is called; an hour that comes twice with the zone's short name, too.
pub(crate) fn name_of(spans: &[Span], n: usize, step: Step, zone: Tz) -> String {
    let from = spans[n].from;
    let local = |n: usize| spans.get(n).map(|span: &Span| span.from.local(zone));
    match step {
        Step::Hour => {
            let is_twice = local(n + 1) == local(n) || n > 0 && local(n - 1) == local(n);
            let name = if is_twice { format!(" {}", abbreviation(from, zone)) } else { String::new() };
            format!("{}{name}", by(from, zone, "%a %-d %b %Y, %H:%M"))
        }
        Step::Day => by(from, zone, "%a %-d %b %Y"),
        Step::Week => words::week_of(&by(from, zone, "%-d %b %Y")),
        Step::Month => by(from, zone, "%B %Y"),
        Step::Year => by(from, zone, "%Y"),
    }
}

/// By how much the zone is before UTC then.
fn offset(moment: Micros, zone: Tz) -> Duration {
    moment.local(zone) - moment.local(Tz::UTC)
}

fn abbreviation(moment: Micros, zone: Tz) -> String {
    let utc = moment.local(Tz::UTC);
    zone.from_utc_datetime(&utc).format("%Z").to_string()
}

/// The filter for the entries of a bar: days as days, hours as moments. Where the filter cuts through it, its own bound.
pub(crate) fn link(query: &UsageQuery, span: Span, range: &Range, zone: Tz) -> UsageQuery {
    let last = span.end.plus_micros(-1);
    let (first_text, last_text) = if range.step == Step::Hour {
        (exact(span.from, zone), exact(last, zone))
    } else {
        (by(span.from, zone, "%Y-%m-%d"), by(last, zone, "%Y-%m-%d"))
    };
    let keeps_from = !query.from.is_empty() && span.from <= range.from;
    let keeps_to = !query.to.is_empty() && last >= range.to;
    query.within(if keeps_from { &query.from } else { &first_text }, if keeps_to { &query.to } else { &last_text })
}

/// A moment as an address has it, in the zone.
pub(crate) fn exact(moment: Micros, zone: Tz) -> String {
    let local = moment.local(zone);
    let is_whole = local.second() == 0 && local.nanosecond() == 0;
    let format = if is_whole { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S%.f" };
    let minutes = offset(moment, zone).num_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", local.format(format), minutes.abs() / 60, minutes.abs() % 60)
}
