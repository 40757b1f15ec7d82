//! The buttons on a tile that set a time range or a number of uses.

use super::presets::TimePreset;
use crate::token::settings::Settings;
use crate::token::time_range::TimeRange;
use crate::token::{Token, UNLIMITED, Uid};
use crate::web::format::{TimeFormatter, grouped};
use crate::web::words::tile as words;

/// What a tile offers to do by one click.
pub(crate) struct Quick {
    /// Named time ranges.
    pub(crate) ranges: Vec<RangeButton>,
    /// Numbers of uses.
    pub(crate) counts: Vec<CountButton>,
    /// Whether there is a time limit to be taken away.
    pub(crate) has_limits: bool,
    /// Whether uses can be added to those left.
    pub(crate) adds: bool,
    /// Makes two clicks one action.
    pub(crate) nonce: String,
    /// The number of uses to be added, as it was sent.
    pub(crate) add_uses: String,
}

/// The button of a time range.
pub(crate) struct RangeButton {
    /// Its name.
    pub(crate) name: String,
    /// Its times, or none where the clock leaves it out today.
    pub(crate) preset: Option<TimePreset>,
}

/// The button of a number of uses.
pub(crate) struct CountButton {
    /// The number; -1 for unlimited.
    pub(crate) count: i32,
    /// As on the button.
    pub(crate) words: String,
    /// The token has that many already.
    pub(crate) is_now: bool,
}

impl Quick {
    /// The buttons of a token.
    pub(crate) fn new(token: &Token, settings: &Settings, clock: TimeFormatter, add_uses: String) -> Self {
        let count = |count: &i32| CountButton {
            count: *count,
            words: if *count == UNLIMITED { words::UNLIMITED.into() } else { grouped(*count) },
            is_now: *count == token.usage_count,
        };
        let range = |range: &TimeRange| RangeButton { name: range.name.clone(), preset: TimePreset::new(range, clock) };
        Self {
            ranges: settings.time_ranges.iter().map(range).collect(),
            counts: settings.quick_counts.iter().map(count).collect(),
            has_limits: token.valid_from.is_some() || token.valid_to.is_some(),
            adds: token.usage_count != UNLIMITED,
            nonce: Uid::random().to_string(),
            add_uses,
        }
    }
}
