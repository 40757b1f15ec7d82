//! `/add` and `/{uid}/edit`: one form.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::api::check_link;
use super::form::{FormButton, NewTokenUid, OriginalValues, TokenForm};
use super::form_page::FormPage;
use crate::access::Principal;
use crate::store::printing::runs;
use crate::store::tokens::ByUid;
use crate::store::{self, Connection, tokens};
use crate::token::edit::KnownValues;
use crate::token::input::{Change, Mistakes, Origin};
use crate::token::{Problem, Token, TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::page::see_other;
use crate::web::pairs::pairs_of;
use crate::web::params::{Form, Parts, Query};
use crate::web::query_string;
use crate::web::state::App;

/// What the address of the form for a new token says beside its fields.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct AddQuery {
    /// A token that the new one is to be like.
    like: Option<Uid>,
    /// `added`, after a token was added.
    done: String,
    /// That token.
    token: Option<Uid>,
}

/// The form for a new token. It carries the uid that the token will have: sent twice, it adds one token.
pub(crate) async fn add_form(
    _who: Allowed<Edit>,
    request: HttpRequest,
    Query(Parts((form, query))): Query<Parts<(TokenForm, AddQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let form = match (form.brought_back(), query.like) {
        (Some(form), _) => form,
        (None, Some(uid)) => {
            let token = super::tile_view::find(&app, &uid.to_string()).await?;
            TokenForm::like(&token, app.zone)
        }
        (None, None) => {
            let defaults = app.settings.get(&app.store).await?.defaults();
            TokenForm::new(defaults.usage_count, defaults.lock_time)
        }
    };
    // Never one that a link names: its author would know what the code says.
    let mut form_page = FormPage::new(&request, &app, None, form).await?.of_new(Uid::random());
    if let Some(uid) = query.token.filter(|_| query.done == "added")
        && let Some(token) = app.store.look_up(ByUid(uid)).await?
    {
        form_page = form_page.after(&token);
    }
    form_page.answer(&app)
}

/// Adds a token, fills in a preset, or shows the form again.
pub(crate) async fn add(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(Parts((form, new, button))): Form<Parts<(TokenForm, NewTokenUid, FormButton)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid = new.token_uid.unwrap_or_else(Uid::random);
    let form_page = FormPage::new(&request, &app, None, form.clone()).await?.of_new(uid);
    if !button.preset.is_empty() {
        return form_page.with_preset(&button.preset).answer(&app);
    }
    let token = match new_token(&app, &form, uid, &who.caller.principal).await? {
        Ok(token) => token,
        Err(mistakes) => return form_page.refused(mistakes.all(), &app),
    };
    match app.store.write(move |connection| add_or_find(connection, &token)).await {
        Ok(uid) => {
            app.counts.forget();
            Ok(see_other(&app, &after_adding(uid, form, button.another)))
        }
        Err(store::Error::Token(error)) if error.param() == Some("token_uid") => form_page.for_another(error, &app),
        Err(store::Error::Token(error)) => form_page.refused(&[error], &app),
        Err(error) => Err(error.into()),
    }
}

/// Where the browser goes after a token was added: to it, or to a form for the next one.
fn after_adding(uid: Uid, form: TokenForm, is_another: bool) -> String {
    if !is_another {
        return format!("/{uid}?done=added");
    }
    query_string::with("/add", pairs_of(&form.for_next()), &format!("done=added&token={uid}"))
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
    let token = match super::gone::find(&app, &request, &uid).await? {
        Ok(token) => token,
        Err(deleted) => return Ok(deleted),
    };
    let form = form.brought_back().unwrap_or_else(|| TokenForm::of(&token, app.zone));
    let original = original.brought_back().unwrap_or_else(|| OriginalValues::of(&token));
    let form_page = FormPage::new(&request, &app, Some(token.uid), form).await?.of_known(&original, &app);
    let is_printed = is_printed(&app, token.uid).await?;
    form_page.of_token(&token, is_printed).answer(&app)
}

/// Whether the token's value is on paper, in a code that stops working when the token gets another one.
async fn is_printed(app: &App, uid: Uid) -> Result<bool, Error> {
    let has_value = app.code_texts().await?.are_values();
    Ok(has_value && app.store.read_inline(move |connection| Ok(runs::is_printed(connection, uid)?)).await?)
}

/// The result of an edit, decided within the transaction.
enum EditResult {
    Saved { has_new_value: bool },
    Conflict(Token, Vec<&'static str>),
    Refused(Token, Mistakes),
}

/// Saves what was changed in the form, or shows it again.
pub(crate) async fn edit(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(Parts((form, original, button))): Form<Parts<(TokenForm, OriginalValues, FormButton)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let known = original.known()?;
    let form_page = FormPage::new(&request, &app, Some(uid), form.clone()).await?.of_known(&original, &app);
    if !button.preset.is_empty() {
        return form_page.with_preset(&button.preset).answer(&app);
    }
    let change = match change_of_form(&app, uid, &form, &original) {
        Ok(change) => change,
        Err(mistakes) => return form_page.refused(mistakes.all(), &app),
    };
    match save(&app, uid, change.clone(), known).await {
        Ok(EditResult::Saved { has_new_value }) => {
            let is_printed = has_new_value && is_printed(&app, uid).await?;
            let done = if is_printed { "saved-printed" } else { "saved" };
            Ok(see_other(&app, &format!("/{uid}?done={done}")))
        }
        Ok(EditResult::Refused(token, mistakes)) => {
            updated_form(&request, &app, &token, &change, &form).await?.refused(mistakes.all(), &app)
        }
        Ok(EditResult::Conflict(token, fields)) => {
            updated_form(&request, &app, &token, &change, &form).await?.conflict(&fields, &token, &form, &app)
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
            Ok(changed) => {
                let has_new_value = changed.value != token.value;
                tokens::put(connection, id, &token, changed, now).map(|()| EditResult::Saved { has_new_value })
            }
            Err(mistakes) => Ok(EditResult::Refused(token, mistakes)),
        }
    });
    edit.await
}

/// The form with the fields that the user changed, and the current values in all others. Saving it overwrites what it
/// now shows.
async fn updated_form(
    request: &HttpRequest,
    app: &App,
    token: &Token,
    change: &Change,
    form: &TokenForm,
) -> Result<FormPage, Error> {
    let merged = form.where_changed(change, &TokenForm::of(token, app.zone));
    let form_page = FormPage::new(request, app, Some(token.uid), merged).await?;
    let is_printed = is_printed(app, token.uid).await?;
    Ok(form_page.of_known(&OriginalValues::of(token), app).of_token(token, is_printed))
}
