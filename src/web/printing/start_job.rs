//! `/print_jobs`: more labels than one PDF can hold, as one PDF after the other.

use actix_web::{HttpRequest, HttpResponse, web};

use super::order::{PrintOrder, refusals};
use super::sheet_page::refused;
use crate::access::Principal;
use crate::sheet::layout::SheetLayout;
use crate::store::Connection;
use crate::store::printing::jobs;
use crate::store::printing::jobs::NewPrintJob;
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::page::see_other;
use crate::web::params::{Form, LARGE};
use crate::web::state::App;
use crate::work::printing::jobs::{RunningJob, parts};
use crate::work::printing::options::PrintOptions;

/// Why a job cannot be gone on with that another version began.
const FOREIGN: &str =
    "It was begun by another version of Tessera, which this one does not understand: print the rest anew.";

/// Begins to print more labels than one PDF can hold, and leads to the page that tells how far it is.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub(crate) async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    Form(params): Form<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let by = who.caller.principal.clone();
    let mut order = PrintOrder::read(&params, &app, &by, false).await?;
    if order.problems.is_empty() {
        let how = &order.how;
        // What is wrong with any label is told now, and not when the job has begun.
        let nothing =
            SheetLayout::new(&how.sheet, &how.layout_options(), &app.background.fonts, how.has_text(), Vec::new());
        let _ = nothing.map_err(|refused| refusals(&refused, &mut order.problems));
    }
    if !order.problems.is_empty() {
        return refused(&who, &request, &app, order).await;
    }
    let new = NewPrintJob {
        uid: params.parsed("job_uid")?.unwrap_or_else(Uid::random),
        sheet: order.how.sheet.slug.clone(),
        options: order.how.json()?,
        selection: order.selected.selection.clone(),
        total: i32::try_from(order.total).unwrap_or(i32::MAX),
        parts: i32::try_from(parts(order.total, &order.how)).unwrap_or(i32::MAX),
    };
    let (who, now) = (by.clone(), order.now);
    let (job, is_new) = app.store.write(move |connection| jobs::add(connection, &new, &who, now)).await?;
    let uid: Uid = job.uid.parse()?;
    if is_new {
        let PrintOrder { how, selected, texts, .. } = order;
        RunningJob { uid, job, by, options: how, selection: selected.selection, now, texts }.spawn(&app.background);
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}

/// Goes on with a job that failed, or whose server ended, behind the last part that was printed.
///
/// # Errors
/// No such job; unavailable, when the database cannot take it.
pub(crate) async fn go_on(
    _who: Allowed<See>,
    uid: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let now = app.store.now();
    let reopened = app.store.write(move |connection| {
        let job = jobs::find(connection, uid)?;
        Ok((job, jobs::reopen(connection, uid, now)?))
    });
    let (job, is_open) = reopened.await?;
    let job = job.ok_or(Error::NotFound)?;
    if is_open {
        let (begun, texts, by) = (job.timestamp, app.code_texts().await?, Principal::stored(&job.principal));
        let what = PrintOptions::read(&job.options).zip(job.selection.clone());
        if let Some((options, selection)) = what {
            RunningJob { uid, job, by, options, selection, now: begun, texts }.spawn(&app.background);
        } else {
            let end = move |connection: &mut Connection| Ok(jobs::end(connection, uid, Some(FOREIGN), now)?);
            app.store.write(end).await?;
        }
    }
    Ok(see_other(&app, &format!("/print_jobs/{uid}")))
}
