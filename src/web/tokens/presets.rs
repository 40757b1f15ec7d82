//! The named time ranges of the settings, as a form and a tile offer them.

use super::form::{TokenForm, local};
use crate::token::Micros;
use crate::token::settings::Settings;
use crate::token::time_range::TimeRange;
use crate::web::format::TimeFormatter;
use crate::web::words::tile as words;

/// A named time range, as it is now.
pub(crate) struct TimePreset {
    /// Its name.
    pub(crate) name: String,
    /// As in `08:00–12:00`.
    pub(crate) times: String,
    /// Both times exactly.
    pub(crate) exact: String,
    /// The first moment, as the field has it.
    pub(crate) from: String,
    /// The last moment, as the field has it.
    pub(crate) to: String,
}

impl TimePreset {
    /// None where the clock leaves the range out today.
    pub(crate) fn new(range: &TimeRange, clock: TimeFormatter) -> Option<Self> {
        let (from, to) = range.at(clock.now, clock.zone)?;
        let short = |moment: Micros| moment.local(clock.zone).format("%H:%M").to_string();
        Some(Self {
            name: range.name.clone(),
            times: format!("{}–{}", short(from), short(to)),
            exact: words::valid_from_to(&clock.format(from).exact, &clock.format(to).exact),
            from: local(Some(from), clock.zone),
            to: local(Some(to), clock.zone),
        })
    }

    /// Those that there are now.
    pub(crate) fn all(settings: &Settings, clock: TimeFormatter) -> Vec<Self> {
        settings.time_ranges.iter().filter_map(|range| Self::new(range, clock)).collect()
    }
}

impl TokenForm {
    /// The form with both times of the preset with this name; as it is, if there is none.
    #[must_use]
    pub(crate) fn with_preset(self, name: &str, presets: &[TimePreset]) -> Self {
        match presets.iter().find(|preset| preset.name == name) {
            Some(preset) => Self { valid_from: preset.from.clone(), valid_to: preset.to.clone(), ..self },
            None => self,
        }
    }
}
