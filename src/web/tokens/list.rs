//! `/`: the list of tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::page::TokenPage;
use super::view::TokenView;
use crate::access::Permission;
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Ask};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::params::RawParams;
use crate::web::state::App;

/// Tokens on a page.
pub(crate) const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    page: Page,
    may_edit: bool,
    list: TokenPage,
    rows: Vec<TokenView>,
}

/// Shows a page of the list.
pub(crate) async fn show(
    who: Allowed<Ask>,
    request: HttpRequest,
    params: RawParams,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    // Who may only scan begins at the door.
    if !who.caller.role.may(Permission::See) {
        return Ok(see_other(&app, "/scan"));
    }
    let list = TokenPage::read(&app, &params, "/", "", ROWS).await?;
    let clock = app.time_formatter();
    let status = list.errors.status();
    let template = ListPage {
        page: Page::new(&request, Section::Tokens).with_notice(notice(&params)?),
        may_edit: who.caller.role.may(Permission::Edit),
        rows: list.tokens.iter().map(|token| TokenView::new(token, clock)).collect(),
        list,
    };
    page(&app, status, &template)
}

/// What was done before the page was opened.
fn notice(params: &RawParams) -> Result<Option<Notice>, Error> {
    let uid = params.filled("token")?.and_then(|uid| uid.parse::<Uid>().ok());
    let undo = uid.map(|uid| format!("/{uid}/restore"));
    let is_deleted = params.filled("done")?.as_deref() == Some("deleted");
    Ok(is_deleted.then(|| Notice::done("The token is deleted.").with_undo(undo)))
}
