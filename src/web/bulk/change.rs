//! `/bulk`: one change for many tokens, in three steps: the form, the preview, the change.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::actions::wait_a_moment;
use super::form::{ChangeForm, ChangeKind};
use super::selection::{SelectionForm, TokenSelection};
use crate::store::actions::{ActionPlan, ActionRequest, ActionResult};
use crate::store::tokens::selection::{Selection, SelectionDigest};
use crate::store::{self, actions};
use crate::token::action::Action;
use crate::token::consume::state;
use crate::token::void::{REASON_MAX_CHARS, REASONS};
use crate::token::{Problem, Token, TokenError, UNLIMITED, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{TimeFormatter, duration, tokens};
use crate::web::guard::{Allowed, Edit};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, LARGE, Parts};
use crate::web::state::App;
use crate::web::tokens::form::TokenForm;
use crate::web::tokens::view::{StateView, TokenView, title};
use crate::web::words::bulk::{self as words, Refusal};
use crate::web::words::tokens::counted as counted_words;
use crate::work;

#[derive(Template)]
#[template(path = "bulk/change.html")]
struct BulkPage {
    page: Page,
    selected: TokenSelection,
    /// How many tokens are selected, as long as no preview says so.
    count: String,
    kind: ChangeKind,
    zone: String,
    is_there: bool,
    form: TokenForm,
    change: ChangeForm,
    reason: String,
    reasons: [&'static str; 3],
    most: usize,
    errors: FormErrors,
    /// The selection can be read.
    can_select: bool,
    /// The selection has changed since the preview.
    is_stale: bool,
    preview: Option<Preview>,
}

/// Which change it is, how far it is, and what was previewed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct StepForm {
    /// A word of [`ChangeKind`].
    #[serde(rename = "do")]
    kind: String,
    /// `preview` or `do`; none for the empty form.
    step: String,
    /// The action that was previewed.
    action: String,
    /// The digest of the tokens that it was previewed for.
    seal: String,
    /// Makes two clicks one action.
    action_uid: Option<Uid>,
}

/// The form of every step.
type BulkForm = Parts<(SelectionForm, TokenForm, ChangeForm, StepForm)>;

/// What the change would do.
struct Preview {
    /// As in `Will change 299 tokens`.
    will: String,
    /// As in `Change 299 tokens`.
    button: String,
    selected: String,
    is_empty: bool,
    same: Option<String>,
    /// How many of those that were ticked are there no more.
    gone: Option<String>,
    refused: Vec<RefusedView>,
    examples: Vec<Example>,
    /// The examples differ before and after.
    shows_both_sides: bool,
    digest: String,
    uid: String,
    action: String,
}

/// Tokens that stay as they are, for one reason.
struct RefusedView {
    /// As in `2 tokens have unlimited uses`.
    words: String,
    names: Vec<String>,
}

/// A token before and after.
struct Example {
    title: String,
    before: String,
    after: String,
}

impl Preview {
    fn new(plan: &ActionPlan, action: &Action, ticked: Option<usize>, clock: TimeFormatter) -> Result<Self, Error> {
        let verb = ChangeKind::of(action).verb();
        let gone = ticked.map_or(0, |ticked| ticked.saturating_sub(plan.selected));
        let named = |token: &Token| title(token.label.as_deref(), &token.value);
        let refused = plan.refused.iter().map(|refused| RefusedView {
            words: words::refused(why(&refused.why, refused.tokens.first()), refused.count),
            names: refused.tokens.iter().map(named).collect(),
        });
        let examples = plan.examples.iter().map(|(before, after)| Example {
            title: named(before),
            before: side(action, before, clock),
            after: side(action, after, clock),
        });
        Ok(Self {
            selected: tokens(plan.selected),
            will: verb.will(plan.changed),
            button: verb.button(plan.changed),
            is_empty: plan.changed == 0,
            gone: (gone > 0).then(|| tokens(gone)),
            same: (plan.same > 0).then(|| tokens(plan.same)),
            refused: refused.collect(),
            examples: examples.collect(),
            shows_both_sides: *action != Action::Delete,
            digest: plan.digest.as_str().to_owned(),
            uid: Uid::random().to_string(),
            action: serde_json::to_string(action).map_err(|error| Error::fault(error.to_string()))?,
        })
    }
}

