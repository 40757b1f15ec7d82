//! `/add_many`: many tokens at once, as a batch.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use crate::access::Principal;
use crate::store::batches::{self, NewBatch};
use crate::token::input::{Origin, RawFields};
use crate::token::label::{self, LabelSeries};
use crate::token::{LIST_MAX, Problem, Token, TokenError, Uid, batch};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format;
use crate::web::guard::{Allowed, Edit};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query, trimmed};
use crate::web::state::App;
use crate::web::tokens::form::TokenForm;
use crate::web::tokens::presets::TimePreset;
use crate::web::words::batches as words;
use crate::work;

/// How long the answer waits for a batch, so that a small one is shown at once.
const MOMENT: Duration = Duration::from_millis(400);
/// The greatest number that the first token may have.
const MOST_START: usize = 999_999_999;
/// Most digits that a number is filled up to.
const MOST_DIGITS: usize = 6;

#[derive(Template)]
#[template(path = "batches/add.html")]
struct AddManyPage {
    page: Page,
    uid: String,
    is_there: bool,
    zone: String,
    form: TokenForm,
    count: String,
    start_number: String,
    digits: Vec<Choice>,
    name: String,
    /// The first and the last label, if the form says what they are.
    labels: Option<(String, String)>,
    /// What the button does.
    verb: String,
    /// The browser may fill in what this form held when it was sent last.
    may_restore: bool,
    presets: Vec<TimePreset>,
    errors: FormErrors,
}

/// The fields of the form that a token does not have.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct BatchFields {
    count: String,
    /// The number of the first token; empty for 1.
    start_number: String,
    /// How many digits the number has at least; empty for labels without a number, unless they say where it stands.
    digits: String,
    #[serde(deserialize_with = "trimmed")]
    batch_name: String,
}

/// The button that was pressed, if it is not the one that creates the tokens.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PreviewButton {
    /// The name of a time range, which fills in both times.
    preset: String,
    /// Shows the labels.
    preview: bool,
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

    fn start(&self) -> Result<usize, TokenError> {
        let text = self.start_number.trim();
        let start = if text.is_empty() { Some(1) } else { text.parse().ok().filter(|start| *start <= MOST_START) };
        let most = i64::try_from(MOST_START).unwrap_or(i64::MAX);
        start.ok_or_else(|| TokenError::value("start_number", Problem::OutOfRange { min: 0, max: most }))
    }

    fn digits(&self) -> Result<usize, TokenError> {
        let text = self.digits.trim();
        let digits = if text.is_empty() { Some(0) } else { text.parse().ok().filter(|digits| *digits <= MOST_DIGITS) };
        let most = i64::try_from(MOST_DIGITS).unwrap_or(i64::MAX);
        digits.ok_or_else(|| TokenError::value("digits", Problem::OutOfRange { min: 0, max: most }))
    }
}

impl BatchForm {
    async fn page(
        mut self,
        request: &HttpRequest,
        app: &App,
        errors: FormErrors,
        button: Option<PreviewButton>,
    ) -> Result<HttpResponse, Error> {
        let status = errors.status();
        let presets = TimePreset::all(&*app.settings.get(&app.store).await?, app.time_formatter());
        let may_restore = errors.is_empty() && button.is_none();
        if let Some(button) = button {
            self.token = self.token.with_preset(&button.preset, &presets);
        }
        let digits = (1..=MOST_DIGITS).map(|digits| (digits.to_string(), words::digits(digits)));
        let digits = std::iter::once((String::new(), words::NO_NUMBER.to_owned())).chain(digits);
        let template = AddManyPage {
            page: Page::new(request, Section::Tokens),
            uid: self.uid.to_string(),
            is_there: false,
            zone: app.zone.to_string(),
            labels: self.first_and_last(),
            verb: words::create(self.fields.count().ok()),
            digits: Choice::list(digits, self.fields.digits.trim()),
            form: self.token,
            count: self.fields.count,
            start_number: self.fields.start_number,
            name: self.fields.batch_name,
            may_restore,
            presets,
            errors,
        };
        page(app, status, &template)
    }

