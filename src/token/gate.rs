//! Gates: where tokens are used, and what may be done there.

use serde::{Deserialize, Serialize};

use crate::access::name::is_legible;

/// The id of a gate.
pub type GateId = i64;

/// Most characters of a gate's name.
pub(crate) const NAME_MAX_CHARS: usize = 60;

/// Seconds within which a use can be undone where no gate says otherwise.
pub(crate) const UNDO_SECONDS: i32 = 60;

/// The longest time within which a gate allows to undo a use, in seconds: a day.
pub(crate) const UNDO_SECONDS_MAX: i32 = 86_400;

/// What may be done at a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GateRules {
    /// Seconds within which a use can be undone; none if it cannot.
    pub undo_seconds: Option<i32>,
    /// To look up a token without using it, and to test what using it would answer.
    pub look_up: bool,
    /// To type what a code says.
    pub typing: bool,
    /// To use a token several times at once.
    pub several: bool,
}

impl Default for GateRules {
    fn default() -> Self {
        Self { undo_seconds: Some(UNDO_SECONDS), look_up: true, typing: true, several: true }
    }
}

/// Checks the name of a gate: 1 to 60 characters that can be seen, without white space at its ends, so that it looks
/// the same on a screen and in a file.
///
/// # Errors
/// A sentence that says what a name is.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_good = (1..=NAME_MAX_CHARS).contains(&name.chars().count()) && name.trim() == name && is_legible(name);
    if is_good {
        return Ok(());
    }
    Err(format!(
        "A gate's name needs 1 to {NAME_MAX_CHARS} characters, without line breaks, invisible characters, or spaces at its start or end."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gates() {
        for good in ["North", "Tür 3", "A", &"x".repeat(60)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " North", "North ", "a\nb", "a\u{7f}", "North\u{200b}", "\u{202e}htroN", &"x".repeat(61)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rules_that_an_older_version_has_stored_are_completed() {
        let rules: GateRules = serde_json::from_str(r#"{"undo_seconds":null,"several":false}"#).unwrap();
        assert_eq!(rules, GateRules { undo_seconds: None, several: false, ..GateRules::default() });
    }
}
