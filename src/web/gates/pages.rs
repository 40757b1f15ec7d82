//! `/gates`: where tokens are used, what may be done there, and what was.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::{GateForm, KnownGate, NewGate};
use crate::access::Principal;
use crate::store::gates::{self, Gate};
use crate::store::usage::{self, Entry};
use crate::store::{self, Connection};
use crate::token::calendar::{Step, Tally, days_before};
use crate::token::{Micros, TokenError, Uid};
use crate::web::choice::Choice;
use crate::web::conflict::{self, Conflict, Merge};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::grouped;
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query};
use crate::web::state::App;
use crate::web::usage::chart::Chart;
use crate::web::usage::chart_range::Range;
use crate::web::usage::entry_view::EntryView;
use crate::web::usage::query::UsageQuery;
use crate::web::words;

/// Attempts that a gate's page shows.
const LAST: i64 = 10;

#[derive(Template)]
#[template(path = "gates/list.html")]
struct GatesPage {
    page: Page,
    gates: Vec<GateView>,
}

/// A gate of the list.
struct GateView {
    uid: String,
    name: String,
    is_open: bool,
    used: String,
    refused: String,
}

#[derive(Template)]
#[template(path = "gates/gate.html")]
struct GatePage {
    page: Page,
    uid: String,
    name: String,
    is_open: bool,
    chart: Option<Chart>,
    last: Vec<EntryView>,
    usage: String,
    form: GateForm,
    was: GateForm,
    undo_times: Vec<Choice>,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
}

/// The form of a gate, and what is wrong with it.
struct Filled {
    form: GateForm,
    /// As the form knew the gate.
    was: GateForm,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
}

#[derive(Template)]
#[template(path = "gates/add.html")]
struct AddPage {
    page: Page,
    uid: String,
    form: GateForm,
    undo_times: Vec<Choice>,
    errors: FormErrors,
}

/// Shows every gate, with what was used there today.
pub(crate) async fn list(
    _who: Allowed<Manage>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let midnight = days_before(clock.now, 1, clock.zone);
    let counted = app.gates_today.count(&app.store, midnight).await?;
    let view = |(gate, quarters): &(Gate, usage::Quarters)| {
        let mut today = Tally::default();
        for (_, tally) in quarters {
            today.add(*tally);
        }
        GateView {
            uid: gate.uid.clone(),
            name: gate.name.clone(),
            is_open: gate.disabled.is_none(),
            used: grouped(today.used),
            refused: grouped(today.refused),
        }
    };
    let gates = counted.iter().map(view).collect();
    page(&app, StatusCode::OK, &GatesPage { page: Page::new(&request, Section::Gates), gates })
}

/// The form for a new gate.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(form): Query<GateForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let form = form.brought_back().unwrap_or_else(GateForm::of_new);
    add_page(&app, &request, Uid::random(), form, FormErrors::default())
}

fn add_page(
    app: &App,
    request: &HttpRequest,
    uid: Uid,
    form: GateForm,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let (status, uid, undo_times) = (errors.status(), uid.to_string(), form.undo_times());
    page(app, status, &AddPage { page: Page::new(request, Section::Gates), uid, form, undo_times, errors })
}

/// Adds a gate. The form's uid makes one gate of two clicks.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(Parts((form, NewGate { gate_uid }))): Form<Parts<(GateForm, NewGate)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (uid, mut errors) = (gate_uid.unwrap_or_else(Uid::random), FormErrors::default());
    let rules = form.rules(&mut errors);
    if errors.is_empty() {
        let (name, by, now) = (form.name.clone(), who.caller.principal, app.store.now());
        let added = app.store.write(move |connection| gates::add(connection, (uid, &name, &rules), &by, now)).await;
        note_name(added, &mut errors)?;
        app.gates.forget();
    }
    if errors.is_empty() {
        return Ok(see_other(&app, &format!("/gates/{uid}?done=added")));
    }
    // The form has added another gate before: sent once more, it adds this one.
    let uid = if errors.of("gate_uid").is_some() { Uid::random() } else { uid };
    add_page(&app, &request, uid, form, errors)
}

/// Shows a gate: what was used there today, the last attempts, and what may be done there.
pub(crate) async fn show(
    _who: Allowed<Manage>,
    request: HttpRequest,
    uid: web::Path<String>,
    Query(Parts((form, known, done))): Query<Parts<(GateForm, KnownGate, Done)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = find(&app, &uid).await?;
    let now = || GateForm::of(&gate);
    let (form, was) = (form.brought_back().unwrap_or_else(now), known.was().unwrap_or_else(now));
    let notice = match done.done.as_str() {
        "added" => Some(words::gates::added(&gate.name)),
        "saved" => Some(words::gates::saved(&gate.name)),
        _ => None,
    };
    let filled = Filled { form, was, errors: FormErrors::default(), conflicts: Vec::new() };
    gate_page(&app, &request, gate, notice.map(Notice::done), filled).await
}

