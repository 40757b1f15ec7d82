//! What the pages say of the overview, the usage log and its chart.

use crate::token::calendar::{Step, Tally};
use crate::web::format::{entries as counted_entries, grouped, refusals, uses};

/// Why an attempt was refused, by the code of the refusal.
pub(crate) fn reason(code: i16) -> &'static str {
    match code {
        1 => "Unknown code",
        2 => "Used up",
        3 => "Locked",
        4 => "Not valid at that time",
        7 => "Voided",
        _ => "Another reason",
    }
}

/// A token that was refused again and again, between two times of the day.
pub(crate) fn refused_again_and_again(name: &str, count: i64, (first, last): (&str, &str)) -> String {
    let times = grouped(count);
    if first == last {
        return format!("{name} was refused {times} times at {first}.");
    }
    format!("{name} was refused {times} times between {first} and {last}.")
}

/// A gate that refuses more than it lets in.
pub(crate) fn gate_refuses_most(name: &str, refused: i64, attempts: i64) -> String {
    format!("{name} refused {} of {} attempts today.", grouped(refused), grouped(attempts))
}

/// Codes that nobody knows.
pub(crate) fn many_unknown_codes(count: i64) -> String {
    format!("Unknown codes caused {} today.", refusals(count))
}

/// A part of the filter.
pub(crate) const USER_OR_KEY: &str = "User or API key";

/// Times that can be chosen, and their days.
pub(crate) const PERIODS: [(&str, u64); 4] = [("Today", 1), ("7 days", 7), ("30 days", 30), ("1 year", 365)];

/// The time of a chart, when nobody said which.
pub(crate) const LAST_30_DAYS: &str = "Last 30 days: ";
/// The same, when the last entry is older.
pub(crate) const THIRTY_DAYS: &str = "30 days: ";

/// What an attempt is called that named no token.
pub(crate) const NO_CODE: &str = "Unreadable code";

/// How many entries there are, counted up to a number.
pub(crate) fn entries(count: i64, at_most: i64) -> String {
    if count > at_most { format!("more than {}", counted_entries(at_most)) } else { counted_entries(count) }
}

/// What a bar of the chart is, as in `Day`.
pub(crate) fn unit(step: Step) -> &'static str {
    match step {
        Step::Hour => "Hour",
        Step::Day => "Day",
        Step::Week => "Week",
        Step::Month => "Month",
        Step::Year => "Year",
    }
}

/// What the chart is.
pub(crate) fn chart_title(unit: &str) -> String {
    format!("Uses and refusals by {}", unit.to_lowercase())
}

/// A week, by its first day.
pub(crate) fn week_of(day: &str) -> String {
    format!("week of {day}")
}

/// What the chart shows: the total, and the bar with the most.
pub(crate) fn chart(time: &str, total: Tally, most: Option<(Tally, &str)>) -> String {
    let counted = |tally: Tally| format!("{} and {}", uses(tally.used), refusals(tally.refused));
    let all = format!("{time}: {}.", counted(total));
    match most.filter(|(tally, _)| tally.all() > 0) {
        Some((tally, when)) => format!("{all} Most: {when}, {}.", counted(tally)),
        None => all,
    }
}
