//! `/{uid}/delete`: asks, then deletes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::deleted;
use super::view::TokenView;
use crate::store::{self, tokens};
use crate::token::{TokenError, Uid};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Delete};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "tokens/delete.html")]
struct DeletePage {
    page: Page,
    title: String,
    row: TokenView,
}

/// Asks.
pub(crate) async fn ask(
    _who: Allowed<Delete>,
    uid: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let token = match super::gone::find(&app, &request, &uid).await? {
        Ok(token) => token,
        Err(deleted) => return Ok(deleted),
    };
    let row = TokenView::new(&token, app.time_formatter());
    page(&app, StatusCode::OK, &DeletePage { page: Page::new(&request, Section::Tokens), title: row.title(), row })
}

/// Deletes, and offers to undo it.
pub(crate) async fn delete(
    who: Allowed<Delete>,
    uid: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let (by, now) = (who.caller.principal, app.store.now());
    match app.store.write(move |connection| tokens::delete(connection, &[uid], &by, now)).await {
        // Sent twice, or from two tabs: it is deleted, and can be undone.
        Err(store::Error::Token(TokenError::Unknown(_))) if deleted::can_be_restored(&app, uid).await? => {}
        other => drop(other?),
    }
    app.counts.forget();
    Ok(see_other(&app, &format!("/?done=deleted&token={uid}")))
}
