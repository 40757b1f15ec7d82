//! `/print_jobs/{uid}`: the progress of a job that prints more than one PDF can hold, and its parts.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::job_view::JobView;
use super::run_view::{ListedRun, RunView, listed_runs};
use super::tabs::{Tab, tabs};
use crate::store::printing::jobs::PrintJob;
use crate::store::printing::{jobs, runs};
use crate::store::tokens::selection::Selection;
use crate::store::{self, Connection};
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::Query;
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::printing::options::JobOptions;

#[derive(Template)]
#[template(path = "printing/job.html")]
struct JobPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    job: JobView,
    /// The fields of the form that prints the same tokens in another way.
    fields: Vec<(String, String)>,
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
    let (job, runs, fields) = found.ok_or(Error::NotFound)?;
    let clock = app.time_formatter();
    let job = JobView::new(&job, clock);
    let is_done = !job.is_under_way && job.failure.is_none();
    let shows_end = is_done && !done.is_empty();
    let notice = shows_end.then(|| Notice::done(words::JOB_FINISHED));
    let page_of = Page::new(&request, Section::Print).with_notice(notice);
    let template = JobPage {
        tabs: tabs(&page_of, Tab::Runs),
        page: page_of,
        parts: runs.iter().map(|run| RunView::new(run, clock)).collect(),
        fields,
        job,
    };
    page(&app, StatusCode::OK, &template)
}

/// A job, its runs, and the fields of the form that asked for it, if it has failed.
type JobWithRuns = (PrintJob, Vec<ListedRun>, Vec<(String, String)>);

fn find(connection: &mut Connection, uid: Uid) -> Result<Option<JobWithRuns>, store::Error> {
    let Some(job) = jobs::find(connection, uid)? else { return Ok(None) };
    let runs = runs::of_job(connection, job.id)?;
    let runs = listed_runs(connection, runs)?;
    let fields = if job.failure.is_some() { fields(connection, &job)? } else { Vec::new() };
    Ok(Some((job, runs, fields)))
}

/// The fields of the form that asked for a job; none of a job that another version stored.
fn fields(connection: &mut Connection, job: &PrintJob) -> Result<Vec<(String, String)>, store::Error> {
    let mut fields = JobOptions::read(&job.options).map(|options| options.fields).unwrap_or_default();
    if let (false, Some(Selection::Uids(uids))) = (fields.is_empty(), jobs::selection(connection, job.id)?) {
        let uids: Vec<String> = uids.iter().map(Uid::to_string).collect();
        fields.push(("uids".to_owned(), uids.join(" ")));
    }
    Ok(fields)
}

/// Dismisses a job that failed: it is no longer listed.
pub(crate) async fn dismiss(
    who: Allowed<See>,
    uid: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let (by, now) = (who.caller.principal, app.store.now());
    let dismissed = app.store.write(move |connection| {
        if jobs::find(connection, uid)?.is_none() {
            return Ok(false);
        }
        jobs::dismiss(connection, uid, &by, now).map(|()| true)
    });
    if dismissed.await? { Ok(see_other(&app, "/print_runs?done=dismissed")) } else { Err(Error::NotFound) }
}
