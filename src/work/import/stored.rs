//! Checks and imports files that were sent to a page, beside requests.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::SemaphorePermit;
use tokio::task::JoinHandle;

use super::check::check;
use super::job::{Job, permission};
use super::rejects::rejects;
use super::run;
use super::source::StoredFile;
use crate::access::{Permission, Principal};
use crate::store::accounts::check_may;
use crate::store::imports::{self, Import, Stage};
use crate::store::{Connection, Error};
use crate::token::import::line::LineReader;
use crate::work::Background;
use crate::work::failure::failure_message;

/// How often it is noted how far an import is.
const TOUCH_INTERVAL: Duration = Duration::from_millis(500);
/// How often it is noted that one waits for others.
const WAIT_INTERVAL: Duration = Duration::from_secs(5);

/// A file that was sent, and who does something with it.
#[derive(Clone)]
pub(crate) struct SentFile {
    /// The file.
    pub(crate) import: Import,
    /// How its lines are read.
    pub(crate) reader: LineReader,
    /// Who does it.
    pub(crate) by: Principal,
}

/// Something that is done with a file, on a thread that may block.
type Work<T> = fn(&Job, &SentFile) -> Result<T, Error>;

/// Checks a file in the background, and keeps what is found in it, or why it cannot be read.
pub(crate) fn spawn_check(background: &Arc<Background>, file: SentFile) -> JoinHandle<()> {
    spawn(background, file, check_and_keep, || ())
}

/// Imports a file that was found to be good, in the background, and keeps why, if it fails. Calls `ended` afterwards.
pub(crate) fn spawn_import(
    background: &Arc<Background>,
    file: SentFile,
    ended: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    spawn(background, file, import, ended)
}

/// The lines of a checked file that have errors, as a file of their own.
///
/// # Errors
/// Refused, when the file was removed.
pub(crate) async fn rejected_lines(background: &Arc<Background>, file: SentFile) -> Result<Vec<u8>, Error> {
    let permit = background.imports.acquire().await.map_err(|error| Error::Failed(error.to_string()))?;
    let lines = on_blocking_thread(background, file, |job, file| match &file.import.report {
        Some(report) => rejects(job, report),
        None => Err(Error::Refused("This file is not checked yet.".into())),
    });
    let lines = lines.await;
    drop(permit);
    lines
}

fn check_and_keep(job: &Job, file: &SentFile) -> Result<(), Error> {
    let (id, now, report) = (file.import.id, job.store.now(), check(job)?);
    let keep = move |connection: &mut Connection| {
        imports::set_report(connection, id, &report)?;
        imports::advance(connection, id, (&[Stage::Checking], Stage::Checked), now)
    };
    job.write(keep).map(drop)
}

fn import(job: &Job, file: &SentFile) -> Result<(), Error> {
    match &file.import.report {
        Some(report) if report.is_good() => run(job, report),
        _ => Err(Error::Refused("This file is not checked, or has errors.".into())),
    }
}

fn spawn(
    background: &Arc<Background>,
    file: SentFile,
    work: Work<()>,
    ended: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    // A server that shuts down waits for it, although its request was answered long ago.
    let in_progress = background.shutdown.track();
    let background = Arc::clone(background);
    tokio::spawn(async move {
        let id = file.import.id;
        let done = match permit(&background, id).await {
            Ok(_permit) => on_blocking_thread(&background, file, work).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            keep_failure(&background, id, &error).await;
        }
        ended();
        drop(in_progress);
    })
}

async fn on_blocking_thread<T: Send + 'static>(
    background: &Arc<Background>,
    file: SentFile,
    work: Work<T>,
) -> Result<T, Error> {
    let (background, runtime) = (Arc::clone(background), Handle::current());
    let done = tokio::task::spawn_blocking(move || {
        let (store, import) = (&background.store, &file.import);
        let source =
            StoredFile { store: store.clone(), runtime: runtime.clone(), import: import.id, size: import.size };
        let touched = Mutex::new(Instant::now());
        let job = Job {
            store,
            runtime: runtime.clone(),
            source: &source,
            name: &import.name,
            options: &import.options,
            reader: &file.reader,
            by: &file.by,
            uid: import.uid,
            stored: Some(import.id),
            progress: &|lines| touch(&background, &runtime, &file, (&touched, lines)),
        };
        work(&job, &file)
    });
    done.await.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))
}

/// Notes now and then how far it is, and ends it when its principal may not go on, or the server ends.
fn touch(
    background: &Background,
    runtime: &Handle,
    file: &SentFile,
    (touched, lines): (&Mutex<Instant>, usize),
) -> Result<(), Error> {
    let is_due = touched.lock().is_ok_and(|mut touched| {
        let is_due = touched.elapsed() > TOUCH_INTERVAL;
        if is_due {
            *touched = Instant::now();
        }
        is_due
    });
    if !is_due {
        return Ok(());
    }
    let (id, by, now) = (file.import.id, file.by.clone(), background.store.now());
    let permission = file.import.report.as_ref().map_or(Permission::Edit, permission);
    runtime.block_on(background.store.write(move |connection| {
        check_may(connection, &by, permission, now)?;
        imports::touch(connection, id, lines, now)
    }))
}

/// A permit to read a file. Meanwhile it is noted that somebody waits for it.
async fn permit(background: &Background, id: i64) -> Result<SemaphorePermit<'_>, Error> {
    loop {
        let permit = tokio::time::timeout(WAIT_INTERVAL, background.imports.acquire()).await;
        if let Ok(permit) = permit {
            return permit.map_err(|error| Error::Failed(error.to_string()));
        }
        let now = background.store.now();
        background.store.write(move |connection| imports::touch(connection, id, 0, now)).await?;
    }
}

async fn keep_failure(background: &Background, id: i64, error: &Error) {
    tracing::warn!(%error, "a file was not imported");
    let (why, now) = (failure_message(error), background.store.now());
    let kept = background.store.write(move |connection| imports::fail(connection, id, &why, now)).await;
    if let Err(error) = kept {
        tracing::warn!(%error, "why a file was not imported could not be kept");
    }
}
