//! `/print_runs`: sheets that were printed, how many of their tokens were used, and their PDFs.

use actix_web::body::{BoxBody, MessageBody, SizedStream};
use actix_web::http::header::{self, ETag, EntityTag, IfNoneMatch};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_util::stream::{TryStreamExt, empty, try_unfold};

use super::job_view::JobView;
use super::label_text::second_line_words;
use super::run_view::{ListedRun, RunView, listed_runs};
use super::tabs::{Tab, tabs};
use crate::access::Permission;
use crate::store::cursor::Cursor;
use crate::store::printing::jobs::{JobStage, PrintJob};
use crate::store::printing::runs::PrintRun;
use crate::store::printing::{jobs, runs};
use crate::store::{self, Connection};
use crate::token::Uid;
use crate::token::group_title::file_name;
use crate::web::cursor::{After, CursorCodec};
use crate::web::error::Error;
use crate::web::etag::is_known;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::format::{TimeFormatter, grouped};
use crate::web::guard::{Allowed, See};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page};
use crate::web::paging::{cut, more_than};
use crate::web::params::{Parts, Query};
use crate::web::state::App;
use crate::web::tokens::view::TokenView;
use crate::web::words::printing as words;
use crate::work::printing::options::PrintOptions;

/// Runs on a page: each one's tokens are counted for it.
const ROWS: usize = 20;
/// The newest jobs; those that are not done are shown.
const JOBS: i64 = 10;
/// Labels that are shown of a run.
const LABELS: i64 = 20;

#[derive(Template)]
#[template(path = "printing/runs.html")]
struct RunsPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    jobs: Vec<JobView>,
    rows: Vec<RunView>,
    exports: Vec<ExportLink>,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "printing/run.html")]
struct RunPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    may_void: bool,
    run: RunView,
    how: Option<How>,
    job: Option<JobView>,
    labels: Vec<LabelView>,
    more: Option<String>,
}

/// How a run was printed, in words.
struct How {
    offset: Option<String>,
    printer: Option<String>,
    dpi: String,
    text: &'static str,
    text_size: &'static str,
    second_line: Option<String>,
    outline: bool,
}

impl How {
    fn new(how: PrintOptions) -> Self {
        let (x, y) = (how.offset_x, how.offset_y);
        let is_moved = x.micrometres() != 0 || y.micrometres() != 0;
        Self {
            offset: is_moved.then(|| words::shifted(x, y)),
            printer: how.printer,
            dpi: grouped(how.dpi),
            text: words::beside(how.text),
            text_size: words::text_size(how.text_size),
            second_line: second_line_words(&how.second_line),
            outline: how.outline,
        }
    }
}

/// A label of a run.
struct LabelView {
    position: String,
    row: TokenView,
    is_deleted: bool,
}

impl LabelView {
    fn new(label: &runs::Label, clock: TimeFormatter) -> Self {
        Self {
            position: grouped(label.position),
            row: TokenView::new(&label.token, clock),
            is_deleted: label.is_deleted,
        }
    }
}

/// Lists runs, newest first, and above them the jobs that are not done.
pub(crate) async fn list(
    _who: Allowed<See>,
    request: HttpRequest,
    Query(Parts((place, Done { done }))): Query<Parts<(After, Done)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let cursors = CursorCodec::new("print_runs", &[]);
    let after = cursors.after(&place)?;
    let is_first = after.is_none();
    let (runs, last, jobs) = app.store.read(move |connection| find_page(connection, after.as_ref())).await?;
    let clock = app.time_formatter();
    let is_ended = |stage| matches!(stage, JobStage::Done | JobStage::Dismissed);
    let unfinished = jobs.into_iter().filter(|job| !is_ended(job.stage(clock.now)));
    let notice = (done == "dismissed").then(|| Notice::done(words::JOB_DISMISSED));
    let page_of = Page::new(&request, Section::Print).with_notice(notice);
    let path = format!("{}/print_runs", app.base);
    let template = RunsPage {
        tabs: tabs(&page_of, Tab::Runs),
        page: page_of,
        jobs: unfinished.map(|job| JobView::new(&job, clock)).collect(),
        rows: runs.iter().map(|run| RunView::new(run, clock)).collect(),
        exports: export_links(&format!("{}/export/print_runs", app.base), &[] as &[(&str, &str)]),
        older: last.map(|place| format!("{path}?after={}", cursors.write(&place))),
        newest: (!is_first).then_some(path),
    };
    page(&app, StatusCode::OK, &template)
}

