//! `/{uid}/set_range`, `/{uid}/set_count` and `/{uid}/add_uses`: what one click on a tile does, and the notice of it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::tile_view::TileOptions;
use crate::access::Role;
use crate::store;
use crate::store::actions::past::PastAction;
use crate::store::actions::{ActionRequest, ActionResult, past};
use crate::store::{Connection, actions};
use crate::token::action::{Action, Bound};
use crate::token::{Problem, Token, TokenError, UNLIMITED, Uid};
use crate::web::bulk::describe::describe;
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::TimeFormatter;
use crate::web::guard::{Allowed, Edit};
use crate::web::notice::Notice;
use crate::web::page::see_other;
use crate::web::params::{Form, Parts};
use crate::web::state::App;
use crate::web::words::tile as words;

/// The uid that a form brings for its action: sent twice, it is done once. One that cannot be read is none.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Nonce {
    nonce: String,
}

/// A named time range, or none.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct RangeForm {
    range: Option<String>,
    no_limits: bool,
}

/// The uses that are to be left.
#[derive(Deserialize, Validate)]
pub(crate) struct CountForm {
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: i32,
}

/// The uses that are to be added, as they were typed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct AddUsesForm {
    add_uses: String,
}

/// Makes a token valid in a named time range, today, or without limits.
pub(crate) async fn set_range(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    Form(Parts((form, nonce))): Form<Parts<(RangeForm, Nonce)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let (from, to) = if let Some(name) = form.range {
        let settings = app.settings.get(&app.store).await?;
        let Some(range) = settings.time_ranges.iter().find(|range| range.name == name) else {
            return Ok(see_other(&app, &format!("/{uid}?done=no-range")));
        };
        let Some((from, to)) = range.at(app.store.now(), app.zone) else {
            return Ok(see_other(&app, &format!("/{uid}?done=not-today")));
        };
        (Bound::At(from), Bound::At(to))
    } else if form.no_limits {
        (Bound::Open, Bound::Open)
    } else {
        return Err(TokenError::missing("range").into());
    };
    let done = perform(&app, &who.caller, uid, Action::SetValidity { from, to }, &nonce).await?;
    Ok(to_tile(&app, uid, done))
}

/// Sets the uses that are left.
///
/// # Errors
/// No such token; a value error for what is no number; unavailable, when the database cannot take it.
pub(crate) async fn set_count(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    Form(Parts((nonce, form))): Form<Parts<(Nonce, CountForm)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let done = perform(&app, &who.caller, uid, Action::SetUses(form.usage_count), &nonce).await?;
    Ok(to_tile(&app, uid, done))
}

/// Adds uses to those that are left, whatever is consumed meanwhile.
pub(crate) async fn add_uses(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(Parts((form, nonce))): Form<Parts<(AddUsesForm, Nonce)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let mut errors = FormErrors::default();
    match form.add_uses.trim().parse::<i32>().ok().filter(|uses| *uses > 0) {
        None => {
            let problem = Problem::OutOfRange { min: 1, max: i32::MAX.into() };
            errors.add_all(&[TokenError::value("add_uses", problem)]);
        }
        Some(uses) => match perform(&app, &who.caller, uid, Action::AddUses(uses), &nonce).await? {
            Ok(done) => return Ok(see_other(&app, &format!("/{uid}?done={done}"))),
            Err(token) if token.usage_count == UNLIMITED => {
                return Ok(see_other(&app, &format!("/{uid}?done=unlimited")));
            }
            Err(_) => errors.add("add_uses", words::TOO_MANY_USES),
        },
    }
    let options = TileOptions {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        errors,
        add_uses: form.add_uses,
        ..TileOptions::default()
    };
    super::tile_view::render(&app, &request, who.caller.role, uid, options).await
}

/// Leads back to the tile with a notice of what was done.
pub(crate) fn to_tile(app: &App, uid: Uid, done: Result<String, Box<Token>>) -> HttpResponse {
    see_other(app, &format!("/{uid}?done={}", done.unwrap_or_else(|_| "same".into())))
}

/// Does an action to one token, once for the form's nonce. Returns the word of the notice, or the token that refuses it.
pub(crate) async fn perform(
    app: &App,
    who: &Caller,
    uid: Uid,
    action: Action,
    Nonce { nonce }: &Nonce,
) -> Result<Result<String, Box<Token>>, Error> {
    let nonce = nonce.parse::<Uid>().ok();
    let (by, now) = (who.principal.clone(), app.store.now());
    let outcome = app.store.write(move |connection| {
        let mut wanted = ActionRequest::one(uid, action.clone());
        if let Some(nonce) = nonce {
            wanted.uid = action_uid(connection, nonce, uid, &action)?;
        }
        actions::perform(connection, &wanted, &by, now)
    });
    let outcome = outcome.await?;
    app.counts.forget();
    match outcome {
        ActionResult::Done(action) => Ok(Ok(format!("did-{action}"))),
        ActionResult::Nothing(plan) | ActionResult::Stale(plan) if plan.selected > 0 => {
            let refused = plan.refused.into_iter().find_map(|mut refused| refused.tokens.pop());
            Ok(refused.map_or_else(|| Ok("same".into()), |token| Err(Box::new(token))))
        }
        ActionResult::Nothing(_) | ActionResult::Stale(_) => Err(Error::NotFound),
    }
}

/// The uid for an action: the form's own, so that the same form, sent twice, does it once. One that did something else
/// already (by another button, after going back to it) or was undone gets another.
fn action_uid(connection: &mut Connection, nonce: Uid, token: Uid, action: &Action) -> Result<Uid, store::Error> {
    let Some(done) = past::find(connection, nonce)? else { return Ok(nonce) };
    let is_it = past::only_token(connection, &done)? == Some(token)
        && done.action.as_ref() == Some(action)
        && done.undone.is_none();
    Ok(if is_it { nonce } else { Uid::random() })
}

/// What a click did that led to this tile, with its undo.
pub(crate) async fn notice(app: &App, token: Uid, action: &str, role: Role) -> Result<Option<Notice>, Error> {
    let Ok(uid) = action.parse::<Uid>() else { return Ok(None) };
    let done = app.store.read_inline(move |connection| {
        let Some(done) = past::find(connection, uid)? else { return Ok(None) };
        Ok(if past::only_token(connection, &done)? == Some(token) { Some(done) } else { None })
    });
    let clock = app.time_formatter();
    let notice = |done: PastAction| {
        let action = done.action.as_ref()?;
        let may_undo = role.may(action.permission()) && done.can_be_undone(clock.now);
        let undo = may_undo.then(|| format!("/actions/{uid}/undo"));
        Some(Notice::done(sentence(action, clock)).with_undo(undo))
    };
    Ok(done.await?.and_then(notice))
}

fn sentence(action: &Action, clock: TimeFormatter) -> String {
    match action {
        Action::SetValidity { from: Bound::Open, to: Bound::Open } => words::NO_LIMITS.into(),
        Action::SetValidity { from: Bound::At(from), to: Bound::At(to) } => {
            format!("{}.", words::valid_from_to(&clock.day_and_time(*from), &clock.day_and_time(*to)))
        }
        Action::Void { .. } => words::VOIDED.into(),
        Action::Unvoid => words::RESTORED.into(),
        other => format!("{}.", describe(other, clock)),
    }
}
