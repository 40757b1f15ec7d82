//! The page of a token that was deleted.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::view::title;
use crate::access::who;
use crate::store::tokens::{ByUid, delete};
use crate::token::{Token, Uid};
use crate::web::error::Error;
use crate::web::format::FormattedTime;
use crate::web::navigation::Section;
use crate::web::negotiation::prefers_json;
use crate::web::page::{Page, page};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "tokens/gone.html")]
struct GonePage {
    page: Page,
    uid: String,
    title: String,
    when: FormattedTime,
    by: String,
    may_restore: bool,
}

/// The token of a page that asks something about it, or else the page that says that it was deleted.
///
/// # Errors
/// As those of [`show`].
pub(super) async fn find(app: &App, request: &HttpRequest, path: &str) -> Result<Result<Token, HttpResponse>, Error> {
    let uid: Uid = path.parse().map_err(|_| Error::NotFound)?;
    match app.store.look_up(ByUid(uid)).await? {
        Some(token) => Ok(Ok(token)),
        None => show(app, request, uid).await.map(Err),
    }
}

/// Says that a token was deleted, and offers to restore it.
///
/// # Errors
/// Not found when there was no such token, and where a program asks.
pub(super) async fn show(app: &App, request: &HttpRequest, uid: Uid) -> Result<HttpResponse, Error> {
    if prefers_json(request) {
        return Err(Error::NotFound);
    }
    let clock = app.time_formatter();
    let find = move |connection: &mut _| {
        Ok((delete::find(connection, uid)?, delete::can_be_restored(connection, uid, clock.now)?))
    };
    let (gone, can_be_restored) = app.store.read_inline(find).await?;
    let gone = gone.ok_or(Error::NotFound)?;
    let shell = Page::new(request, Section::Tokens);
    let template = GonePage {
        title: title(gone.label.as_deref(), &gone.value),
        uid: gone.uid,
        when: clock.format(gone.at),
        by: who(&gone.by),
        may_restore: can_be_restored && shell.may_delete(),
        page: shell,
    };
    page(app, StatusCode::NOT_FOUND, &template)
}
