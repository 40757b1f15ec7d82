//! `/printers`: the offsets and the resolution of each printer.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::tabs::{Tab, tabs};
use crate::access::{Permission, Principal, who};
use crate::sheet::mm::Mm;
use crate::sheet::refusal::FARTHEST;
use crate::store::printing::printers;
use crate::store::printing::printers::{Printer, StoredPrinter};
use crate::store::{self, Connection};
use crate::token::print::{DPI, check_name};
use crate::token::settings::Settings;
use crate::token::{Micros, Problem, TokenError};
use crate::web::conflict::{self, Conflict, Merge};
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, SavePrinters, See};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::pairs::all_pairs_of;
use crate::web::params::{Form, Parts, Query, trimmed};
use crate::web::state::App;
use crate::web::words::printing as words;

#[derive(Template)]
#[template(path = "printing/printers.html")]
struct PrintersPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    printers: Vec<PrinterView>,
    form: PrinterForm,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "printing/printer_edit.html")]
struct EditPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    /// As the form knew the printer.
    was: PrinterForm,
    hidden: Vec<(&'static str, String)>,
    form: PrinterForm,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
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
#[derive(Clone, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PrinterForm {
    #[serde(deserialize_with = "trimmed")]
    name: String,
    #[serde(deserialize_with = "trimmed")]
    offset_x: String,
    #[serde(deserialize_with = "trimmed")]
    offset_y: String,
    #[serde(deserialize_with = "trimmed")]
    dpi: String,
}

/// As the printer was when the form was made, in hidden fields of the form; empty for another printer.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct KnownPrinter {
    was: String,
    was_offset_x: String,
    was_offset_y: String,
    was_dpi: String,
}

impl KnownPrinter {
    fn of(PrinterForm { name, offset_x, offset_y, dpi }: PrinterForm) -> Self {
        Self { was: name, was_offset_x: offset_x, was_offset_y: offset_y, was_dpi: dpi }
    }

    /// As a form; none for another printer.
    fn form(self) -> Result<Option<PrinterForm>, Error> {
        if self.was.is_empty() {
            return Ok(None);
        }
        for (name, text) in
            [("was_offset_x", &self.was_offset_x), ("was_offset_y", &self.was_offset_y), ("was_dpi", &self.was_dpi)]
        {
            if text.is_empty() {
                return Err(TokenError::missing(name).into());
            }
        }
        let Self { was, was_offset_x: offset_x, was_offset_y: offset_y, was_dpi: dpi } = self;
        Ok(Some(PrinterForm { name: checked(was)?, offset_x, offset_y, dpi }))
    }
}

/// A printer by its name.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PrinterName {
    name: String,
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

    /// What was typed before its user had to sign in, and comes back with the address.
    fn brought_back(self) -> Option<Self> {
        let is_back = [&self.offset_x, &self.offset_y, &self.dpi].iter().any(|text| !text.is_empty());
        is_back.then_some(self)
    }

    /// The form with what its user changed, and all else as it is `now`.
    fn merged(&self, was: &Self, now: &Self, merge: &mut Merge) -> Self {
        let mm = |text: &String| format!("{text} mm");
        let (x, y) = (("offset_x", words::SHIFT_RIGHT), ("offset_y", words::SHIFT_DOWN));
        Self {
            // It is found by the name that the form knew, which therefore still is its name.
            name: self.name.clone(),
            offset_x: merge.field(x, [&was.offset_x, &now.offset_x, &self.offset_x], mm),
            offset_y: merge.field(y, [&was.offset_y, &now.offset_y, &self.offset_y], mm),
            dpi: merge.field(("dpi", words::RESOLUTION), [&was.dpi, &now.dpi, &self.dpi], |text| format!("{text} dpi")),
        }
    }

    /// The printer; errors are added.
    fn to_printer(&self, errors: &mut FormErrors) -> Printer {
        if let Err(why) = check_name(&self.name) {
            errors.add("name", why);
        }
        let mut offset = |field: &str, label: &str, text: &str| match text.parse::<Mm>() {
            Ok(offset) if (-FARTHEST..=FARTHEST).contains(&offset) => offset.micrometres(),
            Ok(_) => {
                errors.add(field, words::offset_out_of_bounds(label));
                0
            }
            Err(why) => {
                errors.add(field, words::wrong_field(label, why));
                0
            }
        };
        let offset_x = offset("offset_x", words::SHIFT_RIGHT, &self.offset_x);
        let offset_y = offset("offset_y", words::SHIFT_DOWN, &self.offset_y);
        let dpi = read_dpi(&self.dpi, errors).unwrap_or_default();
        Printer { name: self.name.clone(), offset_x, offset_y, dpi }
    }
}

