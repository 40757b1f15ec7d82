//! The forms of the settings: their fields as text.

use super::fields::{RowButton, SettingsFields, TimeRangeForm};
use crate::token::UNLIMITED;
use crate::token::settings::{CodeHolds, LIST_MAX, Setting, Settings};
use crate::token::time_range::{DayTime, TimeRange};
use crate::web::choice::Choice;
use crate::web::form_errors::FormErrors;
use crate::web::format::UNITS;
use crate::web::tokens::form::{TokenForm, lock_seconds};
use crate::web::words;

/// The fields of all forms.
pub(crate) struct SettingsForm {
    /// A name; empty for none.
    pub(crate) organisation: String,
    /// A number of uses.
    pub(crate) usage_count: String,
    /// Any number of uses.
    pub(crate) unlimited: bool,
    /// A number of `lock_unit`.
    pub(crate) lock_time: String,
    /// A unit of time.
    pub(crate) lock_unit: String,
    /// The time ranges.
    pub(crate) ranges: Vec<TimeRangeForm>,
    /// A time range to be added; empty for none.
    pub(crate) new_range: TimeRangeForm,
    /// Numbers, and the word `unlimited`, with commas between.
    pub(crate) quick_counts: String,
    /// What codes hold; none when neither was chosen.
    pub(crate) code_holds: Option<CodeHolds>,
    /// A number of days.
    pub(crate) usage_days: String,
    /// A sheet's slug.
    pub(crate) default_sheet: String,
    /// A resolution.
    pub(crate) default_dpi: String,
    /// A number of days.
    pub(crate) print_run_days: String,
    /// A number of labels.
    pub(crate) labels_per_day: String,
}

impl TimeRangeForm {
    /// Whether all fields are empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.from.is_empty() && self.to.is_empty()
    }

    /// The time range; an error is added for a time that cannot be parsed. In its place stands one that differs from the
    /// other, so that two equal times are not an error of their own.
    fn to_time_range(&self, row: &str, errors: &mut FormErrors) -> TimeRange {
        let (midnight, later) = (DayTime::new(0, 0), DayTime::new(0, 1));
        let other_than = |time| if time == midnight { later } else { midnight };
        let mut read = |part: &str, label: &str, text: &str| {
            let time = text.parse::<DayTime>();
            if time.is_err() {
                errors.add(&format!("{part}-{row}"), words::settings::not_a_time(label));
            }
            time
        };
        let (from, to) = match (read("from", "From", &self.from), read("to", "To", &self.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Ok(from), Err(())) => (from, other_than(from)),
            (Err(()), Ok(to)) => (other_than(to), to),
            (Err(()), Err(())) => (midnight, later),
        };
        TimeRange { name: self.name.clone(), from, to }
    }
}

impl From<&TimeRange> for TimeRangeForm {
    fn from(range: &TimeRange) -> Self {
        Self { name: range.name.clone(), from: range.from.to_string(), to: range.to.to_string() }
    }
}

/// Quick counts as text.
pub(crate) fn format_counts(counts: &[i32]) -> String {
    let word = |count: &i32| if *count == UNLIMITED { "unlimited".to_owned() } else { count.to_string() };
    counts.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn read_counts(text: &str) -> Result<Vec<i32>, String> {
    let words = text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty());
    let count = |word: &str| match word.to_lowercase().as_str() {
        "unlimited" => Ok(UNLIMITED),
        number => number
            .parse::<u32>()
            .ok()
            .and_then(|number| i32::try_from(number).ok())
            .ok_or_else(|| words::settings::not_a_count(word)),
    };
    words.map(count).collect()
}

/// What a button in the row of a time range does.
#[derive(Clone, Copy)]
pub(crate) enum RowAction {
    /// Moves it before the one above.
    Up(usize),
    /// Moves it behind the one below.
    Down(usize),
    /// Removes it.
    Remove(usize),
}

impl RowAction {
    /// What the button does that was pressed; none if none of these was.
    pub(crate) fn of(button: &RowButton) -> Option<Self> {
        let (what, row) = button.pressed.split_once('-')?;
        let row = row.parse().ok().filter(|row| *row < LIST_MAX)?;
        match what {
            "up" => Some(Self::Up(row)),
            "down" => Some(Self::Down(row)),
            "remove" => Some(Self::Remove(row)),
            _ => None,
        }
    }

    /// Does it, unless there is no such row. Returns the id of the element to focus.
    pub(crate) fn apply(self, rows: &mut Vec<TimeRangeForm>) -> String {
        match self {
            Self::Up(row) if row > 0 && row < rows.len() => {
                rows.swap(row - 1, row);
                format!("{}-{}", if row == 1 { "down" } else { "up" }, row - 1)
            }
            Self::Down(row) if row + 1 < rows.len() => {
                rows.swap(row, row + 1);
                format!("{}-{}", if row + 2 == rows.len() { "up" } else { "down" }, row + 1)
            }
            Self::Remove(row) if row < rows.len() => {
                rows.remove(row);
                if rows.is_empty() { "name-new".into() } else { format!("remove-{}", row.min(rows.len() - 1)) }
            }
            _ => "setting-time_ranges".into(),
        }
    }
}

