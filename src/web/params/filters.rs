//! Parameters by which lists are filtered.

use chrono_tz::Tz;

use super::Params;
use crate::token::input::read_time;
use crate::token::{Micros, TokenError, Uid, VALUE_MAX_CHARS, quoted};
use crate::web::error::Error;

/// Entries of a page when no limit is given, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// How many entries are asked for.
///
/// # Errors
/// A value error when it is no number, or outside its limits.
pub(crate) fn limit(params: &Params) -> Result<usize, Error> {
    Ok(params.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT))
}

/// A moment.
///
/// # Errors
/// A value error.
pub(crate) fn time(params: &Params, name: &'static str, zone: Tz) -> Result<Option<Micros>, Error> {
    Ok(params.filled(name)?.map(|text| read_time(name, &text, zone)).transpose()?)
}

/// The uid of a batch or a print run.
///
/// # Errors
/// A value error.
pub(crate) fn uid_of(name: &'static str, params: &Params) -> Result<Option<Uid>, Error> {
    let what = name.replace('_', " ");
    let wrong = |text: &str| TokenError::value(name, format!("{name} {} is not the uid of a {what}", quoted(text)));
    Ok(params.filled(name)?.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()?)
}

/// What is searched for.
///
/// # Errors
/// A value error when it is too long, or could be found nowhere.
pub(crate) fn search_term(q: String) -> Result<String, TokenError> {
    if q.chars().count() > VALUE_MAX_CHARS {
        return Err(TokenError::value("q", format!("q has at most {VALUE_MAX_CHARS} characters")));
    }
    if q.chars().any(char::is_control) {
        return Err(TokenError::value("q", "q has no control characters, as no value or label has"));
    }
    Ok(q)
}

/// A moment as a cursor's filter has it.
pub(crate) fn shown(time: Option<Micros>) -> Option<String> {
    time.map(|time| time.to_string())
}
