//! `/printers`: the offsets and the resolution of each printer.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::access::{Permission, Principal};
use crate::sheet::mm::Mm;
use crate::sheet::refusal::FARTHEST;
use crate::store::printing::printers;
use crate::store::printing::printers::{Printer, StoredPrinter};
use crate::token::print::{DPI, check_name};
use crate::token::settings::Settings;
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, SavePrinters, See};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Params};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "printing/printers.html")]
struct PrintersPage {
    page: Page,
    printers: Vec<PrinterView>,
    form: PrinterForm,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "printing/printer_edit.html")]
struct EditPage {
    page: Page,
    was: String,
    form: PrinterForm,
    errors: FormErrors,
}

/// A printer, as the page shows it.
struct PrinterView {
    name: String,
    offset_x: Mm,
    offset_y: Mm,
    dpi: i32,
    changed: FormattedTime,
    by: String,
}

/// The fields of the form.
struct PrinterForm {
    name: String,
    offset_x: String,
    offset_y: String,
    dpi: String,
}

impl PrinterForm {
    fn new(settings: &Settings) -> Self {
        let zero = || "0".to_owned();
        Self { name: String::new(), offset_x: zero(), offset_y: zero(), dpi: settings.default_dpi.to_string() }
    }

    fn of(printer: &Printer) -> Self {
        let mm = |micrometres| Mm::from_micrometres(micrometres).to_string();
        let (offset_x, offset_y) = (mm(printer.offset_x), mm(printer.offset_y));
        Self { name: printer.name.clone(), offset_x, offset_y, dpi: printer.dpi.to_string() }
    }

    fn read(params: &Params) -> Result<Self, Error> {
        let text = |name| params.text(name).map(|text| text.unwrap_or_default().trim().to_owned());
        Ok(Self { name: text("name")?, offset_x: text("offset_x")?, offset_y: text("offset_y")?, dpi: text("dpi")? })
    }

    /// What was typed before its user had to sign in, and comes back with the address.
    fn brought_back(params: &Params) -> Result<Option<Self>, Error> {
        let is_back = ["offset_x", "offset_y", "dpi"].iter().any(|name| params.has_any(name));
        is_back.then(|| Self::read(params)).transpose()
    }

    /// The printer; errors are added.
    fn to_printer(&self, errors: &mut FormErrors) -> Printer {
        if let Err(why) = check_name(&self.name) {
            errors.add("name", why);
        }
        let mut offset = |field: &str, words: &str, text: &str| match text.parse::<Mm>() {
            Ok(offset) if (-FARTHEST..=FARTHEST).contains(&offset) => offset.micrometres(),
            Ok(_) => {
                errors.add(field, format!("“{words}” must be from -20 to 20 mm."));
                0
            }
            Err(why) => {
                errors.add(field, format!("“{words}”: {why}."));
                0
            }
        };
        let offset_x = offset("offset_x", "Moved right", &self.offset_x);
        let offset_y = offset("offset_y", "Moved down", &self.offset_y);
        let dpi = read_dpi(&self.dpi, errors).unwrap_or_default();
        Printer { name: self.name.clone(), offset_x, offset_y, dpi }
    }
}

/// A printer's dots per inch, or none, and what is wrong with them.
pub(crate) fn read_dpi(text: &str, errors: &mut FormErrors) -> Option<i32> {
    let dpi = text.parse().ok().filter(|dpi| DPI.contains(dpi));
    if dpi.is_none() {
        errors.add("dpi", "The resolution must be a whole number from 150 to 1,200 dots per inch.");
    }
    dpi
}

impl PrinterView {
    fn new(stored: StoredPrinter, clock: TimeFormatter) -> Self {
        let Printer { name, offset_x, offset_y, dpi } = stored.printer;
        Self {
            name,
            offset_x: Mm::from_micrometres(offset_x),
            offset_y: Mm::from_micrometres(offset_y),
            dpi,
            changed: clock.format(stored.changed),
            by: stored.changed_by,
        }
    }
}

