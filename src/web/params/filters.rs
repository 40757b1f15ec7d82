//! Parameters by which lists are filtered.

use chrono_tz::Tz;

use crate::token::{Micros, Problem, TokenError, VALUE_MAX_CHARS, WrittenTime};

/// Entries of a page when no limit is given.
pub(crate) const LIMIT: usize = 100;
/// Most entries of a page.
pub(crate) const LIMIT_MAX: usize = 1_000;

/// The moment of a time that is written in a parameter.
///
/// # Errors
/// A value error: it does not exist in `zone`, or is out of range.
pub(crate) fn moment(name: &'static str, time: Option<&WrittenTime>, zone: Tz) -> Result<Option<Micros>, TokenError> {
    time.map(|time| time.moment(name, zone)).transpose().map_err(|problem| TokenError::value(name, problem))
}

/// What is searched for.
///
/// # Errors
/// A value error when it is too long, or could be found nowhere.
pub(crate) fn search_term(q: String) -> Result<String, TokenError> {
    if q.chars().count() > VALUE_MAX_CHARS {
        return Err(TokenError::value("q", Problem::too_long(VALUE_MAX_CHARS)));
    }
    if q.chars().any(char::is_control) {
        return Err(TokenError::value("q", Problem::ControlCharacters));
    }
    Ok(q)
}

/// A moment as a cursor's filter has it.
pub(crate) fn shown(time: Option<Micros>) -> Option<String> {
    time.map(|time| time.to_string())
}