/// A printer's dots per inch, or none, and what is wrong with them.
pub(crate) fn read_dpi(text: &str, errors: &mut FormErrors) -> Option<i32> {
    let dpi = text.parse().ok().filter(|dpi| DPI.contains(dpi));
    if dpi.is_none() {
        let problem = Problem::OutOfRange { min: (*DPI.start()).into(), max: (*DPI.end()).into() };
        errors.add_all(&[TokenError::value("dpi", problem)]);
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
            by: who(&stored.changed_by),
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
    page(app, status, &PrintersPage { tabs: tabs(&page_of, Tab::Printers), page: page_of, printers, form, errors })
}

/// Shows every printer, and the form for another one.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    Query(Parts((Done { done }, form, known))): Query<Parts<(Done, PrinterForm, KnownPrinter)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let notice = match &*done {
        "saved" => Some(words::PRINTER_SAVED),
        "removed" => Some(words::PRINTER_REMOVED),
        _ => None,
    };
    let brought_back = form.brought_back().filter(|_| who.caller.role.may(Permission::Edit));
    let form = match brought_back {
        Some(form) => match known.form()? {
            Some(was) => return edit_page(&app, &request, (was, form), FormErrors::default(), Vec::new()),
            None => form,
        },
        None => PrinterForm::new(&*app.settings.get(&app.store).await?),
    };
    list(&app, &request, notice.map(Notice::done), form, FormErrors::default()).await
}

/// A printer's name in an address or a form.
fn checked(name: String) -> Result<String, Error> {
    // Not by the rules for new names: one that is older must still be found, to be renamed.
    if name.contains('\0') { Err(Error::NotFound) } else { Ok(name) }
}

/// The form of a printer.
pub(crate) async fn edit_form(
    _who: Allowed<SavePrinters>,
    request: HttpRequest,
    Query(PrinterName { name }): Query<PrinterName>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = checked(name)?;
    let stored = app.store.read_inline(move |connection| Ok(printers::find(connection, &name)?)).await?;
    let form = PrinterForm::of(&stored.ok_or(Error::NotFound)?.printer);
    edit_page(&app, &request, (form.clone(), form), FormErrors::default(), Vec::new())
}

fn edit_page(
    app: &App,
    request: &HttpRequest,
    (was, form): (PrinterForm, PrinterForm),
    errors: FormErrors,
    conflicts: Vec<Conflict>,
) -> Result<HttpResponse, Error> {
    let (page_of, status) = (Page::new(request, Section::Print), conflict::status(&conflicts, &errors));
    let hidden = all_pairs_of(&KnownPrinter::of(was.clone()));
    page(
        app,
        status,
        &EditPage { tabs: tabs(&page_of, Tab::Printers), page: page_of, was, hidden, form, errors, conflicts },
    )
}

/// Adds a printer, or changes the one that the form was about.
pub(crate) async fn save(
    who: Allowed<SavePrinters>,
    request: HttpRequest,
    Form(Parts((form, known))): Form<Parts<(PrinterForm, KnownPrinter)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let was = known.form()?;
    let mut errors = FormErrors::default();
    form.to_printer(&mut errors);
    let mut both = None;
    if errors.is_empty() {
        both = save_form(&app, &form, was.clone(), who.caller.principal, &mut errors).await?;
    }
    match (was, both) {
        // Saved once more, it overwrites what it now shows.
        (Some(_), Some((now, form, conflicts))) => edit_page(&app, &request, (now, form), errors, conflicts),
        _ if errors.is_empty() => Ok(see_other(&app, "/printers?done=saved")),
        (None, _) => list(&app, &request, None, form, errors).await,
        (Some(was), None) => edit_page(&app, &request, (was, form), errors, Vec::new()),
    }
}

/// A printer that both sides have changed: as it is now, its form, and where.
type BothChanged = (PrinterForm, PrinterForm, Vec<Conflict>);

/// Saves what was changed in the form, unless somebody else has changed it, too. An error is added when it is refused.
async fn save_form(
    app: &App,
    form: &PrinterForm,
    was: Option<PrinterForm>,
    by: Principal,
    errors: &mut FormErrors,
) -> Result<Option<BothChanged>, Error> {
    let (form, now) = (form.clone(), app.store.now());
    let save = move |connection: &mut _| save_merged(connection, was.as_ref(), &form, &by, now);
    Ok(or_refusal(app.store.write(save).await)?.unwrap_or_else(|why| {
        errors.add("name", why);
        None
    }))
}

fn save_merged(
    connection: &mut Connection,
    was: Option<&PrinterForm>,
    form: &PrinterForm,
    by: &Principal,
    now: Micros,
) -> Result<Option<BothChanged>, store::Error> {
    let known = was.map(|was| was.name.as_str());
    let stored = known.map(|name| printers::lock(connection, name)).transpose()?.flatten();
    let (mut merge, mut merged) = (Merge::default(), form.clone());
    if let (Some(was), Some(stored)) = (was, stored) {
        let current = PrinterForm::of(&stored.printer);
        merged = form.merged(was, &current, &mut merge);
        if !merge.0.is_empty() {
            return Ok(Some((current, merged, merge.0)));
        }
    }
    let printer = merged.to_printer(&mut FormErrors::default());
    printers::save(connection, known, &printer, by, now).map(|()| None)
}

/// Removes a printer.
pub(crate) async fn remove(
    who: Allowed<SavePrinters>,
    Form(PrinterName { name }): Form<PrinterName>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (name, by, now) = (checked(name)?, who.caller.principal, app.store.now());
    let removed = app.store.write(move |connection| printers::remove(connection, &name, &by, now)).await;
    // A refusal: somebody else was quicker, and it is gone all the same.
    let _ = or_refusal(removed)?;
    Ok(see_other(&app, "/printers?done=removed"))
}