/// Why tokens stay as they are, in words that fit all of them.
fn why(error: &TokenError, first: Option<&Token>) -> Refusal {
    match error.param() {
        Some("add_uses") if first.is_some_and(|token| token.usage_count == UNLIMITED) => Refusal::Unlimited,
        Some("add_uses") => Refusal::TooFewUses,
        Some("valid_to") => Refusal::EndBeforeStart,
        Some("label") => Refusal::LongLabel,
        _ => Refusal::Other,
    }
}

/// What an action changes of a token, before or after.
fn side(action: &Action, token: &Token, clock: TimeFormatter) -> String {
    match action {
        Action::SetValidity { .. } => TokenView::new(token, clock).valid,
        Action::SetUses(_) | Action::AddUses(_) => TokenView::new(token, clock).uses,
        Action::SetLock(_) => duration(token.lock_time),
        Action::SetLabel(_) => token.label.clone().unwrap_or_else(|| words::NO_LABEL.into()),
        Action::Void { .. } | Action::Unvoid => state_words(token, clock),
        Action::Delete | Action::Update { .. } | Action::Import { .. } => String::new(),
    }
}

/// As in `Voided (Lost)` and `Active`.
fn state_words(token: &Token, clock: TimeFormatter) -> String {
    let badge = StateView::from(state(token, clock.now)).badge();
    let reason = token.voided.as_ref().and_then(|voided| voided.reason.as_deref());
    reason.map_or_else(|| badge.to_owned(), |reason| words::state_for(badge, reason))
}

