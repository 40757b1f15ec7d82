//! The settings that managers make for everybody: their defaults and limits.

use serde::{Deserialize, Serialize};

use super::input::Defaults;
use super::print::{DPI, FIRST_SHEET, is_slug};
use super::record::UNLIMITED;
use super::time_range::{DayTime, NAME_MAX_CHARS, TimeRange};
use crate::access::name::is_legible;

/// Most time ranges, and most quick counts.
pub const LIST_MAX: usize = 20;
/// Most days for which usage entries and print runs are kept.
pub(crate) const DAYS_MAX: i32 = 36_500;
/// Most characters of the organisation's name: what fits into the head of a page.
pub(crate) const ORGANISATION_MAX_CHARS: usize = 60;
/// Most labels that one person may be allowed to print in a day.
pub(crate) const LABELS_PER_DAY_MAX: i32 = 100_000_000;

/// One of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// The organisation's name.
    Organisation,
    /// Uses of a new token.
    DefaultUsageCount,
    /// Lock time of a new token, in seconds.
    DefaultLockTime,
    /// Named time ranges.
    TimeRanges,
    /// Numbers of uses that can be set with one click.
    QuickCounts,
    /// What QR codes contain.
    CodeHolds,
    /// Days for which usage entries are kept.
    UsageDays,
    /// The sheet to use when none is named.
    DefaultSheet,
    /// The resolution to use when no printer is named.
    DefaultDpi,
    /// Days for which print runs are kept.
    PrintRunDays,
    /// Labels that one person may print in a day.
    LabelsPerDay,
}

impl Setting {
    /// Every setting, in the order of the page.
    pub const ALL: [Self; 11] = [
        Self::Organisation,
        Self::DefaultUsageCount,
        Self::DefaultLockTime,
        Self::TimeRanges,
        Self::QuickCounts,
        Self::CodeHolds,
        Self::UsageDays,
        Self::DefaultSheet,
        Self::DefaultDpi,
        Self::PrintRunDays,
        Self::LabelsPerDay,
    ];

    /// The name of its row, also used in URLs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::DefaultUsageCount => "default_usage_count",
            Self::DefaultLockTime => "default_lock_time",
            Self::TimeRanges => "time_ranges",
            Self::QuickCounts => "quick_counts",
            Self::CodeHolds => "code_holds",
            Self::UsageDays => "usage_days",
            Self::DefaultSheet => "default_sheet",
            Self::DefaultDpi => "default_dpi",
            Self::PrintRunDays => "print_run_days",
            Self::LabelsPerDay => "labels_per_day",
        }
    }

    /// The setting with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }
}

const DAYS: &str = "The days must be a whole number from 1 to 36,500.";

/// What a token's QR code contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeHolds {
    /// The token's value.
    Value,
    /// The URL of its tile, which any phone can open.
    Link,
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The organisation's name, which pages show beside ours; may be empty.
    pub organisation: String,
    /// Uses of a new token; may be [`UNLIMITED`].
    pub default_usage_count: i32,
    /// Lock time of a new token, in seconds.
    pub default_lock_time: i32,
    /// Named time ranges, in display order.
    pub time_ranges: Vec<TimeRange>,
    /// Numbers of uses that can be set with one click, in display order; may contain [`UNLIMITED`].
    pub quick_counts: Vec<i32>,
    /// What a token's QR code contains.
    pub code_holds: CodeHolds,
    /// Days for which usage entries are kept.
    pub usage_days: i32,
    /// The slug of the sheet to use when none is named. If that sheet was removed, [`FIRST_SHEET`] is used.
    pub default_sheet: String,
    /// The resolution to use when no printer is named, in dots per inch.
    pub default_dpi: i32,
    /// Days for which print runs are kept.
    pub print_run_days: i32,
    /// Labels that one person may print in a day.
    pub labels_per_day: i32,
}

