//! A print run as pages show it.

use crate::access::who;
use crate::store::printing::runs::{self, PrintRun, RunCounts};
use crate::store::{self, Connection};
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::web::words::printing as words;
use crate::work::printing::options::PrintOptions;

/// A run, what became of its tokens, and what it is called.
pub(crate) struct ListedRun {
    /// The run.
    pub(crate) run: PrintRun,
    /// What became of its tokens.
    pub(crate) counts: RunCounts,
    /// What it holds: the first and the last label, or the batch.
    pub(crate) title: String,
}

/// Runs with what became of their tokens.
pub(crate) fn listed_runs(connection: &mut Connection, runs: Vec<PrintRun>) -> Result<Vec<ListedRun>, store::Error> {
    let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
    let all = runs::count_tokens(connection, &ids)?;
    let mut listed = Vec::with_capacity(runs.len());
    for run in runs {
        let counts = all.iter().find(|(id, _)| *id == run.id).map(|(_, counts)| *counts).unwrap_or_default();
        let title = runs::title(connection, &run, &counts)?;
        listed.push(ListedRun { run, counts, title });
    }
    Ok(listed)
}

/// A run, as the pages show it.
pub(crate) struct RunView {
    /// Its uid.
    pub(crate) uid: String,
    /// What it holds: the first and the last label, or the batch.
    pub(crate) title: String,
    /// How many tokens on which sheet.
    pub(crate) on_sheet: String,
    /// The sheet, as it was called then.
    pub(crate) sheet: String,
    /// Which part of its job.
    pub(crate) part: i32,
    /// The first label.
    pub(crate) start: i32,
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
    pub(crate) fn new(ListedRun { run, counts, title }: &ListedRun, clock: TimeFormatter) -> Self {
        let some = |count: i64| (count > 0).then(|| grouped(count));
        let there = counts.never_used + counts.used;
        let sheet = PrintOptions::read(&run.options).map_or_else(|| run.sheet.clone(), |how| how.sheet.name);
        Self {
            uid: run.uid.clone(),
            title: title.clone(),
            on_sheet: words::on_sheet(run.count, &sheet),
            sheet,
            part: run.part,
            start: run.start,
            pages: words::pages(run.pages),
            page_count: grouped(run.pages),
            size: size(run.size),
            by: who(&run.principal),
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
