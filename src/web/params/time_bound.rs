//! The bounds of a time filter.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::token::input::read_time;
use crate::token::{Micros, TokenError};

/// A bound of a filter. A day alone counts as a whole: tokens until Friday include those of Friday.
///
/// # Errors
/// A value error that names the parameter.
pub(crate) fn time_bound(name: &'static str, text: &str, zone: Tz) -> Result<Micros, TokenError> {
    let read = |text: &str| read_time(name, text, zone);
    let is_last = matches!(name, "created_to" | "to");
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text);
    match day.and_then(|day| day.succ_opt()) {
        Some(next) if is_last && next.year() > 9_999 => Ok(Micros::LAST),
        Some(next) if is_last => {
            let end = read(&next.to_string())?;
            Ok(Micros::stored(end.get() - 1))
        }
        _ => read(text),
    }
}
