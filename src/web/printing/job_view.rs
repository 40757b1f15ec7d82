//! A print job as pages show it.

use crate::store::printing::jobs::{JobStage, PrintJob};
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::work::printing::options::PrintOptions;

/// A job, as the pages show it.
pub(crate) struct JobView {
    /// Its uid.
    pub(crate) uid: String,
    /// The sheet, as it was called then.
    pub(crate) sheet: String,
    /// How many tokens, in words.
    pub(crate) tokens: String,
    /// How many tokens, for a progress bar.
    pub(crate) total: i32,
    /// How many of them are printed.
    pub(crate) printed: i32,
    /// How many of them are printed, in words.
    pub(crate) done: String,
    /// How many parts it has.
    pub(crate) parts: i32,
    /// Who started it.
    pub(crate) by: String,
    /// When.
    pub(crate) when: FormattedTime,
    /// Whether it is being printed, or will be.
    pub(crate) is_under_way: bool,
    /// Why it ended before all was printed.
    pub(crate) failure: Option<String>,
}

impl JobView {
    /// A job.
    pub(crate) fn new(job: &PrintJob, clock: TimeFormatter) -> Self {
        let stage = job.stage(clock.now);
        let lost = "The server that printed it ended before it was done. What was printed by then is kept.";
        Self {
            uid: job.uid.clone(),
            sheet: PrintOptions::read(&job.options).map_or_else(|| job.sheet.clone(), |how| how.sheet.name),
            tokens: tokens(job.total),
            total: job.total,
            printed: job.printed,
            done: grouped(job.printed),
            parts: job.parts,
            by: job.principal.clone(),
            when: clock.format(job.timestamp),
            is_under_way: stage == JobStage::UnderWay,
            failure: match stage {
                JobStage::Failed(why) => Some(why),
                JobStage::Lost => Some(lost.into()),
                JobStage::UnderWay | JobStage::Done => None,
            },
        }
    }
}
