//! The page of a token's form: for a new token, and for one that there is.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{NewTokenUid, OriginalValues, TokenForm};
use super::presets::TimePreset;
use super::view::title;
use crate::token::{Micros, Token, TokenError, Uid};
use crate::web::conflict::{self, Conflict};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{TimeFormatter, duration};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::pairs::{all_pairs_of, pairs_of};
use crate::web::state::App;
use crate::web::words::tile as words;

#[derive(Template)]
#[template(path = "tokens/form.html")]
pub(super) struct FormPage {
    page: Page,
    uid: Option<String>,
    is_there: bool,
    title: String,
    /// The token that was added before, and what it is called.
    added: Option<(String, String)>,
    /// The code with the token's value is on paper.
    is_printed: bool,
    /// The browser may fill in what this form held when it was sent last.
    may_restore: bool,
    presets: Vec<TimePreset>,
    keep: String,
    zone: String,
    form: TokenForm,
    hidden: Vec<(&'static str, String)>,
    unshown: Vec<(&'static str, Micros)>,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
}

impl FormPage {
    /// The form; of a new token, if there is no uid.
    pub(super) async fn new(
        request: &HttpRequest,
        app: &App,
        uid: Option<Uid>,
        form: TokenForm,
    ) -> Result<Self, Error> {
        let presets = TimePreset::all(&*app.settings.get(&app.store).await?, app.time_formatter());
        let page = Page::new(request, Section::Tokens);
        // By user: who signs in next in the same tab must not find what another user wrote.
        let user = page.user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
        Ok(Self {
            page,
            added: None,
            is_printed: false,
            may_restore: true,
            presets,
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
        })
    }

    /// With the times of the preset with this name. Nothing is saved.
    pub(super) fn with_preset(self, name: &str) -> Self {
        Self { form: self.form.with_preset(name, &self.presets), may_restore: false, ..self }
    }

    /// Of a token, as it is called, and as its label may be printed.
    pub(super) fn of_token(self, token: &Token, is_printed: bool) -> Self {
        Self { title: title(token.label.as_deref(), &token.value), is_printed, ..self }
    }

    /// Of the next token, after this one was added.
    pub(super) fn after(self, added: &Token) -> Self {
        let name = title(added.label.as_deref(), &added.value);
        let page = self.page.with_notice(Some(Notice::done(words::ADDED)));
        Self { page, added: Some((added.uid.to_string(), name)), may_restore: false, ..self }
    }

    /// Of a new token that will have this uid.
    pub(super) fn of_new(self, uid: Uid) -> Self {
        Self { hidden: pairs_of(&NewTokenUid { token_uid: Some(uid) }), ..self }
    }

    /// Of a token that had these values when the form was made.
    pub(super) fn of_known(self, original: &OriginalValues, app: &App) -> Self {
        Self { hidden: all_pairs_of(original), unshown: original.unshown(app.zone), ..self }
    }

    pub(super) fn answer(self, app: &App) -> Result<HttpResponse, Error> {
        page(app, conflict::status(&self.conflicts, &self.errors), &self)
    }

    pub(super) fn conflict(
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

    pub(super) fn refused(mut self, mistakes: &[TokenError], app: &App) -> Result<HttpResponse, Error> {
        self.errors.add_all(mistakes);
        self.answer(app)
    }

    /// The form of a token that exists already, to be sent again for another one.
    pub(super) fn for_another(self, why: TokenError, app: &App) -> Result<HttpResponse, Error> {
        let mut another = self.of_new(Uid::random());
        another.errors.note_without_field::<()>(Err(why));
        another.answer(app)
    }
}

/// A field as somebody else saved it, and as the form has it.
fn conflict_at(field: &'static str, token: &Token, form: &TokenForm, clock: TimeFormatter) -> Conflict {
    let time = |time: Option<Micros>| time.map_or_else(|| words::NONE.into(), |time| clock.format(time).exact);
    let or_none = |text: &str| if text.is_empty() { words::NONE.to_owned() } else { text.to_owned() };
    let uses = |count: i32| if count < 0 { words::UNLIMITED.to_owned() } else { count.to_string() };
    let (now, yours) = match field {
        "value" => (token.value.clone(), or_none(&form.value)),
        "label" => (or_none(token.label.as_deref().unwrap_or_default()), or_none(&form.label)),
        "valid_from" => (time(token.valid_from), or_none(&form.valid_from)),
        "valid_to" => (time(token.valid_to), or_none(&form.valid_to)),
        "usage_count" => (uses(token.usage_count), form.uses()),
        _ => (duration(token.lock_time), format!("{} {}", form.lock_time, form.lock_unit())),
    };
    Conflict { field, name: words::field(field), now, yours }
}
