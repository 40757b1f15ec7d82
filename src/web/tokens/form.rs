//! The form of a token: its fields as text, and their values when the form was made.

use chrono::Datelike;
use chrono_tz::Tz;

use crate::token::edit::KnownValues;
use crate::token::input::{Change, RawFields};
use crate::token::{Micros, Problem, Token, TokenError, UNLIMITED, Uid};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::format::{UNITS, in_unit};
use crate::web::params::RawParams;

/// A lock in seconds; a number or a unit that cannot be read stays as it is, for the domain to refuse.
pub(crate) fn lock_seconds(amount: &str, unit: &str) -> String {
    let length = UNITS.into_iter().find(|(known, _)| *known == unit).map(|(_, length)| length);
    match (amount.trim().parse::<i64>(), length) {
        (Ok(amount), Some(length)) => amount.saturating_mul(length.into()).to_string(),
        _ => format!("{} {unit}", amount.trim()),
    }
}

/// The fields of the form.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenForm {
    /// The value; empty for a random one.
    pub(crate) value: String,
    /// The label; empty for none.
    pub(crate) label: String,
    /// Local time in the configured zone, to the second; empty for no bound.
    pub(crate) valid_from: String,
    /// As `valid_from`.
    pub(crate) valid_to: String,
    /// A number of uses.
    pub(crate) usage_count: String,
    /// Any number of uses.
    pub(crate) unlimited: bool,
    /// A number of `lock_unit`.
    pub(crate) lock_time: String,
    /// One of [`UNITS`].
    pub(crate) lock_unit: String,
}

