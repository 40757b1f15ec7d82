//! The settings file of cone.tokens, as settings of ours.

use serde::Deserialize;

use crate::token::settings::{Setting, Settings};
use crate::token::time_range::{DayTime, TimeRange};

/// The file. What it does not have stays as it is here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConeSettings {
    morning: Option<ConeRange>,
    afternoon: Option<ConeRange>,
    today: Option<ConeRange>,
    default_locktime: Option<i32>,
    default_usage_count: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConeRange {
    start: DayTime,
    end: DayTime,
}

/// The settings with what is in cone.tokens' file, and which of them that are.
///
/// # Errors
/// A sentence without a full stop: the file is not one of cone.tokens, or has what no setting can be.
pub(crate) fn read(json: &str, settings: &Settings) -> Result<(Settings, Vec<Setting>), String> {
    let file: ConeSettings =
        serde_json::from_str(json).map_err(|error| format!("this is no settings file: {error}"))?;
    let (mut settings, mut set) = (settings.clone(), Vec::new());
    let ranges = [("morning", file.morning), ("afternoon", file.afternoon), ("today", file.today)];
    let ranges: Vec<TimeRange> = ranges
        .into_iter()
        .filter_map(|(name, range)| {
            range.map(|range| TimeRange { name: name.into(), from: range.start, to: range.end })
        })
        .collect();
    if !ranges.is_empty() {
        settings.time_ranges = ranges;
        set.push(Setting::TimeRanges);
    }
    if let Some(count) = file.default_usage_count {
        settings.default_usage_count = count;
        set.push(Setting::DefaultUsageCount);
    }
    if let Some(seconds) = file.default_locktime {
        settings.default_lock_time = seconds;
        set.push(Setting::DefaultLockTime);
    }
    if set.is_empty() {
        return Err("none of cone.tokens' settings stands in it".into());
    }
    let mistakes = set.iter().flat_map(|setting| settings.mistakes(*setting));
    match mistakes.into_iter().next() {
        Some(mistake) => Err(mistake.why.trim_end_matches('.').to_owned()),
        None => Ok((settings, set)),
    }
}
