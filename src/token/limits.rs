//! The limits of a token's fields, as the contract defines them.

use std::borrow::Cow;

use validator::{Validate, ValidationError};

use super::error::TokenError;
use super::input::Mistakes;
use super::record::{LABEL_MAX_CHARS, Token, VALUE_MAX_BYTES, VALUE_MAX_CHARS};
use super::time::Micros;
use super::uid::Uid;

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
        let changed = self.with_plain_value();
        let keeps_value = changed.value == before.value;
        changed.within_limits(Vec::new(), keeps_value)
    }

    fn within_limits(self, mut mistakes: Vec<TokenError>, keeps_value: bool) -> Result<Self, Mistakes> {
        if let Err(errors) = Limits::of(&self, keeps_value).validate() {
            let by_field = errors.field_errors();
            let errors = FIELDS.iter().filter_map(|field| by_field.get(*field)).flat_map(|errors| errors.iter());
            mistakes.extend(
                errors.map(|error| TokenError::value(error.code.clone(), error.message.clone().unwrap_or_default())),
            );
        }
        if mistakes.is_empty() { Ok(self.with_plain_value()) } else { Err(Mistakes(mistakes)) }
    }

    /// A value that looks like a uid is written as a uid is: a code with capitals is looked up without.
    fn with_plain_value(self) -> Self {
        Self { value: plain_value(self.value), ..self }
    }
}

/// A value as it is stored and looked up: in lower case, if it looks like a uid.
pub(crate) fn plain_value(value: String) -> String {
    value.parse::<Uid>().map_or(value, |uid| uid.to_string())
}

/// Checks a value in a look-up by the same limits: a value that no token can have is an error, not an unknown token.
///
pub(crate) fn check_value(value: &str) -> Result<(), TokenError> {
    value_rules(value).map_err(|error| TokenError::value("value", error.message.unwrap_or_default()))
}

/// The fields with limits, in the order in which errors are reported; rules about several fields come last.
const FIELDS: [&str; 5] = ["value", "label", "usage_count", "lock_time", "__all__"];

/// The fields that the limits are about. The code of an error is the parameter's name.
#[derive(Validate)]
#[validate(schema(function = "cross_field_rules"))]
struct Limits<'a> {
    uid: Uid,
    #[validate(custom(function = "value_rules"))]
    value: &'a str,
    #[validate(custom(function = "label_rules"))]
    label: &'a str,
    #[validate(range(min = -1, code = "usage_count", message = "usage_count must be -1 for unlimited, or 0 to 2147483647"))]
    usage_count: i32,
    #[validate(range(min = 0, code = "lock_time", message = "lock_time must be 0 to 2147483647 seconds"))]
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

fn refuse(param: &'static str, message: impl Into<Cow<'static, str>>) -> Result<(), ValidationError> {
    Err(ValidationError::new(param).with_message(message.into()))
}

fn value_rules(value: &str) -> Result<(), ValidationError> {
    if value.chars().count() > VALUE_MAX_CHARS || value.len() > VALUE_MAX_BYTES {
        let message = format!("A value has at most {VALUE_MAX_CHARS} characters and {VALUE_MAX_BYTES} bytes");
        return refuse("value", message);
    }
    if value.trim() != value {
        return refuse("value", "A value has no white space at its ends");
    }
    if value.chars().any(char::is_control) {
        return refuse("value", "A value has no control characters, line breaks included");
    }
    Ok(())
}

fn label_rules(label: &str) -> Result<(), ValidationError> {
    if label.chars().count() > LABEL_MAX_CHARS {
        return refuse("label", format!("A label has at most {LABEL_MAX_CHARS} characters"));
    }
    if label.chars().any(char::is_control) {
        return refuse("label", "A label has no control characters, line breaks included");
    }
    Ok(())
}

fn cross_field_rules(limits: &Limits<'_>) -> Result<(), ValidationError> {
    // Otherwise a token's value could be the text in another, later token's code. Only what was moved in has such values.
    if !limits.keeps_value && limits.value.parse::<Uid>().is_ok_and(|uid| uid != limits.uid) {
        return refuse("value", "A value that looks like a uid must be the token's own uid");
    }
    match (limits.valid_from, limits.valid_to) {
        (Some(from), Some(to)) if from >= to => refuse("valid_to", "valid_to must be later than valid_from"),
        _ => Ok(()),
    }
}
