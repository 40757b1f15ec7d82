//! What the forms of the settings send, and what comes back with the page's address.

use std::collections::BTreeMap;

use serde::Deserialize;
use validator::Validate;

use crate::token::settings::{LIST_MAX, Setting};

/// The fields of all forms; each form has those of one setting, and what that was.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct SettingsFields {
    /// The setting as the form knew it, in JSON.
    pub(super) was: Option<String>,
    pub(super) organisation: Option<String>,
    pub(super) usage_count: String,
    pub(super) unlimited: bool,
    pub(super) lock_time: String,
    pub(super) lock_unit: String,
    /// Of time ranges, by row.
    #[serde(rename = "name-*")]
    names: BTreeMap<String, String>,
    #[serde(rename = "from-*")]
    from: BTreeMap<String, String>,
    #[serde(rename = "to-*")]
    to: BTreeMap<String, String>,
    pub(super) quick_counts: String,
    pub(super) code_holds: String,
    pub(super) usage_days: String,
    pub(super) default_sheet: String,
    pub(super) default_dpi: String,
    pub(super) print_run_days: String,
    pub(super) labels_per_day: String,
}

/// The button of a time range that was pressed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct RowButton {
    /// As in `up-2`.
    #[serde(rename = "do")]
    pub(super) pressed: String,
}

/// The fields of a time range.
#[derive(Clone, Default)]
pub(crate) struct TimeRangeForm {
    /// Its name.
    pub(crate) name: String,
    /// As in `08:00`.
    pub(crate) from: String,
    /// As `from`.
    pub(crate) to: String,
}

impl SettingsFields {
    /// The setting whose form this is, as far as anything was typed into it.
    pub(super) fn setting(&self) -> Option<Setting> {
        let says_something = |setting: &Setting| match setting {
            Setting::Organisation => self.organisation.is_some(),
            Setting::DefaultUsageCount => self.unlimited || !self.usage_count.is_empty(),
            Setting::DefaultLockTime => !(self.lock_time.is_empty() && self.lock_unit.is_empty()),
            Setting::TimeRanges => [&self.names, &self.from, &self.to].iter().any(|column| !column.is_empty()),
            Setting::QuickCounts => !self.quick_counts.is_empty(),
            Setting::CodeHolds => !self.code_holds.is_empty(),
            Setting::UsageDays => !self.usage_days.is_empty(),
            Setting::DefaultSheet => !self.default_sheet.is_empty(),
            Setting::DefaultDpi => !self.default_dpi.is_empty(),
            Setting::PrintRunDays => !self.print_run_days.is_empty(),
            Setting::LabelsPerDay => !self.labels_per_day.is_empty(),
        };
        Setting::ALL.into_iter().find(says_something)
    }

    /// The time ranges, one more than is allowed: it is refused, and not silently dropped.
    pub(super) fn ranges(&self) -> Vec<TimeRangeForm> {
        (0..=LIST_MAX).filter_map(|row| self.range(&row.to_string())).collect()
    }

    /// The time range that is to be added.
    pub(super) fn new_range(&self) -> TimeRangeForm {
        self.range("new").unwrap_or_default()
    }

    fn range(&self, row: &str) -> Option<TimeRangeForm> {
        let (name, from, to) = (self.names.get(row), self.from.get(row), self.to.get(row));
        if name.is_none() && from.is_none() && to.is_none() {
            return None;
        }
        let text = |field: Option<&String>| field.cloned().unwrap_or_default();
        Some(TimeRangeForm { name: text(name).trim().to_owned(), from: text(from), to: text(to) })
    }
}
