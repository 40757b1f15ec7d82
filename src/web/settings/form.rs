//! The forms of the settings: their fields as text.

use crate::token::settings::{CodeHolds, LIST_MAX, Setting, Settings};
use crate::token::time_range::{DayTime, TimeRange};
use crate::token::{UNLIMITED, quoted};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::UNITS;
use crate::web::params::RawParams;
use crate::web::tokens::form::{TokenForm, lock_seconds};

/// The fields of all forms.
pub(crate) struct SettingsForm {
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

impl TimeRangeForm {
    fn read(params: &RawParams, row: &str) -> Result<Option<Self>, Error> {
        let field = |part| params.text(&format!("{part}-{row}"));
        let (name, from, to) = (field("name")?, field("from")?, field("to")?);
        if name.is_none() && from.is_none() && to.is_none() {
            return Ok(None);
        }
        let name = name.unwrap_or_default().trim().to_owned();
        Ok(Some(Self { name, from: from.unwrap_or_default(), to: to.unwrap_or_default() }))
    }

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
                errors.add(&format!("{part}-{row}"), format!("“{label}” is a time, written as in 08:00."));
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

/// The names of the fields that tell which setting's form was sent; a `*` stands for the row.
fn fields(setting: Setting) -> &'static [&'static str] {
    match setting {
        Setting::DefaultUsageCount => &["usage_count", "unlimited"],
        Setting::DefaultLockTime => &["lock_time", "lock_unit"],
        Setting::TimeRanges => &["name-*", "from-*", "to-*"],
        Setting::QuickCounts => &["quick_counts"],
        Setting::CodeHolds => &["code_holds"],
        Setting::UsageDays => &["usage_days"],
        Setting::DefaultSheet => &["default_sheet"],
        Setting::DefaultDpi => &["default_dpi"],
        Setting::PrintRunDays => &["print_run_days"],
        Setting::LabelsPerDay => &["labels_per_day"],
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
        number => number.parse::<u32>().ok().and_then(|number| i32::try_from(number).ok()).ok_or_else(|| {
            format!("{} is no whole number from 0 to 2,147,483,647, and not the word unlimited.", quoted(word))
        }),
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
    /// The button that was pressed, as in `up-2`.
    pub(crate) fn read(params: &RawParams) -> Result<Option<Self>, Error> {
        let pressed = params.filled("do")?.unwrap_or_default();
        let Some((what, row)) = pressed.split_once('-') else { return Ok(None) };
        let Some(row) = row.parse().ok().filter(|row| *row < LIST_MAX) else { return Ok(None) };
        Ok(match what {
            "up" => Some(Self::Up(row)),
            "down" => Some(Self::Down(row)),
            "remove" => Some(Self::Remove(row)),
            _ => None,
        })
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
    pub(crate) fn brought_back(settings: &Settings, params: &RawParams) -> Result<Option<(Setting, Self)>, Error> {
        let is_sent = |setting: &Setting| fields(*setting).iter().any(|pattern| params.has_any(pattern));
        let Some(setting) = Setting::ALL.into_iter().find(is_sent) else { return Ok(None) };
        let mut form = Self::of(settings);
        form.read(setting, params)?;
        Ok(Some((setting, form)))
    }

    /// Reads the fields of one setting.
    pub(crate) fn read(&mut self, setting: Setting, params: &RawParams) -> Result<(), Error> {
        let text = |name| params.text(name).map(Option::unwrap_or_default);
        match setting {
            Setting::DefaultUsageCount => {
                (self.usage_count, self.unlimited) = (text("usage_count")?, params.filled("unlimited")?.is_some());
            }
            Setting::DefaultLockTime => (self.lock_time, self.lock_unit) = (text("lock_time")?, text("lock_unit")?),
            Setting::TimeRanges => {
                // One more than is allowed: it is refused, and not silently dropped.
                let rows = (0..=LIST_MAX).map(|row| TimeRangeForm::read(params, &row.to_string()));
                self.ranges = rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
                self.new_range = TimeRangeForm::read(params, "new")?.unwrap_or_default();
            }
            Setting::QuickCounts => self.quick_counts = text("quick_counts")?,
            Setting::CodeHolds => {
                self.code_holds = match params.text("code_holds")?.as_deref() {
                    Some("value") => Some(CodeHolds::Value),
                    Some("link") => Some(CodeHolds::Link),
                    _ => None,
                }
            }
            Setting::UsageDays => self.usage_days = text("usage_days")?,
            Setting::DefaultSheet => self.default_sheet = text("default_sheet")?,
            Setting::DefaultDpi => self.default_dpi = text("default_dpi")?,
            Setting::PrintRunDays => self.print_run_days = text("print_run_days")?,
            Setting::LabelsPerDay => self.labels_per_day = text("labels_per_day")?,
        }
        Ok(())
    }

    /// The settings with the one that the form changes; its errors are added.
    pub(crate) fn to_settings(&self, setting: Setting, settings: &Settings, errors: &mut FormErrors) -> Settings {
        let mut changed = settings.clone();
        // A number that cannot be read is one outside the limits.
        let number = |text: &str| text.trim().parse::<i32>();
        match setting {
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
                None => errors.add("code_holds", "Choose what codes hold."),
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
