//! The limits of a token's fields, as the contract defines them.

use validator::{Validate, ValidationError};

use super::error::TokenError;
use super::input::Mistakes;
use super::problem::Problem;
use super::record::{LABEL_MAX_CHARS, Token, UNLIMITED, VALUE_MAX_BYTES, VALUE_MAX_CHARS};
use super::time::Micros;
use super::uid::Uid;
use super::validation::{errors_of, invalid, invalid_at};
use crate::access::name::has_unseen;

impl Token {
    /// The token, if it is within the limits of the contract.
    ///
    /// # Errors
    /// An error for every field that is not.
    pub(crate) fn checked(self) -> Result<Self, Mistakes> {
        self.checked_with(Vec::new())
    }

    pub(super) fn checked_with(self, mistakes: Vec<TokenError>) -> Result<Self, Mistakes> {
        self.within_limits(mistakes, false)
    }

    /// The token, if it may be what becomes of `before`: it may keep a value that it could not be given.
    ///
    /// # Errors
    /// As those of [`Token::checked`].
    pub(super) fn checked_after(self, before: &Self) -> Result<Self, Mistakes> {
        let changed = self.normalized();
        let keeps_value = changed.value == before.value;
        changed.within_limits(Vec::new(), keeps_value)
    }

    fn within_limits(self, mut mistakes: Vec<TokenError>, keeps_value: bool) -> Result<Self, Mistakes> {
        // People could not tell it from another one. What was stored before such values were refused stays in use.
        if !keeps_value && value_problem(&self.value).is_none() && has_unseen(&self.value) {
            mistakes.push(TokenError::value("value", Problem::InvisibleCharacters));
        }
        if let Err(found) = Limits::of(&self, keeps_value).validate() {
            mistakes.extend(errors_of(&found, &FIELDS));
        }
        if mistakes.is_empty() { Ok(self.normalized()) } else { Err(Mistakes(mistakes)) }
    }

    /// A value that looks like a uid is written as a uid is: a code with capitals is looked up without. A label that shows
    /// nothing is none.
    fn normalized(self) -> Self {
        Self { value: plain_value(self.value), label: self.label.filter(|label| !is_blank(label)), ..self }
    }
}

/// Whether a label shows nothing: white space, and characters that nobody sees. Control characters are refused, and do not
/// count here.
fn is_blank(label: &str) -> bool {
    label.chars().all(|c| !c.is_control() && (c.is_whitespace() || has_unseen(c.encode_utf8(&mut [0; 4]))))
}

/// A value as it is stored and looked up: in lower case, if it looks like a uid.
pub(crate) fn plain_value(value: String) -> String {
    value.parse::<Uid>().map_or(value, |uid| uid.to_string())
}

/// Checks a value in a look-up by the same limits: a value that no token can have is an error, not an unknown token.
pub(crate) fn check_value(value: &str) -> Result<(), TokenError> {
    value_problem(value).map_or(Ok(()), |problem| Err(TokenError::value("value", problem)))
}

/// The fields with limits, in the order in which errors are reported.
const FIELDS: [&str; 4] = ["value", "label", "usage_count", "lock_time"];

/// The fields that the limits are about, named as the parameters.
#[derive(Validate)]
#[validate(schema(function = "cross_field_rules"))]
struct Limits<'a> {
    uid: Uid,
    #[validate(custom(function = "value_rules"))]
    value: &'a str,
    #[validate(custom(function = "label_rules"))]
    label: &'a str,
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: i32,
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: i32,
    valid_from: Option<Micros>,
    valid_to: Option<Micros>,
    keeps_value: bool,
}

impl<'a> Limits<'a> {
    fn of(token: &'a Token, keeps_value: bool) -> Self {
        Self {
            keeps_value,
            uid: token.uid,
            value: &token.value,
            label: token.label.as_deref().unwrap_or_default(),
            usage_count: token.usage_count,
            lock_time: token.lock_time,
            valid_from: token.valid_from,
            valid_to: token.valid_to,
        }
    }
}

fn value_rules(value: &str) -> Result<(), ValidationError> {
    value_problem(value).map_or(Ok(()), |problem| Err(invalid(&problem)))
}

fn value_problem(value: &str) -> Option<Problem> {
    if value.chars().count() > VALUE_MAX_CHARS || value.len() > VALUE_MAX_BYTES {
        return Some(Problem::TooLong { max: VALUE_MAX_CHARS as u64, max_bytes: Some(VALUE_MAX_BYTES as u64) });
    }
    if value.trim() != value {
        return Some(Problem::OuterWhiteSpace);
    }
    value.chars().any(char::is_control).then_some(Problem::ControlCharacters)
}

fn label_rules(label: &str) -> Result<(), ValidationError> {
    line_problem(label, LABEL_MAX_CHARS).map_or(Ok(()), |problem| Err(invalid(&problem)))
}

/// What is wrong with a text that may have so many characters, and must be one line.
pub(crate) fn line_problem(text: &str, max: usize) -> Option<Problem> {
    if text.chars().count() > max {
        return Some(Problem::too_long(max));
    }
    text.chars().any(char::is_control).then_some(Problem::ControlCharacters)
}

fn cross_field_rules(limits: &Limits<'_>) -> Result<(), ValidationError> {
    // Otherwise a token's value could be the text in another, later token's code. Only what was moved in has such values.
    if !limits.keeps_value && limits.value.parse::<Uid>().is_ok_and(|uid| uid != limits.uid) {
        return Err(invalid_at("value", &Problem::NamesAnotherToken));
    }
    match (limits.valid_from, limits.valid_to) {
        (Some(from), Some(to)) if from >= to => {
            Err(invalid_at("valid_to", &Problem::NotLater { than: "valid_from".into() }))
        }
        _ => Ok(()),
    }
}
