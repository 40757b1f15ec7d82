//! The form of a token: its fields as text, and their values when the form was made.

use chrono::{Datelike, NaiveDateTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::token::edit::KnownValues;
use crate::token::input::{Change, RawFields};
use crate::token::{Given, Micros, Problem, Token, TokenError, UNLIMITED, Uid};
use crate::web::choice::Choice;
use crate::web::format::{UNITS, in_unit};

/// A lock in seconds; a number or a unit that cannot be read stays as it is, for the domain to refuse.
pub(crate) fn lock_seconds(amount: &str, unit: &str) -> String {
    let length = UNITS.into_iter().find(|(known, _)| *known == unit).map(|(_, length)| length);
    match (amount.trim().parse::<i64>(), length) {
        (Ok(amount), Some(length)) => amount.saturating_mul(length.into()).to_string(),
        _ => format!("{} {unit}", amount.trim()),
    }
}

/// The fields of the form.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct TokenForm {
    /// The value; empty for a random one.
    pub(crate) value: String,
    /// The label; empty for none.
    pub(crate) label: String,
    /// Local time in the configured zone; empty for no bound.
    pub(crate) valid_from: String,
    /// As `valid_from`.
    pub(crate) valid_to: String,
    /// A number of uses.
    pub(crate) usage_count: String,
    /// Any number of uses.
    pub(crate) unlimited: bool,
    /// A number of `lock_unit`.
    pub(crate) lock_time: String,
    /// One of [`UNITS`]; empty for seconds.
    pub(crate) lock_unit: String,
}

/// A moment as `datetime-local` has it (HTML, section 2.3.5.5): to the minute, or to the second where it is no whole minute.
/// Empty for none, and for the last hours of 9999 where the local year is already 10000: browsers empty a field with five
/// digits.
pub(super) fn local(moment: Option<Micros>, zone: Tz) -> String {
    let local = moment.map(|moment| moment.local(zone)).filter(|local| local.year() <= 9999);
    let format = |local: NaiveDateTime| {
        let is_minute = local.second() == 0 && local.nanosecond() == 0;
        local.format(if is_minute { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
    };
    local.map(format).unwrap_or_default()
}

/// How many characters a time without seconds has.
const TO_THE_MINUTE: usize = "2026-11-30T18:00".len();

/// Browsers leave out seconds that are zero.
fn to_the_second(text: &str) -> String {
    if text.len() == TO_THE_MINUTE { format!("{text}:00") } else { text.to_owned() }
}

/// The seconds between the times that a field takes: it shows seconds only where there are any.
fn step(text: &str) -> u8 {
    if text.len() > TO_THE_MINUTE { 1 } else { 60 }
}

impl TokenForm {
    /// A form for a new token.
    pub(crate) fn new(usage_count: i32, lock_time: i32) -> Self {
        let (amount, unit) = in_unit(lock_time);
        let unlimited = usage_count == UNLIMITED;
        Self {
            usage_count: if unlimited { String::new() } else { usage_count.to_string() },
            unlimited,
            lock_time: amount.to_string(),
            lock_unit: unit.to_owned(),
            ..Self::default()
        }
    }

    /// The form of a token.
    pub(crate) fn of(token: &Token, zone: Tz) -> Self {
        Self {
            value: token.value.clone(),
            label: token.label.clone().unwrap_or_default(),
            valid_from: local(token.valid_from, zone),
            valid_to: local(token.valid_to, zone),
            ..Self::new(token.usage_count, token.lock_time)
        }
    }

    /// A form for a new token like this one. It gets a value of its own.
    pub(crate) fn like(token: &Token, zone: Tz) -> Self {
        Self { value: String::new(), ..Self::of(token, zone) }
    }

    /// A form for the next new token, which shares all but what tells this one from others.
    pub(crate) fn for_next(self) -> Self {
        Self { value: String::new(), label: String::new(), ..self }
    }

    /// The `step` of the field for the first moment.
    pub(crate) fn step_from(&self) -> u8 {
        step(&self.valid_from)
    }

    /// The `step` of the field for the last moment.
    pub(crate) fn step_to(&self) -> u8 {
        step(&self.valid_to)
    }

    /// The units of the lock.
    pub(crate) fn lock_units(&self) -> Vec<Choice> {
        Choice::words(UNITS.map(|(unit, _)| unit), self.lock_unit())
    }

    /// The unit of the lock.
    pub(crate) fn lock_unit(&self) -> &str {
        if self.lock_unit.is_empty() { "seconds" } else { &self.lock_unit }
    }

    /// The uses in one word.
    pub(crate) fn uses(&self) -> String {
        if self.unlimited { "unlimited".into() } else { self.usage_count.clone() }
    }

    fn usage_count(&self) -> String {
        if self.unlimited { UNLIMITED.to_string() } else { self.usage_count.trim().to_owned() }
    }

    fn lock_seconds(&self) -> String {
        lock_seconds(&self.lock_time, self.lock_unit())
    }

    /// What was typed before its user had to sign in, and comes back with the address.
    pub(crate) fn brought_back(self) -> Option<Self> {
        // A form always sends the unit of its lock.
        (!self.lock_unit.is_empty()).then_some(self)
    }

    /// All fields, for a new token. No number is a mistake here, and not the default.
    pub(crate) fn raw(&self) -> RawFields {
        let number = |text: String| if text.is_empty() { " ".to_owned() } else { text };
        RawFields {
            value: Some(self.value.clone()),
            label: Some(self.label.clone()),
            valid_from: Some(self.valid_from.clone()),
            valid_to: Some(self.valid_to.clone()),
            usage_count: Some(number(self.usage_count())),
            lock_time: Some(number(self.lock_seconds())),
            add_uses: None,
        }
    }

    /// The fields that `change` changes as they were sent, and the others as they are in `now`.
    #[must_use]
    pub(crate) fn where_changed(&self, change: &Change, now: &Self) -> Self {
        let pick = |changed: bool, yours: &String, now: &String| if changed { yours.clone() } else { now.clone() };
        let (uses, lock) = (change.usage_count.is_some(), change.lock_time.is_some());
        Self {
            value: pick(change.value.is_some(), &self.value, &now.value),
            label: pick(change.label.is_some(), &self.label, &now.label),
            valid_from: pick(change.valid_from.is_some(), &self.valid_from, &now.valid_from),
            valid_to: pick(change.valid_to.is_some(), &self.valid_to, &now.valid_to),
            usage_count: pick(uses, &self.usage_count, &now.usage_count),
            unlimited: if uses { self.unlimited } else { now.unlimited },
            lock_time: pick(lock, &self.lock_time, &now.lock_time),
            lock_unit: pick(lock, &self.lock_unit, &now.lock_unit),
        }
    }
}

/// The button that was pressed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct FormButton {
    /// The name of a time range, which fills in both times and saves nothing.
    pub(crate) preset: String,
    /// Another token is added after this one.
    pub(crate) another: bool,
}

/// The hidden field of a form for a new token.
#[derive(Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct NewTokenUid {
    /// The uid that the token will have: sent twice, the form adds one token.
    pub(crate) token_uid: Option<Uid>,
}