async fn list(
    app: &App,
    request: &HttpRequest,
    notice: Option<Notice>,
    form: PrinterForm,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let stored = app.store.read_inline(|connection| Ok(printers::all(connection)?)).await?;
    let clock = app.time_formatter();
    let (page_of, status) = (Page::new(request, Section::Print).with_notice(notice), errors.status());
    let printers = stored.into_iter().map(|printer| PrinterView::new(printer, clock)).collect();
    page(app, status, &PrintersPage { page: page_of, printers, form, errors })
}

/// Shows every printer, and the form for another one.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let notice = match params.filled("done")?.as_deref() {
        Some("saved") => Some("The printer is saved."),
        Some("removed") => Some("The printer is removed."),
        _ => None,
    };
    let brought_back = PrinterForm::brought_back(&params)?.filter(|_| who.caller.role.may(Permission::Edit));
    let form = match brought_back {
        Some(form) => match was(&params)? {
            Some(was) => return edit_page(&app, &request, was, form, FormErrors::default()),
            None => form,
        },
        None => PrinterForm::new(&*app.settings.get(&app.store).await?),
    };
    list(&app, &request, notice.map(Notice::done), form, FormErrors::default()).await
}

/// The printer's name in an address or a form.
fn named<const L: usize>(params: &Params<L>, field: &str) -> Result<String, Error> {
    let name = params.text(field)?.unwrap_or_default();
    if check_name(&name).is_err() { Err(Error::NotFound) } else { Ok(name) }
}

/// The form of a printer.
pub(crate) async fn edit_form(
    _who: Allowed<SavePrinters>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let was = named(&params, "name")?;
    let name = was.clone();
    let stored = app.store.read_inline(move |connection| Ok(printers::find(connection, &name)?)).await?;
    let form = PrinterForm::of(&stored.ok_or(Error::NotFound)?.printer);
    edit_page(&app, &request, was, form, FormErrors::default())
}

fn edit_page(
    app: &App,
    request: &HttpRequest,
    was: String,
    form: PrinterForm,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let (page_of, status) = (Page::new(request, Section::Print), errors.status());
    page(app, status, &EditPage { page: page_of, was, form, errors })
}

/// The printer that the form is about; none for another one.
fn was(params: &Params) -> Result<Option<String>, Error> {
    params.filled("was")?.map(|_| named(params, "was")).transpose()
}

/// Adds a printer, or changes the one that the form was about.
pub(crate) async fn save(
    who: Allowed<SavePrinters>,
    request: HttpRequest,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let was = was(&params)?;
    let form = PrinterForm::read(&params)?;
    let errors = save_form(&app, &form, was.clone(), who.caller.principal).await?;
    match was {
        _ if errors.is_empty() => Ok(see_other(&app, "/printers?done=saved")),
        None => list(&app, &request, None, form, errors).await,
        Some(was) => edit_page(&app, &request, was, form, errors),
    }
}

/// Saves the printer of the form, unless the form has errors.
async fn save_form(app: &App, form: &PrinterForm, was: Option<String>, by: Principal) -> Result<FormErrors, Error> {
    let mut errors = FormErrors::default();
    let (printer, now) = (form.to_printer(&mut errors), app.store.now());
    if errors.is_empty() {
        let save = move |connection: &mut _| printers::save(connection, was.as_deref(), &printer, &by, now);
        if let Err(why) = or_refusal(app.store.write(save).await)? {
            errors.add("name", why);
        }
    }
    Ok(errors)
}

/// Removes a printer.
pub(crate) async fn remove(
    who: Allowed<SavePrinters>,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (name, by, now) = (named(&params, "name")?, who.caller.principal, app.store.now());
    let removed = app.store.write(move |connection| printers::remove(connection, &name, &by, now)).await;
    // A refusal: somebody else was quicker, and it is gone all the same.
    let _ = or_refusal(removed)?;
    Ok(see_other(&app, "/printers?done=removed"))
}
