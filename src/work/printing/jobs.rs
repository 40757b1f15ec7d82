//! Print jobs: more labels than fit into one PDF, printed as a series of PDFs.

use std::sync::Arc;
use std::time::Duration;

use super::items::{MAX_LABELS, label_items};
use super::options::PrintOptions;
use super::pdf::{make, save_pdf};
use crate::access::{Permission, Principal};
use crate::sheet::refusal::SheetRefusal;
use crate::store::accounts::check_may;
use crate::store::printing::jobs::{self, JobProgress, PrintJob};
use crate::store::printing::labels;
use crate::store::printing::runs::{self, PrintRun};
use crate::store::search::SearchLimit;
use crate::store::tokens::selection::Selection;
use crate::store::{Connection, Error};
use crate::token::public_url::CodeTexts;
use crate::token::{Micros, Problem, TokenError, Uid};
use crate::work::Background;

/// How long the tokens of a part may be searched for: nobody waits for it as for a page.
const PART_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a running job is touched.
const TOUCH_INTERVAL: Duration = Duration::from_secs(20);

/// How many labels fit into a part that begins at label `start`: as many as fill its last page.
fn part_size(options: &PrintOptions, start: u32) -> usize {
    let (labels, before) = (options.sheet.labels() as usize, start.saturating_sub(1) as usize);
    (MAX_LABELS + before) / labels * labels - before
}

/// How many PDFs these many labels take.
pub(crate) fn parts(total: usize, options: &PrintOptions) -> usize {
    let first = part_size(options, options.start);
    1 + total.saturating_sub(first).div_ceil(part_size(options, 1))
}

/// How many parts of a job were printed when `done` of its tokens were.
fn parts_printed(runs: &[PrintRun], done: usize) -> i32 {
    let mut sum = 0;
    let complete = runs.iter().take_while(|run| {
        sum += usize::try_from(run.count).unwrap_or_default();
        sum <= done
    });
    i32::try_from(complete.count()).unwrap_or(i32::MAX)
}

/// Why a job failed, for people.
fn failure_message(error: Error) -> String {
    match error {
        Error::Token(refusal) => refusal.to_string(),
        Error::Refused(why) => why,
        _ => "The server or its database could not go on just then.".into(),
    }
}

/// A print job that is being run.
pub(crate) struct RunningJob {
    /// Its uid.
    pub(crate) uid: Uid,
    /// Its row, as it was when the run began.
    pub(crate) job: PrintJob,
    /// Who ordered it.
    pub(crate) by: Principal,
    /// How it is printed.
    pub(crate) options: PrintOptions,
    /// Which tokens.
    pub(crate) selection: Selection,
    /// The moment for which states are computed: the same for all parts.
    pub(crate) now: Micros,
    /// The texts of codes.
    pub(crate) texts: CodeTexts,
}

impl RunningJob {
    /// Starts the job in the background.
    pub(crate) fn spawn(self, background: &Arc<Background>) {
        // A server that shuts down waits for the part that is being printed.
        let in_progress = background.shutdown.track();
        let background = Arc::clone(background);
        tokio::spawn(async move {
            self.run(&background).await;
            drop(in_progress);
        });
    }

    /// Prints part after part, and stores how the job ended.
    async fn run(mut self, background: &Arc<Background>) {
        let uid = self.uid;
        let mut touch_interval = tokio::time::interval(TOUCH_INTERVAL);
        let result = {
            let mut work = Box::pin(self.print_parts(background));
            loop {
                tokio::select! {
                    result = &mut work => break result,
                    _ = touch_interval.tick() => {
                        let now = background.store.now();
                        let touched = background.store.write(move |connection| Ok(jobs::touch(connection, uid, now)?)).await;
                        if let Err(error) = touched {
                            tracing::warn!(%error, job = %uid, "it could not be said that a print job goes on");
                        }
                    }
                }
            }
        };
        if let Err(error) = &result {
            // A refusal names the token of its label, which must not appear in a log.
            let why =
                if matches!(error, Error::Token(_)) { "a label was refused".to_owned() } else { format!("{error:?}") };
            tracing::warn!(why, job = self.job.id, "a print job was not done");
        }
        let (failure, now) = (result.err().map(failure_message), background.store.now());
        let cursor = self.job.cursor;
        let end = move |connection: &mut Connection| Ok(jobs::end(connection, uid, &cursor, failure.as_deref(), now)?);
        if let Err(error) = background.store.write(end).await {
            tracing::warn!(%error, job = %uid, "and that could not be noted");
        }
    }

    async fn print_parts(&mut self, background: &Arc<Background>) -> Result<(), Error> {
        let _permit = background.print_job.acquire().await;
        let (id, mut done) = (self.job.id, usize::try_from(self.job.printed).unwrap_or_default());
        let runs = background.store.read(move |connection| Ok(runs::of_job(connection, id)?)).await?;
        let mut part = 1 + parts_printed(&runs, done);
        loop {
            if background.shutdown.is_ending() {
                let why = "The server ended before all was printed.".into();
                return Err(TokenError::value("uid", Problem::Refused { why }).into());
            }
            let options =
                PrintOptions { start: if part == 1 { self.options.start } else { 1 }, ..self.options.clone() };
            let (selection, now, limit) = (self.selection.clone(), self.now, part_size(&options, options.start));
            let (cursor, by, today) = (self.job.cursor.clone(), self.by.clone(), background.store.now());
            let work = move |connection: &mut Connection| {
                check_may(connection, &by, Permission::See, today)?;
                labels::part(connection, &selection, now, (&cursor, limit), &SearchLimit::new(PART_TIMEOUT))
            };
            let (tokens, next) = background.store.read(work).await?;
            if tokens.is_empty() {
                return Ok(());
            }
            done += tokens.len();
            let mut labels = label_items(tokens, &self.texts, options.text);
            let pdf = make(background, &options, std::mem::take(&mut labels.items)).await?;
            let refusal =
                |refusals: Vec<SheetRefusal>| refusals.first().map_or_else(String::new, SheetRefusal::to_string);
            let pdf =
                pdf.map_err(|refused| TokenError::value("sheet", Problem::NotPrintable { remedy: refusal(refused) }))?;
            let count = i32::try_from(done).unwrap_or(i32::MAX);
            let previous_cursor = self.job.cursor.clone();
            let progress = JobProgress { uid: self.uid, previous_cursor, printed: count, cursor: next.clone() };
            save_pdf(&background.store, &options, &self.by, (labels, pdf), Some((id, part, progress))).await?;
            (self.job.cursor, part) = (next, part + 1);
        }
    }
}
