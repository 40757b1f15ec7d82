//! `/print_jobs/{uid}`: the progress of a job that prints more than one PDF can hold, and its parts.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::job_view::JobView;
use super::run_view::{RunView, run_views};
use crate::store::printing::jobs::PrintJob;
use crate::store::printing::runs::{PrintRun, RunCounts};
use crate::store::printing::{jobs, runs};
use crate::store::{self, Connection};
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page};
use crate::web::params::Query;
use crate::web::state::App;

#[derive(Template)]
#[template(path = "printing/job.html")]
struct JobPage {
    page: Page,
    job: JobView,
    parts: Vec<RunView>,
}

/// Shows the progress of a job, and its parts.
pub(crate) async fn show(
    _who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(Done { done }): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| find(connection, uid)).await?;
    let (job, runs, counts) = found.ok_or(Error::NotFound)?;
    let clock = app.time_formatter();
    let job = JobView::new(&job, clock);
    let is_done = !job.is_under_way && job.failure.is_none();
    let shows_end = is_done && !done.is_empty();
    let notice = shows_end.then(|| Notice::done("All of them are printed: open each part and print it."));
    let template = JobPage {
        page: Page::new(&request, Section::Print).with_notice(notice),
        parts: run_views(&runs, &counts, clock),
        job,
    };
    page(&app, StatusCode::OK, &template)
}

/// A job, with its runs and how many of their tokens were used.
type JobWithRuns = (PrintJob, Vec<PrintRun>, Vec<(i64, RunCounts)>);

fn find(connection: &mut Connection, uid: Uid) -> Result<Option<JobWithRuns>, store::Error> {
    let Some(job) = jobs::find(connection, uid)? else { return Ok(None) };
    let runs = runs::of_job(connection, job.id)?;
    let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
    let counts = runs::count_tokens(connection, &ids)?;
    Ok(Some((job, runs, counts)))
}
