//! `/sheet`: labels on paper: what will be printed, and as it will be printed.

pub mod asked;
pub mod browser;
pub mod calibrate;
pub mod check;
pub mod job;
pub mod order;
pub mod pdf;
pub mod preview;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Page, Problems, address, page};
use crate::access::Permission;
use crate::sheet::geometry::Sheet;
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::params::{LARGE, Params};
use crate::web::printing::Beside;
use crate::web::state::App;
use asked::Asked;
use order::{MOST, Order};
use preview::Preview;

/// Uids that an address can carry; a longer list is posted.
const UIDS_IN_ADDRESS: usize = 40;

#[derive(Template)]
#[template(path = "sheets/sheet.html")]
struct SheetPage {
    page: Page,
    flash: Option<&'static str>,
    may_manage: bool,
    back: String,
    fields: Vec<(&'static str, String)>,
    method: &'static str,
    told: String,
    problems: Problems,
    sheets: Vec<(&'static str, Vec<(String, String)>)>,
    sheet: Sheet,
    asked: Asked,
    next: Option<u32>,
    /// The address that starts there, when the page starts elsewhere.
    start_next: Option<String>,
    texts: [(Beside, &'static str, &'static str); 3],
    beside: Beside,
    printers: Vec<String>,
    leaves_out: bool,
    /// The address of a test page that is moved as the printer's are.
    test_page: String,
    job: Uid,
    jobs: usize,
    preview: Preview,
}

/// Shows what can be chosen, and a page as it will be printed. Takes POST too, for what no address can hold.
///
/// # Errors
/// No such token; unavailable, when the database cannot be asked.
pub async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let order = Order::read(&params, &app, &who.caller.principal, true).await?;
    let number = params.filled("page")?.and_then(|text| text.parse().ok()).unwrap_or(1);
    let is_measured = params.filled("done")?.as_deref() == Some("measured");
    let flash = is_measured.then_some("The printer is saved, and chosen below.");
    sheet_page(&who, &request, &app, order, (number, flash)).await
}

/// The page of an order, with what is wrong with it.
async fn sheet_page(
    who: &Allowed<See>,
    request: &HttpRequest,
    app: &web::Data<App>,
    mut order: Order,
    (number, flash): (usize, Option<&'static str>),
) -> Result<HttpResponse, Error> {
    let preview = Preview::make(app, &mut order, number).await?;
    let next = order.known.next_label(&order.how.sheet);
    let is_in_address = order.selected.uids().is_none_or(|uids| uids.len() <= UIDS_IN_ADDRESS);
    let start_next = next.filter(|next| is_in_address && *next != order.how.start);
    let start_next =
        start_next.map(|next| format!("{}{next}", order.address_but_start(&format!("{}/sheet", app.base))));
    let Order { selected, asked, how, known, problems, .. } = order;
    let template = SheetPage {
        page: Page::new(request, "print"),
        flash,
        may_manage: who.caller.role.may(Permission::Manage),
        back: selected.back(&format!("{}/overview", app.base)),
        fields: selected.fields,
        method: if is_in_address { "get" } else { "post" },
        told: super::when::tokens(order.total),
        sheets: known.choices(),
        next,
        start_next,
        printers: known.printers.into_iter().map(|printer| printer.name).collect(),
        test_page: address::with(
            &format!("{}/sheet/calibrate.pdf", app.base),
            [("sheet", &*how.sheet.slug), ("printer", &*asked.printer)],
            "",
        ),
        leaves_out: asked.leave_out || problems.of("text").is_some(),
        texts: Beside::ALL,
        beside: how.text,
        job: Uid::random(),
        jobs: if order.total > MOST { job::parts(order.total, &how) } else { 1 },
        sheet: how.sheet,
        asked,
        preview,
        problems,
    };
    page(app, template.problems.status(), &template)
}
