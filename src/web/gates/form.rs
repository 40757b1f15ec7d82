//! The form of a gate.

use crate::store::gates::Gate;
use crate::token::TokenError;
use crate::token::gate::{GateRules, UNDO_SECONDS, UNDO_SECONDS_MAX, check_name};
use crate::web::choice::Choice;
use crate::web::conflict::Merge;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::RawParams;

/// How long a use can be undone, as the form offers it: seconds and words.
const UNDO_TIMES: [(i32, &str); 6] = [
    (30, "30 seconds"),
    (60, "1 minute"),
    (300, "5 minutes"),
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (86_400, "1 day"),
];

/// The fields of the form, as they were sent.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a box to tick")]
pub(super) struct GateForm {
    pub(super) name: String,
    /// Seconds; empty if uses cannot be undone.
    undo: String,
    pub(super) look_up: bool,
    pub(super) typing: bool,
    pub(super) several: bool,
    pub(super) is_open: bool,
}

impl Default for GateForm {
    fn default() -> Self {
        Self::new(String::new(), &GateRules::default(), true)
    }
}

impl GateForm {
    fn new(name: String, rules: &GateRules, is_open: bool) -> Self {
        let undo = rules.undo_seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        let GateRules { look_up, typing, several, .. } = *rules;
        Self { name, undo, look_up, typing, several, is_open }
    }

    /// As the gate is.
    pub(super) fn of(gate: &Gate) -> Self {
        Self::new(gate.name.clone(), &gate.rules, gate.disabled.is_none())
    }

    /// As it was sent.
    pub(super) fn read(params: &RawParams) -> Result<Self, Error> {
        Self::read_with(params, "")
    }

    /// As it was when the form was made, from its hidden fields.
    pub(super) fn read_known(params: &RawParams) -> Result<Self, Error> {
        if !params.has_any("was_name") {
            return Err(TokenError::missing("was_name").into());
        }
        Self::read_with(params, "was_")
    }

    fn read_with(params: &RawParams, prefix: &str) -> Result<Self, Error> {
        let is_set = |name| params.filled(&format!("{prefix}{name}")).map(|text| text.is_some());
        let read = |name| params.text(&format!("{prefix}{name}"));
        let text = |name| read(name).map(|text| text.unwrap_or_default().trim().to_owned());
        Ok(Self {
            name: text("name")?,
            undo: text("undo")?,
            look_up: is_set("look_up")?,
            typing: is_set("typing")?,
            several: is_set("several")?,
            is_open: is_set("open")?,
        })
    }

    /// As it was typed before its user had to sign in; none, if nothing comes with the address.
    pub(super) fn brought_back(params: &RawParams) -> Result<Option<Self>, Error> {
        params.has_any("name").then(|| Self::read(params)).transpose()
    }

    /// The hidden fields that came back with it.
    pub(super) fn known_brought_back(params: &RawParams) -> Result<Option<Self>, Error> {
        params.has_any("was_name").then(|| Self::read_known(params)).transpose()
    }

    /// The hidden fields of a form that shows this.
    pub(super) fn hidden_fields(&self) -> [(&'static str, &str); 6] {
        let ticked = |is_set: bool| if is_set { "1" } else { "" };
        [
            ("was_name", &self.name),
            ("was_undo", &self.undo),
            ("was_look_up", ticked(self.look_up)),
            ("was_typing", ticked(self.typing)),
            ("was_several", ticked(self.several)),
            ("was_open", ticked(self.is_open)),
        ]
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
            name: merge.field(("name", "Name"), [&was.name, &now.name, &self.name], Clone::clone),
            undo: merge
                .field(("undo", "Undo a use within"), [&was.undo, &now.undo, &self.undo], |undo| undo_words(undo)),
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
                errors.add("undo", format!("Choose a time of 1 to {UNDO_SECONDS_MAX} seconds."));
                Some(UNDO_SECONDS)
            }
        };
        GateRules { undo_seconds, look_up: self.look_up, typing: self.typing, several: self.several }
    }

    /// How long a use can be undone.
    pub(super) fn undo_times(&self) -> Vec<Choice> {
        let mut times: Vec<(String, String)> =
            UNDO_TIMES.map(|(seconds, words)| (seconds.to_string(), words.to_owned())).to_vec();
        if !self.undo.is_empty() && times.iter().all(|(seconds, _)| *seconds != self.undo) {
            times.push((self.undo.clone(), undo_words(&self.undo)));
        }
        times.push((String::new(), undo_words("")));
        Choice::list(times, &self.undo)
    }
}

/// A time of [`GateForm::undo_times`].
fn undo_words(undo: &str) -> String {
    let known = UNDO_TIMES.iter().find(|(seconds, _)| seconds.to_string() == undo);
    match known {
        Some((_, words)) => (*words).to_owned(),
        None if undo.is_empty() => "Not at all".into(),
        None => format!("{undo} seconds"),
    }
}
