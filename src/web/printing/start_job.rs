//! `/print_jobs`: more labels than one PDF can hold, as one PDF after the other.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::choose::nothing_chosen;
use super::form::PrintForm;
use super::order::{PrintOrder, refusals};
use super::sheet_page::refused;
use crate::access::Principal;
use crate::sheet::layout::SheetLayout;
use crate::store::printing::jobs::{NewPrintJob, PrintJob};
use crate::store::printing::{jobs, labels};
use crate::store::tokens::selection::Selection;
use crate::store::{self, Connection};
use crate::token::group_title::group_title;
use crate::token::print::JobFailure;
use crate::token::{Problem, TokenError, Uid};
use crate::web::bulk::selection::SelectionForm;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::page::see_other;
use crate::web::params::{Form, LARGE, Parts};
use crate::web::state::App;
use crate::web::words::printing::JOB_FOREIGN;
use crate::work::printing::items::{LabelTexts, token_title};
use crate::work::printing::jobs::{RunningJob, parts};
use crate::work::printing::options::JobOptions;

/// The uid that the job will have: sent twice, the form begins one job.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct JobUid {
    job_uid: Option<Uid>,
}

/// Begins to print more labels than one PDF can hold, and leads to the page that tells how far it is.
pub(crate) async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    Form(Parts((which, form, new))): Form<Parts<(SelectionForm, PrintForm, JobUid)>, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let by = who.caller.principal.clone();
    let Some(mut order) = PrintOrder::read(which, form.clone(), &app, &by, false).await? else {
        return nothing_chosen(&request, &app, &form, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    check_layout(&mut order, &app);
    if !order.errors.is_empty() {
        return refused(&request, &app, order).await;
    }
    let uid = start(&app, order, new.job_uid, by).await?;
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}

/// Lays out an empty sheet: what is wrong with any label is told now, and not when the job has begun.
fn check_layout(order: &mut PrintOrder, app: &App) {
    if !order.errors.is_empty() {
        return;
    }
    let options = &order.options;
    let fonts = &app.background.fonts;
    let layout = SheetLayout::new(&options.sheet, &options.layout_options(), fonts, options.has_text(), Vec::new());
    if let Err(refused) = layout {
        refusals(&refused, &mut order.errors);
    }
}

/// What the tokens of an order are called together.
async fn title(app: &App, order: &PrintOrder) -> Result<String, Error> {
    let (selection, now) = (order.selected.selection.clone(), order.now);
    let ends = app.store.search(move |connection, limit| labels::ends(connection, &selection, now, limit)).await?;
    let name = |(first, last, batch): (_, _, Option<String>)| {
        group_title(batch.as_deref(), token_title(&first), token_title(&last))
    };
    Ok(ends.map(name).unwrap_or_default())
}

/// Adds a job and starts it. The uid that the form brought makes one job of two clicks.
async fn start(app: &App, order: PrintOrder, uid: Option<Uid>, by: Principal) -> Result<Uid, Error> {
    let title = title(app, &order).await?;
    let fields = order.fields().into_iter().filter(|(name, _)| *name != "uids");
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).collect();
    let PrintOrder { options, selected, texts, total, now, .. } = order;
    let job_options = JobOptions { print: options.clone(), title: title.clone(), fields, leave_out_at: None };
    let new = NewPrintJob {
        uid: uid.unwrap_or_else(Uid::random),
        sheet: options.sheet.slug.clone(),
        options: job_options.json()?,
        selection: selected.selection.clone(),
        title,
        total: i32::try_from(total).unwrap_or(i32::MAX),
        parts: i32::try_from(parts(total, &options)).unwrap_or(i32::MAX),
    };
    let who = by.clone();
    let (job, is_new) = app.store.write(move |connection| jobs::add(connection, &new, &who, now)).await?;
    let uid: Uid = job.uid.parse()?;
    if is_new {
        let selection = selected.selection;
        RunningJob { uid, job, by, options, selection, now, texts, leave_out_at: None }.spawn(&app.background);
    }
    Ok(uid)
}

/// What a job that failed leaves out when it goes on.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct GoOn {
    /// `labels` or `characters`: those that stopped it.
    without: String,
}

impl GoOn {
    /// The options with which a job goes on; none if they stay as they are.
    fn changed(&self, job: &PrintJob) -> Option<JobOptions> {
        let mut options = JobOptions::read(&job.options)?;
        match &*self.without {
            "labels" => options.leave_out_at = Some(job.cursor.clone()),
            "characters" => {
                options.print.leave_out = true;
                options.fields.retain(|(name, _)| name != "leave_out");
                options.fields.push(("leave_out".to_owned(), "1".to_owned()));
            }
            _ => return None,
        }
        Some(options)
    }
}

/// Reopens a job, and returns it as it is then with its selection, if there is anything to be done.
fn reopen(
    connection: &mut Connection,
    uid: Uid,
    form: &GoOn,
    app: &App,
) -> Result<Option<(PrintJob, Option<Selection>, bool)>, store::Error> {
    let Some(job) = jobs::find(connection, uid)? else { return Ok(None) };
    let options = form.changed(&job).map(|options| options.json()).transpose()?;
    let is_open = jobs::reopen(connection, uid, options.as_deref(), app.store.now())?;
    let selection = if is_open { jobs::selection(connection, job.id)? } else { None };
    Ok(Some((PrintJob { options: options.unwrap_or(job.options), ..job }, selection, is_open)))
}

/// Goes on with a job that failed, or whose server ended, behind the last part that was printed.
pub(crate) async fn go_on(
    _who: Allowed<See>,
    uid: web::Path<String>,
    Form(form): Form<GoOn>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    if !matches!(&*form.without, "" | "labels" | "characters") {
        let problem = Problem::not_one_of(&form.without, ["labels", "characters"]);
        return Err(TokenError::value("without", problem).into());
    }
    let reopening = web::Data::clone(&app);
    let reopened = app.store.write(move |connection| reopen(connection, uid, &form, &reopening)).await?;
    let (job, selection, is_open) = reopened.ok_or(Error::NotFound)?;
    if is_open {
        resume(&app, uid, job, selection).await?;
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}

/// Starts a job that was reopened; one that this version cannot read fails.
async fn resume(app: &App, uid: Uid, job: PrintJob, selection: Option<Selection>) -> Result<(), Error> {
    let (begun, by) = (job.timestamp, Principal::stored(&job.principal));
    let texts = LabelTexts { codes: app.code_texts().await?, zone: app.zone };
    if let Some((options, selection)) = JobOptions::read(&job.options).zip(selection) {
        let JobOptions { print: options, leave_out_at, .. } = options;
        RunningJob { uid, job, by, options, selection, now: begun, texts, leave_out_at }.spawn(&app.background);
        return Ok(());
    }
    let (failure, now) = (JobFailure::other(JOB_FOREIGN).stored(), app.store.now());
    let end = move |connection: &mut Connection| Ok(jobs::end(connection, uid, &job.cursor, Some(&failure), now)?);
    Ok(app.store.write(end).await?)
}
