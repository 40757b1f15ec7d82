//! `/print_jobs/{uid}`: how far a job is that prints more than one PDF can hold, and its parts.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::print_runs::{RunView, views};
use super::when::{Clock, When, grouped, tokens};
use super::{Page, page};
use crate::store::print_jobs::{self, PrintJob, Stage};
use crate::store::print_runs::{self, PrintRun};
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::params::Params;
use crate::web::printing::Printing;
use crate::web::state::App;

#[derive(Template)]
#[template(path = "print_runs/job.html")]
struct JobPage {
    page: Page,
    flash: bool,
    job: JobView,
    parts: Vec<RunView>,
}

/// A job, as the pages tell it.
pub struct JobView {
    /// Its uid.
    pub uid: String,
    /// The sheet, as it was called then.
    pub sheet: String,
    /// How many tokens, in words.
    pub tokens: String,
    /// How many tokens, for a progress bar.
    pub total: i32,
    /// How many of them are printed.
    pub printed: i32,
    /// How many of them are printed, in words.
    pub done: String,
    /// How many parts it has.
    pub parts: i32,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub when: When,
    /// Whether it is being printed, or will be.
    pub is_under_way: bool,
    /// Why it ended before all was printed.
    pub failure: Option<String>,
}

impl JobView {
    /// How a job is told.
    pub fn new(job: &PrintJob, clock: Clock) -> Self {
        let stage = job.stage(clock.now);
        let lost = "The server that printed it ended before it was done. What was printed by then is kept.";
        Self {
            uid: job.uid.clone(),
            sheet: Printing::read(&job.options).map_or_else(|| job.sheet.clone(), |how| how.sheet.name),
            tokens: tokens(job.total),
            total: job.total,
            printed: job.printed,
            done: grouped(job.printed.into()),
            parts: job.parts,
            by: job.principal.clone(),
            when: clock.tell(job.timestamp),
            is_under_way: stage == Stage::UnderWay,
            failure: match stage {
                Stage::Failed(why) => Some(why),
                Stage::Lost => Some(lost.into()),
                Stage::UnderWay | Stage::Done => None,
            },
        }
    }
}

/// Shows a job: how far it is, and its parts.
///
/// # Errors
/// No such job; unavailable, when the database cannot be asked.
pub async fn show(
    _who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| {
        let Some(job) = print_jobs::find(connection, uid)? else { return Ok(None) };
        let runs = print_runs::of_job(connection, job.id)?;
        let ids: Vec<i64> = runs.iter().map(|run: &PrintRun| run.id).collect();
        let standing = print_runs::standing(connection, &ids)?;
        Ok(Some((job, runs, standing)))
    });
    let (job, runs, standing) = found.await?.ok_or(Error::NotFound)?;
    let clock = Clock { now: app.store.now(), zone: app.zone };
    let job = JobView::new(&job, clock);
    let is_done = !job.is_under_way && job.failure.is_none();
    let template = JobPage {
        page: Page::new(&request, "print"),
        flash: is_done && params.filled("done")?.is_some(),
        parts: views(&runs, &standing, clock),
        job,
    };
    page(&app, StatusCode::OK, &template)
}