    fn labels(&self) -> Result<LabelSeries, TokenError> {
        Ok(LabelSeries::new(&self.token.label, self.fields.digits()?, self.fields.start()?))
    }

    /// The first and the last label, where there are any.
    fn first_and_last(&self) -> Option<(String, String)> {
        let (labels, count) = (self.labels().ok()?, self.fields.count().ok()?);
        Some((labels.at(0).ok()??, labels.at(count - 1).ok()??))
    }

    /// The batch and a model of its tokens; errors are added.
    async fn understand(
        &self,
        app: &App,
        by: &Principal,
        errors: &mut FormErrors,
    ) -> Result<(NewBatch, Token, LabelSeries), Error> {
        let count = errors.note(self.fields.count().map(Some));
        let defaults = app.settings.get(&app.store).await?.defaults();
        let origin = Origin { uid: Uid::random(), creator: by.to_string(), created: app.store.now() };
        let raw = RawFields { value: None, label: None, ..self.token.raw() };
        let model = raw.new_token(origin.clone(), defaults, app.zone).or_else(|mistakes| {
            errors.add_all(mistakes.all());
            RawFields::default().new_token(origin, defaults, app.zone)
        })?;
        let count = count.unwrap_or(1);
        errors.note(self.fields.start().map(Some));
        errors.note(self.fields.digits().map(Some));
        let labels = self.labels().unwrap_or_else(|_| LabelSeries::from_one(""));
        errors.note(batch::check(&model, &labels, count).map(Some));
        let typed = &self.fields.batch_name;
        let name = if typed.is_empty() { self.default_name(app, count) } else { typed.clone() };
        if let Err(mistake) = batch::check_name(&name) {
            errors.add_all(&[mistake]);
        }
        Ok((NewBatch { uid: self.uid, name, count }, model, labels))
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
        let fields = BatchFields { start_number: "1".into(), digits: "3".into(), ..BatchFields::default() };
        BatchForm { uid, token, fields }
    };
    form.page(&request, &app, FormErrors::default(), None).await
}

/// Begins to make a batch, and leads to its page, which shows the progress; or shows the form again.
pub(crate) async fn add(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(Parts((token, fields, new, button))): Form<Parts<(TokenForm, BatchFields, NewBatchUid, PreviewButton)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let form = BatchForm { uid: new.batch_uid.unwrap_or_else(Uid::random), token, fields };
    if button.preview || !button.preset.is_empty() {
        return form.page(&request, &app, FormErrors::default(), Some(button)).await;
    }
    let by = who.caller.principal;
    let mut errors = FormErrors::default();
    let (new, model, labels) = form.understand(&app, &by, &mut errors).await?;
    if !errors.is_empty() {
        return form.page(&request, &app, errors, None).await;
    }
    let uid = begin(&app, new, model, labels, by).await?;
    Ok(see_other(&app, &format!("/batches/{uid}?done=made")))
}

/// Begins to make a batch, unless it was begun before, and waits a moment for it.
pub(super) async fn begin(
    app: &web::Data<App>,
    mut new: NewBatch,
    model: Token,
    labels: LabelSeries,
    by: Principal,
) -> Result<Uid, Error> {
    let (begun, who, now) = (new.clone(), by.clone(), app.store.now());
    let (uid, is_new) = app.store.write(move |connection| batches::begin(connection, &begun, &who, now)).await?;
    if is_new {
        new.uid = uid;
        let shared = web::Data::clone(app);
        let made = work::batches::spawn(&app.background, new, model, labels, by, move || {
            shared.counts.forget();
        });
        let _ = tokio::time::timeout(MOMENT, made).await;
    }
    Ok(uid)
}
