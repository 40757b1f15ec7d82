//! Parses the fields of a token. Only this module decides what an empty field means.

use chrono_tz::Tz;

use super::error::TokenError;
use super::quoted::quoted;
use super::record::{Token, UNLIMITED};
use super::time::Micros;
use super::uid::Uid;

/// A token's fields as text, as the request sent them. `None` if a field is absent.
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
    /// `usage_count`; in a new token, empty means the default from the settings.
    pub usage_count: Option<String>,
    /// `lock_time` in seconds; in a new token, empty means the default from the settings.
    pub lock_time: Option<String>,
    /// `add_uses`: a signed number to add to the uses left.
    pub add_uses: Option<String>,
}

/// Defaults for the numbers that a request leaves empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Uses; may be [`UNLIMITED`].
    pub usage_count: i32,
    /// Seconds of lock after a use.
    pub lock_time: i32,
}

/// Who creates a token, when, and with which uid.
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
    /// Checks that the four fields required by cone.tokens' add and edit are present, empty or not.
    ///
    /// # Errors
    /// An API error that names the first missing field.
    pub(crate) fn require(&self) -> Result<(), TokenError> {
        let fields = [
            ("valid_from", &self.valid_from),
            ("valid_to", &self.valid_to),
            ("usage_count", &self.usage_count),
            ("lock_time", &self.lock_time),
        ];
        let missing = fields.into_iter().find(|(_, field)| field.is_none());
        missing.map_or(Ok(()), |(name, _)| Err(TokenError::missing(name)))
    }

    /// The new token that these fields describe. An absent field is like an empty one.
    ///
    /// # Errors
    /// An error for every field that cannot be parsed or breaks a limit.
    pub fn new_token(&self, origin: Origin, defaults: Defaults, zone: Tz) -> Result<Token, Mistakes> {
        let non_empty = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let mut parser = FieldParser { zone, mistakes: Vec::new() };
        let token = Token {
            value: non_empty(&self.value).unwrap_or_else(|| origin.uid.to_string()),
            label: non_empty(&self.label),
            valid_from: parser.time("valid_from", self.valid_from.as_deref()).flatten(),
            valid_to: parser.time("valid_to", self.valid_to.as_deref()).flatten(),
            usage_count: parser
                .integer("usage_count", non_empty(&self.usage_count).as_deref())
                .unwrap_or(defaults.usage_count),
            lock_time: parser.integer("lock_time", non_empty(&self.lock_time).as_deref()).unwrap_or(defaults.lock_time),
            last_used: None,
            lock_start: None,
            used: 0,
            last_entry: None,
            uid: origin.uid,
            creator: origin.creator,
            created: origin.created,
            modified: origin.created,
            batch: None,
            voided: None,
        };
        token.checked_with(parser.mistakes)
    }

    /// The change that these fields describe. An absent field stays as it is.
    ///
    /// # Errors
    /// An error for every field that cannot be parsed.
    pub(crate) fn change(&self, zone: Tz) -> Result<Change, Mistakes> {
        let text = |field: &Option<String>| field.clone().map(|text| Some(text).filter(|text| !text.is_empty()));
        let mut parser = FieldParser { zone, mistakes: Vec::new() };
        let change = Change {
            value: text(&self.value),
            label: text(&self.label),
            valid_from: parser.time("valid_from", self.valid_from.as_deref()),
            valid_to: parser.time("valid_to", self.valid_to.as_deref()),
            usage_count: parser.integer("usage_count", self.usage_count.as_deref()),
            lock_time: parser.integer("lock_time", self.lock_time.as_deref()),
            add_uses: parser.integer("add_uses", self.add_uses.as_deref()),
        };
        if self.add_uses.is_some() && self.usage_count.is_some() {
            let both = TokenError::value("add_uses", "add_uses and usage_count cannot be given together");
            parser.mistakes.push(both);
        }
        if parser.mistakes.is_empty() { Ok(change) } else { Err(Mistakes(parser.mistakes)) }
    }
}

/// The errors in a token's fields; at least one. Forms show all of them, JSON views the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub(super) Vec<TokenError>);

impl Mistakes {
    /// Every error, in the order of the fields.
    pub(crate) fn all(&self) -> &[TokenError] {
        &self.0
    }

    /// The errors themselves.
    pub(crate) fn into_all(self) -> Vec<TokenError> {
        self.0
    }
}

impl From<TokenError> for Mistakes {
    fn from(error: TokenError) -> Self {
        Self(vec![error])
    }
}

impl From<Mistakes> for TokenError {
    fn from(mistakes: Mistakes) -> Self {
        let first = mistakes.0.into_iter().next();
        first.unwrap_or_else(|| Self::value("value", "The token is not valid"))
    }
}

/// Parses the time in a parameter.
///
/// # Errors
/// A value error that names the parameter.
pub(crate) fn read_time(name: &'static str, text: &str, zone: Tz) -> Result<Micros, TokenError> {
    Micros::read(text, zone).map_err(|why| TokenError::value(name, format!("{name} {why}")))
}

/// Parses one field after the other and collects the errors.
struct FieldParser {
    zone: Tz,
    mistakes: Vec<TokenError>,
}

impl FieldParser {
    /// A time; `Some(None)` for an empty text.
    #[allow(clippy::option_option, reason = "absent, empty and a time are three things")]
    fn time(&mut self, name: &'static str, text: Option<&str>) -> Option<Option<Micros>> {
        let read = |text: &str| match text {
            "" => Ok(None),
            text => read_time(name, text, self.zone).map(Some),
        };
        match read(text?) {
            Ok(time) => Some(time),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        }
    }

    /// A whole number that fits into the column. Narrower limits are checked with the token.
    fn integer(&mut self, name: &'static str, text: Option<&str>) -> Option<i32> {
        let text = text?;
        let integer = text.trim().parse().ok();
        if integer.is_none() {
            let least = if name == "lock_time" { 0 } else { -1 };
            let range = if name == "add_uses" { String::new() } else { format!(" from {least} to {}", i32::MAX) };
            self.mistakes
                .push(TokenError::value(name, format!("{name} {} is not a whole number{range}", quoted(text))));
        }
        integer
    }
}

/// A change of a token. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A new value; `Some(None)` means the uid.
    pub value: Option<Option<String>>,
    /// A new label; `Some(None)` removes it.
    pub label: Option<Option<String>>,
    /// A new first moment; `Some(None)` removes the bound.
    pub valid_from: Option<Option<Micros>>,
    /// A new last moment; `Some(None)` removes the bound.
    pub valid_to: Option<Option<Micros>>,
    /// A new number of uses left.
    pub usage_count: Option<i32>,
    /// A new lock time in seconds.
    pub lock_time: Option<i32>,
    /// A number to add to the uses left.
    pub add_uses: Option<i32>,
}

impl Change {
    /// Applies the change to the token as it is now, so that a use in the meantime is not lost.
    ///
    /// # Errors
    /// An error for every field of the changed token that breaks a limit.
    pub(crate) fn apply(&self, token: &Token) -> Result<Token, Mistakes> {
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
        changed.checked_after(token)
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

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
