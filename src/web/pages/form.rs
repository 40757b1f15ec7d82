//! `/add` and `/{uid}/edit`: one form.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::typed::{Typed, UNITS, Was, WasFields};
use super::when::{Clock, duration};
use super::{Page, Problems, page, see_other};
use crate::store::{self, settings, tokens};
use crate::token::input::{Change, Mistakes, Origin};
use crate::token::{Micros, Token, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::check_link;
use crate::web::params::Params;
use crate::web::state::App;

#[derive(Template)]
#[template(path = "tokens/form.html")]
struct FormPage {
    page: Page,
    uid: Option<String>,
    title: String,
    keep: String,
    zone: String,
    units: [(&'static str, &'static str); 4],
    typed: Typed,
    was: WasFields,
    problems: Problems,
    conflicts: Vec<Conflict>,
}

/// A field that both sides changed.
struct Conflict {
    field: &'static str,
    name: &'static str,
    now: String,
    yours: String,
}

impl FormPage {
    fn new(request: &HttpRequest, app: &App, uid: Option<Uid>, typed: Typed, was: WasFields) -> Self {
        Self {
            page: Page::new(request, "tokens"),
            title: uid.map(|uid| uid.to_string()).unwrap_or_default(),
            keep: uid.map_or_else(|| "add".into(), |uid| uid.to_string()),
            uid: uid.map(|uid| uid.to_string()),
            zone: app.zone.to_string(),
            units: UNITS.map(|(unit, _)| (unit, unit)),
            typed,
            was,
            problems: Problems::default(),
            conflicts: Vec::new(),
        }
    }

    fn answer(self, app: &App) -> Result<HttpResponse, Error> {
        let status = match (self.conflicts.is_empty(), self.problems.is_empty()) {
            (false, _) => StatusCode::CONFLICT,
            (true, false) => StatusCode::UNPROCESSABLE_ENTITY,
            (true, true) => StatusCode::OK,
        };
        page(app, status, &self)
    }

    fn refused(mut self, mistakes: &[TokenError], app: &App) -> Result<HttpResponse, Error> {
        self.problems.add_all(mistakes);
        self.answer(app)
    }
}

/// The form for a new token. It carries the uid that the token will have: sent twice, it is still one token.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub async fn add_form(_who: Allowed<Edit>, request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let defaults = app.store.look(|connection| Ok(settings::defaults(connection)?)).await?;
    let typed = Typed::new(defaults.usage_count, defaults.lock_time);
    FormPage::new(&request, &app, None, typed, WasFields::new_token(Uid::random())).answer(&app)
}

/// Adds a token, or shows the form again.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub async fn add(
    who: Allowed<Edit>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let typed = Typed::read(&params)?;
    let uid = params.parsed::<Uid>("token_uid")?.unwrap_or_else(Uid::random);
    let form = FormPage::new(&request, &app, None, typed.clone(), WasFields::new_token(uid));
    if let Err(mistake) = check_link(&app, Some(&typed.value), uid) {
        return form.refused(&[mistake], &app);
    }
    let defaults = app.store.look(|connection| Ok(settings::defaults(connection)?)).await?;
    let origin = Origin { uid, creator: who.caller.principal.to_string(), created: Micros::now() };
    let token = match typed.raw().new_token(origin, defaults, app.zone) {
        Ok(token) => token,
        Err(mistakes) => return form.refused(mistakes.all(), &app),
    };
    match app.store.write(move |connection| tokens::add(connection, &token)).await {
        // The same form was sent before; this is its token.
        Err(store::Error::Token(error)) if error.param() != Some("token_uid") => form.refused(&[error], &app),
        Ok(()) | Err(store::Error::Token(_)) => Ok(see_other(&app, &format!("/{uid}?done=added"))),
        Err(error) => Err(error.into()),
    }
}