impl Default for Settings {
    fn default() -> Self {
        let range = |name: &str, from, to| TimeRange {
            name: name.to_owned(),
            from: DayTime::new(from, 0),
            to: DayTime::new(to, 0),
        };
        Self {
            organisation: String::new(),
            default_usage_count: 1,
            default_lock_time: 0,
            time_ranges: vec![range("morning", 8, 12), range("afternoon", 12, 18), range("today", 8, 18)],
            quick_counts: vec![UNLIMITED, 0, 1, 10, 20, 50, 100],
            code_holds: CodeHolds::Value,
            usage_days: 400,
            default_sheet: FIRST_SHEET.to_owned(),
            default_dpi: 300,
            print_run_days: 400,
            labels_per_day: 500_000,
        }
    }
}

/// An error in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingError {
    /// The index of the list item, counted from 0.
    pub(crate) at: Option<usize>,
    /// The field of a time range (`name`, `from` or `to`), otherwise the setting's name.
    pub(crate) part: &'static str,
    /// The message, as a sentence.
    pub(crate) why: String,
}

impl Settings {
    /// Defaults for the numbers that a request leaves empty.
    pub(crate) fn defaults(&self) -> Defaults {
        Defaults { usage_count: self.default_usage_count, lock_time: self.default_lock_time }
    }

    /// A setting as JSON. Equal settings give equal texts.
    pub fn json(&self, setting: Setting) -> String {
        let json = match setting {
            Setting::Organisation => serde_json::to_string(&self.organisation),
            Setting::DefaultUsageCount => serde_json::to_string(&self.default_usage_count),
            Setting::DefaultLockTime => serde_json::to_string(&self.default_lock_time),
            Setting::TimeRanges => serde_json::to_string(&self.time_ranges),
            Setting::QuickCounts => serde_json::to_string(&self.quick_counts),
            Setting::CodeHolds => serde_json::to_string(&self.code_holds),
            Setting::UsageDays => serde_json::to_string(&self.usage_days),
            Setting::DefaultSheet => serde_json::to_string(&self.default_sheet),
            Setting::DefaultDpi => serde_json::to_string(&self.default_dpi),
            Setting::PrintRunDays => serde_json::to_string(&self.print_run_days),
            Setting::LabelsPerDay => serde_json::to_string(&self.labels_per_day),
        };
        // Texts and numbers can always be serialised.
        json.unwrap_or_default()
    }

    /// A copy with one setting taken from JSON; `None` if it cannot be parsed or breaks a limit.
    pub(crate) fn with(&self, setting: Setting, json: &str) -> Option<Self> {
        let mut changed = self.clone();
        match setting {
            Setting::Organisation => changed.organisation = serde_json::from_str(json).ok()?,
            Setting::DefaultUsageCount => changed.default_usage_count = serde_json::from_str(json).ok()?,
            Setting::DefaultLockTime => changed.default_lock_time = serde_json::from_str(json).ok()?,
            Setting::TimeRanges => changed.time_ranges = serde_json::from_str(json).ok()?,
            Setting::QuickCounts => changed.quick_counts = serde_json::from_str(json).ok()?,
            Setting::CodeHolds => changed.code_holds = serde_json::from_str(json).ok()?,
            Setting::UsageDays => changed.usage_days = serde_json::from_str(json).ok()?,
            Setting::DefaultSheet => changed.default_sheet = serde_json::from_str(json).ok()?,
            Setting::DefaultDpi => changed.default_dpi = serde_json::from_str(json).ok()?,
            Setting::PrintRunDays => changed.print_run_days = serde_json::from_str(json).ok()?,
            Setting::LabelsPerDay => changed.labels_per_day = serde_json::from_str(json).ok()?,
        }
        changed.mistakes(setting).is_empty().then_some(changed)
    }

