//! `/sheet`: labels on paper: what will be printed, and as it will be printed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::choose::nothing_chosen;
use super::form::PrintForm;
use super::order::PrintOrder;
use super::sheet_page::sheet_page;
use crate::web::bulk::selection::SelectionForm;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::notice::Notice;
use crate::web::params::{Form, LARGE, Parts, Query};
use crate::web::state::App;
use crate::web::words::printing as words;

/// Which page is looked at, and what was done before the page was opened.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct SheetQuery {
    /// A number, or the uids of the overview's page.
    page: String,
    done: String,
}

/// Which tokens, and how.
type SheetForm = Parts<(SelectionForm, PrintForm, SheetQuery)>;

/// Shows what can be chosen, and a page as it will be printed.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    Query(form): Query<SheetForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    sheet(&who, &request, form, &app).await
}

/// The same, of what no address can hold.
pub(crate) async fn show_form(
    who: Allowed<See>,
    request: HttpRequest,
    Form(form): Form<SheetForm, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    sheet(&who, &request, form, &app).await
}

async fn sheet(
    who: &Allowed<See>,
    request: &HttpRequest,
    Parts((which, form, query)): SheetForm,
    app: &web::Data<App>,
) -> Result<HttpResponse, Error> {
    let is_measured = query.done == "measured";
    let Some(order) = PrintOrder::read(which, form.clone(), app, &who.caller.principal, true).await? else {
        let notice = is_measured.then(|| Notice::done(words::PRINTER_SAVED_CHOOSE));
        return nothing_chosen(request, app, &form, notice, StatusCode::OK).await;
    };
    let flash = is_measured.then_some(words::PRINTER_SAVED_SELECTED);
    sheet_page(request, app, order, (query.page.parse().unwrap_or(1), flash)).await
}