/// Shows the form of a change, previews the change, or makes it.
pub(crate) async fn bulk(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(Parts((selection, form, change, step))): Form<BulkForm, LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let page = BulkPage::read(&request, &app, selection, (form, change), step.kind.parse()?);
    if !who.caller.role.may(page.kind.permission()) {
        return Err(Error::Forbidden(words::MAY_NOT_VOID_OR_DELETE.into()));
    }
    if !page.errors.is_empty() {
        return page.answer(&app, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match &*step.step {
        "do" => {
            let request = page.action_request(&step)?;
            page.perform(request, &who.caller, &app).await
        }
        "preview" => page.preview_form(&who.caller, &app).await,
        _ if page.kind.has_form() => page.empty_form(&app).await,
        _ => page.preview_form(&who.caller, &app).await,
    }
}

async fn counted(app: &App, selected: &TokenSelection) -> Result<String, Error> {
    Ok(match &selected.selection {
        Selection::Uids(uids) => tokens(uids.len()),
        Selection::Filter(filter) => counted_words(app.counts.count(&app.store, filter, app.store.now()).await?),
    })
}

impl BulkPage {
    fn read(
        request: &HttpRequest,
        app: &App,
        selection: SelectionForm,
        (form, change): (TokenForm, ChangeForm),
        kind: ChangeKind,
    ) -> Self {
        let mut errors = FormErrors::default();
        Self {
            page: Page::new(request, Section::Tokens),
            selected: TokenSelection::read(selection, app, &mut errors),
            count: String::new(),
            kind,
            zone: app.zone.to_string(),
            is_there: true,
            form,
            reason: change.reason.clone(),
            change,
            reasons: REASONS,
            most: REASON_MAX_CHARS,
            can_select: errors.of("select").is_none(),
            errors,
            is_stale: false,
            preview: None,
        }
    }

    /// The action that was previewed, and the selection that it was previewed for.
    fn action_request(&self, step: &StepForm) -> Result<ActionRequest, Error> {
        let action =
            serde_json::from_str(&step.action).map_err(|_| TokenError::value("action", Problem::Unreadable))?;
        let digest = Some(SelectionDigest::read(&step.seal));
        let uid = step.action_uid.unwrap_or_else(Uid::random);
        Ok(ActionRequest { uid, selection: self.selected.selection.clone(), action, digest })
    }

    fn answer(self, app: &App, status: StatusCode) -> Result<HttpResponse, Error> {
        page(app, status, &self)
    }

    async fn empty_form(mut self, app: &App) -> Result<HttpResponse, Error> {
        self.form = TokenForm { usage_count: String::new(), lock_time: String::new(), ..self.form };
        self.count = counted(app, &self.selected).await?;
        self.answer(app, StatusCode::OK)
    }

    async fn preview_form(mut self, who: &Caller, app: &App) -> Result<HttpResponse, Error> {
        match self.change.action(self.kind, &self.form, app.zone) {
            Ok(action) => self.preview(action, who, app).await,
            Err(mistakes) => {
                self.errors.add_all(mistakes.all());
                self.count = counted(app, &self.selected).await?;
                self.answer(app, StatusCode::UNPROCESSABLE_ENTITY)
            }
        }
    }

    async fn preview(mut self, action: Action, who: &Caller, app: &App) -> Result<HttpResponse, Error> {
        let permit = app.background.long_list_permit().await?;
        app.recheck(who).await?;
        let (selection, wanted, by) = (self.selected.selection.clone(), action.clone(), who.principal.clone());
        let now = app.store.now();
        let plan = app.store.search(move |connection, limit| {
            let plan = actions::plan(connection, &selection, &wanted, &by, (now, limit))?;
            Ok((plan, permit))
        });
        match plan.await {
            Ok((plan, _permit)) => {
                self.preview = Some(self.preview_of(&plan, &action, TimeFormatter { now, zone: app.zone })?);
                self.answer(app, StatusCode::OK)
            }
            Err(error) => self.refused(error, app).await,
        }
    }

    async fn perform(mut self, wanted: ActionRequest, who: &Caller, app: &App) -> Result<HttpResponse, Error> {
        if ChangeKind::of(&wanted.action) != self.kind {
            return Err(TokenError::value("action", Problem::Unreadable).into());
        }
        let permit = app.background.long_list_permit().await?;
        app.recheck(who).await?;
        let (action, by, now) = (wanted.action.clone(), who.principal.clone(), app.store.now());
        let (plan, status) = match work::actions::perform(&app.background, wanted, by, permit).await {
            Ok((ActionResult::Done(uid), carried_out)) => {
                let is_whole = wait_a_moment(carried_out).await;
                app.counts.forget();
                let list = || self.selected.after_change(uid, action == Action::Delete);
                let path = if is_whole { list() } else { format!("/actions/{uid}?done=done") };
                return Ok(see_other(app, &path));
            }
            Ok((ActionResult::Stale(plan), _)) => (plan, StatusCode::CONFLICT),
            Ok((ActionResult::Nothing(plan), _)) => (plan, StatusCode::OK),
            Err(error) => return self.refused(error, app).await,
        };
        self.is_stale = status == StatusCode::CONFLICT;
        self.preview = Some(self.preview_of(&plan, &action, TimeFormatter { now, zone: app.zone })?);
        self.answer(app, status)
    }

    fn preview_of(&self, plan: &ActionPlan, action: &Action, clock: TimeFormatter) -> Result<Preview, Error> {
        Preview::new(plan, action, self.selected.uids().map(<[Uid]>::len), clock)
    }

    /// Errors that the user can correct are shown in the form; all others have a page of their own.
    async fn refused(mut self, error: store::Error, app: &App) -> Result<HttpResponse, Error> {
        match error {
            store::Error::Token(mistake) => {
                self.errors.add_all(&[mistake]);
                self.count = counted(app, &self.selected).await?;
                self.answer(app, StatusCode::UNPROCESSABLE_ENTITY)
            }
            error => Err(error.into()),
        }
    }
}
