//! Parses the fields of a token. Only this module decides what an empty field means.

use chrono_tz::Tz;

use super::error::TokenError;
use super::given::Given;
use super::problem::Problem;
use super::record::{Token, UNLIMITED};
use super::time::Micros;
use super::uid::Uid;
use super::written_time::WrittenTime;

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

/// A token's fields, parsed.
#[derive(Clone, Debug, Default)]
pub struct TokenFields {
    /// The value; empty means the uid.
    pub value: Given<String>,
    /// The label; empty means none.
    pub label: Given<String>,
    /// The first moment; empty means no bound.
    pub valid_from: Given<WrittenTime>,
    /// The last moment; empty means no bound.
    pub valid_to: Given<WrittenTime>,
    /// The uses left; in a new token, empty means the default from the settings.
    pub usage_count: Given<i32>,
    /// Seconds of lock after a use; in a new token, empty means the default from the settings.
    pub lock_time: Given<i32>,
    /// A number to add to the uses left.
    pub add_uses: Given<i32>,
}

impl RawFields {
    /// The new token that these fields describe. An absent field is like an empty one.
    ///
    /// # Errors
    /// An error for every field that cannot be parsed or breaks a limit.
    pub fn new_token(&self, origin: Origin, defaults: Defaults, zone: Tz) -> Result<Token, Mistakes> {
        let (fields, mistakes) = self.parse();
        fields.new_token_beside(mistakes, origin, defaults, zone)
    }

    /// The change that these fields describe. An absent field stays as it is.
    ///
    /// # Errors
    /// An error for every field that cannot be parsed.
    pub(crate) fn change(&self, zone: Tz) -> Result<Change, Mistakes> {
        let (fields, mistakes) = self.parse();
        fields.change_beside(mistakes, zone)
    }

    /// The fields that can be parsed, and what is wrong with the others.
    fn parse(&self) -> (TokenFields, Vec<TokenError>) {
        let text = |field: &Option<String>| Given::of(field.clone(), String::is_empty);
        let mut mistakes = Vec::new();
        let mut parser = FieldParser { mistakes: &mut mistakes };
        let fields = TokenFields {
            value: text(&self.value),
            label: text(&self.label),
            valid_from: parser.parse("valid_from", self.valid_from.as_deref(), str::parse),
            valid_to: parser.parse("valid_to", self.valid_to.as_deref(), str::parse),
            usage_count: parser.integer("usage_count", self.usage_count.as_deref()),
            lock_time: parser.integer("lock_time", self.lock_time.as_deref()),
            add_uses: parser.integer("add_uses", self.add_uses.as_deref()),
        };
        (fields, mistakes)
    }
}

impl TokenFields {
    /// The new token that these fields describe. An absent field is like an empty one.
    ///
    /// # Errors
    /// An error for every field that breaks a limit.
    pub fn new_token(self, origin: Origin, defaults: Defaults, zone: Tz) -> Result<Token, Mistakes> {
        self.new_token_beside(Vec::new(), origin, defaults, zone)
    }

    fn new_token_beside(
        self,
        mut mistakes: Vec<TokenError>,
        origin: Origin,
        defaults: Defaults,
        zone: Tz,
    ) -> Result<Token, Mistakes> {
        let mut bound = |name, time: Given<WrittenTime>| note(moment(name, time, zone), &mut mistakes).flatten();
        let token = Token {
            value: self.value.value().unwrap_or_else(|| origin.uid.to_string()),
            label: self.label.value(),
            valid_from: bound("valid_from", self.valid_from),
            valid_to: bound("valid_to", self.valid_to),
            usage_count: self.usage_count.value().unwrap_or(defaults.usage_count),
            lock_time: self.lock_time.value().unwrap_or(defaults.lock_time),
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
        token.checked_with(mistakes)
    }

    /// The change that these fields describe. An absent field stays as it is.
    ///
    /// # Errors
    /// An error for every field that says nothing that it could be changed to.
    pub(crate) fn change(self, zone: Tz) -> Result<Change, Mistakes> {
        self.change_beside(Vec::new(), zone)
    }

    fn change_beside(self, mut mistakes: Vec<TokenError>, zone: Tz) -> Result<Change, Mistakes> {
        if self.add_uses != Given::Absent && self.usage_count != Given::Absent {
            mistakes.push(TokenError::value("add_uses", Problem::NotTogether { with: "usage_count".into() }));
        }
        let mut bound = |name, time: Given<WrittenTime>| note(moment(name, time, zone), &mut mistakes);
        let (valid_from, valid_to) = (bound("valid_from", self.valid_from), bound("valid_to", self.valid_to));
        let mut number = |name, number: Given<i32>| note(filled(name, number), &mut mistakes);
        let change = Change {
            value: self.value.present(),
            label: self.label.present(),
            valid_from,
            valid_to,
            usage_count: number("usage_count", self.usage_count),
            lock_time: number("lock_time", self.lock_time),
            add_uses: number("add_uses", self.add_uses),
        };
        if mistakes.is_empty() { Ok(change) } else { Err(Mistakes(mistakes)) }
    }
}

/// What was read; a mistake is noted.
fn note<T>(read: Result<Option<T>, TokenError>, mistakes: &mut Vec<TokenError>) -> Option<T> {
    read.unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        None
    })
}

