//! Checks a file that was sent, imports it, and gives back its lines with errors.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::task::JoinHandle;

use super::form::ImportForm;
use super::pages::{file_page, find};
use crate::access::{Permission, Role};
use crate::store::imports::{self, Import, Stage};
use crate::token::import::line::LineReader;
use crate::token::import::options::ImportOptions;
use crate::token::{Problem, TokenError};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Edit};
use crate::web::page::see_other;
use crate::web::params::{FileParams, Form, NoParams};
use crate::web::state::App;
use crate::web::words::imports as words;
use crate::work::import::job::permission;
use crate::work::import::stored::{SentFile, rejected_lines, spawn_check, spawn_import};

/// How long an answer waits for the work, so that a small file is done at once.
const MOMENT: Duration = Duration::from_secs(2);

async fn wait_a_moment(work: JoinHandle<()>) {
    let _ = tokio::time::timeout(MOMENT, work).await;
}

async fn sent(import: Import, who: &Caller, app: &App) -> Result<SentFile, Error> {
    let reader = LineReader {
        zone: app.zone,
        defaults: app.settings.get(&app.store).await?.defaults(),
        by: who.principal.to_string(),
        now: app.store.now(),
        may_void: who.role.may(Permission::Delete),
        public_url: Some(app.public_url.clone()),
    };
    Ok(SentFile { import, reader, by: who.principal.clone() })
}

/// Goes on with a file, if nobody does anything with it now.
async fn advance(import: &Import, from: &'static [Stage], to: Stage, app: &App) -> Result<bool, Error> {
    let (id, now) = (import.id, app.store.now());
    Ok(app.store.write(move |connection| imports::advance(connection, id, (from, to), now)).await?)
}

/// Checks a file with the columns that are chosen.
pub(crate) async fn check(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(form): Form<ImportForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut import = find(&uid, &app).await?;
    let mut errors = FormErrors::default();
    // A pasted list is one whatever is chosen.
    let trims = import.options.trims;
    import.options = ImportOptions { trims, ..form.options(&mut errors)? };
    if !errors.is_empty() {
        return file_page(import, &request, &app, errors).await;
    }
    begin_check(import, &who.caller, &app).await?;
    Ok(see_other(&app, &format!("/import/{uid}")))
}

/// Begins to check a file with its options, unless somebody does something with it now, and waits a moment.
pub(super) async fn begin_check(mut import: Import, who: &Caller, app: &web::Data<App>) -> Result<(), Error> {
    let (id, options, now) = (import.id, import.options.clone(), app.store.now());
    let is_silent = import.stage == Stage::Failed;
    let begin = move |connection: &mut _| {
        // What a server left behind that has ended is taken up where it stands.
        let from: &[Stage] =
            if is_silent { &Stage::ANY_BUT_DONE } else { &[Stage::Sent, Stage::Checked, Stage::Failed] };
        let begun = imports::advance(connection, id, (from, Stage::Checking), now)?;
        if begun {
            imports::set_options(connection, id, &options)?;
        }
        Ok(begun)
    };
    if app.store.write(begin).await? {
        import.report = None;
        wait_a_moment(spawn_check(&app.background, sent(import, who, app).await?)).await;
    }
    Ok(())
}

/// Imports a file that was checked.
pub(crate) async fn run(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    _form: Form<NoParams>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let import = find(&uid, &app).await?;
    let Some(report) = import.report.as_ref().filter(|report| report.is_good()) else {
        return Ok(see_other(&app, &format!("/import/{uid}")));
    };
    check_role(who.caller.role, permission(report))?;
    // What was found in it still holds if it failed, also where its server has ended: else it is refused once more.
    let from: &[Stage] = if import.stage == Stage::Failed { &Stage::ANY_BUT_DONE } else { &[Stage::Checked] };
    if advance(&import, from, Stage::Importing, &app).await? {
        let shared = web::Data::clone(&app);
        let file = sent(import, &who.caller, &app).await?;
        wait_a_moment(spawn_import(&app.background, file, move || shared.counts.forget())).await;
    }
    Ok(see_other(&app, &format!("/import/{uid}")))
}

fn check_role(role: Role, needed: Permission) -> Result<(), Error> {
    if role.may(needed) {
        return Ok(());
    }
    Err(Error::Forbidden(words::VOIDS.into()))
}

/// The lines of a file that have errors.
pub(crate) async fn rejects(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    _none: FileParams<NoParams>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let import = find(&uid, &app).await?;
    if import.report.as_ref().is_none_or(|report| report.error_count == 0) {
        return Err(TokenError::value("uid", Problem::Refused { why: words::NO_ERRORS.into() }).into());
    }
    let file = sent(import, &who.caller, &app).await?;
    let lines = rejected_lines(&app.background, file).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"lines-with-errors.csv\""))
        .body(lines))
}
