//! Imports files of tokens: what a file would do is [found](check), and then it is [done](run()), all or nothing.
//!
//! A file is read twice and never held in memory: once to check every line, once to write.

mod add;
mod change;
pub(crate) mod check;
mod decode;
pub(crate) mod job;
mod keys;
pub(crate) mod lines;
pub(crate) mod rejects;
pub(crate) mod source;
pub(crate) mod stored;

use crate::store::Error;
use crate::token::import::options::Mode;
use crate::token::import::report::ImportReport;
use job::Job;

/// Imports a file that was found to be good, all or nothing: when this returns, it is done.
///
/// # Errors
/// Refused, when the file or the tokens that it names are not what they were when it was checked; nothing is changed then.
pub(crate) fn run(job: &Job, report: &ImportReport) -> Result<(), Error> {
    match job.options.mode {
        Mode::Add => add::run(job, report),
        Mode::ChangeByUid | Mode::ChangeByValue => change::run(job, report),
    }
}
