//! `/sheet/calibrate`: measuring a printer's offsets, and the test page for it.

use std::ops::ControlFlow;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::form::{PrintChoices, PrintForm};
use super::printers::read_dpi;
use super::tabs::{Tab, tabs};
use crate::access::Principal;
use crate::sheet::calibrate::{self, NOMINAL, SCALE};
use crate::sheet::geometry::Sheet;
use crate::sheet::mm::Mm;
use crate::sheet::pdf;
use crate::store::printing::printers;
use crate::store::printing::printers::Printer;
use crate::token::print::check_name;
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, SavePrinters, See};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query, trimmed};
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words::printing::NOT_A_DISTANCE;
use crate::work::printing::options::PrintOptions;

#[derive(Template)]
#[template(path = "printing/calibrate.html")]
struct CalibratePage {
    page: Page,
    tabs: Vec<NavigationLink>,
    sheets: Vec<(&'static str, Vec<Choice>)>,
    sheet: Sheet,
    is_small: bool,
    printers: Vec<String>,
    form: CalibrationForm,
    nominal: Mm,
    scale: Mm,
    errors: FormErrors,
}

/// The fields of the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct CalibrationForm {
    #[serde(deserialize_with = "trimmed")]
    printer: String,
    #[serde(deserialize_with = "trimmed")]
    measured_x: String,
    #[serde(deserialize_with = "trimmed")]
    measured_y: String,
    #[serde(deserialize_with = "trimmed")]
    dpi: String,
}

impl CalibrationForm {
    /// The printer as it was measured; errors are added.
    fn to_printer(&self, errors: &mut FormErrors) -> Option<Printer> {
        if let Err(why) = check_name(&self.printer) {
            errors.add("printer", why);
        }
        let mut measured = |field, text: &str| {
            let read = text.parse::<Mm>();
            read.map_err(|_| errors.add(field, NOT_A_DISTANCE)).ok()
        };
        let (x, y) = (measured("measured_x", &self.measured_x), measured("measured_y", &self.measured_y));
        let dpi = read_dpi(&self.dpi, errors);
        let offsets = calibrate::offsets(x?, y?).map_err(|wrong| {
            for far in wrong {
                let field = if far.field == "offset_x" { "measured_x" } else { "measured_y" };
                errors.add(field, format!("{far}."));
            }
        });
        let (x, y) = offsets.ok()?;
        let (offset_x, offset_y) = (x.micrometres(), y.micrometres());
        Some(Printer { name: self.printer.clone(), offset_x, offset_y, dpi: dpi? }).filter(|_| errors.is_empty())
    }
}

/// The sheet and the printer that are named, and what can be chosen.
async fn read_options(
    mut form: PrintForm,
    app: &App,
    by: &Principal,
) -> Result<(PrintOptions, PrintChoices, FormErrors), Error> {
    let settings = app.settings.get(&app.store).await?;
    let by = by.clone();
    let known = app.store.read_inline(move |connection| PrintChoices::read(connection, &by)).await?;
    let mut errors = FormErrors::default();
    let how = form.how(&known, &settings, &mut errors);
    Ok((how, known, errors))
}

/// Explains how to measure, with a form for the distances.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    Query(Parts((print, form))): Query<Parts<(PrintForm, CalibrationForm)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (how, known, _) = read_options(print, &app, &who.caller.principal).await?;
    let form = CalibrationForm { dpi: how.dpi.to_string(), ..form };
    calibrate_page(&request, &app, how.sheet, known, (form, FormErrors::default()))
}

fn calibrate_page(
    request: &HttpRequest,
    app: &App,
    sheet: Sheet,
    known: PrintChoices,
    (form, errors): (CalibrationForm, FormErrors),
) -> Result<HttpResponse, Error> {
    let page_of = Page::new(request, Section::Print);
    let template = CalibratePage {
        tabs: tabs(&page_of, Tab::Printers),
        page: page_of,
        sheets: known.choices(&sheet),
        scale: if sheet.page_width > SCALE.0 + SCALE.1 { SCALE.0 } else { SCALE.1 },
        is_small: calibrate::is_small(&sheet),
        sheet,
        printers: known.printers.into_iter().map(|printer| printer.name).collect(),
        form,
        nominal: NOMINAL,
        errors,
    };
    page(app, template.errors.status(), &template)
}

/// Saves a printer with the offsets that its distances give, and leads to the sheet, where it is chosen.
pub(crate) async fn save(
    who: Allowed<SavePrinters>,
    request: HttpRequest,
    Form(Parts((print, form))): Form<Parts<(PrintForm, CalibrationForm)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (mut errors, sheet) = (FormErrors::default(), print.sheet.clone());
    let Some(printer) = form.to_printer(&mut errors) else {
        let (how, known, _) = read_options(print, &app, &who.caller.principal).await?;
        let sheet = known.sheet(&sheet).cloned().unwrap_or(how.sheet);
        return calibrate_page(&request, &app, sheet, known, (form, errors));
    };
    let (by, now, name) = (who.caller.principal, app.store.now(), printer.name.clone());
    app.store.write(move |connection| printers::save(connection, None, &printer, &by, now)).await?;
    Ok(see_other(&app, &query_string::with("/sheet", [("sheet", &*sheet), ("printer", &*name)], "done=measured")))
}

/// The test page of a sheet: unmoved, or moved by the offsets of a printer, to see that they are right.
pub(crate) async fn test_page(
    who: Allowed<See>,
    Query(form): Query<PrintForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (how, _, errors) = read_options(form, &app, &who.caller.principal).await?;
    if let Some(error) = errors.first() {
        return Err(error.into());
    }
    let fonts = std::sync::Arc::clone(&app.background.fonts);
    let made = app.background.render_pool.run(1, move |_| {
        let page = calibrate::page(&how.sheet, how.offset_x, how.offset_y, &fonts);
        pdf::write("Test page", &fonts, [page], &mut |_| ControlFlow::Continue(()))
    });
    let file = made.await?.map_err(|error| Error::fault(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"test-page.pdf\""))
        .body(file))
}
