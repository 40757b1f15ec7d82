//! `/keys`, `/keys/add` and `/keys/revoke`: the API keys of programs and doors.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::roles;
use super::roles::{RoleChoice, RoleView};
use super::users::Named;
use crate::access::rate::Rate;
use crate::access::{Principal, Role, api_key, check_name, who};
use crate::store::accounts::keys;
use crate::store::accounts::keys::{Key, NewKey};
use crate::store::gates::Gate;
use crate::token::gate::GateId;
use crate::token::{Micros, TokenError};
use crate::web::choice::Choice;
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Query};
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "accounts/keys.html")]
struct KeysPage {
    page: Page,
    error: Option<String>,
    keys: Vec<KeyView>,
}

#[derive(Template)]
#[template(path = "accounts/key_revoke.html")]
struct RevokePage {
    page: Page,
    key: KeyView,
}

/// A key as the pages show it: never its text, which nobody knows.
struct KeyView {
    name: String,
    role: RoleView,
    creator: String,
    created: FormattedTime,
    expires: Option<FormattedTime>,
    last_used: Option<FormattedTime>,
    last_address: Option<String>,
    has_ended: bool,
    gate: Option<String>,
    prefix: String,
    rate: Option<Rate>,
}

impl KeyView {
    fn new(key: Key, clock: TimeFormatter, gates: &[Gate]) -> Self {
        Self {
            gate: key.gate.and_then(|id| gates.iter().find(|gate| gate.id == id)).map(|gate| gate.name.clone()),
            role: RoleView::new(key.role),
            created: clock.format(key.created),
            expires: key.expires.map(|at| clock.format(at)),
            last_used: key.last_used.map(|at| clock.format(at)),
            has_ended: key.is_expired(clock.now),
            last_address: key.last_address,
            creator: who(&key.creator),
            name: key.name,
            prefix: key.prefix,
            rate: key.rate,
        }
    }
}

/// Shows every key.
pub(crate) async fn show(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let is_revoked = query.done == "revoked";
    let notice = is_revoked.then(|| Notice::done(words::accounts::KEY_REVOKED));
    list(&app, &request, notice, None).await
}

async fn list(
    app: &App,
    request: &HttpRequest,
    notice: Option<Notice>,
    error: Option<String>,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let keys = app.store.read(keys::list).await?;
    let gates = app.gates.get(&app.store).await?;
    let keys = keys.into_iter().map(|key| KeyView::new(key, clock, &gates)).collect();
    let status = if error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page(app, status, &KeysPage { page: Page::new(request, Section::Keys).with_notice(notice), error, keys })
}

#[derive(Template)]
#[template(path = "accounts/key_add.html")]
struct AddPage {
    page: Page,
    zone: String,
    form: KeyForm,
    roles: [RoleChoice; 5],
    gates: Vec<Choice>,
    errors: FormErrors,
}

/// The fields of the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct KeyForm {
    name: String,
    role: String,
    expires: String,
    gate: String,
    rate: String,
}

/// The form for a new key.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(form): Query<KeyForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    add_page(&app, &request, form, FormErrors::default()).await
}

async fn add_page(app: &App, request: &HttpRequest, form: KeyForm, errors: FormErrors) -> Result<HttpResponse, Error> {
    let status = errors.status();
    let (page_of, zone) = (Page::new(request, Section::Keys), app.zone.to_string());
    let roles = roles::choices(form.role.parse().ok());
    let known = app.gates.get(&app.store).await?;
    let open = known.iter().filter(|gate| gate.disabled.is_none()).map(|gate| (gate.name.as_str(), gate.name.as_str()));
    let gates = Choice::list(std::iter::once(("", words::accounts::NO_GATE)).chain(open), &form.gate);
    page(app, status, &AddPage { page: page_of, zone, form, roles, gates, errors })
}

/// When a key expires; an error is added when that is not a time, or has passed.
fn expiry(app: &App, text: &str, errors: &mut FormErrors) -> Option<Micros> {
    if text.trim().is_empty() {
        return None;
    }
    match Micros::read(text, app.zone) {
        Ok(expires) if expires <= app.store.now() => {
            errors.add("expires", words::accounts::KEY_EXPIRES_IN_PAST);
            None
        }
        Ok(expires) => Some(expires),
        Err(why) => errors.note(Err(TokenError::value("expires", why))),
    }
}

