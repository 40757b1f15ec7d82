//! `/bulk`: one change for many tokens. First what is wanted, then what would become of it, then it is done.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::action::told;
use super::bulk_form::{Asking, Kind};
use super::selected::Selected;
use super::typed::{Typed, UNITS};
use super::view::{Row, StateView, title};
use super::when::{Clock, duration, tokens};
use super::{Page, Problems, page, see_other, turn};
use crate::store::actions::{self, Outcome, Plan, Wanted};
use crate::store::selection::{Seal, Selection};
use crate::store::{self};
use crate::token::action::Action;
use crate::token::consume::state;
use crate::token::void::{REASON_MAX_CHARS, REASONS};
use crate::token::{Token, TokenError, UNLIMITED, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::params::{Form, LARGE};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "bulk/bulk.html")]
struct BulkPage {
    page: Page,
    selected: Selected,
    /// How many tokens are selected, as long as no preview says so.
    count: String,
    kind: Kind,
    zone: String,
    units: [(&'static str, i32); 4],
    is_there: bool,
    typed: Typed,
    asking: Asking,
    reason: String,
    reasons: [&'static str; 3],
    most: usize,
    problems: Problems,
    /// The selection is not what it was when it was looked at.
    is_stale: bool,
    preview: Option<Preview>,
}

/// What would become of it.
struct Preview {
    /// As in `Uses set to 10`.
    what: String,
    selected: String,
    changed: String,
    is_empty: bool,
    same: Option<String>,
    refused: Vec<RefusedView>,
    examples: Vec<Example>,
    seal: String,
    uid: String,
    action: String,
}

/// Tokens that are left out, for one reason.
struct RefusedView {
    count: String,
    why: &'static str,
    names: Vec<String>,
}

/// A token before and after.
struct Example {
    title: String,
    before: String,
    after: String,
}

impl Preview {
    fn new(plan: &Plan, action: &Action, clock: Clock) -> Result<Self, Error> {
        let named = |token: &Token| title(token.label.as_deref(), &token.value);
        let refused = plan.refused.iter().map(|refused| RefusedView {
            count: tokens(refused.count),
            why: why(&refused.why, refused.tokens.first()),
            names: refused.tokens.iter().map(named).collect(),
        });
        let examples = plan.examples.iter().map(|(before, after)| Example {
            title: named(before),
            before: side(action, before, clock),
            after: side(action, after, clock),
        });
        Ok(Self {
            what: told(action, clock),
            selected: tokens(plan.selected),
            changed: tokens(plan.changed),
            is_empty: plan.changed == 0,
            same: (plan.same > 0).then(|| tokens(plan.same)),
            refused: refused.collect(),
            examples: examples.collect(),
            seal: plan.seal.as_str().to_owned(),
            uid: Uid::random().to_string(),
            action: serde_json::to_string(action).map_err(|error| Error::fault(error.to_string()))?,
        })
    }
}

/// Why tokens are left out, in words that fit all of them.
fn why(error: &TokenError, first: Option<&Token>) -> &'static str {
    match error.param() {
        Some("add_uses") if first.is_some_and(|token| token.usage_count == UNLIMITED) => "their uses are unlimited",
        Some("add_uses") => "they have too few uses left, or would have too many",
        Some("valid_to") => "their validity would end before it begins",
        Some("label") => "their label would be too long",
        _ => "they may not be so",
    }
}

/// What an action changes of a token, as it is on one side.
fn side(action: &Action, token: &Token, clock: Clock) -> String {
    match action {
        Action::SetValidity { .. } => Row::new(token, clock).valid,
        Action::SetUses(_) | Action::AddUses(_) => Row::new(token, clock).uses,
        Action::SetLock(_) => duration(token.lock_time),
        Action::SetLabel(_) => token.label.clone().unwrap_or_else(|| "none".into()),
        Action::Void { .. } | Action::Unvoid => told_state(token, clock),
        Action::Delete => String::new(),
    }
}

/// As in `Voided (Lost)` and `Active`.
fn told_state(token: &Token, clock: Clock) -> String {
    let badge = StateView::from(state(token, clock.now)).badge();
    let reason = token.voided.as_ref().and_then(|voided| voided.reason.as_deref());
    reason.map_or_else(|| badge.to_owned(), |reason| format!("{badge} ({reason})"))
}

/// Asks what is wanted, tells what would become of it, or does it.
///
/// # Errors
/// Forbidden, when the role may not delete, void or restore; unavailable, when the database cannot be asked.
pub async fn bulk(
    who: Allowed<Edit>,
    request: HttpRequest,
    Form(params): Form<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut problems = Problems::default();
    let selected = Selected::read(&params, &app, &mut problems)?;
    let kind: Kind = params.text("do")?.unwrap_or_default().parse()?;
    if !who.caller.role.may(kind.permission()) {
        return Err(Error::Forbidden("You may not delete, void or restore tokens with this role.".into()));
    }
    let asking = Asking::read(&params)?;
    let mut form = BulkPage {
        reason: asking.reason.clone(),
        page: Page::new(&request, "overview"),
        count: String::new(),
        selected,
        kind,
        zone: app.zone.to_string(),
        units: UNITS,
        is_there: true,
        typed: Typed::read(&params)?,
        asking,
        reasons: REASONS,
        most: REASON_MAX_CHARS,
        problems,
        is_stale: false,
        preview: None,
    };
    if !form.problems.is_empty() {
        return form.answer(&app, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let step = params.text("step")?.unwrap_or_default();
    if step == "do" {
        let action = params.text("action")?.unwrap_or_default();
        let action = serde_json::from_str(&action).map_err(|_| TokenError::value("action", "action cannot be read"))?;
        let seal = Some(Seal::read(&params.text("seal")?.unwrap_or_default()));
        let uid = params.parsed::<Uid>("action_uid")?.unwrap_or_else(Uid::random);
        let wanted = Wanted { uid, selection: form.selected.selection.clone(), action, seal };
        return form.perform(wanted, &who.caller, &app).await;
    }
    if step != "preview" && kind.asks() {
        form.typed = Typed { usage_count: String::new(), lock_time: String::new(), ..form.typed };
        form.count = counted(&app, &form.selected).await?;
        return form.answer(&app, StatusCode::OK);
    }
    match form.asking.action(kind, &form.typed, app.zone) {
        Ok(action) => form.preview(action, &who.caller, &app).await,
        Err(mistakes) => {
            form.problems.add_all(mistakes.all());
            form.count = counted(&app, &form.selected).await?;
            form.answer(&app, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn counted(app: &App, selected: &Selected) -> Result<String, Error> {
    Ok(match &selected.selection {
        Selection::Ticked(uids) => tokens(uids.len()),
        Selection::Found(filter) => turn::counted(app.counts.of(&app.store, filter, app.store.now()).await?),
    })
}

impl BulkPage {
    fn answer(self, app: &App, status: StatusCode) -> Result<HttpResponse, Error> {
        page(app, status, &self)
    }

    async fn preview(mut self, action: Action, who: &Caller, app: &App) -> Result<HttpResponse, Error> {
        let _turn = app.lists.acquire().await;
        let (selection, wanted, by) = (self.selected.selection.clone(), action.clone(), who.principal.clone());
        let now = app.store.now();
        let plan = app.store.read(move |connection| actions::plan(connection, &selection, &wanted, &by, now)).await;
        match plan {
            Ok(plan) => {
                self.preview = Some(Preview::new(&plan, &action, Clock { now, zone: app.zone })?);
                self.answer(app, StatusCode::OK)
            }
            Err(error) => self.refused(error, app).await,
        }
    }

    async fn perform(mut self, wanted: Wanted, who: &Caller, app: &App) -> Result<HttpResponse, Error> {
        if Kind::of(&wanted.action) != self.kind {
            return Err(TokenError::value("action", "action is not what the form is for").into());
        }
        let _turn = app.lists.acquire().await;
        let (action, by, now) = (wanted.action.clone(), who.principal.clone(), app.store.now());
        let done = app.store.write(move |connection| actions::perform(connection, &wanted, &by, now)).await;
        let (plan, status) = match done {
            Ok(Outcome::Done(uid)) => {
                app.counts.forget();
                return Ok(see_other(app, &format!("/actions/{uid}?done=done")));
            }
            Ok(Outcome::Stale(plan)) => (plan, StatusCode::CONFLICT),
            Ok(Outcome::Nothing(plan)) => (plan, StatusCode::OK),
            Err(error) => return self.refused(error, app).await,
        };
        self.is_stale = status == StatusCode::CONFLICT;
        self.preview = Some(Preview::new(&plan, &action, Clock { now, zone: app.zone })?);
        self.answer(app, status)
    }

    /// What a person can mend stays on the page; all else is the error's own page.
    async fn refused(mut self, error: store::Error, app: &App) -> Result<HttpResponse, Error> {
        match error {
            store::Error::Token(mistake) => {
                self.problems.add_all(&[mistake]);
                self.count = counted(app, &self.selected).await?;
                self.answer(app, StatusCode::UNPROCESSABLE_ENTITY)
            }
            error => Err(error.into()),
        }
    }
}