/// Runs, the place of the last one if there are more, and on the first page the newest jobs.
type RunsOfPage = (Vec<ListedRun>, Option<Cursor>, Vec<PrintJob>);

fn find_page(connection: &mut Connection, after: Option<&Cursor>) -> Result<RunsOfPage, store::Error> {
    let (runs, last) = cut(runs::page(connection, after, more_than(ROWS))?, ROWS);
    let runs = listed_runs(connection, runs.into_iter().map(|(_, run)| run).collect())?;
    let jobs = if after.is_none() { jobs::page(connection, None, JOBS)? } else { Vec::new() };
    Ok((runs, last, jobs.into_iter().map(|(_, job)| job).collect()))
}

/// Shows a run.
pub(crate) async fn show(
    who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| find(connection, uid)).await?;
    let (listed, job, labels) = found.ok_or(Error::NotFound)?;
    let (run, counts, page_of) = (&listed.run, listed.counts, Page::new(&request, Section::Print));
    let clock = app.time_formatter();
    let template = RunPage {
        tabs: tabs(&page_of, Tab::Runs),
        page: page_of,
        may_void: who.caller.role.may(Permission::Delete) && counts.never_used + counts.used > counts.voided,
        how: PrintOptions::read(&run.options).map(How::new),
        job: job.map(|job| JobView::new(&job, clock)),
        labels: labels.into_iter().map(|label| LabelView::new(&label, clock)).collect(),
        more: Some(i64::from(run.count) - LABELS).filter(|rest| *rest > 0).map(grouped),
        run: RunView::new(&listed, clock),
    };
    page(&app, StatusCode::OK, &template)
}

/// A run, its job, and its first labels.
type RunWithLabels = (ListedRun, Option<PrintJob>, Vec<runs::Label>);

fn find(connection: &mut Connection, uid: Uid) -> Result<Option<RunWithLabels>, store::Error> {
    let Some(run) = runs::find(connection, uid)? else { return Ok(None) };
    let job = run.job.map_or(Ok(None), |job| jobs::by_id(connection, job))?;
    let labels = runs::labels(connection, run.id, 0, LABELS)?;
    Ok(listed_runs(connection, vec![run])?.pop().map(|run| (run, job, labels)))
}

/// Sends a run's PDF as it was, piece by piece.
pub(crate) async fn pdf(
    _who: Allowed<See>,
    uid: web::Path<String>,
    known: web::Header<IfNoneMatch>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let find = move |connection: &mut Connection| match runs::find(connection, uid)? {
        Some(run) => Ok(listed_runs(connection, vec![run])?.pop()),
        None => Ok(None),
    };
    let ListedRun { run, title, .. } = app.store.read(find).await?.ok_or(Error::NotFound)?;
    let tag = EntityTag::new_strong(run.digest.clone());
    let is_known = is_known(&known, &tag);
    let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header(ETag(tag));
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    response.insert_header((header::CONTENT_SECURITY_POLICY, PDF_POLICY));
    if is_known {
        return Ok(response.finish());
    }
    response
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, disposition(&run, &title, &app)));
    Ok(response.body(match *request.method() {
        Method::HEAD => SizedStream::new(size(&run), empty::<Result<web::Bytes, actix_web::Error>>()).boxed(),
        _ => stored_pdf(&app, &run),
    }))
}

fn disposition(run: &PrintRun, title: &str, app: &App) -> String {
    let at = run.timestamp.local(app.zone).format("%Y-%m-%d-%H%M%S");
    format!("inline; filename=\"{}-{at}.pdf\"", file_name(title))
}

fn size(run: &PrintRun) -> u64 {
    u64::try_from(run.size).unwrap_or_default()
}

/// A PDF can do nothing, and stands in no frame. What the browser shows it with is the browser's own, and does all the same.
const PDF_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// A run's PDF as it is kept.
pub(super) fn stored_pdf(app: &web::Data<App>, run: &PrintRun) -> BoxBody {
    SizedStream::new(size(run), pieces(app, run.id)).boxed()
}

/// A run's PDF: a piece is read when the one before has gone to the client.
fn pieces(
    app: &web::Data<App>,
    run: i64,
) -> impl futures_util::Stream<Item = Result<web::Bytes, actix_web::Error>> + 'static {
    let store = app.store.clone();
    let piece = move |piece: i32| {
        let store = store.clone();
        async move {
            let bytes = store.read(move |connection| Ok(runs::pdf_chunk(connection, run, piece)?)).await?;
            Ok::<_, Error>(bytes.map(|bytes| (web::Bytes::from(bytes), piece + 1)))
        }
    };
    try_unfold(0, piece).map_err(actix_web::Error::from)
}
