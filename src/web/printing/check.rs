//! `/sheet/check`: reads every label as a scanner would, before it is printed. What is found is told page by page, while it is
//! found: so it needs no JavaScript, works on any instance, and ends when its reader goes.

use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_util::stream::{self, Stream};

use super::choose::nothing_chosen;
use super::form::PrintForm;
use super::order::{PrintOrder, refusals};
use super::sheet_page::refused;
use super::tabs::{Tab, tabs};
use crate::sheet::fonts::Fonts;
use crate::sheet::layout::SheetLayout;
use crate::sheet::pdf;
use crate::sheet::proof::{self, Failure};
use crate::web::bulk::selection::SelectionForm;
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::page::{Page, html};
use crate::web::params::{Form, LARGE, Parts};
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::render_pool::RenderTask;

/// Where the template is cut: what is found comes in between.
const FOUND: &str = "<!-- found -->";

#[derive(Template)]
#[template(path = "printing/check.html")]
struct CheckPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    count: String,
    sheet: String,
    dpi: u32,
    found: &'static str,
}

#[derive(Template)]
#[template(path = "printing/check_page.html")]
struct PageRead {
    number: usize,
    labels: String,
    failed: Vec<Failure>,
}

#[derive(Template)]
#[template(path = "printing/check_verdict.html")]
struct Verdict {
    is_good: bool,
    text: String,
    action: String,
    fields: Vec<(&'static str, String)>,
}

/// Checks each label of an order.
pub(crate) async fn check(
    who: Allowed<See>,
    request: HttpRequest,
    Form(Parts((which, form))): Form<Parts<(SelectionForm, PrintForm)>, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let Some(mut order) = PrintOrder::read(which, form.clone(), &app, &who.caller.principal, false).await? else {
        return nothing_chosen(&request, &app, &form, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    match lay_out(&app, &mut order).await? {
        Some(layout) => stream(&request, &app, who.caller, &order, layout),
        None => refused(&request, &app, order).await,
    }
}

/// The layout of all labels of an order; none where it cannot be printed, and its errors say why.
async fn lay_out(app: &web::Data<App>, order: &mut PrintOrder) -> Result<Option<SheetLayout>, Error> {
    let labels = if order.errors.is_empty() { order.all(app).await? } else { None };
    let Some(labels) = labels else { return Ok(None) };
    let (options, shared, items) = (order.options.clone(), Arc::clone(&app.background), labels.items);
    let layout = app.background.render_pool.run(items.len(), move |_| {
        SheetLayout::new(&options.sheet, &options.layout_options(), &shared.fonts, options.has_text(), items)
    });
    Ok(layout.await?.map_err(|refused| refusals(&refused, &mut order.errors)).ok())
}

/// The page of a check, which is sent while its labels are read.
fn stream(
    request: &HttpRequest,
    app: &web::Data<App>,
    caller: Caller,
    order: &PrintOrder,
    layout: SheetLayout,
) -> Result<HttpResponse, Error> {
    let page = Page::new(request, Section::Print);
    let template = CheckPage {
        tabs: tabs(&page, Tab::Print),
        page,
        count: order.count(),
        sheet: order.options.sheet.name.clone(),
        dpi: order.options.dpi,
        found: FOUND,
    };
    let text = template.render().map_err(|error| Error::fault(error.to_string()))?;
    let (head, foot) = text.split_once(FOUND).ok_or_else(|| Error::fault("the page of a check has no place"))?;
    let reading = Reading {
        app: web::Data::clone(app),
        caller,
        layout: Arc::new(layout),
        page: 0,
        failed: 0,
        is_broken: false,
        action: format!("{}/sheet", app.base),
        fields: order.fields(),
        foot: Some(foot.to_owned()),
    };
    let head = stream::iter([Ok::<_, actix_web::Error>(Bytes::from(head.to_owned()))]);
    let body = futures_util::StreamExt::chain(head, reading.found());
    Ok(html(StatusCode::OK, app.public_url.is_https()).streaming(body))
}

/// A check that is under way.
struct Reading {
    app: web::Data<App>,
    caller: Caller,
    layout: Arc<SheetLayout>,
    page: usize,
    failed: usize,
    is_broken: bool,
    action: String,
    fields: Vec<(&'static str, String)>,
    /// What stands behind all that is found; none when it is sent.
    foot: Option<String>,
}

impl Reading {
    /// What is found on each page, then the verdict.
    fn found(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        stream::try_unfold(self, |mut reading| async move {
            let next = reading.next().await?;
            Ok(next.map(|text| (Bytes::from(text), reading)))
        })
    }

    async fn next(&mut self) -> Result<Option<String>, Error> {
        let fault = |error: askama::Error| Error::fault(error.to_string());
        self.app.recheck(&self.caller).await?;
        if self.page == self.layout.pages() {
            let Some(foot) = self.foot.take() else { return Ok(None) };
            return Ok(Some(self.verdict().render().map_err(fault)? + &foot));
        }
        let (layout, fonts, page) = (Arc::clone(&self.layout), Arc::clone(&self.app.background.fonts), self.page);
        let labels = layout.items_of(page).len();
        let read_page = move |work: &mut RenderTask| read(&layout, &fonts, page).map(|failed| (failed, work.due()));
        let Ok((failed, due)) =
            self.app.background.render_pool.run(labels, read_page).await.unwrap_or_else(|error| Err(error.into()))
        else {
            // The answer has begun: what is left to be said is that it came to no end.
            (self.page, self.is_broken) = (self.layout.pages(), true);
            return Ok(Some("\n".into()));
        };
        // Here, as others may have a page made meanwhile.
        tokio::time::sleep(due).await;
        self.page += 1;
        self.failed += failed.len();
        let read = PageRead { number: self.page, labels: words::codes_read(labels), failed };
        Ok(Some(read.render().map_err(fault)?))
    }

    fn verdict(&mut self) -> Verdict {
        let verdict = match (self.is_broken, self.failed) {
            (true, _) => words::CHECK_STOPPED.to_owned(),
            (false, 0) => words::check_passed(self.layout.items()),
            (false, failed) => words::check_failed(failed, self.layout.items()),
        };
        let (action, fields) = (std::mem::take(&mut self.action), std::mem::take(&mut self.fields));
        Verdict { is_good: self.failed == 0 && !self.is_broken, text: verdict, action, fields }
    }
}

/// Prints a page into memory, and reads it.
fn read(layout: &SheetLayout, fonts: &Fonts, page: usize) -> Result<Vec<Failure>, Error> {
    let fault = |error: &dyn std::fmt::Display| Error::fault(error.to_string());
    let go_on = &mut |_| ControlFlow::Continue(());
    let file = pdf::write("Check", fonts, [layout.page(page)], go_on).map_err(|error| fault(&error))?;
    let expected = proof::expected(layout, page);
    let failed =
        proof::check(Arc::new(file), layout.options().dpi, [expected], go_on).map_err(|error| fault(&error))?;
    Ok(failed)
}
