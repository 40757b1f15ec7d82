//! The page on which labels are chosen and previewed, with what is wrong with them.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::PrintForm;
use super::order::{PrintOrder, UIDS_IN_ADDRESS};
use super::preview::SheetPreview;
use crate::access::Permission;
use crate::sheet::geometry::Sheet;
use crate::token::Uid;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::Section;
use crate::web::negotiation::answers_json;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::query_string;
use crate::web::state::App;
use crate::work::printing::items::MAX_LABELS;
use crate::work::printing::jobs::parts;
use crate::work::printing::options::TextBeside;

#[derive(Template)]
#[template(path = "printing/sheet.html")]
struct SheetPage {
    page: Page,
    may_manage: bool,
    back: String,
    fields: Vec<(&'static str, String)>,
    method: &'static str,
    count: String,
    errors: FormErrors,
    sheets: Vec<(&'static str, Vec<Choice>)>,
    sheet: Sheet,
    form: PrintForm,
    next: Option<u32>,
    /// The address that starts there, when the page starts elsewhere.
    start_next: Option<String>,
    texts: [Choice; 3],
    printers: Vec<Choice>,
    /// A click on a label of the preview starts there.
    has_links: bool,
    leaves_out: bool,
    /// The address of a test page that is moved as the printer's are.
    test_page: String,
    job: Uid,
    jobs: usize,
    preview: SheetPreview,
}

/// The page of an order, with what is wrong with it.
pub(crate) async fn sheet_page(
    who: &Allowed<See>,
    request: &HttpRequest,
    app: &web::Data<App>,
    mut order: PrintOrder,
    (number, notice): (usize, Option<&'static str>),
) -> Result<HttpResponse, Error> {
    let preview = SheetPreview::make(app, &mut order, number).await?;
    let next = order.choices.next_label(&order.options.sheet);
    let is_in_address = order.selected.uids().is_none_or(|uids| uids.len() <= UIDS_IN_ADDRESS);
    let start_next = next.filter(|next| is_in_address && *next != order.options.start);
    let start_next =
        start_next.map(|next| format!("{}{next}", order.address_but_start(&format!("{}/sheet", app.base))));
    let PrintOrder { selected, form, options, choices, errors, .. } = order;
    let template = SheetPage {
        page: Page::new(request, Section::Print).with_notice(notice.map(Notice::done)),
        may_manage: who.caller.role.may(Permission::Manage),
        back: selected.back(&app.base),
        fields: selected.fields,
        method: if is_in_address { "get" } else { "post" },
        count: crate::web::format::tokens(order.total),
        sheets: choices.choices(&options.sheet),
        next,
        start_next,
        printers: Choice::words(choices.printers.into_iter().map(|printer| printer.name), &form.printer),
        test_page: query_string::with(
            &format!("{}/sheet/calibrate.pdf", app.base),
            [("sheet", &*options.sheet.slug), ("printer", &*form.printer)],
            "",
        ),
        leaves_out: form.leave_out || errors.of("text").is_some(),
        texts: TextBeside::ALL.map(|(text, word, label)| Choice::new(word, label, text == options.text)),
        has_links: is_in_address && options.sheet.labels() > 1,
        job: Uid::random(),
        jobs: if order.total > MAX_LABELS { parts(order.total, &options) } else { 1 },
        sheet: options.sheet,
        form,
        preview,
        errors,
    };
    page(app, template.errors.status(), &template)
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
    if let Some(error) = order.errors.first()
        && answers_json(request)
    {
        return Err(error.into());
    }
    sheet_page(who, request, app, order, (1, None)).await
}
