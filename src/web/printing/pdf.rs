//! `/sheet.pdf`: the labels as a PDF, which is kept as a print run.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::choose::nothing_chosen;
use super::form::PrintForm;
use super::order::{PrintOrder, refusals};
use super::runs::stored_pdf;
use super::sheet_page::refused;
use crate::access::Principal;
use crate::sheet::fonts::Fonts;
use crate::sheet::layout::SheetLayout;
use crate::store::printing::quota::check_quota;
use crate::token::group_title::file_name;
use crate::web::bulk::selection::SelectionForm;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See, is_prefetch};
use crate::web::page::see_other;
use crate::web::params::{FileParams, LARGE, Parts};
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::printing::items::LabelItems;
use crate::work::printing::pdf::{LabelPdf, make_with, save_pdf};

/// What forms of ours send besides.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct OfOtherForms {
    /// Of the overview.
    #[serde(rename = "do")]
    kind: String,
    /// Of a print job.
    job_uid: String,
}

/// The names and values of an order; there are no others.
type PdfForm = Parts<(SelectionForm, PrintForm, OfOtherForms)>;

/// Prints labels: makes the PDF, keeps it as a print run, and remembers the next free label.
///
/// # Errors
/// What is wrong with the sheet or its tokens, to programs; people get the page with it. Over quota, when one prints too
/// much; unavailable, when the database cannot be asked.
pub(crate) async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    FileParams(Parts((which, form, _))): FileParams<PdfForm, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    if is_from_elsewhere(&request)? {
        return Ok(see_other(&app, &format!("/sheet?{}", request.query_string())));
    }
    let by = who.caller.principal.clone();
    let Some(mut order) = PrintOrder::read(which, form.clone(), &app, &by, false).await? else {
        return nothing_chosen(&request, &app, &form, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let Some((printed, made, ())) = make_all(&app, &mut order, &by, |_, _| ()).await? else {
        return refused(&request, &app, order).await;
    };
    app.recheck(&who.caller).await?;
    let name = format!("{}.pdf", file_name(&printed.title));
    let run = save_pdf(&app.store, &order.options, &by, (printed, made), None).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        .insert_header((header::CONTENT_LOCATION, format!("{}/print_runs/{}.pdf", app.base, run.uid)))
        .body(stored_pdf(&app, &run)))
}

/// Whether a page of another site leads here. A run would be kept that nobody wanted: its reader is asked first. What a browser
/// fetches before anybody wants it is refused.
fn is_from_elsewhere(request: &HttpRequest) -> Result<bool, Error> {
    if is_prefetch(request) {
        return Err(Error::Forbidden(words::NO_PREFETCH.into()));
    }
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    Ok(matches!(site, Some("cross-site" | "same-site")))
}

/// Makes the PDF of an order, and something else of the same plan; or none, and adds what is wrong to its problems.
///
/// # Errors
/// Over quota, before anything is made; unavailable, when the database cannot be asked.
pub(crate) async fn make_all<T: Send + 'static>(
    app: &web::Data<App>,
    order: &mut PrintOrder,
    by: &Principal,
    also: impl FnOnce(&SheetLayout, &Fonts) -> T + Send + 'static,
) -> Result<Option<(LabelItems, LabelPdf, T)>, Error> {
    if !order.errors.is_empty() {
        return Ok(None);
    }
    let Some(mut printed) = order.all(app).await? else { return Ok(None) };
    let (who, count, now) = (by.clone(), printed.tokens.len(), app.store.now());
    app.store.read(move |connection| check_quota(connection, &who, count, now)).await?;
    let labels = (std::mem::take(&mut printed.items), &*printed.title);
    match make_with(&app.background, &order.options, labels, also).await? {
        Ok((made, other)) => Ok(Some((printed, made, other))),
        Err(refused) => {
            refusals(&refused, &mut order.errors);
            Ok(None)
        }
    }
}
