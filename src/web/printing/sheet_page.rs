//! The page on which labels are chosen and previewed, with what is wrong with them.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::PrintForm;
use super::order::{PrintOrder, UIDS_IN_ADDRESS};
use super::preview::SheetPreview;
use crate::access::Permission;
use crate::sheet::geometry::Sheet;
use crate::token::{TokenError, Uid};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, See};
use crate::web::negotiation::answers_json;
use crate::web::page::{Page, page};
use crate::web::query_string;
use crate::web::state::App;
use crate::work::printing::items::MAX_LABELS;
use crate::work::printing::jobs::parts;
use crate::work::printing::options::TextBeside;

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
    problems: FormErrors,
    sheets: Vec<(&'static str, Vec<(String, String)>)>,
    sheet: Sheet,
    asked: PrintForm,
    next: Option<u32>,
    /// The address that starts there, when the page starts elsewhere.
    start_next: Option<String>,
    texts: [(TextBeside, &'static str, &'static str); 3],
    beside: TextBeside,
    printers: Vec<String>,
    leaves_out: bool,
    /// The address of a test page that is moved as the printer's are.
    test_page: String,
    job: Uid,
    jobs: usize,
    preview: SheetPreview,
}

/// The page of an order, with what is wrong with it.
///
/// # Errors
/// No such token; unavailable, when the database cannot be asked.
pub(crate) async fn sheet_page(
    who: &Allowed<See>,
    request: &HttpRequest,
    app: &web::Data<App>,
    mut order: PrintOrder,
    (number, flash): (usize, Option<&'static str>),
) -> Result<HttpResponse, Error> {
    let preview = SheetPreview::make(app, &mut order, number).await?;
    let next = order.known.next_label(&order.how.sheet);
    let is_in_address = order.selected.uids().is_none_or(|uids| uids.len() <= UIDS_IN_ADDRESS);
    let start_next = next.filter(|next| is_in_address && *next != order.how.start);
    let start_next =
        start_next.map(|next| format!("{}{next}", order.address_but_start(&format!("{}/sheet", app.base))));
    let PrintOrder { selected, asked, how, known, problems, .. } = order;
    let template = SheetPage {
        page: Page::new(request, "print"),
        flash,
        may_manage: who.caller.role.may(Permission::Manage),
        back: selected.back(&format!("{}/overview", app.base)),
        fields: selected.fields,
        method: if is_in_address { "get" } else { "post" },
        told: crate::web::format::tokens(order.total),
        sheets: known.choices(),
        next,
        start_next,
        printers: known.printers.into_iter().map(|printer| printer.name).collect(),
        test_page: query_string::with(
            &format!("{}/sheet/calibrate.pdf", app.base),
            [("sheet", &*how.sheet.slug), ("printer", &*asked.printer)],
            "",
        ),
        leaves_out: asked.leave_out || problems.of("text").is_some(),
        texts: TextBeside::ALL,
        beside: how.text,
        job: Uid::random(),
        jobs: if order.total > MAX_LABELS { parts(order.total, &how) } else { 1 },
        sheet: how.sheet,
        asked,
        preview,
        problems,
    };
    page(app, template.problems.status(), &template)
}

/// What is wrong: as an error to programs, and as the page to people.
///
/// # Errors
/// What is wrong; unavailable, when the database cannot be asked.
pub(crate) async fn refused(
    who: &Allowed<See>,
    request: &HttpRequest,
    app: &web::Data<App>,
    order: PrintOrder,
) -> Result<HttpResponse, Error> {
    if let Some((field, message)) = order.problems.list().first()
        && answers_json(request)
    {
        return Err(TokenError::value(field.clone(), message.clone()).into());
    }
    sheet_page(who, request, app, order, (1, None)).await
}
