//! `/sheet`: labels on paper: what will be printed, and as it will be printed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::choose::nothing_chosen;
use super::order::PrintOrder;
use super::sheet_page::sheet_page;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::params::{LARGE, RawParams};
use crate::web::state::App;

/// Shows what can be chosen, and a page as it will be printed. Takes POST too, for what no address can hold.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    params: RawParams<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let number = params.filled("page")?.and_then(|text| text.parse().ok()).unwrap_or(1);
    let is_measured = params.filled("done")?.as_deref() == Some("measured");
    let Some(order) = PrintOrder::read(&params, &app, &who.caller.principal, true).await? else {
        return nothing_chosen(&request, &app, &params, StatusCode::OK).await;
    };
    let flash = is_measured.then_some("The printer is saved, and chosen below.");
    sheet_page(&who, &request, &app, order, (number, flash)).await
}