async fn find(app: &App, uid: &str) -> Result<Gate, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let gate = app.store.read_inline(move |connection| Ok(gates::find(connection, uid)?)).await?;
    gate.ok_or(Error::NotFound)
}

async fn gate_page(
    app: &App,
    request: &HttpRequest,
    gate: Gate,
    notice: Option<Notice>,
    Filled { form, was, errors, conflicts }: Filled,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let midnight = days_before(clock.now, 1, clock.zone);
    let id = gate.id;
    let found = app.store.search(move |connection, _| {
        let last = usage::last_at_gate(connection, id, LAST)?;
        let labels = usage::labels(connection, last.iter().filter_map(|entry| entry.token_uid.clone()).collect())?;
        Ok((usage::quarters_at_gate(connection, id, midnight)?, last, labels))
    });
    let (quarters, last, labels) = found.await?;
    let query = UsageQuery { gate: gate.name.clone(), ..UsageQuery::default() };
    let range = Range { from: midnight, to: clock.now, step: Step::Hour, name: "Today: " };
    let path = format!("{}/usage", app.base);
    let chart = (!quarters.is_empty()).then(|| Chart::new(&range, &quarters, &query, &path, clock.zone));
    page(
        app,
        conflict::status(&conflicts, &errors),
        &GatePage {
            page: Page::new(request, Section::Gates).with_notice(notice),
            usage: query.href(&path, ""),
            uid: gate.uid,
            is_open: gate.disabled.is_none(),
            name: gate.name,
            chart,
            // The page says at which gate they were.
            last: last.into_iter().map(|entry| EntryView::new(Entry { gate: None, ..entry }, &labels, clock)).collect(),
            undo_times: form.undo_times(),
            form,
            was,
            errors,
            conflicts,
        },
    )
}

/// Changes a gate, where its form was changed: its name, what may be done there, and whether it is open.
pub(crate) async fn save(
    who: Allowed<Manage>,
    request: HttpRequest,
    path: web::Path<String>,
    Form(Parts((form, known))): Form<Parts<(GateForm, KnownGate)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = find(&app, &path).await?;
    let uid: Uid = path.parse().map_err(|_| Error::NotFound)?;
    let was = known.was().ok_or_else(|| TokenError::missing("was_name"))?;
    let mut errors = FormErrors::default();
    form.rules(&mut errors);
    let mut found = None;
    if errors.is_empty() {
        let (form, was, by, now) = (form.clone(), was.clone(), who.caller.principal, app.store.now());
        let change = move |connection: &mut _| save_merged(connection, uid, (&form, &was), &by, now);
        found = note_name(app.store.write(change).await, &mut errors)?.flatten();
        app.gates.forget();
    }
    let (gate, filled) = match found {
        None if errors.is_empty() => return Ok(see_other(&app, &format!("/gates/{uid}?done=saved"))),
        None => (gate, Filled { form, was, errors, conflicts: Vec::new() }),
        // Saved once more, it overwrites what it now shows.
        Some((gate, form, conflicts)) => (gate.clone(), Filled { form, was: GateForm::of(&gate), errors, conflicts }),
    };
    gate_page(&app, &request, gate, None, filled).await
}

/// A gate that both sides have changed, its form, and where.
type BothChanged = (Gate, GateForm, Vec<Conflict>);

/// Saves what was changed in a form, unless somebody else has changed it, too.
fn save_merged(
    connection: &mut Connection,
    uid: Uid,
    (form, was): (&GateForm, &GateForm),
    by: &Principal,
    now: Micros,
) -> Result<Option<BothChanged>, store::Error> {
    let gate = gates::lock(connection, uid)?.ok_or(TokenError::Unknown(uid))?;
    let mut merge = Merge::default();
    let merged = form.merged(was, &GateForm::of(&gate), &mut merge);
    if !merge.0.is_empty() {
        return Ok(Some((gate, merged, merge.0)));
    }
    let rules = merged.rules(&mut FormErrors::default());
    gates::change(connection, (uid, &merged.name, &rules, merged.is_open), by, now).map(|()| None)
}

/// Says beside its field that a name is in use.
fn note_name<T>(result: Result<T, store::Error>, errors: &mut FormErrors) -> Result<Option<T>, Error> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(store::Error::Token(error @ TokenError::Value { .. })) => Ok(match error.param() {
            Some("gate_uid") => errors.note_without_field(Err(error)),
            _ => errors.note(Err(error)),
        }),
        Err(error) => Err(error.into()),
    }
}
