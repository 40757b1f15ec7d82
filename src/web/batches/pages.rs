//! `/batches`: tokens that were made together.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::sample::is_sample;
use crate::access::{Permission, Role, who};
use crate::store::batches;
use crate::store::batches::{Batch, BatchCounts};
use crate::token::{Problem, TokenError, Uid, batch};
use crate::web::conflict::{self, Conflict};
use crate::web::cursor::{After, CursorCodec};
use crate::web::error::Error;
use crate::web::export::links::{ExportLink, export_links};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::web::guard::{Allowed, Edit, See};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::paging::{cut, more_than};
use crate::web::params::{Form, Parts, Query, trimmed};
use crate::web::state::App;
use crate::web::words::batches as words;

/// Batches on a page: each one's tokens are counted for it.
const ROWS: usize = 20;
/// After this time, in microseconds, an unfinished batch has been given up by its server.
const LOST: i64 = 120_000_000;

#[derive(Template)]
#[template(path = "batches/list.html")]
struct BatchesPage {
    page: Page,
    may_edit: bool,
    rows: Vec<BatchView>,
    exports: Vec<ExportLink>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "batches/batch.html")]
struct BatchPage {
    page: Page,
    may_edit: bool,
    may_delete: bool,
    /// One click removes its tokens.
    is_sample: bool,
    batch: BatchView,
    name: String,
    was: String,
    errors: FormErrors,
    conflicts: Vec<Conflict>,
    exports: Vec<ExportLink>,
}

/// What the form sends that renames a batch.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct RenameForm {
    #[serde(deserialize_with = "trimmed")]
    batch_name: String,
    /// As the form knew it; none if as it is now.
    was_batch_name: Option<String>,
}

/// The form that renames a batch.
#[derive(Default)]
struct NameForm {
    name: String,
    /// As the form knew it; none if as it is now.
    was: Option<String>,
    errors: FormErrors,
    is_conflict: bool,
}

#[derive(Template)]
#[template(path = "batches/progress.html")]
struct MakingPage {
    page: Page,
    uid: Uid,
    name: String,
    count: i32,
    total: String,
    /// How many tokens are written, when this instance makes the batch.
    written: Option<(usize, String)>,
    failure: Option<String>,
}

/// A batch, as the pages show it.
struct BatchView {
    uid: String,
    name: String,
    made: String,
    there: String,
    deleted: Option<String>,
    used: String,
    used_up: String,
    voided: Option<String>,
    creator: String,
    created: FormattedTime,
}

impl BatchView {
    fn new(batch: &Batch, standing: BatchCounts, clock: TimeFormatter) -> Self {
        let gone = i64::from(batch.count) - standing.there;
        Self {
            uid: batch.uid.clone(),
            name: batch.name.clone(),
            made: tokens(batch.count),
            there: grouped(standing.there),
            deleted: (gone > 0).then(|| grouped(gone)),
            used: grouped(standing.used),
            used_up: grouped(standing.used_up),
            voided: (standing.voided > 0).then(|| grouped(standing.voided)),
            creator: who(&batch.creator),
            created: clock.format(batch.created),
        }
    }
}

/// Lists batches, newest first.
pub(crate) async fn list(
    who: Allowed<See>,
    request: HttpRequest,
    Query(place): Query<After>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let cursors = CursorCodec::new("batches", &[]);
    let after = cursors.after(&place)?;
    let found = app.store.read(move |connection| {
        let (found, last) = cut(batches::page(connection, after.as_ref(), more_than(ROWS))?, ROWS);
        let ids: Vec<i64> = found.iter().map(|(_, batch)| batch.id).collect();
        Ok((batches::count_tokens(connection, &ids)?, found, last))
    });
    let (standing, found, last) = found.await?;
    let clock = app.time_formatter();
    let of = |id| standing.iter().find(|(of, _)| *of == id).map(|(_, standing)| *standing).unwrap_or_default();
    let template = BatchesPage {
        page: Page::new(&request, Section::Tokens),
        may_edit: who.caller.role.may(Permission::Edit),
        rows: found.iter().map(|(_, batch)| BatchView::new(batch, of(batch.id), clock)).collect(),
        exports: export_links(&format!("{}/export/batches", app.base), &[] as &[(&str, &str)]),
        older: last.map(|place| format!("{}/batches?after={}", app.base, cursors.write(&place))),
    };
    page(&app, StatusCode::OK, &template)
}

