//! `/`: the list of tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::page::TokenPage;
use super::view::TokenView;
use crate::access::Permission;
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::format::TimeFormatter;
use crate::web::guard::{Allowed, See};
use crate::web::notice::Notice;
use crate::web::page::{Page, page};
use crate::web::params::Params;
use crate::web::state::App;

/// Tokens on a page.
pub(crate) const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    page: Page,
    flash: Option<Notice>,
    may_edit: bool,
    found: TokenPage,
    rows: Vec<TokenView>,
}

/// Shows a page of the list.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub(crate) async fn show(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let found = TokenPage::read(&app, &params, "/", "", ROWS).await?;
    let clock = TimeFormatter { now: app.store.now(), zone: app.zone };
    let status = found.problems.status();
    let template = ListPage {
        page: Page::new(&request, "tokens"),
        flash: flash(&params)?,
        may_edit: who.caller.role.may(Permission::Edit),
        rows: found.tokens.iter().map(|token| TokenView::new(token, clock)).collect(),
        found,
    };
    page(&app, status, &template)
}

/// What was done before this page was asked for.
fn flash(params: &Params) -> Result<Option<Notice>, Error> {
    let undo = params.filled("token")?.filter(|uid| uid.parse::<Uid>().is_ok());
    Ok(match params.filled("done")?.as_deref() {
        Some("deleted") => Some(Notice { undo, ..Notice::done("The token is deleted.") }),
        _ => None,
    })
}
