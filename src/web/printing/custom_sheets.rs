//! `/sheets`: own label sheets, and the presets that need no defining.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::custom_sheet_form::{CustomSheetForm, SheetPicture};
use super::tabs::{Tab, tabs};
use crate::access::{Principal, who};
use crate::sheet::geometry::Sheet;
use crate::sheet::presets::{preset, presets};
use crate::store;
use crate::store::printing::sheets;
use crate::store::printing::sheets::{CustomSheet, SheetChange};
use crate::token::{Micros, TokenError};
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::{NavigationLink, Section};
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query};
use crate::web::state::App;
use crate::web::words::printing as words;
use crate::work::printing::custom_sheets::{is_reserved, measures_of, sheet_of};

#[derive(Template)]
#[template(path = "printing/custom_sheets.html")]
struct SheetsPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    own: Vec<SheetView>,
    presets: Vec<SheetView>,
}

#[derive(Template)]
#[template(path = "printing/custom_sheet_form.html")]
struct FormPage {
    page: Page,
    tabs: Vec<NavigationLink>,
    /// The sheet's slug; none of a new one.
    slug: Option<String>,
    title: String,
    known: String,
    form: CustomSheetForm,
    picture: Option<SheetPicture>,
    errors: FormErrors,
    conflict: Option<String>,
}

#[derive(Template)]
#[template(path = "printing/custom_sheet_remove.html")]
struct RemovePage {
    page: Page,
    tabs: Vec<NavigationLink>,
    sheet: SheetView,
}

/// A sheet, as the pages show it.
struct SheetView {
    slug: String,
    name: String,
    page: String,
    label: String,
    labels: String,
    picture: SheetPicture,
    changed: Option<(FormattedTime, String)>,
}

impl SheetView {
    fn new(sheet: &Sheet, changed: Option<(FormattedTime, String)>) -> Self {
        Self {
            slug: sheet.slug.clone(),
            name: sheet.name.clone(),
            page: format!("{} × {} mm", sheet.page_width, sheet.page_height),
            label: format!("{} × {} mm", sheet.width, sheet.height),
            labels: words::labels_of_sheet(sheet.columns, sheet.rows),
            picture: SheetPicture::of(sheet),
            changed,
        }
    }

    fn own(own: &CustomSheet, clock: TimeFormatter) -> Self {
        Self::new(&sheet_of(own), Some((clock.format(own.changed), who(&own.changed_by))))
    }
}

/// Lists own sheets and presets.
pub(crate) async fn list(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(Done { done }): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let notice = match &*done {
        "added" => Some(words::SHEET_ADDED),
        "changed" => Some(words::SHEET_CHANGED),
        "removed" => Some(words::SHEET_REMOVED),
        _ => None,
    };
    let own = app.store.read(|connection| Ok(sheets::all(connection)?)).await?;
    let clock = app.time_formatter();
    let page_of = Page::new(&request, Section::Print).with_notice(notice.map(Notice::done));
    let template = SheetsPage {
        tabs: tabs(&page_of, Tab::Sheets),
        page: page_of,
        own: own.iter().map(|own| SheetView::own(own, clock)).collect(),
        presets: presets().iter().map(|sheet| SheetView::new(sheet, None)).collect(),
    };
    page(&app, StatusCode::OK, &template)
}

/// The form of a new sheet, which may begin as a copy of another one, or as a roll's label.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(Parts((form, CopyQuery { from }))): Query<Parts<(CustomSheetForm, CopyQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (form, sheet) = match (form.brought_back(), app.sheet(&from).await?) {
        (Some(form), _) => (form, None),
        (None, Some(sheet)) => {
            let copy = Sheet { name: words::copy_of(&sheet.name), ..sheet };
            (CustomSheetForm::of(&copy), Some(copy))
        }
        (None, None) if from == "roll" => (CustomSheetForm::roll(), None),
        (None, None) => (CustomSheetForm::blank(), None),
    };
    let errors = FormErrors::default();
    let picture = sheet.or_else(|| form.to_sheet("new", &mut FormErrors::default()));
    FormPage::new(&request, None, form, picture.as_ref(), errors).answer(&app)
}

impl FormPage {
    fn new(
        request: &HttpRequest,
        own: Option<&CustomSheet>,
        form: CustomSheetForm,
        preview: Option<&Sheet>,
        errors: FormErrors,
    ) -> Self {
        let page = Page::new(request, Section::Print);
        Self {
            tabs: tabs(&page, Tab::Sheets),
            page,
            slug: own.map(|own| own.slug.clone()),
            title: own.map_or_else(|| words::ADD_SHEET.into(), |own| own.measures.name.clone()),
            known: own.map(|own| own.changed.get().to_string()).unwrap_or_default(),
            form,
            picture: preview.map(SheetPicture::of),
            errors,
            conflict: None,
        }
    }

    /// Of the sheet as the form knew it: a change by somebody else is then found when this one is saved.
    fn with_known(self, known: String) -> Self {
        Self { known, ..self }
    }

    fn with_conflict(self, changed_by: String) -> Self {
        Self { conflict: Some(changed_by), ..self }
    }

