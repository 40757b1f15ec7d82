//! The form of a gate.

use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::store::gates::Gate;
use crate::token::gate::{GateRules, UNDO_SECONDS, UNDO_SECONDS_MAX, check_name};
use crate::token::{Problem, TokenError, Uid};
use crate::web::choice::Choice;
use crate::web::conflict::Merge;
use crate::web::form_errors::FormErrors;
use crate::web::pairs::pairs_of;
use crate::web::params::trimmed;
use crate::web::words;

/// The fields of the form, as they were sent.
#[derive(Clone, Default, Deserialize, Validate)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a box to tick")]
pub(crate) struct GateForm {
    #[serde(deserialize_with = "trimmed")]
    pub(super) name: String,
    /// Seconds; empty if uses cannot be undone.
    #[serde(deserialize_with = "trimmed")]
    undo: String,
    pub(super) look_up: bool,
    pub(super) typing: bool,
    pub(super) several: bool,
    #[serde(rename = "open")]
    pub(super) is_open: bool,
}

/// What the form of a new gate knows: sent twice, it adds one gate.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NewGate {
    pub(super) gate_uid: Option<Uid>,
}

/// What the form of a gate knew, in its hidden fields.
#[derive(Default, Deserialize, Serialize, Validate)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "each is a box to tick, as it was")]
pub(crate) struct KnownGate {
    #[serde(deserialize_with = "trimmed")]
    was_name: String,
    #[serde(deserialize_with = "trimmed")]
    was_undo: String,
    was_look_up: bool,
    was_typing: bool,
    was_several: bool,
    was_open: bool,
}

impl KnownGate {
    /// As the form was; none, if nothing says so.
    pub(super) fn was(self) -> Option<GateForm> {
        let Self {
            was_name: name,
            was_undo: undo,
            was_look_up: look_up,
            was_typing: typing,
            was_several: several,
            was_open: is_open,
        } = self;
        // No gate's name is empty.
        (!name.is_empty()).then_some(GateForm { name, undo, look_up, typing, several, is_open })
    }
}

impl From<GateForm> for KnownGate {
    fn from(form: GateForm) -> Self {
        Self {
            was_name: form.name,
            was_undo: form.undo,
            was_look_up: form.look_up,
            was_typing: form.typing,
            was_several: form.several,
            was_open: form.is_open,
        }
    }
}

impl GateForm {
    fn new(name: String, rules: &GateRules, is_open: bool) -> Self {
        let undo = rules.undo_seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        let GateRules { look_up, typing, several, .. } = *rules;
        Self { name, undo, look_up, typing, several, is_open }
    }

    /// As a new gate is at first.
    pub(super) fn of_new() -> Self {
        Self::new(String::new(), &GateRules::default(), true)
    }

    /// As the gate is.
    pub(super) fn of(gate: &Gate) -> Self {
        Self::new(gate.name.clone(), &gate.rules, gate.disabled.is_none())
    }

    /// As it was typed before its user had to sign in; none, if nothing came with the address.
    pub(super) fn brought_back(self) -> Option<Self> {
        (!self.name.is_empty()).then_some(self)
    }

    /// The hidden fields of a form that shows this.
    pub(super) fn hidden_fields(&self) -> Vec<(&'static str, String)> {
        pairs_of(&KnownGate::from(self.clone()))
    }

    /// The form with what its user changed, and all else as it is `now`.
    pub(super) fn merged(&self, was: &Self, now: &Self, merge: &mut Merge) -> Self {
        // Who changes a box can change it to one thing only: there is no conflict.
        let ticked = |was: bool, now: bool, yours: bool| if yours == was { now } else { yours };
        Self {
            look_up: ticked(was.look_up, now.look_up, self.look_up),
            typing: ticked(was.typing, now.typing, self.typing),
            several: ticked(was.several, now.several, self.several),
            is_open: ticked(was.is_open, now.is_open, self.is_open),
            name: merge.field(("name", words::gates::NAME), [&was.name, &now.name, &self.name], Clone::clone),
            undo: merge.field(("undo", words::gates::UNDO_WITHIN), [&was.undo, &now.undo, &self.undo], |undo| {
                undo_words(undo)
            }),
        }
    }

    /// What may be done at the gate; errors are added.
    pub(super) fn rules(&self, errors: &mut FormErrors) -> GateRules {
        if let Err(why) = check_name(&self.name) {
            errors.add("name", why);
        }
        let seconds = Some(self.undo.as_str()).filter(|undo| !undo.is_empty()).map(str::parse::<i32>);
        let undo_seconds = match seconds {
            None => None,
            Some(Ok(seconds)) if (1..=UNDO_SECONDS_MAX).contains(&seconds) => Some(seconds),
            Some(_) => {
                let problem = Problem::OutOfRange { min: 1, max: UNDO_SECONDS_MAX.into() };
                errors.add_all(&[TokenError::value("undo", problem)]);
                Some(UNDO_SECONDS)
            }
        };
        GateRules { undo_seconds, look_up: self.look_up, typing: self.typing, several: self.several }
    }

    /// How long a use can be undone.
    pub(super) fn undo_times(&self) -> Vec<Choice> {
        let mut times: Vec<(String, String)> =
            words::gates::UNDO_TIMES.map(|(seconds, words)| (seconds.to_string(), words.to_owned())).to_vec();
        if !self.undo.is_empty() && times.iter().all(|(seconds, _)| *seconds != self.undo) {
            times.push((self.undo.clone(), undo_words(&self.undo)));
        }
        times.push((String::new(), undo_words("")));
        Choice::list(times, &self.undo)
    }
}

/// A time of [`GateForm::undo_times`].
fn undo_words(undo: &str) -> String {
    let known = words::gates::UNDO_TIMES.iter().find(|(seconds, _)| seconds.to_string() == undo);
    match known {
        Some((_, words)) => (*words).to_owned(),
        None if undo.is_empty() => words::gates::NO_UNDO.into(),
        None => words::gates::seconds(undo),
    }
}
