//! `/export/tokens`, `/export/usage`, `/export/audit`, `/export/batches` and `/export/print_runs`: what the pages of these
//! names list.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use validator::Validate;

use super::stream::send;
use crate::store::usage::UsageFilter;
use crate::token::TokenError;
use crate::web::audit::pages::AuditQuery;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Manage, See};
use crate::web::pairs::pairs_of;
use crate::web::params::{FileParams, Parts, Query};
use crate::web::state::App;
use crate::web::tokens::query::TokenQuery;
use crate::web::usage::query::UsageQuery;
use crate::web::words::audit as audit_words;
use crate::work::export;
use crate::work::export::audit::Audit;
use crate::work::export::batches::Batches;
use crate::work::export::format::Format;
use crate::work::export::print_runs::PrintRuns;
use crate::work::export::rows::Layout;
use crate::work::export::tokens::Tokens;
use crate::work::export::usage::Usage;

/// The format of a file.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct FormatQuery {
    format: Option<String>,
}

impl FormatQuery {
    /// CSV if none is named.
    fn read(&self) -> Result<Format, TokenError> {
        self.format.as_deref().map_or(Ok(Format::Csv), str::parse)
    }
}

/// Sends the tokens of a filter, oldest first.
///
/// # Errors
/// A value error for a filter that cannot be used; an API error for a parameter that is none of them.
pub(crate) async fn tokens(
    who: Allowed<See>,
    request: HttpRequest,
    FileParams(Parts((query, format))): FileParams<Parts<(TokenQuery, FormatQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let format = format.read()?;
    let mut errors = FormErrors::default();
    let filter = query.filter(&app, &mut errors);
    check(&errors)?;
    let now = app.store.now();
    let source = app.store.search(move |connection, limit| Tokens::new(connection, filter, now, limit)).await?;
    let layout = Layout::new(format, &export::tokens::COLUMNS, app.zone);
    send(&request, &app, who.caller, ("tokens", &pairs_of(&query)), (layout, Box::new(source))).await
}

/// Sends the usage entries of a filter, newest first.
///
/// # Errors
/// As [`tokens`].
pub(crate) async fn usage(
    who: Allowed<See>,
    request: HttpRequest,
    FileParams(Parts((query, format))): FileParams<Parts<(UsageQuery, FormatQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let format = format.read()?;
    let source = usage_of(&query, &app).await?;
    let layout = Layout::new(format, &export::usage::COLUMNS, app.zone);
    send(&request, &app, who.caller, ("usage", &pairs_of(&query)), (layout, Box::new(source))).await
}

/// `/usage.csv`: the same as CSV for programs, of which a spreadsheet runs nothing either.
///
/// # Errors
/// A value error for a filter that cannot be used.
pub(crate) async fn usage_csv(
    who: Allowed<See>,
    request: HttpRequest,
    Query(query): Query<UsageQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let source = usage_of(&query, &app).await?;
    let layout = Layout::new(Format::Csv, &export::usage::COLUMNS, app.zone).harmless();
    send(&request, &app, who.caller, ("usage", &pairs_of(&query)), (layout, Box::new(source))).await
}

async fn usage_of(query: &UsageQuery, app: &App) -> Result<Usage, Error> {
    let mut errors = FormErrors::default();
    let filter: UsageFilter = query.filter(app, &mut errors).await?;
    check(&errors)?;
    Ok(app.store.search(move |connection, limit| Usage::new(connection, &filter, limit)).await?)
}

/// Sends the audit entries of a filter, newest first.
///
/// # Errors
/// As [`tokens`].
pub(crate) async fn audit(
    who: Allowed<Manage>,
    request: HttpRequest,
    FileParams(Parts((query, format))): FileParams<Parts<(AuditQuery, FormatQuery)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let format = format.read()?;
    let mut errors = FormErrors::default();
    let filter = query.filter(&app, &mut errors);
    check(&errors)?;
    let layout = Layout::new(format, &export::audit::COLUMNS, app.zone);
    let source = Audit::new(filter, audit_words::choice);
    send(&request, &app, who.caller, ("audit", &pairs_of(&query)), (layout, Box::new(source))).await
}

/// Sends the printed sheets, newest first, without their PDFs.
///
/// # Errors
/// An API error for a parameter that is unknown.
pub(crate) async fn print_runs(
    who: Allowed<See>,
    request: HttpRequest,
    FileParams(format): FileParams<FormatQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let format = format.read()?;
    let layout = Layout::new(format, &export::print_runs::COLUMNS, app.zone);
    send(&request, &app, who.caller, ("print-runs", &[]), (layout, Box::new(PrintRuns::default()))).await
}

/// Sends the batches, newest first.
///
/// # Errors
/// As [`print_runs`].
pub(crate) async fn batches(
    who: Allowed<See>,
    request: HttpRequest,
    FileParams(format): FileParams<FormatQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let format = format.read()?;
    let layout = Layout::new(format, &export::batches::COLUMNS, app.zone);
    send(&request, &app, who.caller, ("batches", &[]), (layout, Box::new(Batches::default()))).await
}

/// Refuses a filter that cannot be used.
fn check(errors: &FormErrors) -> Result<(), Error> {
    errors.first().map_or(Ok(()), |error| Err(error.into()))
}
