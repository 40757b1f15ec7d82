//! `/sheet/browser`: the labels as a page that the browser prints itself, and `/sheet.css`, which tells it the paper's size.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::choose::nothing_chosen;
use super::form::PrintForm;
use super::order::{PrintOrder, too_many};
use super::pdf::make_all;
use super::sheet_page::refused;
use crate::sheet::fonts::Fonts;
use crate::sheet::layout::SheetLayout;
use crate::sheet::mm::Mm;
use crate::sheet::svg;
use crate::sheet::svg::PageStyle;
use crate::web::bulk::selection::SelectionForm;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Anybody, See};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::params::{Form, LARGE, Parts, Query};
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::printing::pdf::save_pdf;

/// The most labels: more would make a page of which browsers choke.
const MOST: usize = 2_000;

#[derive(Template)]
#[template(path = "printing/browser.html")]
struct BrowserPage {
    page: Page,
    title: String,
    count: String,
    width: Mm,
    height: Mm,
    run: String,
    pages: Vec<String>,
}

/// Prints labels from the browser: the same layout as in the PDF, which is kept as a print run all the same.
pub(crate) async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    Form(Parts((which, form))): Form<Parts<(SelectionForm, PrintForm)>, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let by = who.caller.principal.clone();
    let Some(mut order) = PrintOrder::read(which, form.clone(), &app, &by, false).await? else {
        return nothing_chosen(&request, &app, &form, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    if order.total > MOST {
        order.errors.add_all(&[too_many(order.total, MOST)]);
    }
    let Some((printed, made, pages)) = make_all(&app, &mut order, &by, draw).await? else {
        return refused(&request, &app, order).await;
    };
    let (count, title) = (order.count(), printed.title.clone());
    let run = save_pdf(&app.store, &order.options, &by, (printed, made), None).await?;
    let sheet = &order.options.sheet;
    let (width, height) = (sheet.page_width, sheet.page_height);
    let template =
        BrowserPage { page: Page::new(&request, Section::Print), title, count, width, height, run: run.uid, pages };
    page(&app, StatusCode::OK, &template)
}

/// The pages as SVG.
fn draw(layout: &SheetLayout, fonts: &Fonts) -> Vec<String> {
    let look = |number| PageStyle { number, label: words::page_number(number), preview: None };
    (0..layout.pages()).map(|page| svg::svg(&layout.page(page), fonts, &look(page + 1))).collect()
}

/// A paper's size in millimetres.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PaperQuery {
    width: String,
    height: String,
}

/// The size of the paper, in millimetres, which a page may not say itself: it has no style of its own.
///
/// # Errors
/// A size that no paper has.
pub(crate) async fn paper(_who: Allowed<Anybody>, Query(paper): Query<PaperQuery>) -> Result<HttpResponse, Error> {
    let side = |text: &str| {
        let side = text
            .parse()
            .ok()
            .filter(|side| (Mm::from_micrometres(1_000)..=Mm::from_micrometres(2_000_000)).contains(side));
        side.ok_or(Error::NotFound)
    };
    let (width, height): (Mm, Mm) = (side(&paper.width)?, side(&paper.height)?);
    let css = format!(
        "@page {{ size: {width}mm {height}mm; margin: 0; }}\n.sheet-page {{ width: {width}mm; height: {height}mm; }}\n"
    );
    Ok(HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "private"))
        .body(css))
}
