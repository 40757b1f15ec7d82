//! `/print_jobs`: more labels than one PDF can hold, as one PDF after the other.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::order::{MOST, Order, printed, refusals};
use super::pdf::{keep, make, refused};
use crate::access::Principal;
use crate::sheet::layout::Plan;
use crate::sheet::refused::Refused;
use crate::store::print_jobs::{self, NewJob, PrintJob, Progress};
use crate::store::print_runs::PrintRun;
use crate::store::selection::Selection;
use crate::store::{Connection, print_runs, printing};
use crate::token::{Micros, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::layers::UnderWay;
use crate::web::pages::selected::Selected;
use crate::web::pages::{Problems, see_other};
use crate::web::params::{Form, LARGE, Params};
use crate::web::printing::Printing;
use crate::web::settings::CodeTexts;
use crate::web::state::App;

/// How often it is said that a job is still worked on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Why a job cannot be gone on with that another version began.
const FOREIGN: &str =
    "It was begun by another version of Tessera, which this one does not understand: print the rest anew.";

/// Labels of a part that begins at `start`: as many as fill its last page.
fn room(how: &Printing, start: u32) -> usize {
    let (labels, before) = (how.sheet.labels() as usize, start.saturating_sub(1) as usize);
    (MOST + before) / labels * labels - before
}

/// How many PDFs so many labels are.
pub fn parts(total: usize, how: &Printing) -> usize {
    let first = room(how, how.start);
    1 + total.saturating_sub(first).div_ceil(room(how, 1))
}

/// Begins to print more labels than one PDF can hold, and leads to the page that tells how far it is.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    Form(params): Form<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let by = who.caller.principal.clone();
    let mut order = Order::read(&params, &app, &by, false).await?;
    if order.problems.is_empty() {
        let how = &order.how;
        // What is wrong with any label is told now, and not when the job has begun.
        let nothing = Plan::new(&how.sheet, &how.options(), &app.fonts, how.has_text(), Vec::new());
        let _ = nothing.map_err(|refused| refusals(&refused, &mut order.problems));
    }
    if !order.problems.is_empty() {
        return refused(&who, &request, &app, order).await;
    }
    let selection = serde_json::to_string(&order.selected.fields).map_err(|error| Error::fault(error.to_string()))?;
    let new = NewJob {
        uid: params.parsed("job_uid")?.unwrap_or_else(Uid::random),
        sheet: order.how.sheet.slug.clone(),
        options: order.how.json()?,
        selection,
        total: i32::try_from(order.total).unwrap_or(i32::MAX),
        parts: i32::try_from(parts(order.total, &order.how)).unwrap_or(i32::MAX),
    };
    let (who, now) = (by.clone(), order.now);
    let (job, is_new) = app.store.write(move |connection| print_jobs::add(connection, &new, &who, now)).await?;
    let uid: Uid = job.uid.parse()?;
    if is_new {
        let Order { how, selected, texts, .. } = order;
        Work { uid, job, by, how, selection: selected.selection, now, texts }.begin(&app);
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}

/// Goes on with a job that failed, or whose server ended, behind the last part that was printed.
///
/// # Errors
/// No such job; unavailable, when the database cannot take it.
pub async fn go_on(_who: Allowed<See>, uid: web::Path<String>, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let now = app.store.now();
    let reopened = app.store.write(move |connection| {
        let job = print_jobs::find(connection, uid)?;
        Ok((job, print_jobs::reopen(connection, uid, now)?))
    });
    let (job, is_open) = reopened.await?;
    let job = job.ok_or(Error::NotFound)?;
    if is_open {
        let (begun, texts, by) = (job.timestamp, app.code_texts().await?, Principal::stored(&job.principal));
        if let Some((how, selection)) = kept(&job, &app) {
            Work { uid, job, by, how, selection, now: begun, texts }.begin(&app);
        } else {
            let end = move |connection: &mut Connection| Ok(print_jobs::end(connection, uid, Some(FOREIGN), now)?);
            app.store.write(end).await?;
        }
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}

/// How a job is printed, and which tokens; none, when that cannot be read whole: a part of the filter must not be lost.
fn kept(job: &PrintJob, app: &App) -> Option<(Printing, Selection)> {
    let fields: Vec<(String, String)> = serde_json::from_str(&job.selection).ok()?;
    let mut problems = Problems::default();
    let selected = Selected::any(&Params::of(fields), app, &mut problems).ok()?;
    let how = Printing::read(&job.options)?;
    problems.is_empty().then_some((how, selected.selection))
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
fn told(error: Error) -> String {
    match error {
        Error::Token(refusal) => refusal.to_string(),
        _ => "The server or its database could not go on just then.".into(),
    }
}

/// A job that is worked on.
struct Work {
    uid: Uid,
    job: PrintJob,
    by: Principal,
    how: Printing,
    selection: Selection,
    /// The moment by which tokens are found: the same for all parts.
    now: Micros,
    texts: CodeTexts,
}

impl Work {
    /// Begins, beside the request that asked for it.
    fn begin(self, app: &web::Data<App>) {
        // A server that ends waits for the part that it makes.
        let counted = UnderWay::enter(&app.drain);
        let app = web::Data::clone(app);
        actix_web::rt::spawn(async move {
            self.run(&app).await;
            drop(counted);
        });
    }

    /// Prints part after part, and notes how it ended.
    async fn run(mut self, app: &web::Data<App>) {
        let uid = self.uid;
        let mut alive = tokio::time::interval(SIGN_OF_LIFE);
        let ended = {
            let mut work = Box::pin(self.print_parts(app));
            loop {
                tokio::select! {
                    ended = &mut work => break ended,
                    _ = alive.tick() => {
                        let now = app.store.now();
                        let said = app.store.write(move |connection| Ok(print_jobs::touch(connection, uid, now)?)).await;
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
        let (failure, now) = (ended.err().map(told), app.store.now());
        let note = move |connection: &mut Connection| Ok(print_jobs::end(connection, uid, failure.as_deref(), now)?);
        if let Err(error) = app.store.write(note).await {
            tracing::warn!(%error, job = %uid, "and that could not be noted");
        }
    }

    async fn print_parts(&mut self, app: &web::Data<App>) -> Result<(), Error> {
        let _turn = app.print_job.acquire().await;
        let (id, mut done) = (self.job.id, usize::try_from(self.job.printed).unwrap_or_default());
        let runs = app.store.read(move |connection| Ok(print_runs::of_job(connection, id)?)).await?;
        let mut part = 1 + parts_of(&runs, done);
        let mut cursor = std::mem::take(&mut self.job.cursor);
        loop {
            if app.drain.is_ending() {
                return Err(TokenError::value("uid", "The server ended before all was printed.").into());
            }
            let how = Printing { start: if part == 1 { self.how.start } else { 1 }, ..self.how.clone() };
            let (selection, now, limit) = (self.selection.clone(), self.now, room(&how, how.start));
            let was = cursor.clone();
            let work = move |connection: &mut Connection| printing::part(connection, &selection, now, &cursor, limit);
            let (tokens, next) = app.store.read(work).await?;
            if tokens.is_empty() {
                return Ok(());
            }
            done += tokens.len();
            let mut printed = printed(tokens, &self.texts, how.text);
            let made = make(app, &how, std::mem::take(&mut printed.items)).await?;
            let refusal = |refused: Vec<Refused>| refused.first().map_or_else(String::new, Refused::to_string);
            let made = made.map_err(|refused| TokenError::value("sheet", refusal(refused)))?;
            let count = i32::try_from(done).unwrap_or(i32::MAX);
            let progress = Progress { uid: self.uid, was, printed: count, cursor: next.clone() };
            keep(app, &how, &self.by, (printed, made), Some((id, part, progress))).await?;
            (cursor, part) = (next, part + 1);
        }
    }
}
