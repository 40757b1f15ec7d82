//! Raw text to tokens. "Empty" gets its meaning here and nowhere else.

use std::borrow::Cow;

use chrono_tz::Tz;
use validator::{Validate, ValidationError, ValidationErrors};

use super::{LABEL_MAX_CHARS, Micros, Token, TokenError, UNLIMITED, Uid, VALUE_MAX_BYTES, VALUE_MAX_CHARS, quoted};

/// What a request says of a token, as it was written: `None` where a field is absent.
#[derive(Clone, Debug, Default)]
pub struct RawFields {
    /// `value`; empty means the uid.
    pub value: Option<String>,
    /// `label`; empty means none.
    pub label: Option<String>,
    /// `valid_from`; empty means no bound.
    pub valid_from: Option<String>,
    /// `valid_to`; empty means no bound.
    pub valid_to: Option<String>,
    /// `usage_count`; empty means the settings' default in a new token.
    pub usage_count: Option<String>,
    /// `lock_time` in seconds; empty means the settings' default in a new token.
    pub lock_time: Option<String>,
    /// `add_uses`: a signed number of uses to add to those left.
    pub add_uses: Option<String>,
}

/// What a new token gets for the numbers that a request leaves empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Uses; [`UNLIMITED`] too.
    pub usage_count: i32,
    /// Seconds of lock after a use.
    pub lock_time: i32,
}

/// Who makes a token, when, and with which uid.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The new token's uid.
    pub uid: Uid,
    /// The principal.
    pub creator: String,
    /// The moment.
    pub created: Micros,
}

impl RawFields {
    /// Holds that the four fields are present which cone.tokens' add and edit want, be they empty or not.
    ///
    /// # Errors
    /// An API error that names the first one missing.
    pub fn require(&self) -> Result<(), TokenError> {
        let fields = [
            ("valid_from", &self.valid_from),
            ("valid_to", &self.valid_to),
            ("usage_count", &self.usage_count),
            ("lock_time", &self.lock_time),
        ];
        let missing = fields.into_iter().find(|(_, field)| field.is_none());
        missing.map_or(Ok(()), |(name, _)| Err(TokenError::missing(name)))
    }

    /// The token that these fields describe; a field that is absent is as one that is empty.
    ///
    /// # Errors
    /// A value error of the first field that is outside what is allowed.
    pub fn new_token(&self, origin: Origin, defaults: Defaults, zone: Tz) -> Result<Token, TokenError> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let time = |name, field: &Option<String>| field.as_deref().map_or(Ok(None), |text| read_time(name, text, zone));
        let number = |name, field, default| filled(field).map_or(Ok(default), |text| read_number(name, &text));
        let token = Token {
            value: filled(&self.value).unwrap_or_else(|| origin.uid.to_string()),
            label: filled(&self.label),
            valid_from: time("valid_from", &self.valid_from)?,
            valid_to: time("valid_to", &self.valid_to)?,
            usage_count: number("usage_count", &self.usage_count, defaults.usage_count)?,
            lock_time: number("lock_time", &self.lock_time, defaults.lock_time)?,
            last_used: None,
            lock_start: None,
            uid: origin.uid,
            creator: origin.creator,
            created: origin.created,
            modified: origin.created,
        };
        token.checked()
    }

    /// The change that these fields describe; what is absent stays as it is.
    ///
    /// # Errors
    /// A value error of the first field that cannot be read.
    pub fn change(&self, zone: Tz) -> Result<Change, TokenError> {
        let text = |field: &Option<String>| field.clone().map(|text| Some(text).filter(|text| !text.is_empty()));
        let time = |name, field: &Option<String>| field.as_ref().map(|text| read_time(name, text, zone)).transpose();
        let number = |name, field: &Option<String>| field.as_ref().map(|text| read_number(name, text)).transpose();
        if self.add_uses.is_some() && self.usage_count.is_some() {
            return Err(TokenError::value("add_uses", "add_uses and usage_count cannot be given together"));
        }
        Ok(Change {
            value: text(&self.value),
            label: text(&self.label),
            valid_from: time("valid_from", &self.valid_from)?,
            valid_to: time("valid_to", &self.valid_to)?,
            usage_count: number("usage_count", &self.usage_count)?,
            lock_time: number("lock_time", &self.lock_time)?,
            add_uses: number("add_uses", &self.add_uses)?,
        })
    }
}

/// A change of a token: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A new value; none inside means the uid.
    pub value: Option<Option<String>>,
    /// A new label, or none.
    pub label: Option<Option<String>>,
    /// A new first moment, or no bound.
    pub valid_from: Option<Option<Micros>>,
    /// A new last moment, or no bound.
    pub valid_to: Option<Option<Micros>>,
    /// A new number of uses left.
    pub usage_count: Option<i32>,
    /// New seconds of lock.
    pub lock_time: Option<i32>,
    /// Uses to add to those left.
    pub add_uses: Option<i32>,
}

