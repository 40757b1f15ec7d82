//! The bounds of a time filter.

use chrono::Datelike;
use chrono_tz::Tz;

use crate::token::input::read_time;
use crate::token::{Micros, TokenError, WrittenTime};

/// A bound of a filter. A day alone counts as a whole: tokens until Friday include those of Friday.
///
/// # Errors
/// A value error that names the parameter.
pub(crate) fn time_bound(name: &'static str, text: &str, zone: Tz) -> Result<Micros, TokenError> {
    let read = |text: &str| read_time(name, text, zone);
    let written: WrittenTime = text.parse().map_err(|problem| TokenError::value(name, problem))?;
    let is_last = matches!(name, "created_to" | "to");
    match written.day().and_then(|day| day.succ_opt()) {
        Some(next) if is_last && next.year() > 9_999 => Ok(Micros::LAST),
        Some(next) if is_last => {
            let end = read(&next.to_string())?;
            Ok(Micros::stored(end.get() - 1))
        }
        _ => read(text),
    }
}
