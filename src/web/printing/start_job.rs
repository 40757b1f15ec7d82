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
use crate::store::Connection;
use crate::store::printing::jobs;
use crate::store::printing::jobs::NewPrintJob;
use crate::token::Uid;
use crate::web::bulk::selection::SelectionForm;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::page::see_other;
use crate::web::params::{Form, LARGE, Parts};
use crate::web::state::App;
use crate::work::printing::jobs::{RunningJob, parts};
use crate::work::printing::options::PrintOptions;

/// Why a job cannot be gone on with that another version began.
const FOREIGN: &str =
    "It was begun by another version of Tessera, which this one does not understand: print the rest anew.";

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
        return refused(&who, &request, &app, order).await;
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

/// Adds a job and starts it. The uid that the form brought makes one job of two clicks.
async fn start(app: &App, order: PrintOrder, uid: Option<Uid>, by: Principal) -> Result<Uid, Error> {
    let PrintOrder { options, selected, texts, total, now, .. } = order;
    let new = NewPrintJob {
        uid: uid.unwrap_or_else(Uid::random),
        sheet: options.sheet.slug.clone(),
        options: options.json()?,
        selection: selected.selection.clone(),
        total: i32::try_from(total).unwrap_or(i32::MAX),
        parts: i32::try_from(parts(total, &options)).unwrap_or(i32::MAX),
    };
    let who = by.clone();
    let (job, is_new) = app.store.write(move |connection| jobs::add(connection, &new, &who, now)).await?;
    let uid: Uid = job.uid.parse()?;
    if is_new {
        RunningJob { uid, job, by, options, selection: selected.selection, now, texts }.spawn(&app.background);
    }
    Ok(uid)
}

/// Goes on with a job that failed, or whose server ended, behind the last part that was printed.
pub(crate) async fn go_on(
    _who: Allowed<See>,
    uid: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let now = app.store.now();
    let reopened = app.store.write(move |connection| {
        let Some(job) = jobs::find(connection, uid)? else { return Ok(None) };
        let is_open = jobs::reopen(connection, uid, now)?;
        let selection = if is_open { jobs::selection(connection, job.id)? } else { None };
        Ok(Some((job, selection, is_open)))
    });
    let (job, selection, is_open) = reopened.await?.ok_or(Error::NotFound)?;
    if is_open {
        let (begun, texts, by) = (job.timestamp, app.code_texts().await?, Principal::stored(&job.principal));
        let what = PrintOptions::read(&job.options).zip(selection);
        if let Some((options, selection)) = what {
            RunningJob { uid, job, by, options, selection, now: begun, texts }.spawn(&app.background);
        } else {
            let end =
                move |connection: &mut Connection| Ok(jobs::end(connection, uid, &job.cursor, Some(FOREIGN), now)?);
            app.store.write(end).await?;
        }
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}
