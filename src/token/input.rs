//! Raw text to tokens. "Empty" gets its meaning here and nowhere else.

use chrono_tz::Tz;

use super::error::TokenError;
use super::quoted::quoted;
use super::record::{Token, UNLIMITED};
use super::time::Micros;
use super::uid::Uid;

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

    /// The token that these fields describe; a field that is absent is as one that is empty.
    ///
    /// # Errors
    /// Every field that is outside what is allowed.
    pub fn new_token(&self, origin: Origin, defaults: Defaults, zone: Tz) -> Result<Token, Mistakes> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let mut read = Reading { zone, mistakes: Vec::new() };
        let token = Token {
            value: filled(&self.value).unwrap_or_else(|| origin.uid.to_string()),
            label: filled(&self.label),
            valid_from: read.time("valid_from", self.valid_from.as_deref()).flatten(),
            valid_to: read.time("valid_to", self.valid_to.as_deref()).flatten(),
            usage_count: read
                .number("usage_count", filled(&self.usage_count).as_deref())
                .unwrap_or(defaults.usage_count),
            lock_time: read.number("lock_time", filled(&self.lock_time).as_deref()).unwrap_or(defaults.lock_time),
            last_used: None,
            lock_start: None,
            used: 0,
            uid: origin.uid,
            creator: origin.creator,
            created: origin.created,
            modified: origin.created,
            batch: None,
            voided: None,
        };
        token.checked_after(read.mistakes)
    }

    /// The change that these fields describe; what is absent stays as it is.
    ///
    /// # Errors
    /// Every field that cannot be read.
    pub(crate) fn change(&self, zone: Tz) -> Result<Change, Mistakes> {
        let text = |field: &Option<String>| field.clone().map(|text| Some(text).filter(|text| !text.is_empty()));
        let mut read = Reading { zone, mistakes: Vec::new() };
        let change = Change {
            value: text(&self.value),
            label: text(&self.label),
            valid_from: read.time("valid_from", self.valid_from.as_deref()),
            valid_to: read.time("valid_to", self.valid_to.as_deref()),
            usage_count: read.number("usage_count", self.usage_count.as_deref()),
            lock_time: read.number("lock_time", self.lock_time.as_deref()),
            add_uses: read.number("add_uses", self.add_uses.as_deref()),
        };
        if self.add_uses.is_some() && self.usage_count.is_some() {
            let both = TokenError::value("add_uses", "add_uses and usage_count cannot be given together");
            read.mistakes.push(both);
        }
        if read.mistakes.is_empty() { Ok(change) } else { Err(Mistakes(read.mistakes)) }
    }
}

/// What is wrong with a token's fields: never empty. A form shows all of it, a JSON view the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub(super) Vec<TokenError>);

impl Mistakes {
    /// Every mistake, in the order of the fields.
    pub(crate) fn all(&self) -> &[TokenError] {
        &self.0
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

/// The time that a parameter says.
///
/// # Errors
/// A value error that names the parameter.
pub(crate) fn read_time(name: &'static str, text: &str, zone: Tz) -> Result<Micros, TokenError> {
    Micros::read(text, zone).map_err(|why| TokenError::value(name, format!("{name} {why}")))
}

/// Reads one field after the other, and remembers what could not be read.
struct Reading {
    zone: Tz,
    mistakes: Vec<TokenError>,
}

impl Reading {
    /// A time, or none inside for an empty text.
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

    /// A whole number that fits the column; what it may be beyond that, the token's limits say.
    fn number(&mut self, name: &'static str, text: Option<&str>) -> Option<i32> {
        let text = text?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            let least = if name == "lock_time" { 0 } else { -1 };
            let range = if name == "add_uses" { String::new() } else { format!(" from {least} to {}", i32::MAX) };
            self.mistakes
                .push(TokenError::value(name, format!("{name} {} is not a whole number{range}", quoted(text))));
        }
        number
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
    /// Every field of the changed token that would be outside what is allowed.
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

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
