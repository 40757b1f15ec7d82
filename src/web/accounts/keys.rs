//! `/keys`, `/keys/add` and `/keys/revoke`: what programs and doors come with.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::roles;
use super::roles::RoleChoice;
use super::users::named;
use crate::access::{Role, api_key, check_name};
use crate::store;
use crate::store::accounts::keys;
use crate::store::accounts::keys::{Key, NewKey};
use crate::token::Micros;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, Manage};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Params};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "keys/list.html")]
struct KeysPage {
    page: Page,
    flash: Option<&'static str>,
    problem: Option<String>,
    keys: Vec<KeyView>,
}

#[derive(Template)]
#[template(path = "keys/revoke.html")]
struct RevokePage {
    page: Page,
    key: KeyView,
}

/// A key as the pages show it: never its text, which nobody knows.
struct KeyView {
    name: String,
    role: Role,
    creator: String,
    created: FormattedTime,
    expires: Option<FormattedTime>,
    last_used: Option<FormattedTime>,
    has_ended: bool,
}

impl KeyView {
    fn new(key: Key, clock: TimeFormatter) -> Self {
        Self {
            role: key.role,
            created: clock.tell(key.created),
            expires: key.expires.map(|at| clock.tell(at)),
            last_used: key.last_used.map(|at| clock.tell(at)),
            has_ended: key.is_expired(clock.now),
            creator: key.creator,
            name: key.name,
        }
    }
}

/// Shows every key.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub(crate) async fn show(
    _who: Allowed<Manage>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let revoked = params.filled("done")?.is_some_and(|done| done == "revoked");
    list(&app, &request, revoked.then_some("The key is revoked; whoever comes with it is refused."), None).await
}

async fn list(
    app: &App,
    request: &HttpRequest,
    flash: Option<&'static str>,
    problem: Option<String>,
) -> Result<HttpResponse, Error> {
    let clock = TimeFormatter { now: app.store.now(), zone: app.zone };
    let found = app.store.read(keys::list).await?;
    let keys = found.into_iter().map(|key| KeyView::new(key, clock)).collect();
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page(app, status, &KeysPage { page: Page::new(request, "keys"), flash, problem, keys })
}

#[derive(Template)]
#[template(path = "keys/add.html")]
struct AddPage {
    page: Page,
    zone: String,
    typed: KeyForm,
    roles: [RoleChoice; 5],
    problems: FormErrors,
}

/// The fields of the form, as they were typed.
#[derive(Default)]
struct KeyForm {
    name: String,
    role: String,
    expires: String,
}

/// The form for a new key.
///
/// # Errors
/// A fault, when the template cannot be rendered.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    form(&app, &request, KeyForm::default(), FormErrors::default())
}

fn form(app: &App, request: &HttpRequest, typed: KeyForm, problems: FormErrors) -> Result<HttpResponse, Error> {
    let status = problems.status();
    let (page_of, zone) = (Page::new(request, "keys"), app.zone.to_string());
    page(app, status, &AddPage { page: page_of, zone, typed, roles: roles::choices(), problems })
}

/// When a key shall end; it is noted when that is no time, or has passed.
fn expiry(app: &App, text: &str, problems: &mut FormErrors) -> Option<Micros> {
    if text.trim().is_empty() {
        return None;
    }
    match Micros::read(text, app.zone) {
        Ok(expires) if expires <= app.store.now() => {
            problems.add("expires", "This moment has passed; the key would never work.");
            None
        }
        Ok(expires) => Some(expires),
        Err(why) => {
            problems.add("expires", format!("“Good until” {why}."));
            None
        }
    }
}

#[derive(Template)]
#[template(path = "keys/made.html")]
struct MadePage {
    page: Page,
    name: String,
    role: Role,
    expires: Option<FormattedTime>,
    key: String,
    curl: String,
}

/// Makes a key and shows it, once: it is the answer to the form, as only its hash is kept.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let text = |name| params.text(name).map(Option::unwrap_or_default);
    let typed = KeyForm { name: text("name")?.trim().to_owned(), role: text("role")?, expires: text("expires")? };
    let mut problems = FormErrors::default();
    if let Err(why) = check_name(&typed.name) {
        problems.add("name", why);
    }
    let role = roles::read(&params, &mut problems)?;
    let expires = expiry(&app, &typed.expires, &mut problems);
    let (Some(role), true) = (role, problems.is_empty()) else {
        return form(&app, &request, typed, problems);
    };
    let key = api_key::generate();
    let hash = api_key::hash(&key).ok_or_else(|| Error::fault("the new key is no key"))?;
    let (name, by, now) = (typed.name.clone(), who.caller.principal, app.store.now());
    let added = app
        .store
        .write(move |connection| keys::add(connection, &NewKey { name: &name, hash: &hash, role, expires }, &by, now));
    match added.await {
        Ok(()) => made(&app, &request, typed.name, role, expires, key),
        Err(store::Error::Refused(why)) => {
            problems.add("name", why);
            form(&app, &request, typed, problems)
        }
        Err(error) => Err(error.into()),
    }
}

fn made(
    app: &App,
    request: &HttpRequest,
    name: String,
    role: Role,
    expires: Option<Micros>,
    key: String,
) -> Result<HttpResponse, Error> {
    let clock = TimeFormatter { now: app.store.now(), zone: app.zone };
    // What every role may do.
    let address = format!("{}{}/query_token?value=test", app.public_url.origin(), app.base);
    let curl = format!("curl -H 'Authorization: Bearer {key}' '{address}'");
    let expires = expires.map(|at| clock.tell(at));
    page(app, StatusCode::OK, &MadePage { page: Page::new(request, "keys"), name, role, expires, key, curl })
}

/// Asks whether to revoke a key.
///
/// # Errors
/// No such key; unavailable, when the database cannot be asked.
pub(crate) async fn ask(
    _who: Allowed<Manage>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = named(&params)?;
    let found = app.store.read_inline(move |connection| keys::by_name(connection, &name)).await?;
    let clock = TimeFormatter { now: app.store.now(), zone: app.zone };
    let key = KeyView::new(found.ok_or(Error::NotFound)?, clock);
    page(&app, StatusCode::OK, &RevokePage { page: Page::new(&request, "keys"), key })
}

/// Revokes a key: here at once, on other instances within a second.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub(crate) async fn revoke(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (name, by, now) = (named(&params)?, who.caller.principal, app.store.now());
    let revoked = app.store.write(move |connection| keys::revoke(connection, &name, &by, now)).await;
    app.callers.forget_keys();
    match revoked {
        Ok(()) => Ok(see_other(&app, "/keys?done=revoked")),
        Err(store::Error::Refused(why)) => list(&app, &request, None, Some(why)).await,
        Err(error) => Err(error.into()),
    }
}
