//! A print job as pages show it.

use crate::access::who;
use crate::store::printing::jobs::{JobStage, PrintJob};
use crate::token::print::{FailureKind, JobFailure};
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::web::words::printing as words;
use crate::work::printing::options::JobOptions;

/// A job, as the pages show it.
pub(crate) struct JobView {
    /// Its uid.
    pub(crate) uid: String,
    /// What it holds: the first and the last label, or the batch.
    pub(crate) title: String,
    /// How many tokens on which sheet, as it was called then.
    pub(crate) on_sheet: String,
    /// How many tokens, for a progress bar.
    pub(crate) total: i32,
    /// How many of them are printed.
    pub(crate) printed: i32,
    /// How many of how many are printed, in words.
    pub(crate) done: String,
    /// How many parts it has.
    pub(crate) parts: i32,
    /// Who started it.
    pub(crate) by: String,
    /// When.
    pub(crate) when: FormattedTime,
    /// Whether it is being printed, or will be.
    pub(crate) is_under_way: bool,
    /// Whether somebody has dismissed it.
    pub(crate) is_dismissed: bool,
    /// Why it ended before all was printed.
    pub(crate) failure: Option<FailureView>,
    /// How many labels were left out, if it is done.
    pub(crate) left_out: Option<String>,
}

/// Why a job stopped, and what helps.
pub(crate) struct FailureView {
    /// In short.
    pub(crate) heading: String,
    /// The labels that cannot be printed.
    pub(crate) labels: Option<String>,
    /// The reason, as a sentence.
    pub(crate) why: String,
    /// Whether it is about labels, which can be left out or printed in another way.
    pub(crate) is_about_labels: bool,
    /// Whether it is about characters, which can be left out.
    pub(crate) is_about_characters: bool,
}

impl FailureView {
    fn new(failure: JobFailure) -> Self {
        let JobFailure { kind, why, labels, count, .. } = failure;
        Self {
            heading: words::labels_not_printable(count),
            labels: (!labels.is_empty()).then(|| words::names_and_more(&labels, count)),
            why,
            is_about_labels: count > 0,
            is_about_characters: kind == FailureKind::Characters,
        }
    }
}

impl JobView {
    /// A job.
    pub(crate) fn new(job: &PrintJob, clock: TimeFormatter) -> Self {
        let stage = job.stage(clock.now);
        let options = JobOptions::read(&job.options);
        let sheet = options.as_ref().map_or(&*job.sheet, |options| &*options.print.sheet.name);
        let on_sheet = words::on_sheet(job.total, sheet);
        let title = options.as_ref().map(|options| options.title.clone()).filter(|title| !title.is_empty());
        let missing = job.total - job.printed;
        Self {
            uid: job.uid.clone(),
            title: title.unwrap_or_else(|| tokens(job.total)),
            on_sheet,
            total: job.total,
            printed: job.printed,
            done: words::printed_of(job.printed, job.total),
            parts: job.parts,
            by: who(&job.principal),
            when: clock.format(job.timestamp),
            is_under_way: stage == JobStage::UnderWay,
            is_dismissed: stage == JobStage::Dismissed,
            left_out: (stage == JobStage::Done && missing > 0).then(|| words::labels_left_out(missing)),
            failure: match stage {
                JobStage::Failed(_) | JobStage::Dismissed => {
                    job.failure.as_deref().map(JobFailure::read).map(FailureView::new)
                }
                JobStage::Lost => Some(FailureView::new(JobFailure::other(JobFailure::SERVER_STOPPED))),
                JobStage::UnderWay | JobStage::Done => None,
            },
        }
    }

    /// The progress of a job that is under way, for a progress bar's text.
    pub(crate) fn printed_words(&self) -> String {
        grouped(self.printed)
    }
}