/// Shows a batch, or its progress.
pub(crate) async fn show(
    who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(Parts((Done { done }, form))): Query<Parts<(Done, RenameForm)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let RenameForm { batch_name: name, was_batch_name: was } = form;
    let brought_back = (!name.is_empty()).then(|| NameForm { name, was, ..NameForm::default() });
    batch_page(&uid, &request, &app, who.caller.role, &done, brought_back).await
}

async fn batch_page(
    uid: &str,
    request: &HttpRequest,
    app: &App,
    role: Role,
    done: &str,
    form: Option<NameForm>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| {
        let Some(batch) = batches::find(connection, uid)? else { return Ok(None) };
        let standing = batches::count_tokens(connection, &[batch.id])?.pop();
        Ok(Some((batch, standing.map(|(_, standing)| standing).unwrap_or_default())))
    });
    let (batch, standing) = found.await?.ok_or(Error::NotFound)?;
    if batch.made.is_none() {
        return making(&batch, uid, request, app);
    }
    let form = form.unwrap_or_else(|| NameForm { name: batch.name.clone(), ..NameForm::default() });
    let NameForm { name, was, errors, is_conflict } = form;
    let was = was.unwrap_or_else(|| batch.name.clone());
    let conflict = || Conflict { field: "batch_name", name: words::NAME, now: batch.name.clone(), yours: name.clone() };
    let conflicts: Vec<Conflict> = is_conflict.then(conflict).into_iter().collect();
    let status = conflict::status(&conflicts, &errors);
    let view = BatchView::new(&batch, standing, app.time_formatter());
    let (may_edit, may_delete) = (role.may(Permission::Edit), role.may(Permission::Delete) && standing.there > 0);
    let is_sample = may_delete && is_sample(&batch);
    let page_of = Page::new(request, Section::Tokens).with_notice(notice(done, &batch, is_sample));
    let exports = export_links(&format!("{}/export/tokens", app.base), &[("batch", view.uid.as_str())]);
    let template = BatchPage {
        page: page_of,
        may_edit,
        may_delete,
        is_sample,
        batch: view,
        name,
        was,
        errors,
        conflicts,
        exports,
    };
    page(app, status, &template)
}

/// What was done before the page was opened.
fn notice(done: &str, batch: &Batch, is_sample: bool) -> Option<Notice> {
    let created = || Notice::done(words::created(&tokens(batch.count)));
    match done {
        "made" => Some(created()),
        "sample" => Some(created().with_undo(is_sample.then(|| format!("/batches/{}/remove", batch.uid)))),
        "renamed" => Some(Notice::done(words::RENAMED)),
        _ => None,
    }
}

fn making(batch: &Batch, uid: Uid, request: &HttpRequest, app: &App) -> Result<HttpResponse, Error> {
    let written = app.background.batches.written(uid);
    let is_lost = written.is_none() && app.store.now().get() - batch.touched.get() > LOST;
    let template = MakingPage {
        page: Page::new(request, Section::Tokens),
        uid,
        name: batch.name.clone(),
        count: batch.count,
        total: tokens(batch.count),
        written: written.map(|written| (written, grouped(i64::try_from(written).unwrap_or_default()))),
        failure: batch.failure.clone().or_else(|| is_lost.then(|| batches::ABANDONED_WHY.to_owned())),
    };
    page(app, StatusCode::OK, &template)
}

/// Gives a batch another name, unless somebody else has meanwhile.
pub(crate) async fn rename(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(RenameForm { batch_name: name, was_batch_name: was }): Form<RenameForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let id: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    // PostgreSQL's texts cannot hold one.
    if was.as_ref().is_some_and(|was| was.contains('\0')) {
        return Err(TokenError::value("was_batch_name", Problem::ControlCharacters).into());
    }
    let again = |form| batch_page(&uid, &request, &app, who.caller.role, "", Some(form));
    if let Err(mistake) = batch::check_name(&name) {
        let mut errors = FormErrors::default();
        errors.add_all(&[mistake]);
        return again(NameForm { name, was, errors, is_conflict: false }).await;
    }
    let (new, by, now) = (name.clone(), who.caller.principal.clone(), app.store.now());
    let rename = move |connection: &mut _| batches::rename(connection, id, (was.as_deref(), &new), &by, now);
    if app.store.write(rename).await? {
        return Ok(see_other(&app, &format!("/batches/{id}?done=renamed")));
    }
    // Saved once more, it overwrites the name that it now shows.
    again(NameForm { name, is_conflict: true, ..NameForm::default() }).await
}
