//! `/add_many`: many tokens at once, as a batch.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use crate::access::Principal;
use crate::store::batches::{self, NewBatch};
use crate::token::input::{Origin, RawFields};
use crate::token::{LIST_MAX, Problem, Token, TokenError, Uid, batch, label};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format;
use crate::web::guard::{Allowed, Edit};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query, trimmed};
use crate::web::state::App;
use crate::web::tokens::form::TokenForm;
use crate::work;

/// How long the answer waits for a batch, so that a small one is shown at once.
const MOMENT: Duration = Duration::from_millis(400);

#[derive(Template)]
#[template(path = "batches/add.html")]
struct AddManyPage {
    page: Page,
    uid: String,
    is_there: bool,
    zone: String,
    form: TokenForm,
    count: String,
    name: String,
    errors: FormErrors,
}

/// The fields of the form that a token does not have.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct BatchFields {
    count: String,
    #[serde(deserialize_with = "trimmed")]
    batch_name: String,
}

/// The uid that the batch will have: sent twice, the form makes one batch.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NewBatchUid {
    batch_uid: Option<Uid>,
}

/// The form.
struct BatchForm {
    uid: Uid,
    token: TokenForm,
    fields: BatchFields,
}

impl BatchFields {
    fn count(&self) -> Result<usize, TokenError> {
        let count = self.count.trim().parse().ok().filter(|count| (1..=LIST_MAX).contains(count));
        let most = i64::try_from(LIST_MAX).unwrap_or(i64::MAX);
        count.ok_or_else(|| TokenError::value("count", Problem::OutOfRange { min: 1, max: most }))
    }
}

impl BatchForm {
    fn page(self, request: &HttpRequest, app: &App, errors: FormErrors) -> Result<HttpResponse, Error> {
        let status = errors.status();
        let template = AddManyPage {
            page: Page::new(request, Section::Tokens),
            uid: self.uid.to_string(),
            is_there: false,
            zone: app.zone.to_string(),
            form: self.token,
            count: self.fields.count,
            name: self.fields.batch_name,
            errors,
        };
        page(app, status, &template)
    }

    /// The batch and a model of its tokens; errors are added.
    async fn understand(&self, app: &App, by: &Principal, errors: &mut FormErrors) -> Result<(NewBatch, Token), Error> {
        let count = errors.note(self.fields.count().map(Some));
        let defaults = app.settings.get(&app.store).await?.defaults();
        let origin = Origin { uid: Uid::random(), creator: by.to_string(), created: app.store.now() };
        let raw = RawFields { value: None, label: None, ..self.token.raw() };
        let model = raw.new_token(origin.clone(), defaults, app.zone).or_else(|mistakes| {
            errors.add_all(mistakes.all());
            RawFields::default().new_token(origin, defaults, app.zone)
        })?;
        let count = count.unwrap_or(1);
        if let Err(mistake) = batch::check(&model, &self.token.label, count) {
            errors.add_all(&[mistake]);
        }
        let typed = &self.fields.batch_name;
        let name = if typed.is_empty() { self.default_name(app, count) } else { typed.clone() };
        if let Err(mistake) = batch::check_name(&name) {
            errors.add_all(&[mistake]);
        }
        Ok((NewBatch { uid: self.uid, name, count }, model))
    }

    /// The label without its running number, or else the number of tokens; and the time.
    fn default_name(&self, app: &App, count: usize) -> String {
        let when = app.store.now().local(app.zone).format("%-d %b %Y, %H:%M").to_string();
        let label = label::without_number(&self.token.label);
        let what = if label.is_empty() { format::tokens(count) } else { label };
        let room = batch::NAME_MAX_CHARS - when.len() - 2;
        format!("{}, {when}", what.chars().take(room).collect::<String>())
    }
}

/// The form. It carries the uid that the batch will have: sent twice, it is still one batch.
pub(crate) async fn form(
    _who: Allowed<Edit>,
    request: HttpRequest,
    Query(Parts((token, fields))): Query<Parts<(TokenForm, BatchFields)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid = Uid::random();
    let form = if let Some(token) = token.brought_back() {
        BatchForm { uid, token, fields }
    } else {
        let defaults = app.settings.get(&app.store).await?.defaults();
        let token = TokenForm::new(defaults.usage_count, defaults.lock_time);
        BatchForm { uid, token, fields: BatchFields::default() }
    };
    form.page(&request, &app, FormErrors::default())
}

/// Begins to make a batch, and leads to its page, which shows the progress; or shows the form again.
pub(crate) async fn add(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(Parts((token, fields, new))): Form<Parts<(TokenForm, BatchFields, NewBatchUid)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let form = BatchForm { uid: new.batch_uid.unwrap_or_else(Uid::random), token, fields };
    let by = who.caller.principal;
    let mut errors = FormErrors::default();
    let (mut new, model) = form.understand(&app, &by, &mut errors).await?;
    if !errors.is_empty() {
        return form.page(&request, &app, errors);
    }
    let (begun, who, now) = (new.clone(), by.clone(), app.store.now());
    let (uid, is_new) = app.store.write(move |connection| batches::begin(connection, &begun, &who, now)).await?;
    if is_new {
        new.uid = uid;
        let shared = web::Data::clone(&app);
        let made = work::batches::spawn(&app.background, new, model, form.token.label, by, move || {
            shared.counts.forget();
        });
        let _ = tokio::time::timeout(MOMENT, made).await;
    }
    Ok(see_other(&app, &format!("/batches/{uid}?done=made")))
}
