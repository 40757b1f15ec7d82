//! Moments and states in words, for people.

use std::fmt::Display;
use std::sync::LazyLock;

use chrono::format::{Item, StrftimeItems};
use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;

use crate::token::consume::retry_at;
pub(crate) use crate::token::grouped;
use crate::token::{Micros, State, Token, UNLIMITED};

/// A moment as a page shows it.
pub(crate) struct FormattedTime {
    /// For machines, in UTC.
    pub(crate) utc: String,
    /// Exactly, in the configured zone.
    pub(crate) exact: String,
    /// Relative to now, where it is near.
    pub(crate) short: String,
}

/// A minute, an hour and a day in microseconds.
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// Units of a length of time, in seconds.
pub(crate) const UNITS: [(&str, i32); 4] = [("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400)];

/// Seconds in the largest unit that divides them.
pub(crate) fn in_unit(seconds: i32) -> (i32, &'static str) {
    let fits = |(_, length): &(&str, i32)| seconds != 0 && seconds % length == 0;
    UNITS.into_iter().rev().find(fits).map_or((seconds, "seconds"), |(unit, length)| (seconds / length, unit))
}

/// A format, parsed once: a page has dozens of times, and parsing a format takes as long as formatting by it.
type Format = LazyLock<Vec<Item<'static>>>;

static EXACT: Format = LazyLock::new(|| StrftimeItems::new("%a %-d %b %Y, %H:%M:%S%.f").collect());
static TIME: Format = LazyLock::new(|| StrftimeItems::new("%H:%M").collect());
static TIME_TO_THE_SECOND: Format = LazyLock::new(|| StrftimeItems::new("%H:%M:%S").collect());
static DAY: Format = LazyLock::new(|| StrftimeItems::new("%-d %b").collect());
static DAY_OF_YEAR: Format = LazyLock::new(|| StrftimeItems::new("%-d %b %Y").collect());

static LONG_DAY: Format = LazyLock::new(|| StrftimeItems::new("%a %-d %b %Y").collect());

fn by(format: &'static Format, local: NaiveDateTime) -> impl Display {
    local.format_with_items(format.iter())
}

/// The clock that a page is written by.
#[derive(Clone, Copy)]
pub(crate) struct TimeFormatter {
    /// The moment of writing.
    pub(crate) now: Micros,
    /// The configured zone.
    pub(crate) zone: Tz,
}

impl TimeFormatter {
    /// A moment: relative when it is near, else by day and time in the zone.
    pub(crate) fn format(self, moment: Micros) -> FormattedTime {
        let local = moment.local(self.zone);
        let zone = self.zone;
        let exact = format!("{} ({zone})", by(&EXACT, local));
        FormattedTime {
            utc: moment.to_string(),
            exact,
            short: self.near(moment).unwrap_or_else(|| self.day_and_time(moment)),
        }
    }

    fn near(self, moment: Micros) -> Option<String> {
        let distance = moment.get() - self.now.get();
        let amount = match distance.abs() {
            0..MINUTE => return Some(if distance <= 0 { "just now" } else { "in a moment" }.into()),
            MINUTE..HOUR => format!("{} min", distance.abs() / MINUTE),
            _ => return None,
        };
        Some(if distance < 0 { format!("{amount} ago") } else { format!("in {amount}") })
    }

    /// As in `today 13:47`, `30 Nov 18:00` or `30 Nov 2027 18:00`.
    pub(crate) fn day_and_time(self, moment: Micros) -> String {
        let (today, local) = (self.now.local(self.zone), moment.local(self.zone));
        format!("{} {}", day(today, local), by(&TIME, local))
    }

    /// As in `today 13:47`, `30 Nov` or `30 Nov 2027`.
    pub(crate) fn day(self, moment: Micros) -> String {
        let (today, local) = (self.now.local(self.zone), moment.local(self.zone));
        let is_near = (local.date() - today.date()).num_days().abs() <= 1;
        if is_near { self.day_and_time(moment) } else { day(today, local) }
    }

    /// The same of an end; with the time where that is a day's first moment, which the day alone would put at its last.
    pub(crate) fn last_day(self, moment: Micros) -> String {
        let is_first_moment = moment.local(self.zone).time() == chrono::NaiveTime::MIN;
        if is_first_moment { self.day_and_time(moment) } else { self.day(moment) }
    }

    /// As in `14:05:10`, with the day when it is not today's.
    pub(crate) fn to_the_second(self, moment: Micros) -> String {
        let (today, local) = (self.now.local(self.zone), moment.local(self.zone));
        let time = by(&TIME_TO_THE_SECOND, local);
        if today.date() == local.date() { time.to_string() } else { format!("{} {time}", day(today, local)) }
    }

    /// As in `14:05`.
    pub(crate) fn time_of_day(self, moment: Micros) -> String {
        by(&TIME, moment.local(self.zone)).to_string()
    }

    /// As in `Tue 1 Dec 2026`.
    pub(crate) fn long_day(self, moment: Micros) -> String {
        by(&LONG_DAY, moment.local(self.zone)).to_string()
    }

    /// Why a token is in its state, as short as a row of the list has room: of an active one, how many uses are left.
    pub(crate) fn short_reason(self, token: &Token, state: State) -> String {
        match (state, token.usage_count) {
            (State::Active, UNLIMITED) => "unlimited uses".into(),
            (State::Active, count) => format!("{} left", grouped(count)),
            _ => self.reason(token, state),
        }
    }

    /// Why a token is in its state, and how long.
    pub(crate) fn reason(self, token: &Token, state: State) -> String {
        let at = |moment: Option<Micros>| moment.map(|moment| self.day_and_time(moment)).unwrap_or_default();
        match state {
            State::Active => match token.valid_to {
                Some(_) => format!("{}, until {}", uses_left(token.usage_count), at(token.valid_to)),
                None => uses_left(token.usage_count),
            },
            State::Voided => {
                let voided = token.voided.as_ref();
                let since = format!("since {}", at(voided.map(|voided| voided.at)));
                match voided.and_then(|voided| voided.reason.as_deref()) {
                    Some(reason) => format!("{since} ({reason})"),
                    None => since,
                }
            }
            State::Locked => match retry_at(token, 1, self.now) {
                Some(open) => format!("free again at {}", self.to_the_second(open)),
                None => "expires before the lock ends".into(),
            },
            State::Pending => format!("from {}", at(token.valid_from)),
            State::Expired => format!("since {}", at(token.valid_to)),
            State::UsedUp if token.used > 0 => format!("last used {}", at(token.last_used)),
            State::UsedUp => "no uses left".into(),
        }
    }
}

fn day(today: NaiveDateTime, local: NaiveDateTime) -> String {
    match (local.date() - today.date()).num_days() {
        0 => "today".into(),
        1 => "tomorrow".into(),
        -1 => "yesterday".into(),
        _ if today.year() == local.year() => by(&DAY, local).to_string(),
        _ => by(&DAY_OF_YEAR, local).to_string(),
    }
}

/// A day as a form sends it, as in `30 Nov 2027`; anything else as it is.
pub(crate) fn day_in_words(text: &str) -> String {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d");
    day.map_or_else(|_| text.to_owned(), |day| by(&DAY_OF_YEAR, day.into()).to_string())
}

/// How many uses are left, as in `3 uses left`.
pub(crate) fn uses_left(count: i32) -> String {
    match count {
        UNLIMITED => "unlimited uses".into(),
        count => format!("{} left", counted(count, "use")),
    }
}

/// As in `1 token` and `1,204 tokens`.
pub(crate) fn tokens(count: impl TryInto<i64>) -> String {
    counted(count, "token")
}

/// A number and a noun of which the plural ends with an s, as in `1 line` and `1,204 lines`.
pub(crate) fn counted(count: impl TryInto<i64>, one: &str) -> String {
    match count.try_into().unwrap_or(i64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{} {one}s", grouped(count)),
    }
}

/// As in `1 refusal` and `1,204 refusals`.
pub(crate) fn refusals(count: i64) -> String {
    if count == 1 { "1 refusal".into() } else { format!("{} refusals", grouped(count)) }
}

/// As in `1 use` and `1,204 uses`.
pub(crate) fn uses(count: i64) -> String {
    if count == 1 { "1 use".into() } else { format!("{} uses", grouped(count)) }
}

/// As in `1 entry` and `1,204 entries`.
pub(crate) fn entries(count: i64) -> String {
    if count == 1 { "1 entry".into() } else { format!("{} entries", grouped(count)) }
}

/// Seconds of lock in the greatest unit that says them exactly, as in `90 minutes`.
pub(crate) fn duration(seconds: i32) -> String {
    if seconds == 0 {
        return "none".into();
    }
    let (amount, unit) = in_unit(seconds);
    let plural = if amount == 1 { "" } else { "s" };
    format!("{} {}{plural}", grouped(amount), unit.trim_end_matches('s'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        Micros::read(text, Tz::Europe__Vienna).unwrap()
    }

    #[track_caller]
    fn check(moment: &str, short: &str) {
        let clock = TimeFormatter { now: at("2026-11-24T12:00"), zone: Tz::Europe__Vienna };
        assert_eq!(clock.format(at(moment)).short, short, "{moment}");
    }

    #[test]
    fn moments_near_now_are_relative() {
        check("2026-11-24T12:00", "just now");
        check("2026-11-24T11:59:01", "just now");
        check("2026-11-24T12:00:20", "in a moment");
        check("2026-11-24T11:48", "12 min ago");
        check("2026-11-24T12:12", "in 12 min");
        check("2026-11-24T13:47", "today 13:47");
        check("2026-11-23T13:47", "yesterday 13:47");
        check("2026-11-25T00:00", "tomorrow 00:00");
        check("2026-11-30T18:00", "30 Nov 18:00");
        check("2027-11-30T18:00", "30 Nov 2027 18:00");
    }

    #[test]
    fn days_have_a_time_where_it_matters() {
        let clock = TimeFormatter { now: at("2026-11-24T12:00"), zone: Tz::Europe__Vienna };
        for (moment, day) in [
            ("2026-11-24T13:47", "today 13:47"),
            ("2026-11-25T08:00", "tomorrow 08:00"),
            ("2026-11-30T18:00", "30 Nov"),
            ("2026-11-30T00:00", "30 Nov"),
            ("2027-11-30T18:00", "30 Nov 2027"),
        ] {
            assert_eq!(clock.day(at(moment)), day);
        }
        assert_eq!(clock.last_day(at("2026-11-30T18:00")), "30 Nov");
        assert_eq!(clock.last_day(at("2026-11-30T00:00")), "30 Nov 00:00");
        assert_eq!(day_in_words("2026-11-01"), "1 Nov 2026");
        assert_eq!(day_in_words("soon"), "soon");
    }

    #[test]
    fn numbers_and_durations() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_204, "1,204"), (-1_204, "-1,204"), (1_000_000, "1,000,000"), (-100, "-100")]
        {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [
            (0, "none"),
            (1, "1 second"),
            (90, "90 seconds"),
            (60, "1 minute"),
            (5_400, "90 minutes"),
            (86_400, "1 day"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