/// A bound; `Some(None)` for none.
#[allow(clippy::option_option, reason = "absent, empty and a time are three things")]
fn moment(name: &'static str, time: Given<WrittenTime>, zone: Tz) -> Result<Option<Option<Micros>>, TokenError> {
    let at = |time: WrittenTime| time.moment(name, zone).map_err(|problem| TokenError::value(name, problem));
    time.present().map(|time| time.map(at).transpose()).transpose()
}

/// A number that cannot be empty.
fn filled(name: &'static str, number: Given<i32>) -> Result<Option<i32>, TokenError> {
    match number {
        Given::Empty => Err(TokenError::value(name, Problem::Empty)),
        number => Ok(number.value()),
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
        first.unwrap_or_else(|| Self::value("value", Problem::Unreadable))
    }
}

/// Parses the time in a parameter. A day as the end of a range counts as a whole.
///
/// # Errors
/// A value error that names the parameter.
pub(crate) fn read_time(name: &'static str, text: &str, zone: Tz) -> Result<Micros, TokenError> {
    let read = text.parse::<WrittenTime>().and_then(|time| time.moment(name, zone));
    read.map_err(|problem| TokenError::value(name, problem))
}

/// Parses one field after the other and collects the errors.
struct FieldParser<'a> {
    mistakes: &'a mut Vec<TokenError>,
}

impl FieldParser<'_> {
    fn parse<T>(
        &mut self,
        name: &'static str,
        text: Option<&str>,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Given<T> {
        match text.map(|text| if text.is_empty() { Ok(None) } else { read(text).map(Some) }) {
            None => Given::Absent,
            Some(Ok(None)) => Given::Empty,
            Some(Ok(Some(value))) => Given::Value(value),
            Some(Err(problem)) => {
                self.mistakes.push(TokenError::value(name, problem));
                Given::Absent
            }
        }
    }

    /// A whole number that fits into the column. Narrower limits are checked with the token.
    fn integer(&mut self, name: &'static str, text: Option<&str>) -> Given<i32> {
        let least = match name {
            "usage_count" => UNLIMITED,
            "add_uses" => i32::MIN,
            _ => 0,
        };
        self.parse(name, text, |text| text.trim().parse().map_err(|_| Problem::not_an_integer(text, least, i32::MAX)))
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
    /// Whether it changes how many uses are left.
    pub(crate) fn changes_uses(&self) -> bool {
        self.usage_count.is_some() || self.add_uses.is_some()
    }

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
        changed.checked_after(token).map_err(|mistakes| self.blamed(mistakes))
    }

    /// The same with the bound that was given at fault: who sets the beginning alone is not told of the end.
    fn blamed(&self, Mistakes(mut mistakes): Mistakes) -> Mistakes {
        let not_later = TokenError::value("valid_to", Problem::NotLater { than: "valid_from".into() });
        if self.valid_from.is_some() && self.valid_to.is_none() {
            let not_earlier = TokenError::value("valid_from", Problem::NotEarlier { than: "valid_to".into() });
            mistakes.iter_mut().filter(|mistake| **mistake == not_later).for_each(|it| *it = not_earlier.clone());
        }
        Mistakes(mistakes)
    }
}

fn add_uses(left: i32, added: i32) -> Result<i32, TokenError> {
    if left == UNLIMITED {
        return Err(TokenError::value("add_uses", Problem::Unlimited));
    }
    let sum = left.checked_add(added).filter(|sum| *sum >= 0);
    let refused = Problem::UsesLeftOutOfRange { uses_left: left, add_uses: added };
    sum.ok_or_else(|| TokenError::value("add_uses", refused))
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