/// A new key's limit; an error is added when it is none that can be.
fn rate(text: &str, errors: &mut FormErrors) -> Option<Rate> {
    let text = text.trim();
    let rate = (!text.is_empty()).then(|| text.parse().map_err(|why: String| errors.add("rate", why)));
    rate.and_then(Result::ok)
}

/// The gate of a new key; an error is added when there is none of that name.
async fn gate(app: &App, name: &str, errors: &mut FormErrors) -> Result<Option<GateId>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    let gate = app.gates.find(&app.store, |gate| gate.name == name).await?;
    if gate.is_none() {
        errors.add("gate", words::accounts::KEY_GATE_GONE);
    }
    Ok(gate.map(|gate| gate.id))
}

#[derive(Template)]
#[template(path = "accounts/key_created.html")]
struct CreatedPage {
    page: Page,
    name: String,
    role: RoleView,
    expires: Option<FormattedTime>,
    rate: Option<Rate>,
    key: String,
    curl: String,
}

/// Creates a key and shows it once, in answer to the form: only its hash is kept.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(mut form): Form<KeyForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    form.name = form.name.trim().to_owned();
    let mut errors = FormErrors::default();
    if let Err(why) = check_name(&form.name) {
        errors.add("name", why);
    }
    let role = roles::chosen(&form.role, &mut errors);
    let expires = expiry(&app, &form.expires, &mut errors);
    let gate = gate(&app, &form.gate, &mut errors).await?;
    let rate = rate(&form.rate, &mut errors);
    let (Some(role), true) = (role, errors.is_empty()) else {
        return add_page(&app, &request, form, errors).await;
    };
    let wanted = Wanted { role, expires, gate, rate };
    match save(&app, &form.name, wanted, who.caller.principal).await? {
        Ok(key) => created(&app, &request, form.name, wanted, key),
        Err(why) => {
            errors.add("name", why);
            add_page(&app, &request, form, errors).await
        }
    }
}

/// What a new key shall be able to do.
#[derive(Clone, Copy)]
struct Wanted {
    role: Role,
    expires: Option<Micros>,
    gate: Option<GateId>,
    rate: Option<Rate>,
}

/// Makes a key and saves its hash: gives the key's text, which exists only here, or why the name is refused.
async fn save(app: &App, name: &str, wanted: Wanted, by: Principal) -> Result<Result<String, String>, Error> {
    let key = api_key::generate();
    let hash = api_key::hash(&key).ok_or_else(|| Error::fault("the new key is no key"))?;
    let Wanted { role, expires, gate, rate } = wanted;
    let (name, prefix, now) = (name.to_owned(), api_key::shown_prefix(&key).to_owned(), app.store.now());
    let save = move |connection: &mut _| {
        let new = NewKey { name: &name, hash: &hash, prefix: &prefix, role, expires, gate, rate };
        keys::add(connection, &new, &by, now)
    };
    Ok(or_refusal(app.store.write(save).await)?.map(|()| key))
}

fn created(
    app: &App,
    request: &HttpRequest,
    name: String,
    Wanted { role, expires, rate, .. }: Wanted,
    key: String,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    // What every role may do.
    let address = format!("{}{}/query_token?value=test", app.public_url.origin(), app.base);
    let curl = format!("curl -H 'Authorization: Bearer {key}' '{address}'");
    let expires = expires.map(|at| clock.format(at));
    let notice = Notice::done(words::accounts::KEY_CREATED);
    let page_of = Page::new(request, Section::Keys).with_notice(Some(notice));
    page(app, StatusCode::OK, &CreatedPage { page: page_of, name, role: RoleView::new(role), expires, rate, key, curl })
}

/// Asks whether to revoke a key.
pub(crate) async fn ask(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = query.checked()?;
    let key = app.store.read_inline(move |connection| keys::by_name(connection, &name)).await?;
    let clock = app.time_formatter();
    let key = KeyView::new(key.ok_or(Error::NotFound)?, clock, &app.gates.get(&app.store).await?);
    page(&app, StatusCode::OK, &RevokePage { page: Page::new(&request, Section::Keys), key })
}

/// Revokes a key: here at once, on other instances within a second.
pub(crate) async fn revoke(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(form): Form<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (name, by, now) = (form.checked()?, who.caller.principal, app.store.now());
    let revoked = app.store.write(move |connection| keys::revoke(connection, &name, &by, now)).await;
    app.callers.forget_keys();
    match or_refusal(revoked)? {
        Ok(()) => Ok(see_other(&app, "/keys?done=revoked")),
        Err(why) => list(&app, &request, None, Some(why)).await,
    }
}