impl Change {
    /// The token with this change, as it was at the moment of changing: a use that happened meanwhile is kept.
    ///
    /// # Errors
    /// A value error when the changed token would be outside what is allowed.
    pub fn apply(&self, token: &Token) -> Result<Token, TokenError> {
        let mut changed = token.clone();
        if let Some(value) = &self.value {
            changed.value = value.clone().unwrap_or_else(|| token.uid.to_string());
        }
        if let Some(label) = &self.label {
            changed.label.clone_from(label);
        }
        changed.valid_from = self.valid_from.unwrap_or(token.valid_from);
        changed.valid_to = self.valid_to.unwrap_or(token.valid_to);
        changed.lock_time = self.lock_time.unwrap_or(token.lock_time);
        changed.usage_count = self.usage_count.unwrap_or(token.usage_count);
        if let Some(added) = self.add_uses {
            changed.usage_count = add_uses(token.usage_count, added)?;
        }
        changed.checked()
    }
}

fn add_uses(left: i32, added: i32) -> Result<i32, TokenError> {
    if left == UNLIMITED {
        return Err(TokenError::value("add_uses", "The token's uses are unlimited; nothing can be added to them"));
    }
    left.checked_add(added).filter(|sum| *sum >= 0).ok_or_else(|| {
        TokenError::value("add_uses", format!("With {added} the {left} uses left would not be from 0 to {}", i32::MAX))
    })
}

fn read_time(name: &'static str, text: &str, zone: Tz) -> Result<Option<Micros>, TokenError> {
    if text.is_empty() {
        return Ok(None);
    }
    Micros::read(text, zone).map(Some).map_err(|why| TokenError::value(name, format!("{name} {why}")))
}

/// Reads a whole number that fits the column; what it may be beyond that, the token's own rules say.
fn read_number(name: &'static str, text: &str) -> Result<i32, TokenError> {
    text.trim().parse().map_err(|_| {
        let least = if name == "lock_time" { 0 } else { -1 };
        let range = if name == "add_uses" { String::new() } else { format!(" from {least} to {}", i32::MAX) };
        TokenError::value(name, format!("{name} {} is not a whole number{range}", quoted(text)))
    })
}

impl Token {
    /// The token, if it is within the limits of the contract.
    ///
    /// # Errors
    /// A value error of the first field that is not.
    pub fn checked(self) -> Result<Self, TokenError> {
        Limits::of(&self).validate().map_err(|errors| first_of(&errors))?;
        Ok(self)
    }
}

/// A value as a token may have it, when one is looked up: what no token can say is a mistake, and no unknown token.
///
/// # Errors
/// A value error.
pub fn check_value(value: &str) -> Result<(), TokenError> {
    value_rules(value).map_err(|error| TokenError::value("value", error.message.unwrap_or_default()))
}

/// What the limits speak about.
#[derive(Validate)]
#[validate(schema(function = "agree"))]
struct Limits<'a> {
    uid: Uid,
    #[validate(custom(function = "value_rules"))]
    value: &'a str,
    #[validate(custom(function = "label_rules"))]
    label: &'a str,
    #[validate(range(min = -1, message = "usage_count must be -1 for unlimited, or 0 to 2147483647"))]
    usage_count: i32,
    #[validate(range(min = 0, message = "lock_time must be 0 to 2147483647 seconds"))]
    lock_time: i32,
    valid_from: Option<Micros>,
    valid_to: Option<Micros>,
}

impl<'a> Limits<'a> {
    fn of(token: &'a Token) -> Self {
        Self {
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
        let most = format!("A value has at most {VALUE_MAX_CHARS} characters and {VALUE_MAX_BYTES} bytes");
        return refuse("value", most);
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

fn agree(limits: &Limits<'_>) -> Result<(), ValidationError> {
    // Else a token's value could be what the code of another, later token says.
    if limits.value.parse::<Uid>().is_ok_and(|uid| uid != limits.uid) {
        return refuse("value", "A value that looks like a uid must be the token's own uid");
    }
    match (limits.valid_from, limits.valid_to) {
        (Some(from), Some(to)) if from >= to => refuse("valid_to", "valid_to must be later than valid_from"),
        _ => Ok(()),
    }
}

/// One error of several, always the same one.
fn first_of(errors: &ValidationErrors) -> TokenError {
    const ORDER: [(&str, &str); 5] = [
        ("value", "value"),
        ("label", "label"),
        ("usage_count", "usage_count"),
        ("lock_time", "lock_time"),
        ("__all__", ""),
    ];
    let fields = errors.field_errors();
    let first = ORDER.into_iter().find_map(|(field, param)| Some((param, fields.get(field)?.first()?)));
    let Some((param, error)) = first else { return TokenError::value("value", "The token is not valid") };
    let message = error.message.clone().unwrap_or_default();
    // An error of fields that do not agree names its parameter in its code.
    let param = if param.is_empty() && error.code == "valid_to" { "valid_to" } else { param };
    TokenError::value(if param.is_empty() { "value" } else { param }, message)
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
