//! The page on which labels are chosen and previewed, with what is wrong with them.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::PrintForm;
use super::label_text::{beside_choices, is_beside, second_line_choices, size_choices};
use super::order::{PrintOrder, UIDS_IN_ADDRESS};
use super::preview::SheetPreview;
use super::tabs::{Tab, tabs};
use crate::sheet::geometry::Sheet;
use crate::token::Uid;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::navigation::{NavigationLink, Section};
use crate::web::negotiation::answers_json;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::printing::items::MAX_LABELS;
use crate::work::printing::jobs::parts;

#[derive(Template)]
#[template(path = "printing/sheet.html")]
struct SheetPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    back: String,
    fields: Vec<(&'static str, String)>,
    /// All fields of the form, to send it again.
    again: Vec<(&'static str, String)>,
    method: &'static str,
    count: String,
    left_out: Option<String>,
    errors: FormErrors,
    sheets: Vec<(&'static str, Vec<Choice>)>,
    sheet: Sheet,
    form: PrintForm,
    /// Where the last print on this sheet ended, if its page has free labels.
    in_hand: Option<SheetInHand>,
    texts: [Choice; 3],
    sizes: [Choice; 3],
    second_lines: Vec<Choice>,
    printers: Vec<Choice>,
    /// A click on a label of the preview starts there.
    has_links: bool,
    /// Some characters cannot be printed, which can be left out.
    lacks_glyphs: bool,
    /// The address of a test page that is moved as the printer's are.
    test_page: String,
    job: Uid,
    jobs: usize,
    preview: SheetPreview,
}

/// A sheet of which the first labels are printed.
struct SheetInHand {
    /// Where the last print ended, in words.
    ended: String,
    /// Where to go on, in words.
    continue_at: String,
    /// The form starts there.
    is_continued: bool,
    /// The form starts on a new sheet.
    is_new: bool,
}

impl SheetInHand {
    fn new(next: u32, start: u32) -> Self {
        Self {
            ended: words::last_ended_at(next - 1),
            continue_at: words::continue_at(next),
            is_continued: start == next,
            is_new: start == 1,
        }
    }
}

/// The page of an order, with what is wrong with it.
pub(crate) async fn sheet_page(
    request: &HttpRequest,
    app: &web::Data<App>,
    mut order: PrintOrder,
    (number, notice): (usize, Option<&'static str>),
) -> Result<HttpResponse, Error> {
    let preview = SheetPreview::make(app, &mut order, number).await?;
    let next = order.choices.next_label(&order.options.sheet);
    let is_in_address = order.selected.uids().is_none_or(|uids| uids.len() <= UIDS_IN_ADDRESS);
    let again = order.fields();
    let PrintOrder { selected, form, options, choices, errors, left_out, .. } = order;
    let page_of = Page::new(request, Section::Print).with_notice(notice.map(Notice::done));
    let template = SheetPage {
        tabs: tabs(&page_of, Tab::Print),
        page: page_of,
        back: selected.back(&app.base),
        fields: selected.fields,
        again,
        method: if is_in_address { "get" } else { "post" },
        count: crate::web::format::tokens(order.total),
        left_out,
        sheets: choices.choices(&options.sheet),
        in_hand: next.map(|next| SheetInHand::new(next, options.start)),
        printers: Choice::words(choices.printers.into_iter().map(|printer| printer.name), &form.printer),
        test_page: query_string::with(
            &format!("{}/sheet/calibrate.pdf", app.base),
            [("sheet", &*options.sheet.slug), ("printer", &*form.printer)],
            "",
        ),
        lacks_glyphs: errors.of("text").is_some() && is_beside(&form.text),
        texts: beside_choices(options.text),
        sizes: size_choices(options.text_size),
        second_lines: second_line_choices(&form.second_line),
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
    request: &HttpRequest,
    app: &web::Data<App>,
    order: PrintOrder,
) -> Result<HttpResponse, Error> {
    if let Some(error) = order.errors.first()
        && answers_json(request)
    {
        return Err(error.into());
    }
    sheet_page(request, app, order, (1, None)).await
}
