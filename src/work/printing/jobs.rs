//! Print jobs: more labels than fit into one PDF, printed as a series of PDFs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::items::{LabelItems, LabelTexts, MAX_LABELS, label_items};
use super::options::PrintOptions;
use super::pdf::{LabelPdf, make, save_pdf};
use crate::access::{Permission, Principal};
use crate::sheet::refusal::SheetRefusal;
use crate::store::accounts::check_may;
use crate::store::printing::jobs::{self, JobProgress, PrintJob};
use crate::store::printing::labels;
use crate::store::printing::runs::{self, PrintRun};
use crate::store::search::SearchLimit;
use crate::store::tokens::selection::Selection;
use crate::store::{Connection, Error};
use crate::token::print::{FailureKind, JobFailure};
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros, Token, Uid};
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

/// Why a job stops before all labels are printed.
enum Stop {
    /// For this reason, which people are told.
    Failure(JobFailure),
    /// The database's error.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Stop {
    /// The labels that cannot be printed, and why.
    fn refused(refusals: &[SheetRefusal], labels: &LabelItems) -> Self {
        let items: BTreeSet<usize> = refusals.iter().flat_map(SheetRefusal::items).copied().collect();
        let kind = match refusals.first() {
            Some(SheetRefusal::NoGlyph { .. }) => FailureKind::Characters,
            Some(SheetRefusal::TooFine { .. }) => FailureKind::Codes,
            _ => FailureKind::Other,
        };
        let why: Vec<String> = refusals.iter().map(SheetRefusal::without_names).collect();
        let names = items.iter().filter_map(|item| labels.items.get(*item)).map(|item| item.name.clone());
        let labels = names.take(JobFailure::NAMED).collect();
        Self::Failure(JobFailure { kind, why: why.join(" "), labels, count: items.len(), is_dismissed: false })
    }

    /// Why, for people.
    fn failure(self) -> JobFailure {
        match self {
            Self::Failure(failure) => failure,
            Self::Error(Error::Token(refusal)) => JobFailure::other(refusal.to_string()),
            Self::Error(Error::Refused(why)) => JobFailure::other(why),
            Self::Error(_) => JobFailure::other("The server or its database could not continue at that moment."),
        }
    }

    /// Why, for the log, which names no token.
    fn for_log(&self) -> String {
        match self {
            Self::Failure(failure) => format!("{:?}, {} labels", failure.kind, failure.count),
            Self::Error(Error::Token(_)) => "a label was refused".to_owned(),
            Self::Error(error) => format!("{error:?}"),
        }
    }
}