/// A moment as `datetime-local` has it (HTML, section 2.3.5.5), to the second. Empty for none, and for the last hours of
/// 9999 where the local year is already 10000: browsers empty a field with five digits.
fn local(moment: Option<Micros>, zone: Tz) -> String {
    let local = moment.map(|moment| moment.local(zone)).filter(|local| local.year() <= 9999);
    local.map(|local| local.format("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default()
}

/// Browsers leave out seconds that are zero.
fn to_the_second(text: &str) -> String {
    if text.len() == 16 { format!("{text}:00") } else { text.to_owned() }
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

    /// The fields that were sent.
    pub(crate) fn read<const L: usize>(params: &RawParams<L>) -> Result<Self, Error> {
        let text = |name| params.text(name).map(Option::unwrap_or_default);
        let unit = params.filled("lock_unit")?;
        Ok(Self {
            value: text("value")?,
            label: text("label")?,
            valid_from: text("valid_from")?,
            valid_to: text("valid_to")?,
            usage_count: text("usage_count")?,
            unlimited: params.filled("unlimited")?.is_some(),
            lock_time: text("lock_time")?,
            lock_unit: unit.unwrap_or_else(|| "seconds".into()),
        })
    }

    /// The units of the lock.
    pub(crate) fn lock_units(&self) -> Vec<Choice> {
        Choice::words(UNITS.map(|(unit, _)| unit), &self.lock_unit)
    }

    /// The uses in one word.
    pub(crate) fn uses(&self) -> String {
        if self.unlimited { "unlimited".into() } else { self.usage_count.clone() }
    }

    fn usage_count(&self) -> String {
        if self.unlimited { UNLIMITED.to_string() } else { self.usage_count.trim().to_owned() }
    }

    fn lock_seconds(&self) -> String {
        lock_seconds(&self.lock_time, &self.lock_unit)
    }

    /// What was typed before its user had to sign in, and comes back with the address.
    pub(crate) fn brought_back(params: &RawParams) -> Result<Option<Self>, Error> {
        // A form always sends the unit of its lock.
        Ok(if params.filled("lock_unit")?.is_some() { Some(Self::read(params)?) } else { None })
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

/// Hidden fields of the form.
pub(crate) struct HiddenFields(Vec<(&'static str, String)>);

impl HiddenFields {
    /// The uid that a new token will have.
    pub(crate) fn new_token(uid: Uid) -> Self {
        Self(vec![("token_uid", uid.to_string())])
    }

    /// The exact values of a token when the form is made.
    pub(crate) fn of(token: &Token) -> Self {
        let exact = |moment: Option<Micros>| moment.map(|moment| moment.to_string()).unwrap_or_default();
        Self(vec![
            ("was_value", token.value.clone()),
            ("was_label", token.label.clone().unwrap_or_default()),
            ("was_valid_from", exact(token.valid_from)),
            ("was_valid_to", exact(token.valid_to)),
            ("was_usage_count", token.usage_count.to_string()),
            ("was_lock_time", token.lock_time.to_string()),
        ])
    }

    /// The times that the form's fields cannot show, and therefore leave as they are: their fields' names, and the times.
    pub(crate) fn unshown(&self, zone: Tz) -> Vec<(&'static str, Micros)> {
        let times = [("was_valid_from", "Valid from"), ("was_valid_to", "Valid to")];
        let unshown = |(field, name): (&str, &'static str)| {
            let exact = self.0.iter().find(|(known, _)| *known == field).and_then(|(_, exact)| moment(exact))?;
            local(Some(exact), zone).is_empty().then_some((name, exact))
        };
        times.into_iter().filter_map(unshown).collect()
    }

    /// Names and values.
    pub(crate) fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }
}

/// The values of the form when it was made, from its hidden fields.
pub(crate) struct OriginalValues {
    value: String,
    label: String,
    valid_from: String,
    valid_to: String,
    usage_count: String,
    lock_time: String,
    known: KnownValues,
}

impl OriginalValues {
    /// The hidden fields of a form that was sent. They show what was changed.
    pub(crate) fn read(params: &RawParams) -> Result<Self, Error> {
        Self::of(|name| params.text(name)?.ok_or_else(|| TokenError::missing(name).into()))
    }

    fn of(text: impl Fn(&'static str) -> Result<String, Error>) -> Result<Self, Error> {
        let unreadable = |name: &'static str| TokenError::value(name, Problem::Unreadable);
        let number = |name, text: &str| text.parse::<i32>().map_err(|_| unreadable(name));
        let time = |name, text: &str| match text {
            "" => Ok(None),
            text => moment(text).map(Some).ok_or_else(|| unreadable(name)),
        };
        let (value, label) = (text("was_value")?, text("was_label")?);
        let (valid_from, valid_to) = (text("was_valid_from")?, text("was_valid_to")?);
        let (usage_count, lock_time) = (text("was_usage_count")?, text("was_lock_time")?);
        let known = KnownValues {
            value: Some(value.clone()),
            label: Some(Some(label.clone()).filter(|label| !label.is_empty())),
            valid_from: Some(time("was_valid_from", &valid_from)?),
            valid_to: Some(time("was_valid_to", &valid_to)?),
            usage_count: Some(number("was_usage_count", &usage_count)?),
            lock_time: Some(number("was_lock_time", &lock_time)?),
        };
        Ok(Self { value, label, valid_from, valid_to, usage_count, lock_time, known })
    }

    /// The hidden fields that came back with [`TokenForm::brought_back`]. Addresses leave out what is empty.
    pub(crate) fn brought_back(params: &RawParams) -> Result<Option<Self>, Error> {
        let is_back = params.filled("was_value")?.is_some();
        Ok(is_back.then(|| Self::of(|name| Ok(params.text(name)?.unwrap_or_default())).ok()).flatten())
    }

    /// The same hidden fields again.
    pub(crate) fn fields(&self) -> HiddenFields {
        HiddenFields(vec![
            ("was_value", self.value.clone()),
            ("was_label", self.label.clone()),
            ("was_valid_from", self.valid_from.clone()),
            ("was_valid_to", self.valid_to.clone()),
            ("was_usage_count", self.usage_count.clone()),
            ("was_lock_time", self.lock_time.clone()),
        ])
    }

    /// The fields that were changed. A time with the same seconds was not: its microseconds must not be lost.
    pub(crate) fn changed(&self, form: &TokenForm, zone: Tz) -> RawFields {
        let differs = |was: &String, text: String| Some(text).filter(|text| was != text);
        let time = |was: &str, text: &str| {
            let shown = local(moment(was), zone);
            Some(text.to_owned()).filter(|text| shown != to_the_second(text))
        };
        // A number that was entered beside "unlimited" contradicts it; one that was there before does not.
        let number = form.usage_count.trim();
        let both = form.unlimited && !number.is_empty() && number != self.usage_count;
        let usage_count = if both { format!("{number} or unlimited") } else { form.usage_count() };
        RawFields {
            value: differs(&self.value, form.value.clone()),
            label: differs(&self.label, form.label.clone()),
            valid_from: time(&self.valid_from, &form.valid_from),
            valid_to: time(&self.valid_to, &form.valid_to),
            usage_count: differs(&self.usage_count, usage_count),
            lock_time: differs(&self.lock_time, form.lock_seconds()),
            add_uses: None,
        }
    }

    /// The values that the form knew.
    pub(crate) fn known(&self) -> KnownValues {
        self.known.clone()
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

    fn was(token: &Token) -> OriginalValues {
        let fields = HiddenFields::of(token);
        let field = |name| fields.pairs().iter().find(|(of, _)| *of == name).map(|(_, text)| text.clone()).unwrap();
        OriginalValues {
            value: field("was_value"),
            label: field("was_label"),
            valid_from: field("was_valid_from"),
            valid_to: field("was_valid_to"),
            usage_count: field("was_usage_count"),
            lock_time: field("was_lock_time"),
            known: KnownValues::default(),
        }
    }

    #[test]
    fn a_form_that_is_sent_as_it_was_changes_nothing() {
        let zone = Tz::Europe__Vienna;
        let form = TokenForm::of(&token(), zone);
        // The second of two doubled hours, with microseconds: neither can be said in the field, and neither is lost.
        assert_eq!((form.valid_from.as_str(), form.valid_to.as_str()), ("2026-10-25T02:30:00", "2026-11-30T18:00:00"));
        assert_eq!((form.lock_time.as_str(), form.lock_unit.as_str()), ("90", "minutes"));
        let without_seconds = TokenForm { valid_to: "2026-11-30T18:00".into(), ..form.clone() };
        for sent in [form, without_seconds] {
            assert_eq!(was(&token()).changed(&sent, zone).change(zone), Ok(Change::default()));
        }
    }

    #[test]
    fn a_time_that_the_field_cannot_show_is_kept_until_another_is_typed() {
        let zone = Tz::Europe__Vienna;
        let last = Micros::read("9999-12-31T23:30:00Z", Tz::UTC).unwrap();
        let parked = Token { valid_from: Some(last), valid_to: Some(Micros::LAST), ..token() };
        let form = TokenForm { label: "Anna".into(), ..TokenForm::of(&parked, zone) };
        assert_eq!((form.valid_from.as_str(), form.valid_to.as_str()), ("", ""));
        let change = was(&parked).changed(&form, zone).change(zone).unwrap();
        assert_eq!(change, Change { label: Some(Some("Anna".into())), ..Change::default() });
        let unshown = HiddenFields::of(&parked).unshown(zone);
        assert_eq!(unshown, [("Valid from", last), ("Valid to", Micros::LAST)]);
        assert_eq!(HiddenFields::of(&parked).unshown(Tz::UTC), []);
        let typed = TokenForm { valid_from: "2026-01-01T00:00".into(), ..form };
        assert!(was(&parked).changed(&typed, zone).change(zone).unwrap().valid_from.is_some());
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
        let change = was(&token()).changed(&form, zone).change(zone).unwrap();
        assert_eq!(change, Change { usage_count: Some(3), valid_to: Some(None), ..Change::default() });
    }
}
