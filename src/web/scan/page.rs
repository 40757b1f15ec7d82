//! `/scan`: where tokens are used by people.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::counts::Counts;
use super::decide::Door;
use super::form::{Around, AtGate, Scan, ScanFields, Shown, UndoFields, gate};
use super::verdict::Verdict;
use crate::qr::Code;
use crate::token::{Given, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Consume, refuse_prefetch};
use crate::web::navigation::Section;
use crate::web::page::{Page, html, page};
use crate::web::params::{Parts, Query, TriedForm};
use crate::web::state::App;
use crate::web::words;

/// What layouts, Caps Lock and prefixes of handheld scanners spoil, so that the page's script can tell how.
const SET_UP: &str = "tessera:setup/yzYZ-_.?=&%+#1";

#[derive(Template)]
#[template(path = "scan/scan.html")]
#[allow(clippy::struct_excessive_bools, reason = "each is a part of the page that is there or not")]
struct ScanPage {
    page: Page,
    gate: String,
    /// Whether there are other gates to scan at.
    has_gates: bool,
    may_type: bool,
    may_look_up: bool,
    may_use_several: bool,
    nonce: String,
    is_test: bool,
    counts: Counts,
    /// What the gate does not allow.
    off: Option<String>,
    /// What the set-up code of handheld scanners says.
    set_up: &'static str,
    set_up_code: Arc<Code>,
    verdict: Option<Verdict>,
}

/// Which gate somebody is at is asked first: at a wrong one, or at none, its rules would not hold.
#[derive(Template)]
#[template(path = "scan/choose.html")]
struct ChoosePage {
    page: Page,
    /// The gates that are open.
    gates: Vec<String>,
    /// What was opened, and is looked at again at the gate.
    code: String,
    /// Whether somebody wants to choose, whatever the device remembers.
    is_asked: bool,
    verdict: Option<Verdict>,
}

/// Shows the page; with `code`, what its token is. An empty `gate` is none, by somebody's choice.
pub(crate) async fn show(
    who: Allowed<Consume>,
    request: HttpRequest,
    Query(Parts((at, shown))): Query<Parts<(AtGate, Shown)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (gate, mistake) = match gate(&app, &who.caller, &at).await? {
        Ok(gate) => (gate, None),
        Err(why) => (None, Some(why)),
    };
    let door = Door { app: &app, caller: &who.caller, gate: gate.as_ref() };
    let code = Some(shown.code.clone()).filter(|code| !code.is_empty());
    let verdict = match (mistake, code) {
        (Some(why), _) => Some(door.lost_gate(&why)),
        (None, Some(code)) => Some(verdict_of(&door, Scan::look_up(code, gate.as_ref())).await?.1),
        (None, None) => None,
    };
    scan_page(&request, &door, (StatusCode::OK, verdict), (at, shown)).await
}

/// Shows what a token is whose link was opened by somebody who may use it, and not see it among others.
pub(crate) async fn show_linked(
    request: &HttpRequest,
    app: &App,
    caller: &Caller,
    uid: Uid,
) -> Result<HttpResponse, Error> {
    let door = Door { app, caller, gate: None };
    let code = app.public_url.tile(uid);
    let (status, verdict) = verdict_of(&door, Scan::look_up(code.clone(), None)).await?;
    let shown = Shown { code, ..Shown::default() };
    scan_page(request, &door, (status, Some(verdict)), (AtGate::default(), shown)).await
}

/// Uses a token, looks it up, or tests it.
pub(crate) async fn scan(
    who: Allowed<Consume>,
    request: HttpRequest,
    TriedForm(around, fields): TriedForm<Around, ScanFields>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    refuse_prefetch(&request)?;
    let Parts((at, shown, _)) = &around;
    let gate = gate(&app, &who.caller, at).await?;
    let known = gate.as_ref().ok().and_then(Option::as_ref);
    let door = Door { app: &app, caller: &who.caller, gate: known };
    let decided = match fields.and_then(|fields| Scan::of(shown, fields, &app)) {
        Ok(scan) => match gate.as_ref().map_err(|why| why.clone().into()).and_then(|_| scan.check(known)) {
            Ok(()) => door.decide(&scan).await,
            Err(refusal) => door.replayed(scan, at.name(), refusal).await,
        },
        Err(error) => Err(error.into()),
    };
    let verdict = match (decided, &gate) {
        (Err(Error::Token(_) | Error::Forbidden(_)), Err(why)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, door.lost_gate(why))
        }
        (decided, _) => told(&door, decided)?,
    };
    answer(&request, &door, verdict, around).await
}

