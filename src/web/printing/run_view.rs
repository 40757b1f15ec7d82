//! A print run as pages show it.

use crate::store::printing::runs::{PrintRun, RunCounts};
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::work::printing::options::PrintOptions;

/// A run, as the pages show it.
pub(crate) struct RunView {
    /// Its uid.
    pub(crate) uid: String,
    /// The sheet, as it was called then.
    pub(crate) sheet: String,
    /// Which part of its job.
    pub(crate) part: i32,
    /// The first label.
    pub(crate) start: i32,
    /// How many tokens, in words.
    pub(crate) tokens: String,
    /// How many pages, in words.
    pub(crate) pages: String,
    /// How many pages.
    pub(crate) page_count: String,
    /// How large the PDF is.
    pub(crate) size: String,
    /// Who printed it.
    pub(crate) by: String,
    /// When.
    pub(crate) when: FormattedTime,
    /// How many labels.
    pub(crate) printed: String,
    /// How many of its tokens were never used.
    pub(crate) never_used: String,
    /// How many were used.
    pub(crate) used: String,
    /// How many are voided, if any is.
    pub(crate) voided: Option<String>,
    /// How many were deleted, if any was.
    pub(crate) deleted: Option<String>,
    /// How many are there still.
    pub(crate) there: String,
}

impl RunView {
    /// A run.
    pub(crate) fn new(run: &PrintRun, counts: RunCounts, clock: TimeFormatter) -> Self {
        let some = |count: i64| (count > 0).then(|| grouped(count));
        let there = counts.never_used + counts.used;
        Self {
            uid: run.uid.clone(),
            sheet: PrintOptions::read(&run.options).map_or_else(|| run.sheet.clone(), |how| how.sheet.name),
            part: run.part,
            start: run.start,
            tokens: tokens(run.count),
            pages: if run.pages == 1 { "1 page".into() } else { format!("{} pages", grouped(run.pages)) },
            page_count: grouped(run.pages),
            size: size(run.size),
            by: run.principal.clone(),
            when: clock.format(run.timestamp),
            printed: grouped(run.count),
            never_used: grouped(counts.never_used),
            used: grouped(counts.used),
            voided: some(counts.voided),
            deleted: some(counts.deleted),
            there: tokens(there),
        }
    }
}

/// As in `1.2 MB`.
fn size(bytes: i64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", grouped(bytes / 1_000_000), bytes % 1_000_000 / 100_000),
    }
}

/// The counts of a run.
pub(crate) fn counts_of(counts: &[(i64, RunCounts)], run: &PrintRun) -> RunCounts {
    counts.iter().find(|(id, _)| *id == run.id).map(|(_, counts)| *counts).unwrap_or_default()
}

/// Runs with the counts of their tokens.
pub(crate) fn run_views(runs: &[PrintRun], counts: &[(i64, RunCounts)], clock: TimeFormatter) -> Vec<RunView> {
    runs.iter().map(|run| RunView::new(run, counts_of(counts, run), clock)).collect()
}