impl SettingsForm {
    /// The forms of the settings as they are.
    pub(crate) fn of(settings: &Settings) -> Self {
        let token = TokenForm::new(settings.default_usage_count, settings.default_lock_time);
        Self {
            organisation: settings.organisation.clone(),
            usage_count: token.usage_count,
            unlimited: token.unlimited,
            lock_time: token.lock_time,
            lock_unit: token.lock_unit,
            ranges: settings.time_ranges.iter().map(TimeRangeForm::from).collect(),
            new_range: TimeRangeForm::default(),
            quick_counts: format_counts(&settings.quick_counts),
            code_holds: Some(settings.code_holds),
            usage_days: settings.usage_days.to_string(),
            default_sheet: settings.default_sheet.clone(),
            default_dpi: settings.default_dpi.to_string(),
            print_run_days: settings.print_run_days.to_string(),
            labels_per_day: settings.labels_per_day.to_string(),
        }
    }

    /// Whether codes are to hold this.
    pub(crate) fn codes_hold(&self, holds: CodeHolds) -> bool {
        self.code_holds == Some(holds)
    }

    /// The units of the lock.
    pub(crate) fn lock_units(&self) -> Vec<Choice> {
        Choice::words(UNITS.map(|(unit, _)| unit), &self.lock_unit)
    }

    /// What was typed into the form of one setting before its user had to sign in, and comes back with the address.
    pub(crate) fn brought_back(settings: &Settings, fields: &SettingsFields) -> Option<(Setting, Self)> {
        let setting = fields.setting()?;
        let mut form = Self::of(settings);
        form.take(setting, fields);
        Some((setting, form))
    }

    /// Takes the fields of one setting.
    pub(crate) fn take(&mut self, setting: Setting, fields: &SettingsFields) {
        match setting {
            Setting::Organisation => self.organisation = fields.organisation.clone().unwrap_or_default(),
            Setting::DefaultUsageCount => {
                self.usage_count.clone_from(&fields.usage_count);
                self.unlimited = fields.unlimited;
            }
            Setting::DefaultLockTime => {
                self.lock_time.clone_from(&fields.lock_time);
                self.lock_unit.clone_from(&fields.lock_unit);
            }
            Setting::TimeRanges => (self.ranges, self.new_range) = (fields.ranges(), fields.new_range()),
            Setting::QuickCounts => self.quick_counts.clone_from(&fields.quick_counts),
            Setting::CodeHolds => {
                self.code_holds = match &*fields.code_holds {
                    "value" => Some(CodeHolds::Value),
                    "link" => Some(CodeHolds::Link),
                    _ => None,
                }
            }
            Setting::UsageDays => self.usage_days.clone_from(&fields.usage_days),
            Setting::DefaultSheet => self.default_sheet.clone_from(&fields.default_sheet),
            Setting::DefaultDpi => self.default_dpi.clone_from(&fields.default_dpi),
            Setting::PrintRunDays => self.print_run_days.clone_from(&fields.print_run_days),
            Setting::LabelsPerDay => self.labels_per_day.clone_from(&fields.labels_per_day),
        }
    }

    /// The settings with the one that the form changes; its errors are added.
    pub(crate) fn to_settings(&self, setting: Setting, settings: &Settings, errors: &mut FormErrors) -> Settings {
        let mut changed = settings.clone();
        // A number that cannot be read is one outside the limits.
        let number = |text: &str| text.trim().parse::<i32>();
        match setting {
            Setting::Organisation => self.organisation.trim().clone_into(&mut changed.organisation),
            Setting::DefaultUsageCount if self.unlimited => changed.default_usage_count = UNLIMITED,
            Setting::DefaultUsageCount => {
                changed.default_usage_count = number(&self.usage_count).ok().filter(|n| *n >= 0).unwrap_or(i32::MIN);
            }
            Setting::DefaultLockTime => {
                let seconds = lock_seconds(&self.lock_time, &self.lock_unit);
                changed.default_lock_time = number(&seconds).unwrap_or(i32::MIN);
            }
            Setting::TimeRanges => changed.time_ranges = self.time_ranges(errors),
            Setting::QuickCounts => match read_counts(&self.quick_counts) {
                Ok(counts) => changed.quick_counts = counts,
                Err(why) => errors.add("quick_counts", why),
            },
            Setting::CodeHolds => match self.code_holds {
                Some(holds) => changed.code_holds = holds,
                None => errors.add("code_holds", words::settings::CHOOSE_CODES),
            },
            Setting::UsageDays => changed.usage_days = number(&self.usage_days).unwrap_or(0),
            Setting::DefaultSheet => changed.default_sheet.clone_from(&self.default_sheet),
            Setting::DefaultDpi => changed.default_dpi = number(&self.default_dpi).unwrap_or(0),
            Setting::PrintRunDays => changed.print_run_days = number(&self.print_run_days).unwrap_or(0),
            Setting::LabelsPerDay => changed.labels_per_day = number(&self.labels_per_day).unwrap_or(0),
        }
        for mistake in changed.mistakes(setting) {
            let field = match mistake.at {
                Some(at) => format!("{}-{}", mistake.part, self.row(at)),
                None if setting == Setting::DefaultUsageCount => "usage_count".into(),
                None if setting == Setting::DefaultLockTime => "lock_time".into(),
                None => mistake.part.to_owned(),
            };
            errors.add(&field, mistake.why);
        }
        changed
    }

    fn time_ranges(&self, errors: &mut FormErrors) -> Vec<TimeRange> {
        let rows = self.ranges.iter().chain(Some(&self.new_range).filter(|range| !range.is_empty()));
        rows.enumerate().map(|(at, range)| range.to_time_range(&self.row(at), errors)).collect()
    }

    /// What the fields of the `at`th time range are label.
    fn row(&self, at: usize) -> String {
        if at == self.ranges.len() { "new".into() } else { at.to_string() }
    }
}