/// What the page calls a parameter.
fn label(param: &str) -> String {
    match param {
        "value" => words::scan::CODE.into(),
        "uses" => words::scan::NUMBER_OF_USES.into(),
        other => other.to_owned(),
    }
}

/// Undoes a use. Asked again with the same key it is undone once, and says so again.
pub(crate) async fn undo(
    who: Allowed<Consume>,
    request: HttpRequest,
    TriedForm(around, fields): TriedForm<Around, UndoFields>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let Parts((at, ..)) = &around;
    let gate = gate(&app, &who.caller, at).await?.ok().flatten();
    let door = Door { app: &app, caller: &who.caller, gate: gate.as_ref() };
    let undone = match fields {
        Ok(fields) => door.undo(fields).await,
        Err(error) => Err(error.into()),
    };
    let verdict = told(&door, undone)?;
    answer(&request, &door, verdict, around).await
}

/// The verdict on a scan, or on what is wrong with it.
async fn verdict_of(door: &Door<'_>, scan: Result<Scan, Error>) -> Result<(StatusCode, Verdict), Error> {
    match scan {
        Ok(scan) => told(door, door.decide(&scan).await),
        Err(error) => told(door, Err(error)),
    }
}

/// What somebody at a door can do something about is a verdict; the rest is an error.
fn told(door: &Door<'_>, verdict: Result<Verdict, Error>) -> Result<(StatusCode, Verdict), Error> {
    match verdict {
        Ok(verdict) => Ok((StatusCode::OK, verdict)),
        Err(Error::Forbidden(why)) => Ok((StatusCode::FORBIDDEN, door.mistake(why))),
        Err(Error::Token(error)) => Ok((StatusCode::UNPROCESSABLE_ENTITY, door.mistake(error.sentence(&label)))),
        Err(error) => Err(error),
    }
}

/// The verdict alone for the page's script, else the whole page.
async fn answer(
    request: &HttpRequest,
    door: &Door<'_>,
    (status, verdict): (StatusCode, Verdict),
    Parts((at, shown, wanted)): Around,
) -> Result<HttpResponse, Error> {
    if wanted.fragment {
        let text = verdict.render().map_err(|error| Error::fault(error.to_string()))?;
        return Ok(html(status, door.app.public_url.is_https()).body(text));
    }
    scan_page(request, door, (status, Some(verdict)), (at, shown)).await
}

async fn scan_page(
    request: &HttpRequest,
    door: &Door<'_>,
    (status, verdict): (StatusCode, Option<Verdict>),
    (at, shown): (AtGate, Shown),
) -> Result<HttpResponse, Error> {
    let Door { app, caller, gate } = *door;
    let known = app.gates.get(&app.store).await?;
    let open = known.iter().filter(|other| other.disabled.is_none() && caller.gate.is_none_or(|id| id == other.id));
    let gates: Vec<String> = open.map(|gate| gate.name.clone()).collect();
    let is_none_chosen = at.gate == Given::Empty;
    if gate.is_none() && !is_none_chosen && !known.is_empty() {
        let template = ChoosePage {
            page: Page::new(request, Section::Scan),
            gates,
            code: shown.code,
            is_asked: shown.choose,
            verdict: verdict.map(Verdict::without_use),
        };
        return page(app, status, &template);
    }
    let rules = door.rules();
    let template = ScanPage {
        page: Page::new(request, Section::Scan),
        has_gates: !known.is_empty(),
        gate: gate.map(|gate| gate.name.clone()).unwrap_or_default(),
        may_type: rules.typing,
        may_look_up: rules.look_up,
        may_use_several: rules.several,
        nonce: Uid::random().to_string(),
        is_test: shown.test,
        off: words::scan::off(&rules),
        counts: Counts::find(app, gate).await?,
        set_up: SET_UP,
        set_up_code: app.codes.get(SET_UP).map_err(|error| Error::fault(error.to_string()))?,
        verdict,
    };
    page(app, status, &template)
}
