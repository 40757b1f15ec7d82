//! The form of a gate.

use crate::store::gates::Gate;
use crate::token::gate::{GateRules, UNDO_SECONDS, UNDO_SECONDS_MAX, check_name};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::params::Params;

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
    pub(super) fn read(params: &Params) -> Result<Self, Error> {
        let is_set = |name| params.filled(name).map(|text| text.is_some());
        let text = |name| params.text(name).map(|text| text.unwrap_or_default().trim().to_owned());
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
    pub(super) fn brought_back(params: &Params) -> Result<Option<Self>, Error> {
        params.has_any("name").then(|| Self::read(params)).transpose()
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
            times.push((self.undo.clone(), format!("{} seconds", self.undo)));
        }
        times.push((String::new(), "Not at all".into()));
        Choice::list(times, &self.undo)
    }
}
