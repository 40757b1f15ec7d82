//! Voiding: a token that nobody may use any more, and that stays where it is, as one that was lost or stolen.

use super::error::TokenError;
use super::time::Micros;

/// Longest reason, in characters.
pub(crate) const REASON_MAX_CHARS: usize = 200;

/// Reasons that people are offered.
pub(crate) const REASONS: [&str; 3] = ["Lost", "Stolen", "Misprinted"];

/// That a token is voided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voided {
    /// Since when.
    pub at: Micros,
    /// The principal that voided it.
    pub by: String,
    /// Why, if that was said: as [`check_reason`] allows it.
    pub reason: Option<String>,
}

/// What a raw reason means: without white space at its ends, and nothing for none.
///
/// # Errors
/// As [`check_reason`].
pub(crate) fn read_reason(text: &str) -> Result<Option<String>, TokenError> {
    let reason = text.trim();
    check_reason(reason)?;
    Ok(Some(reason.to_owned()).filter(|reason| !reason.is_empty()))
}

/// Holds that a reason is short and has no control characters.
///
/// # Errors
/// A value error.
pub(crate) fn check_reason(reason: &str) -> Result<(), TokenError> {
    if reason.chars().count() > REASON_MAX_CHARS {
        return Err(TokenError::value("reason", format!("A reason has at most {REASON_MAX_CHARS} characters")));
    }
    if reason.chars().any(char::is_control) {
        return Err(TokenError::value("reason", "A reason has no control characters, line breaks included"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_or_none() {
        assert_eq!(read_reason(""), Ok(None));
        assert_eq!(read_reason("  \n"), Ok(None));
        assert_eq!(read_reason(" Lost "), Ok(Some("Lost".into())));
        let longest = "ä".repeat(REASON_MAX_CHARS);
        assert_eq!(read_reason(&longest), Ok(Some(longest.clone())));
        for bad in [format!("{longest}x"), "a\nb".into(), "a\0b".into(), "\u{1b}[31m".into()] {
            assert!(read_reason(&bad).is_err(), "{bad:?}");
        }
        for reason in REASONS {
            assert_eq!(read_reason(reason), Ok(Some(reason.into())));
        }
    }
}