    fn answer(self, app: &App) -> Result<HttpResponse, Error> {
        let status = if self.conflict.is_some() { StatusCode::CONFLICT } else { self.errors.status() };
        page(app, status, &self)
    }
}

/// The button that sent the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Button {
    #[serde(rename = "do")]
    what: String,
}

impl Button {
    /// Whether only a preview is asked for.
    fn is_preview(&self) -> bool {
        self.what == "draw"
    }
}

/// The sheet of which a new one is a copy.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct CopyQuery {
    from: String,
}

/// When the sheet had been changed, as the form knew it.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Known {
    known: Option<String>,
}

/// Adds a sheet, or draws the form.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(Parts((form, button))): Form<Parts<(CustomSheetForm, Button)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut errors = FormErrors::default();
    let sheet = form.to_sheet("new", &mut errors).filter(|_| errors.is_empty());
    let (Some(sheet), false) = (&sheet, button.is_preview()) else {
        return FormPage::new(&request, None, form, sheet.as_ref(), errors).answer(&app);
    };
    let (by, now, new) = (who.caller.principal, app.store.now(), measures_of(sheet));
    let added = app.store.write(move |connection| sheets::add(connection, &new, is_reserved, &by, now)).await;
    match or_refusal(added)? {
        Ok(_) => Ok(see_other(&app, "/sheets?done=added")),
        Err(why) => {
            errors.add("name", why);
            FormPage::new(&request, None, form, Some(sheet), errors).answer(&app)
        }
    }
}

async fn find(app: &App, slug: &str) -> Result<CustomSheet, Error> {
    if slug.contains('\0') || preset(slug).is_some() {
        return Err(Error::NotFound);
    }
    let slug = slug.to_owned();
    app.store.read_inline(move |connection| Ok(sheets::find(connection, &slug)?)).await?.ok_or(Error::NotFound)
}

/// The form of an own sheet.
pub(crate) async fn edit_form(
    _who: Allowed<Manage>,
    slug: web::Path<String>,
    request: HttpRequest,
    Query(Parts((form, Known { known }))): Query<Parts<(CustomSheetForm, Known)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let own = find(&app, &slug).await?;
    let sheet = sheet_of(&own);
    let form = form.brought_back().unwrap_or_else(|| CustomSheetForm::of(&sheet));
    let form_page = FormPage::new(&request, Some(&own), form, Some(&sheet), FormErrors::default());
    let known = known.unwrap_or_else(|| form_page.known.clone());
    form_page.with_known(known).answer(&app)
}

/// Changes an own sheet, or draws the form.
pub(crate) async fn edit(
    who: Allowed<Manage>,
    slug: web::Path<String>,
    request: HttpRequest,
    Form(Parts((form, Known { known }, button))): Form<Parts<(CustomSheetForm, Known, Button)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let own = find(&app, &slug).await?;
    let known = known.ok_or_else(|| TokenError::missing("known"))?;
    let mut errors = FormErrors::default();
    let sheet = form.to_sheet(&own.slug, &mut errors).filter(|_| errors.is_empty());
    let (Some(sheet), false) = (&sheet, button.is_preview()) else {
        let form_page = FormPage::new(&request, Some(&own), form, sheet.as_ref(), errors);
        return form_page.with_known(known).answer(&app);
    };
    match or_refusal(save(&app, &own.slug, &known, sheet, who.caller.principal).await)? {
        Ok(SheetChange::Saved) => Ok(see_other(&app, "/sheets?done=changed")),
        Ok(SheetChange::Gone) => Err(Error::NotFound),
        Ok(SheetChange::Conflict(current)) => FormPage::new(&request, Some(&current), form, Some(sheet), errors)
            .with_conflict(crate::access::who(&current.changed_by))
            .answer(&app),
        Err(why) => {
            errors.add("name", why);
            FormPage::new(&request, Some(&own), form, Some(sheet), errors).answer(&app)
        }
    }
}

/// Saves a sheet, unless it was changed since the form was made.
async fn save(app: &App, slug: &str, known: &str, sheet: &Sheet, by: Principal) -> Result<SheetChange, store::Error> {
    let known = Micros::stored(known.parse().unwrap_or_default());
    let (slug, wanted, now) = (slug.to_owned(), measures_of(sheet), app.store.now());
    app.store.write(move |connection| sheets::change(connection, &slug, known, &wanted, &by, now)).await
}

/// Asks whether to remove an own sheet.
pub(crate) async fn ask(
    _who: Allowed<Manage>,
    slug: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let sheet = SheetView::own(&find(&app, &slug).await?, clock);
    let page_of = Page::new(&request, Section::Print);
    page(&app, StatusCode::OK, &RemovePage { tabs: tabs(&page_of, Tab::Sheets), page: page_of, sheet })
}

/// Removes an own sheet; what was printed on it stays.
pub(crate) async fn remove(
    who: Allowed<Manage>,
    slug: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let own = find(&app, &slug).await?;
    let (by, now) = (who.caller.principal, app.store.now());
    let removed = app.store.write(move |connection| sheets::remove(connection, &own.slug, &by, now)).await;
    // A refusal: somebody else was quicker, and it is gone all the same.
    let _ = or_refusal(removed)?;
    Ok(see_other(&app, "/sheets?done=removed"))
}
