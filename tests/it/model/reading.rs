//! What the contract says of texts: uids, values, labels, numbers and times.

use chrono::{DateTime, Utc};

/// What a request is refused with, and the parameter at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub error: &'static str,
    pub param: Option<String>,
}

impl Fault {
    pub fn value(param: &str) -> Self {
        Self { error: "TokenValueError", param: Some(param.to_owned()) }
    }

    pub fn api(param: &str) -> Self {
        Self { error: "TokenAPIError", param: Some(param.to_owned()) }
    }

    pub fn unknown() -> Self {
        Self { error: "TokenNotExists", param: None }
    }
}

/// The code and the status of an error.
pub fn code_and_status(error: &str) -> (Option<u8>, u16) {
    let (code, status) = match error {
        "TokenNotExists" => (1, 404),
        "TokenUsageCountExceeded" => (2, 409),
        "TokenLockTimeViolation" => (3, 423),
        "TokenTimeRangeViolation" => (4, 409),
        "TokenVoided" => (7, 409),
        "TokenValueError" => (5, 422),
        "TokenAPIError" => (6, 400),
        "Forbidden" => return (None, 403),
        other => panic!("{other} is not in the contract's table"),
    };
    (Some(code), status)
}

/// A uid in lower case, if it is written hyphenated in either case.
pub fn uid(text: &str) -> Option<String> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    (groups == [8, 4, 4, 4, 12] && hex).then(|| text.to_lowercase())
}

/// Whether any token may have this value.
pub fn is_value(value: &str) -> bool {
    (1..=1_000).contains(&value.chars().count())
        && value.len() <= 1_200
        && value.trim() == value
        && !value.chars().any(char::is_control)
}

/// Whether a new value has characters that show nothing, which it must not.
pub fn has_unseen(value: &str) -> bool {
    value.chars().any(|c| {
        matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    })
}

/// A label as it is kept: white space alone is none.
pub fn kept_label(label: &str) -> Option<String> {
    Some(label.to_owned()).filter(|label| !label.trim().is_empty())
}

pub fn is_label(label: &str) -> bool {
    label.chars().count() <= 200 && !label.chars().any(char::is_control)
}

/// Why a token is voided, or none; nothing for what no reason may be.
#[allow(clippy::option_option, reason = "no reason, and what is none")]
pub fn reason(text: &str) -> Option<Option<String>> {
    let text = text.trim();
    is_label(text).then(|| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

pub fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// How the end of a range is shown: a day's last microsecond.
pub fn end(text: &str) -> Option<&'static str> {
    Some(match text {
        "2001-01-01" => "2001-01-01T22:59:59.999999Z",
        "2999-01-01" => "2999-01-01T22:59:59.999999Z",
        _ => return time(text),
    })
}

/// How a time is shown. The application's zone is Vienna's: an hour before UTC, two in summer.
pub fn time(text: &str) -> Option<&'static str> {
    Some(match text {
        "1970-01-01T00:00:00Z" => "1970-01-01T00:00:00Z",
        "2001-01-01" => "2000-12-31T23:00:00Z",
        "2001-07-01T10:30:05" => "2001-07-01T08:30:05Z",
        "2001-07-01T10:30:00.1234569+02:00" => "2001-07-01T08:30:00.123456Z",
        "2999-01-01" => "2998-12-31T23:00:00Z",
        "2999-06-01T12:00" | "2999-06-01T12:00+02:00" => "2999-06-01T10:00:00Z",
        "9999-12-31T23:59:59.999999Z" => "9999-12-31T23:59:59.999999Z",
        _ => return None,
    })
}

pub fn moment(shown: &str) -> Option<DateTime<Utc>> {
    shown.parse().ok().filter(|_| shown.ends_with('Z'))
}

/// Whether it lies before the test: every range here ends or begins centuries away from it.
pub fn is_past(shown: &str) -> bool {
    moment(shown) < moment("2020-01-01T00:00:00Z")
}

/// A running number in a label.
pub fn numbered(label: &str, n: i64) -> String {
    label.replace("{n}", &n.to_string()).replace("{n:02}", &format!("{n:02}"))
}
