//! `/add` and `/{uid}/edit`: one form.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api::check_link;
use super::form::{NewTokenUid, OriginalValues, TokenForm};
use super::view::title;
use crate::access::Principal;
use crate::store::{self, Connection, tokens};
use crate::token::edit::KnownValues;
use crate::token::input::{Change, Mistakes, Origin};
use crate::token::{Micros, Problem, Token, TokenError, Uid};
use crate::web::conflict::{self, Conflict};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{TimeFormatter, duration};
use crate::web::guard::{Allowed, Edit};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::pairs::{all_pairs_of, pairs_of};
use crate::web::params::{Form, Parts, Query};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "tokens/form.html")]
struct FormPage {
    page: Page,
    uid: Option<String>,
    is_there: bool,
    title: String,
    keep: String,
    zone: String,
    form: TokenForm,
    hidden: Vec<(&'static str, String)>,
    unshown: Vec<(&'static str, Micros)>,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
}

impl FormPage {
    fn new(request: &HttpRequest, app: &App, uid: Option<Uid>, form: TokenForm) -> Self {
        let page = Page::new(request, Section::Tokens);
        // By user: who signs in next in the same tab must not find what another user wrote.
        let user = page.user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
        Self {
            page,
            title: uid.map(|uid| uid.to_string()).unwrap_or_default(),
            keep: format!("{user} {}", uid.map_or_else(|| "add".into(), |uid| uid.to_string())),
            uid: uid.map(|uid| uid.to_string()),
            is_there: uid.is_some(),
            zone: app.zone.to_string(),
            form,
            hidden: Vec::new(),
            unshown: Vec::new(),
            errors: FormErrors::default(),
            conflicts: Vec::new(),
        }
    }

    /// Of a new token that will have this uid.
    fn of_new(self, uid: Uid) -> Self {
        Self { hidden: pairs_of(&NewTokenUid { token_uid: Some(uid) }), ..self }
    }

    /// Of a token that had these values when the form was made.
    fn of_known(self, original: &OriginalValues, app: &App) -> Self {
        Self { hidden: all_pairs_of(original), unshown: original.unshown(app.zone), ..self }
    }

    fn answer(self, app: &App) -> Result<HttpResponse, Error> {
        page(app, conflict::status(&self.conflicts, &self.errors), &self)
    }

    fn conflict(
        mut self,
        fields: &[&'static str],
        token: &Token,
        form: &TokenForm,
        app: &App,
    ) -> Result<HttpResponse, Error> {
        let clock = app.time_formatter();
        self.conflicts = fields.iter().map(|field| conflict_at(field, token, form, clock)).collect();
        self.answer(app)
    }

    fn refused(mut self, mistakes: &[TokenError], app: &App) -> Result<HttpResponse, Error> {
        self.errors.add_all(mistakes);
        self.answer(app)
    }

    /// The form of a token that exists already, to be sent again for another one.
    fn for_another(self, why: TokenError, app: &App) -> Result<HttpResponse, Error> {
        let mut another = self.of_new(Uid::random());
        another.errors.note_without_field::<()>(Err(why));
        another.answer(app)
    }
}

/// The form for a new token. It carries the uid that the token will have: sent twice, it adds one token.
pub(crate) async fn add_form(
    _who: Allowed<Edit>,
    request: HttpRequest,
    Query(form): Query<TokenForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let defaults = app.settings.get(&app.store).await?.defaults();
    let new = || TokenForm::new(defaults.usage_count, defaults.lock_time);
    let form = form.brought_back().unwrap_or_else(new);
    // Never one that a link names: its author would know what the code says.
    FormPage::new(&request, &app, None, form).of_new(Uid::random()).answer(&app)
}

/// Adds a token, or shows the form again.
pub(crate) async fn add(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(Parts((form, new))): Form<Parts<(TokenForm, NewTokenUid)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid = new.token_uid.unwrap_or_else(Uid::random);
    let form_page = FormPage::new(&request, &app, None, form.clone()).of_new(uid);
    let token = match new_token(&app, &form, uid, &who.caller.principal).await? {
        Ok(token) => token,
        Err(mistakes) => return form_page.refused(mistakes.all(), &app),
    };
    match app.store.write(move |connection| add_or_find(connection, &token)).await {
        Ok(uid) => {
            app.counts.forget();
            Ok(see_other(&app, &format!("/{uid}?done=added")))
        }
        Err(store::Error::Token(error)) if error.param() == Some("token_uid") => form_page.for_another(error, &app),
        Err(store::Error::Token(error)) => form_page.refused(&[error], &app),
        Err(error) => Err(error.into()),
    }
}

/// The token of the form, or what is wrong with it.
async fn new_token(app: &App, form: &TokenForm, uid: Uid, by: &Principal) -> Result<Result<Token, Mistakes>, Error> {
    if let Err(mistake) = check_link(&app.public_url, Some(&form.value), uid) {
        return Ok(Err(mistake.into()));
    }
    let defaults = app.settings.get(&app.store).await?.defaults();
    let origin = Origin { uid, creator: by.to_string(), created: app.store.now() };
    Ok(form.raw().new_token(origin, defaults, app.zone))
}

/// Adds a token once: the same form, sent again, finds the token that it added. A form that was changed in between (by
/// going back to it) could mean that token or another one, and is asked about.
fn add_or_find(connection: &mut Connection, token: &Token) -> Result<Uid, store::Error> {
    let facts =
        |token: &Token| (token.value.clone(), token.label.clone(), token.valid_from, token.valid_to, token.lock_time);
    let known = tokens::by_uid(connection, token.uid)?;
    if known.as_ref().is_some_and(|(_, known)| facts(known) == facts(token)) {
        return Ok(token.uid);
    }
    if known.is_none() && !tokens::is_uid_used(connection, token.uid)? {
        return tokens::add(connection, token).map(|()| token.uid);
    }
    let added = Problem::AddedBefore { what: "token".into(), is_deleted: known.is_none() };
    Err(TokenError::value("token_uid", added).into())
}

/// The form for a token.
pub(crate) async fn edit_form(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(Parts((form, original))): Query<Parts<(TokenForm, OriginalValues)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let token = super::tile_view::find(&app, &uid).await?;
    let form = form.brought_back().unwrap_or_else(|| TokenForm::of(&token, app.zone));
    let original = original.brought_back().unwrap_or_else(|| OriginalValues::of(&token));
    let mut form_page = FormPage::new(&request, &app, Some(token.uid), form).of_known(&original, &app);
    form_page.title = title(token.label.as_deref(), &token.value);
    form_page.answer(&app)
}

/// The result of an edit, decided within the transaction.
enum EditResult {
    Saved,
    Conflict(Token, Vec<&'static str>),
    Refused(Token, Mistakes),
}

/// Saves what was changed in the form, or shows it again.
pub(crate) async fn edit(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(Parts((form, original))): Form<Parts<(TokenForm, OriginalValues)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let known = original.known()?;
    let form_page = FormPage::new(&request, &app, Some(uid), form.clone()).of_known(&original, &app);
    let change = match change_of_form(&app, uid, &form, &original) {
        Ok(change) => change,
        Err(mistakes) => return form_page.refused(mistakes.all(), &app),
    };
    match save(&app, uid, change.clone(), known).await {
        Ok(EditResult::Saved) => Ok(see_other(&app, &format!("/{uid}?done=saved"))),
        Ok(EditResult::Refused(token, mistakes)) => {
            updated_form(&request, &app, &token, &change, &form).refused(mistakes.all(), &app)
        }
        Ok(EditResult::Conflict(token, fields)) => {
            updated_form(&request, &app, &token, &change, &form).conflict(&fields, &token, &form, &app)
        }
        Err(store::Error::Token(error @ TokenError::Value { .. })) => form_page.refused(&[error], &app),
        Err(error) => Err(error.into()),
    }
}

/// What the form changes, or what is wrong with it.
fn change_of_form(app: &App, uid: Uid, form: &TokenForm, original: &OriginalValues) -> Result<Change, Mistakes> {
    let raw = original.changed(form, app.zone);
    check_link(&app.public_url, raw.value.as_deref(), uid)?;
    raw.change(app.zone)
}

/// Saves a change, unless a field that it changes was changed meanwhile.
async fn save(app: &App, uid: Uid, change: Change, known: KnownValues) -> Result<EditResult, store::Error> {
    let now = app.store.now();
    let edit = app.store.write(move |connection| {
        let Some((id, token)) = tokens::lock(connection, uid, now)? else {
            return Err(TokenError::Unknown(uid).into());
        };
        let conflicts = known.conflicts(&change, &token);
        if !conflicts.is_empty() {
            return Ok(EditResult::Conflict(token, conflicts));
        }
        match change.apply(&token) {
            Ok(changed) => tokens::put(connection, id, &token, changed, now).map(|()| EditResult::Saved),
            Err(mistakes) => Ok(EditResult::Refused(token, mistakes)),
        }
    });
    edit.await
}

/// The form with the fields that the user changed, and the current values in all others. Saving it overwrites what it
/// now shows.
fn updated_form(request: &HttpRequest, app: &App, token: &Token, change: &Change, form: &TokenForm) -> FormPage {
    let merged = form.where_changed(change, &TokenForm::of(token, app.zone));
    let form_page = FormPage::new(request, app, Some(token.uid), merged);
    let mut form_page = form_page.of_known(&OriginalValues::of(token), app);
    form_page.title = title(token.label.as_deref(), &token.value);
    form_page
}

/// A field as somebody else saved it, and as the form has it.
fn conflict_at(field: &'static str, token: &Token, form: &TokenForm, clock: TimeFormatter) -> Conflict {
    let time = |time: Option<Micros>| time.map_or_else(|| "none".into(), |time| clock.format(time).exact);
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let uses = |count: i32| if count < 0 { "unlimited".to_owned() } else { count.to_string() };
    let (name, now, yours) = match field {
        "value" => ("Value", token.value.clone(), or_none(&form.value)),
        "label" => ("Label", or_none(token.label.as_deref().unwrap_or_default()), or_none(&form.label)),
        "valid_from" => ("Valid from", time(token.valid_from), or_none(&form.valid_from)),
        "valid_to" => ("Valid to", time(token.valid_to), or_none(&form.valid_to)),
        "usage_count" => ("Uses left", uses(token.usage_count), form.uses()),
        _ => ("Lock after each use", duration(token.lock_time), format!("{} {}", form.lock_time, form.lock_unit())),
    };
    Conflict { field, name, now, yours }
}