    /// The errors in a setting.
    pub(crate) fn mistakes(&self, setting: Setting) -> Vec<SettingError> {
        let unless = |is_valid: bool, why: &str| {
            let mistake = || SettingError { at: None, part: setting.name(), why: why.to_owned() };
            if is_valid { Vec::new() } else { vec![mistake()] }
        };
        match setting {
            Setting::Organisation => organisation_mistake(&self.organisation)
                .map(|why| SettingError { at: None, part: setting.name(), why: why.to_owned() })
                .into_iter()
                .collect(),
            Setting::DefaultUsageCount => unless(
                self.default_usage_count >= UNLIMITED,
                "Uses must be a whole number from 0 to 2,147,483,647, or unlimited.",
            ),
            Setting::DefaultLockTime => unless(
                self.default_lock_time >= 0,
                "The lock must be a whole number from 0 to 2,147,483,647 seconds; 0 means no lock.",
            ),
            Setting::TimeRanges => range_mistakes(&self.time_ranges),
            Setting::QuickCounts => count_mistake(&self.quick_counts)
                .map(|why| SettingError { at: None, part: setting.name(), why })
                .into_iter()
                .collect(),
            Setting::CodeHolds => Vec::new(),
            Setting::UsageDays => unless((1..=DAYS_MAX).contains(&self.usage_days), DAYS),
            Setting::PrintRunDays => unless((1..=DAYS_MAX).contains(&self.print_run_days), DAYS),
            Setting::LabelsPerDay => unless(
                (1..=LABELS_PER_DAY_MAX).contains(&self.labels_per_day),
                "The labels must be a whole number from 1 to 100,000,000.",
            ),
            Setting::DefaultSheet => unless(is_slug(&self.default_sheet), "Choose a label sheet."),
            Setting::DefaultDpi => unless(
                DPI.contains(&self.default_dpi),
                "The resolution must be a whole number from 150 to 1,200 dots per inch.",
            ),
        }
    }
}

fn organisation_mistake(name: &str) -> Option<&'static str> {
    if name.chars().count() > ORGANISATION_MAX_CHARS {
        return Some("The organisation's name can have 60 characters at most.");
    }
    let is_good = is_legible(name) && name.trim() == name;
    (!is_good).then_some("The organisation's name can't have line breaks or invisible characters.")
}

fn range_mistakes(ranges: &[TimeRange]) -> Vec<SettingError> {
    let mut mistakes = Vec::new();
    for (at, range) in ranges.iter().enumerate() {
        let mut add = |part, why: &str| mistakes.push(SettingError { at: Some(at), part, why: why.to_owned() });
        let has_same_name = |other: &TimeRange| other.name.to_lowercase() == range.name.to_lowercase();
        if range.name.trim().is_empty() {
            add("name", "Enter a name for this time range.");
        } else if range.name.chars().count() > NAME_MAX_CHARS {
            add("name", "The name of a time range can have 40 characters at most.");
        } else if !is_legible(&range.name) || range.name.trim() != range.name {
            add(
                "name",
                "The name of a time range can't have line breaks, invisible characters, or spaces at its start or end.",
            );
        } else if ranges.iter().take(at).any(has_same_name) {
            add("name", "Another time range already has this name.");
        }
        if range.from == range.to {
            add("to", "A time range can't end at the time it starts.");
        }
        if at == LIST_MAX {
            add("name", "There can be 20 time ranges at most. Remove one first.");
        }
    }
    mistakes
}

