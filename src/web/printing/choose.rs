//! What is to be printed, where nothing said so.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::PrintForm;
use super::run_view::{ListedRun, RunView, listed_runs};
use super::tabs::{Tab, tabs};
use crate::store::batches::{self, Batch};
use crate::store::printing::runs;
use crate::store::tokens::list::TokenFilter;
use crate::store::{Connection, Error as StoreError};
use crate::token::print::PrintedFilter;
use crate::token::{Problem, TokenError};
use crate::web::error::Error;
use crate::web::format::tokens;
use crate::web::navigation::{NavigationLink, Section};
use crate::web::negotiation::answers_json;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::pairs::pairs_of;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::tokens::counts::Count;
use crate::web::words::tokens::counted;

/// The newest batches, which can be chosen.
const BATCHES: i64 = 8;
/// The newest print runs, which can be printed again.
const RUNS: i64 = 5;

#[derive(Template)]
#[template(path = "printing/choose.html")]
struct ChoosePage {
    page: Page,
    tabs: Vec<NavigationLink>,
    is_refused: bool,
    count: String,
    is_empty: bool,
    /// The address that prints all of them.
    all: String,
    /// How many were never printed, and the address that prints these; none if all were printed.
    never: Option<(String, String)>,
    batches: Vec<BatchChoice>,
    runs: Vec<RunView>,
    /// The sheet and the printer that are chosen already.
    kept: Vec<(&'static str, String)>,
}

/// A batch that can be printed.
struct BatchChoice {
    name: String,
    count: String,
    /// The address that prints it.
    path: String,
}

/// The newest batches with the number of their tokens, and the newest runs.
type Newest = (Vec<(Batch, i64)>, Vec<ListedRun>);

fn newest(connection: &mut Connection) -> Result<Newest, StoreError> {
    let newest: Vec<Batch> = batches::page(connection, None, BATCHES)?.into_iter().map(|(_, batch)| batch).collect();
    let ids: Vec<_> = newest.iter().map(|batch| batch.id).collect();
    let counts = batches::count_tokens(connection, &ids)?;
    let there = |batch: &Batch| counts.iter().find(|(id, _)| *id == batch.id).map_or(0, |(_, counts)| counts.there);
    let batches = newest.into_iter().map(|batch| (there(&batch), batch)).map(|(count, batch)| (batch, count));
    let runs = runs::page(connection, None, RUNS)?.into_iter().map(|(_, run)| run).collect();
    Ok((batches.filter(|(_, count)| *count > 0).collect(), listed_runs(connection, runs)?))
}

/// Asks what to print. Where something was to be printed at once, that is refused: as an error to programs, and as the page
/// to people.
pub(crate) async fn nothing_chosen(
    request: &HttpRequest,
    app: &App,
    form: &PrintForm,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let is_refused = status != StatusCode::OK;
    if is_refused && answers_json(request) {
        return Err(TokenError::value("uid", Problem::NoTokensNamed).into());
    }
    let (batches, runs) = app.store.read(newest).await?;
    let (now, clock) = (app.store.now(), app.time_formatter());
    let count = app.counts.count(&app.store, &TokenFilter::default(), now).await?;
    let unprinted = TokenFilter { printed: Some(PrintedFilter::Never), voided: Some(false), ..TokenFilter::default() };
    let never = match app.counts.count(&app.store, &unprinted, now).await {
        Ok(Count::Exactly(0)) => None,
        Ok(count) => Some(counted(count)),
        // The page asks the same without telling how many there are.
        Err(Error::TooSlow) => Some(String::new()),
        Err(error) => return Err(error),
    };
    let (sheet, printer) = (form.sheet.clone(), form.printer.clone());
    let kept = pairs_of(&PrintForm { sheet, printer, ..PrintForm::default() });
    let path = |what: &str| query_string::with(&format!("{}/sheet", app.base), kept.clone(), what);
    let page_of = Page::new(request, Section::Print).with_notice(notice);
    let batch = |(batch, count): (Batch, i64)| BatchChoice {
        count: tokens(count),
        path: path(&format!("batch={}", batch.uid)),
        name: batch.name,
    };
    let template = ChoosePage {
        tabs: tabs(&page_of, Tab::Print),
        page: page_of,
        is_refused,
        count: counted(count),
        is_empty: count == Count::Exactly(0),
        all: path("all=1"),
        never: never.map(|count| (count, path("printed=never"))),
        batches: batches.into_iter().map(batch).collect(),
        runs: runs.iter().map(|run| RunView::new(run, clock)).collect(),
        kept,
    };
    page(app, status, &template)
}