/// The form for a token that is there.
///
/// # Errors
/// No such token; unavailable, when the database cannot be asked.
pub async fn edit_form(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let token = super::tile::find(&app, &uid).await?;
    let typed = Typed::of(&token, app.zone);
    let mut form = FormPage::new(&request, &app, Some(token.uid), typed, WasFields::of(&token));
    form.title = token.label.unwrap_or(token.value);
    form.answer(&app)
}

/// What became of an edit, decided within the transaction.
enum Edited {
    Done,
    Conflict(Token, Vec<&'static str>),
    Refused(Mistakes),
}

/// Writes what was changed in the form, or shows it again.
///
/// # Errors
/// No such token; unavailable, when the database cannot take it.
pub async fn edit(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let (typed, was) = (Typed::read(&params)?, Was::read(&params)?);
    let raw = was.changed(&typed, app.zone);
    let form = FormPage::new(&request, &app, Some(uid), typed.clone(), was.fields());
    if let Err(mistake) = check_link(&app, raw.value.as_deref(), uid) {
        return form.refused(&[mistake], &app);
    }
    let change = match raw.change(app.zone) {
        Ok(change) => change,
        Err(mistakes) => return form.refused(mistakes.all(), &app),
    };
    let (wanted, known) = (change.clone(), was.known());
    let edited = app.store.write(move |connection| {
        let Some((_, token)) = tokens::by_uid(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
        let conflicts = known.conflicts(&change, &token);
        if !conflicts.is_empty() {
            return Ok(Edited::Conflict(token, conflicts));
        }
        if let Err(mistakes) = change.apply(&token) {
            return Ok(Edited::Refused(mistakes));
        }
        tokens::change(connection, uid, &change, Micros::now()).map(|()| Edited::Done)
    });
    match edited.await {
        Ok(Edited::Done) => Ok(see_other(&app, &format!("/{uid}?done=saved"))),
        Ok(Edited::Refused(mistakes)) => form.refused(mistakes.all(), &app),
        Ok(Edited::Conflict(token, fields)) => conflict(&request, &app, &token, &wanted, &typed, &fields),
        Err(store::Error::Token(error @ TokenError::Value { .. })) => form.refused(&[error], &app),
        Err(error) => Err(error.into()),
    }
}

/// The form again, with both sides: what the user changed stays as typed, all else is as it is now, and saving once more
/// writes over what is now known.
fn conflict(
    request: &HttpRequest,
    app: &App,
    token: &Token,
    wanted: &Change,
    typed: &Typed,
    fields: &[&'static str],
) -> Result<HttpResponse, Error> {
    let now = Typed::of(token, app.zone);
    let mixed = typed.where_changed(wanted, &now);
    let clock = Clock { now: Micros::now(), zone: app.zone };
    let mut form = FormPage::new(request, app, Some(token.uid), mixed, WasFields::of(token));
    form.conflicts = fields.iter().map(|field| both_sides(field, token, typed, clock)).collect();
    form.answer(app)
}

fn both_sides(field: &'static str, token: &Token, typed: &Typed, clock: Clock) -> Conflict {
    let time = |time: Option<Micros>| time.map_or_else(|| "none".into(), |time| clock.tell(time).exact);
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let uses = |count: i32| if count < 0 { "unlimited".to_owned() } else { count.to_string() };
    let (name, now, yours) = match field {
        "value" => ("Value", token.value.clone(), or_none(&typed.value)),
        "label" => ("Label", or_none(token.label.as_deref().unwrap_or_default()), or_none(&typed.label)),
        "valid_from" => ("Valid from", time(token.valid_from), or_none(&typed.valid_from)),
        "valid_to" => ("Valid to", time(token.valid_to), or_none(&typed.valid_to)),
        "usage_count" => ("Uses left", uses(token.usage_count), typed.uses()),
        _ => ("Lock after each use", duration(token.lock_time), format!("{} {}", typed.lock_time, typed.lock_unit)),
    };
    Conflict { field, name, now, yours }
}
