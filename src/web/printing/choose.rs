//! What is to be printed, where nothing said so.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::PrintForm;
use crate::store::batches;
use crate::store::tokens::list::TokenFilter;
use crate::token::{Problem, TokenError};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::navigation::Section;
use crate::web::negotiation::answers_json;
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::pairs::pairs_of;
use crate::web::query_string;
use crate::web::state::App;
use crate::web::tokens::counts::Count;
use crate::web::words::tokens::counted;

/// The newest batches, which can be chosen.
const BATCHES: i64 = 30;

#[derive(Template)]
#[template(path = "printing/choose.html")]
struct ChoosePage {
    page: Page,
    is_refused: bool,
    count: String,
    is_empty: bool,
    /// The address that prints all of them.
    all: String,
    batches: Vec<Choice>,
    /// The sheet and the printer that are chosen already.
    kept: Vec<(&'static str, String)>,
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
    let newest = app.store.read(|connection| Ok(batches::page(connection, None, BATCHES)?)).await?;
    let count = app.counts.count(&app.store, &TokenFilter::default(), app.store.now()).await?;
    let (sheet, printer) = (form.sheet.clone(), form.printer.clone());
    let kept = pairs_of(&PrintForm { sheet, printer, ..PrintForm::default() });
    let all = query_string::with(&format!("{}/sheet", app.base), kept.clone(), "all=1");
    let template = ChoosePage {
        page: Page::new(request, Section::Print).with_notice(notice),
        is_refused,
        count: counted(count),
        is_empty: count == Count::Exactly(0),
        all,
        batches: Choice::list(newest.into_iter().map(|(_, batch)| (batch.uid, batch.name)), ""),
        kept,
    };
    page(app, status, &template)
}