/// The exact values of a token when its form was made, in hidden fields of the form. All of them are sent, also where there
/// was nothing.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
#[allow(clippy::struct_field_names, reason = "they are the names of the hidden fields")]
pub(crate) struct OriginalValues {
    was_value: Given<String>,
    was_label: Given<String>,
    was_valid_from: Given<String>,
    was_valid_to: Given<String>,
    was_usage_count: Given<String>,
    was_lock_time: Given<String>,
}

/// The text of a hidden field.
fn text(given: &Given<String>) -> &str {
    given.as_value().map_or("", String::as_str)
}

impl OriginalValues {
    /// Of a token as it is.
    pub(crate) fn of(token: &Token) -> Self {
        let exact = |moment: Option<Micros>| moment.map(|moment| moment.to_string()).unwrap_or_default();
        let given = |text: String| Given::of(Some(text), String::is_empty);
        Self {
            was_value: given(token.value.clone()),
            was_label: given(token.label.clone().unwrap_or_default()),
            was_valid_from: given(exact(token.valid_from)),
            was_valid_to: given(exact(token.valid_to)),
            was_usage_count: given(token.usage_count.to_string()),
            was_lock_time: given(token.lock_time.to_string()),
        }
    }

    /// Those that came back with [`TokenForm::brought_back`]. Addresses leave out what is empty.
    pub(crate) fn brought_back(self) -> Option<Self> {
        let there = |given| if given == Given::Absent { Given::Empty } else { given };
        let Self { was_value, was_label, was_valid_from, was_valid_to, was_usage_count, was_lock_time } = self;
        let back = Self {
            was_label: there(was_label),
            was_valid_from: there(was_valid_from),
            was_valid_to: there(was_valid_to),
            was_value,
            was_usage_count,
            was_lock_time,
        };
        back.known().is_ok().then_some(back)
    }

    /// The values that the form knew.
    ///
    /// # Errors
    /// What is missing or cannot be read.
    pub(crate) fn known(&self) -> Result<KnownValues, TokenError> {
        let unreadable = |name| TokenError::value(name, Problem::Unreadable);
        let present = |name, given: &Given<String>| match given {
            Given::Absent => Err(TokenError::missing(name)),
            Given::Empty => Ok(None),
            Given::Value(text) => Ok(Some(text.clone())),
        };
        let number =
            |name, given| present(name, given)?.and_then(|text| text.parse().ok()).ok_or_else(|| unreadable(name));
        let time = |name, given| match present(name, given)? {
            None => Ok(None),
            Some(text) => moment(&text).map(Some).ok_or_else(|| unreadable(name)),
        };
        Ok(KnownValues {
            value: Some(present("was_value", &self.was_value)?.unwrap_or_default()),
            label: Some(present("was_label", &self.was_label)?),
            valid_from: Some(time("was_valid_from", &self.was_valid_from)?),
            valid_to: Some(time("was_valid_to", &self.was_valid_to)?),
            usage_count: Some(number("was_usage_count", &self.was_usage_count)?),
            lock_time: Some(number("was_lock_time", &self.was_lock_time)?),
        })
    }