fn count_mistake(counts: &[i32]) -> Option<String> {
    let repeated = counts.iter().enumerate().find(|(at, count)| counts.iter().take(*at).any(|other| other == *count));
    if counts.len() > LIST_MAX {
        return Some("There can be 20 quick counts at most.".into());
    }
    if counts.iter().any(|count| *count < UNLIMITED) {
        return Some("A quick count is a whole number from 0 to 2,147,483,647, or unlimited.".into());
    }
    repeated.map(|(_, count)| {
        let count = if *count == UNLIMITED { "Unlimited".to_owned() } else { count.to_string() };
        format!("{count} is listed twice.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_json() {
        let settings = Settings::default();
        for setting in Setting::ALL {
            assert_eq!(Setting::named(setting.name()), Some(setting));
            assert_eq!(settings.with(setting, &settings.json(setting)), Some(settings.clone()), "{setting:?}");
            assert_eq!(settings.with(setting, "nonsense"), None, "{setting:?}");
        }
        let morning = r#"[{"name":"morning","from":"08:00","to":"12:00"}"#;
        assert!(settings.json(Setting::TimeRanges).starts_with(morning));
        assert_eq!(settings.json(Setting::QuickCounts), "[-1,0,1,10,20,50,100]");
        assert_eq!(settings.json(Setting::CodeHolds), r#""value""#);
        assert_eq!(Setting::named("cookie_key"), None);
    }

    #[test]
    fn every_setting_has_its_limits() {
        let settings = Settings::default();
        let many = |n: usize| format!("[{}]", (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        let range = |name: &str, from: &str, to: &str| format!(r#"{{"name":"{name}","from":"{from}","to":"{to}"}}"#);
        let ranges = |n: usize| {
            let list: Vec<String> = (0..n).map(|n| range(&format!("r{n}"), "08:00", "09:00")).collect();
            format!("[{}]", list.join(","))
        };
        for (setting, good, bad) in [
            (
                Setting::Organisation,
                vec![r#""""#.into(), r#""Museum of Modern Art""#.into(), format!(r#""{}""#, "ä".repeat(60))],
                vec![&format!(r#""{}""#, "x".repeat(61)), r#"" x""#, r#""a\nb""#, "1"],
            ),
            (Setting::DefaultUsageCount, vec!["-1".to_owned(), "2147483647".into()], vec!["-2", "2147483648", "1.5"]),
            (Setting::DefaultLockTime, vec!["0".into(), "2147483647".into()], vec!["-1", "2147483648"]),
            (Setting::UsageDays, vec!["1".into(), "36500".into()], vec!["0", "36501"]),
            (Setting::PrintRunDays, vec!["1".into(), "36500".into()], vec!["0", "36501"]),
            (Setting::LabelsPerDay, vec!["1".into(), "100000000".into()], vec!["0", "100000001"]),
            (Setting::CodeHolds, vec![r#""link""#.into()], vec![r#""both""#]),
            (Setting::DefaultSheet, vec![r#""avery-5160""#.into()], vec![r#""""#, r#""A""#, r#""a/b""#, "1"]),
            (Setting::DefaultDpi, vec!["150".into(), "1200".into()], vec!["149", "1201", "300.5"]),
            (Setting::QuickCounts, vec!["[]".into(), many(20)], vec![&many(21), "[1,1]", "[-1,-1]", "[-2]"]),
            (
                Setting::TimeRanges,
                vec!["[]".into(), ranges(20), format!("[{}]", range(&"ä".repeat(40), "22:00", "06:00"))],
                vec![
                    &ranges(21),
                    &format!("[{}]", range("", "08:00", "09:00")),
                    &format!("[{}]", range(" x", "08:00", "09:00")),
                    &format!("[{}]", range("a\\u0007b", "08:00", "09:00")),
                    &format!("[{}]", range(&"x".repeat(41), "08:00", "09:00")),
                    &format!("[{}]", range("x", "08:00", "08:00")),
                    &format!("[{}]", range("x", "08:00", "24:00")),
                    &format!("[{},{}]", range("x", "08:00", "09:00"), range("X", "10:00", "11:00")),
                ],
            ),
        ] {
            for good in good {
                assert!(settings.with(setting, &good).is_some(), "{setting:?} {good}");
            }
            for bad in bad {
                assert_eq!(settings.with(setting, bad), None, "{setting:?} {bad}");
            }
        }
    }

    #[test]
    fn each_mistake_names_its_range() {
        let range = |name: &str, to| TimeRange { name: name.into(), from: DayTime::new(8, 0), to: DayTime::new(to, 0) };
        let ranges = vec![range("a", 9), range("A", 8), range("", 9)];
        let settings = Settings { time_ranges: ranges, ..Settings::default() };
        let found: Vec<_> = settings.mistakes(Setting::TimeRanges).into_iter().map(|m| (m.at, m.part)).collect();
        assert_eq!(found, [(Some(1), "name"), (Some(1), "to"), (Some(2), "name")]);
    }
}
