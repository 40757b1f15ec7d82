//! Which time a chart shows.

use chrono_tz::Tz;

use crate::store::usage::UsageFilter;
use crate::token::Micros;
use crate::token::calendar::{Step, days_before};
use crate::web::words::usage as words;

/// Days that are charted when nothing says from when on.
const DAYS: u64 = 30;

/// What a chart shows: which entries, and within which time.
#[derive(Clone)]
pub(crate) struct Range {
    /// The first moment.
    pub(crate) from: Micros,
    /// The last moment.
    pub(crate) to: Micros,
    /// What it is cut into.
    pub(crate) step: Step,
    /// What this time is called, when nobody said from when on.
    pub(crate) name: &'static str,
}

impl Range {
    /// The time that a filter asks for; without a beginning, thirty days until its end, or else until now, or until
    /// the last entry if that is longer ago. Of a long time, what the log reaches to.
    pub(crate) fn new(
        filter: &UsageFilter,
        newest: Option<Micros>,
        reach: Option<(Micros, Micros)>,
        now: Micros,
        zone: Tz,
    ) -> Self {
        let is_recent = |newest: Micros| newest >= days_before(now, DAYS, zone);
        let last = filter.to.or(newest.filter(|newest| filter.from.is_none() && !is_recent(*newest)));
        let to = last.unwrap_or(now).max(filter.from.unwrap_or(Micros::EPOCH));
        let from = filter.from.unwrap_or_else(|| days_before(to, DAYS, zone));
        let name = match (filter.from, last) {
            (Some(_), _) => "",
            (None, Some(_)) => words::THIRTY_DAYS,
            (None, None) => words::LAST_30_DAYS,
        };
        let is_long = !matches!(Step::fitting(from, to), Step::Hour | Step::Day);
        let (from, to) = match reach.filter(|_| is_long) {
            Some((earliest, latest)) if earliest <= to && latest >= from => {
                (from.max(earliest), to.min(latest.max(now)).max(from.max(earliest)))
            }
            _ => (from, to),
        };
        Self { from, to, step: Step::fitting(from, to), name }
    }

    /// The filter within this time.
    pub(crate) fn of(&self, filter: &UsageFilter) -> UsageFilter {
        UsageFilter { from: Some(self.from), to: Some(self.to), ..filter.clone() }
    }
}
