//! Voiding: nobody may use the token any more, but it stays in the list, because it was lost or stolen, for example.

use super::error::TokenError;
use super::limits::line_problem;

/// Longest reason, in characters.
pub(crate) const REASON_MAX_CHARS: usize = 200;

/// Suggested reasons.
pub(crate) const REASONS: [&str; 3] = ["Lost", "Stolen", "Misprinted"];

/// Parses a reason: trims white space, and returns none for an empty text.
pub(crate) fn read_reason(text: &str) -> Result<Option<String>, TokenError> {
    let reason = text.trim();
    check_reason(reason)?;
    Ok(Some(reason.to_owned()).filter(|reason| !reason.is_empty()))
}

/// Checks that a reason is short and has no control characters.
pub(crate) fn check_reason(reason: &str) -> Result<(), TokenError> {
    line_problem(reason, REASON_MAX_CHARS).map_or(Ok(()), |problem| Err(TokenError::value("reason", problem)))
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
