//! `/`: the list of tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::open::ScannedSearch;
use super::page::TokenPage;
use super::query::{TokenOrder, TokenQuery};
use super::view::TokenView;
use crate::access::Permission;
use crate::token::Uid;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Ask};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::paging::PageQuery;
use crate::web::params::{Parts, Query};
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

/// What was done before the page was opened, and to which token.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ListDone {
    done: String,
    token: String,
}

/// Shows a page of the list, or leads to the token whose code was scanned into its search field.
pub(crate) async fn show(
    who: Allowed<Ask>,
    request: HttpRequest,
    Query(Parts((query, order, place, done))): Query<Parts<(TokenQuery, TokenOrder, PageQuery, ListDone)>>,
    Query(scanned): Query<ScannedSearch>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    // Who may only scan begins at the door.
    if !who.caller.role.may(Permission::See) {
        return Ok(see_other(&app, "/scan"));
    }
    if let Some(uid) = scanned.token(&app).await? {
        return Ok(see_other(&app, &format!("/{uid}")));
    }
    let list = TokenPage::read(&app, (query, order, place), "/", "", ROWS).await?;
    let clock = app.time_formatter();
    let status = list.errors.status();
    let template = ListPage {
        page: Page::new(&request, Section::Tokens).with_notice(notice(&done)),
        may_edit: who.caller.role.may(Permission::Edit),
        rows: list.tokens.iter().map(|token| TokenView::new(token, clock)).collect(),
        list,
    };
    page(&app, status, &template)
}

fn notice(ListDone { done, token }: &ListDone) -> Option<Notice> {
    let undo = token.parse::<Uid>().ok().map(|uid| format!("/{uid}/restore"));
    (done == "deleted").then(|| Notice::done("The token is deleted.").with_undo(undo))
}
