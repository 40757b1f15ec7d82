//! Print jobs: more labels than one PDF can hold, printed as one PDF after the other.

use std::sync::Arc;
use std::time::Duration;

use super::items::{MOST, label_items};
use super::options::PrintOptions;
use super::pdf::{keep_pdf, make};
use crate::access::Principal;
use crate::sheet::refusal::SheetRefusal;
use crate::store::printing::jobs::{self, JobProgress, PrintJob};
use crate::store::printing::labels as to_print;
use crate::store::printing::runs::{self, PrintRun};
use crate::store::tokens::selection::Selection;
use crate::store::{Connection, Error};
use crate::token::public_url::CodeTexts;
use crate::token::{Micros, TokenError, Uid};
use crate::work::Background;

/// How often it is said that a job is still worked on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Labels of a part that begins at `start`: as many as fill its last page.
fn room(how: &PrintOptions, start: u32) -> usize {
    let (labels, before) = (how.sheet.labels() as usize, start.saturating_sub(1) as usize);
    (MOST + before) / labels * labels - before
}

/// How many PDFs so many labels are.
pub(crate) fn parts(total: usize, how: &PrintOptions) -> usize {
    let first = room(how, how.start);
    1 + total.saturating_sub(first).div_ceil(room(how, 1))
}

/// How many parts of a job were printed when `done` of its tokens were.
fn parts_of(runs: &[PrintRun], done: usize) -> i32 {
    let mut sum = 0;
    let counted = runs.iter().take_while(|run| {
        sum += usize::try_from(run.count).unwrap_or_default();
        sum <= done
    });
    i32::try_from(counted.count()).unwrap_or(i32::MAX)
}

/// Why a job was not done, for people.
fn sentence(error: Error) -> String {
    match error {
        Error::Token(refusal) => refusal.to_string(),
        _ => "The server or its database could not go on just then.".into(),
    }
}

/// A job that is worked on.
pub(crate) struct RunningJob {
    /// Its uid.
    pub(crate) uid: Uid,
    /// Its row, as it was when the work began.
    pub(crate) job: PrintJob,
    /// Who asked for it.
    pub(crate) by: Principal,
    /// How it is printed.
    pub(crate) options: PrintOptions,
    /// Which tokens.
    pub(crate) selection: Selection,
    /// The moment at which states are judged: the same for all parts.
    pub(crate) now: Micros,
    /// What codes say.
    pub(crate) texts: CodeTexts,
}

impl RunningJob {
    /// Begins, beside the request that asked for it.
    pub(crate) fn spawn(self, background: &Arc<Background>) {
        // A server that ends waits for the part that is being printed.
        let in_progress = background.shutdown.track();
        let background = Arc::clone(background);
        tokio::spawn(async move {
            self.run(&background).await;
            drop(in_progress);
        });
    }

    /// Prints part after part, and notes how it ended.
    async fn run(mut self, background: &Arc<Background>) {
        let uid = self.uid;
        let mut alive = tokio::time::interval(SIGN_OF_LIFE);
        let ended = {
            let mut work = Box::pin(self.print_parts(background));
            loop {
                tokio::select! {
                    ended = &mut work => break ended,
                    _ = alive.tick() => {
                        let now = background.store.now();
                        let said = background.store.write(move |connection| Ok(jobs::touch(connection, uid, now)?)).await;
                        if let Err(error) = said {
                            tracing::warn!(%error, job = %uid, "it could not be said that a print job goes on");
                        }
                    }
                }
            }
        };
        if let Err(error) = &ended {
            // What a label is refused for names its token: no log tells that.
            let why =
                if matches!(error, Error::Token(_)) { "a label was refused".to_owned() } else { format!("{error:?}") };
            tracing::warn!(why, job = self.job.id, "a print job was not done");
        }
        let (failure, now) = (ended.err().map(sentence), background.store.now());
        let note = move |connection: &mut Connection| Ok(jobs::end(connection, uid, failure.as_deref(), now)?);
        if let Err(error) = background.store.write(note).await {
            tracing::warn!(%error, job = %uid, "and that could not be noted");
        }
    }

    async fn print_parts(&mut self, background: &Arc<Background>) -> Result<(), Error> {
        let _permit = background.print_job.acquire().await;
        let (id, mut done) = (self.job.id, usize::try_from(self.job.printed).unwrap_or_default());
        let runs = background.store.read(move |connection| Ok(runs::of_job(connection, id)?)).await?;
        let mut part = 1 + parts_of(&runs, done);
        let mut cursor = std::mem::take(&mut self.job.cursor);
        loop {
            if background.shutdown.is_ending() {
                return Err(TokenError::value("uid", "The server ended before all was printed.").into());
            }
            let how = PrintOptions { start: if part == 1 { self.options.start } else { 1 }, ..self.options.clone() };
            let (selection, now, limit) = (self.selection.clone(), self.now, room(&how, how.start));
            let was = cursor.clone();
            let work = move |connection: &mut Connection| to_print::part(connection, &selection, now, &cursor, limit);
            let (tokens, next) = background.store.read(work).await?;
            if tokens.is_empty() {
                return Ok(());
            }
            done += tokens.len();
            let mut labels = label_items(tokens, &self.texts, how.text);
            let made = make(background, &how, std::mem::take(&mut labels.items)).await?;
            let refusal =
                |refused: Vec<SheetRefusal>| refused.first().map_or_else(String::new, SheetRefusal::to_string);
            let made = made.map_err(|refused| TokenError::value("sheet", refusal(refused)))?;
            let count = i32::try_from(done).unwrap_or(i32::MAX);
            let progress = JobProgress { uid: self.uid, was, printed: count, cursor: next.clone() };
            keep_pdf(&background.store, &how, &self.by, (labels, made), Some((id, part, progress))).await?;
            (cursor, part) = (next, part + 1);
        }
    }
}