    /// The times that the form's fields cannot show, and therefore leave as they are: their fields' names, and the times.
    pub(crate) fn unshown(&self, zone: Tz) -> Vec<(&'static str, Micros)> {
        let times = [(&self.was_valid_from, "Valid from"), (&self.was_valid_to, "Valid to")];
        let unshown = |(exact, name): (&Given<String>, &'static str)| {
            let exact = moment(text(exact))?;
            local(Some(exact), zone).is_empty().then_some((name, exact))
        };
        times.into_iter().filter_map(unshown).collect()
    }

    /// The fields that were changed. A time with the same seconds was not: its microseconds must not be lost.
    pub(crate) fn changed(&self, form: &TokenForm, zone: Tz) -> RawFields {
        let differs = |was: &Given<String>, now: String| Some(now).filter(|now| text(was) != now);
        let time = |was: &Given<String>, now: &str| {
            let shown = local(moment(text(was)), zone);
            Some(now.to_owned()).filter(|now| to_the_second(&shown) != to_the_second(now))
        };
        // A number that was entered beside "unlimited" contradicts it; one that was there before does not.
        let number = form.usage_count.trim();
        let both = form.unlimited && !number.is_empty() && number != text(&self.was_usage_count);
        let usage_count = if both { format!("{number} or unlimited") } else { form.usage_count() };
        RawFields {
            value: differs(&self.was_value, form.value.clone()),
            label: differs(&self.was_label, form.label.clone()),
            valid_from: time(&self.was_valid_from, &form.valid_from),
            valid_to: time(&self.was_valid_to, &form.valid_to),
            usage_count: differs(&self.was_usage_count, usage_count),
            lock_time: differs(&self.was_lock_time, form.lock_seconds()),
            add_uses: None,
        }
    }
}

fn moment(exact: &str) -> Option<Micros> {
    Micros::read(exact, Tz::UTC).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        let at = |text| Micros::read(text, Tz::UTC).ok();
        Token {
            uid: Uid::random(),
            value: "T-1".into(),
            label: None,
            valid_from: at("2026-10-25T01:30:00.123456Z"),
            valid_to: at("2026-11-30T17:00:00Z"),
            usage_count: UNLIMITED,
            lock_time: 5_400,
            last_used: None,
            lock_start: None,
            used: 0,
            last_entry: None,
            creator: "user:anna".into(),
            created: Micros::EPOCH,
            modified: Micros::EPOCH,
            batch: None,
            voided: None,
        }
    }

    #[test]
    fn a_form_that_is_sent_as_it_was_changes_nothing() {
        let zone = Tz::Europe__Vienna;
        let form = TokenForm::of(&token(), zone);
        // The second of two doubled hours, with microseconds: neither can be said in the field, and neither is lost.
        assert_eq!((form.valid_from.as_str(), form.valid_to.as_str()), ("2026-10-25T02:30:00", "2026-11-30T18:00"));
        assert_eq!((form.step_from(), form.step_to()), (1, 60), "seconds only where there are any");
        assert_eq!((form.lock_time.as_str(), form.lock_unit.as_str()), ("90", "minutes"));
        let with_seconds = TokenForm { valid_to: "2026-11-30T18:00:00".into(), ..form.clone() };
        for sent in [form, with_seconds] {
            assert_eq!(OriginalValues::of(&token()).changed(&sent, zone).change(zone), Ok(Change::default()));
        }
    }

    #[test]
    fn a_time_that_the_field_cannot_show_is_kept_until_another_is_typed() {
        let zone = Tz::Europe__Vienna;
        let last = Micros::read("9999-12-31T23:30:00Z", Tz::UTC).unwrap();
        let parked = Token { valid_from: Some(last), valid_to: Some(Micros::LAST), ..token() };
        let form = TokenForm { label: "Anna".into(), ..TokenForm::of(&parked, zone) };
        assert_eq!((form.valid_from.as_str(), form.valid_to.as_str()), ("", ""));
        let change = OriginalValues::of(&parked).changed(&form, zone).change(zone).unwrap();
        assert_eq!(change, Change { label: Some(Some("Anna".into())), ..Change::default() });
        let unshown = OriginalValues::of(&parked).unshown(zone);
        assert_eq!(unshown, [("Valid from", last), ("Valid to", Micros::LAST)]);
        assert_eq!(OriginalValues::of(&parked).unshown(Tz::UTC), []);
        let typed = TokenForm { valid_from: "2026-01-01T00:00".into(), ..form };
        assert!(OriginalValues::of(&parked).changed(&typed, zone).change(zone).unwrap().valid_from.is_some());
    }

    #[test]
    fn a_form_says_what_was_changed() {
        let zone = Tz::Europe__Vienna;
        let form = TokenForm {
            unlimited: false,
            usage_count: "3".into(),
            valid_to: String::new(),
            ..TokenForm::of(&token(), zone)
        };
        let change = OriginalValues::of(&token()).changed(&form, zone).change(zone).unwrap();
        assert_eq!(change, Change { usage_count: Some(3), valid_to: Some(None), ..Change::default() });
    }
}