/// The tokens of a part, the names of their batches, and where the next part begins.
type PartTokens = (Vec<(TokenId, Token)>, HashMap<BatchId, String>, String);

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
    /// What the texts on labels depend on.
    pub(crate) texts: LabelTexts,
    /// The cursor of the part that is printed without the labels that cannot be.
    pub(crate) leave_out_at: Option<String>,
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
                            tracing::warn!(%error, job = %uid, "a print job could not be marked as running");
                        }
                    }
                }
            }
        };
        if let Err(stop) = &result {
            tracing::warn!(why = stop.for_log(), job = self.job.id, "a print job was not done");
        }
        let (failure, now) = (result.err().map(|stop| stop.failure().stored()), background.store.now());
        let cursor = self.job.cursor;
        let end = move |connection: &mut Connection| Ok(jobs::end(connection, uid, &cursor, failure.as_deref(), now)?);
        if let Err(error) = background.store.write(end).await {
            tracing::warn!(%error, job = %uid, "the end of a print job could not be stored");
        }
    }

    async fn print_parts(&mut self, background: &Arc<Background>) -> Result<(), Stop> {
        let _permit = background.print_job.acquire().await;
        let (id, mut done) = (self.job.id, usize::try_from(self.job.printed).unwrap_or_default());
        let runs = background.store.read(move |connection| Ok(runs::of_job(connection, id)?)).await?;
        let mut part = 1 + parts_printed(&runs, done);
        loop {
            if background.shutdown.is_ending() {
                return Err(Stop::Failure(JobFailure::other(JobFailure::SERVER_STOPPED)));
            }
            let options =
                PrintOptions { start: if part == 1 { self.options.start } else { 1 }, ..self.options.clone() };
            let leaves_out = self.leave_out_at.as_deref() == Some(&*self.job.cursor);
            let (tokens, batches, next) = self.part_tokens(background, &options, leaves_out).await?;
            let has_moved = next != self.job.cursor;
            if tokens.is_empty() && !(leaves_out && has_moved) {
                return Ok(());
            }
            let printed = self.make_part(background, &options, (tokens, &batches), leaves_out).await?;
            done += printed.as_ref().map_or(0, |(labels, _)| labels.tokens.len());
            let count = i32::try_from(done).unwrap_or(i32::MAX);
            let previous_cursor = self.job.cursor.clone();
            let progress = JobProgress { uid: self.uid, previous_cursor, printed: count, cursor: next.clone() };
            if let Some(printed) = printed {
                save_pdf(&background.store, &options, &self.by, printed, Some((id, part, progress))).await?;
                part += 1;
            } else {
                let now = background.store.now();
                background.store.write(move |connection| jobs::advance(connection, &progress, now)).await?;
            }
            self.job.cursor = next;
        }
    }

    /// The tokens of the next part. Those that were voided or deleted meanwhile stop the job, unless they are left out.
    async fn part_tokens(
        &self,
        background: &Arc<Background>,
        options: &PrintOptions,
        leaves_out: bool,
    ) -> Result<PartTokens, Stop> {
        let (selection, now, length) = (self.selection.clone(), self.now, part_size(options, options.start));
        let (cursor, by, today) = (self.job.cursor.clone(), self.by.clone(), background.store.now());
        let work = move |connection: &mut Connection| {
            check_may(connection, &by, Permission::See, today)?;
            let (place, limit) = ((&*cursor, length), SearchLimit::new(PART_TIMEOUT));
            let found = if leaves_out {
                labels::part_without_gone(connection, &selection, now, place, &limit)
            } else {
                labels::part(connection, &selection, now, place, &limit)
            };
            match found {
                Ok((tokens, next)) => {
                    let batches = labels::batch_names(connection, &tokens)?;
                    Ok(Ok((tokens, batches, next)))
                }
                Err(Error::Token(error)) => match labels::gone(connection, &selection, place, JobFailure::NAMED)? {
                    (_, 0) => Err(error.into()),
                    (labels, count) => Ok(Err(JobFailure::gone(labels, count))),
                },
                Err(error) => Err(error),
            }
        };
        background.store.read(work).await?.map_err(Stop::Failure)
    }

    /// The labels of a part and their PDF; none, if all of them are left out.
    async fn make_part(
        &self,
        background: &Arc<Background>,
        options: &PrintOptions,
        (tokens, batches): (Vec<(TokenId, Token)>, &HashMap<BatchId, String>),
        leaves_out: bool,
    ) -> Result<Option<(LabelItems, LabelPdf)>, Stop> {
        let mut labels = label_items(tokens, batches, &self.texts, options);
        if labels.tokens.is_empty() {
            return Ok(None);
        }
        let refusals = match make(background, options, (labels.items.clone(), &labels.title)).await? {
            Ok(pdf) => return Ok(Some((labels, pdf))),
            Err(refusals) => refusals,
        };
        let bad: BTreeSet<usize> = refusals.iter().flat_map(SheetRefusal::items).copied().collect();
        if !leaves_out || bad.is_empty() {
            return Err(Stop::refused(&refusals, &labels));
        }
        let tokens = std::mem::take(&mut labels.tokens).into_iter().enumerate();
        let good = tokens.filter(|(item, _)| !bad.contains(item)).map(|(_, token)| token).collect();
        let labels = label_items(good, batches, &self.texts, options);
        if labels.tokens.is_empty() {
            return Ok(None);
        }
        match make(background, options, (labels.items.clone(), &labels.title)).await? {
            Ok(pdf) => Ok(Some((labels, pdf))),
            Err(refusals) => Err(Stop::refused(&refusals, &labels)),
        }
    }
}
