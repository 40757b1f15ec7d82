//! `/{uid}/void` and `/{uid}/unvoid`: asks why, then voids; and restores what is voided. Both can be undone.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::quick_sets::{self, Nonce};
use super::view::TokenView;
use crate::token::action::Action;
use crate::token::void::{REASON_MAX_CHARS, REASONS, read_reason};
use crate::token::{Token, Uid};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Void};
use crate::web::navigation::Section;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "tokens/void.html")]
struct VoidPage {
    page: Page,
    title: String,
    row: TokenView,
    /// Makes two clicks one action.
    nonce: String,
    reason: String,
    reasons: [&'static str; 3],
    most: usize,
    errors: FormErrors,
}

/// Why a token is voided, as it was typed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct ReasonForm {
    reason: String,
}

impl VoidPage {
    fn new(request: &HttpRequest, app: &App, token: &Token) -> Self {
        let row = TokenView::new(token, app.time_formatter());
        Self {
            page: Page::new(request, Section::Tokens),
            title: row.title(),
            row,
            nonce: Uid::random().to_string(),
            reason: String::new(),
            reasons: REASONS,
            most: REASON_MAX_CHARS,
            errors: FormErrors::default(),
        }
    }
}

/// Asks, unless the token is voided already.
pub(crate) async fn ask(
    _who: Allowed<Void>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(ReasonForm { reason }): Query<ReasonForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let token = match super::gone::find(&app, &request, &uid).await? {
        Ok(token) => token,
        Err(deleted) => return Ok(deleted),
    };
    if token.voided.is_some() {
        return Ok(see_other(&app, &format!("/{}?done=same", token.uid)));
    }
    page(&app, StatusCode::OK, &VoidPage { reason, ..VoidPage::new(&request, &app, &token) })
}

/// Voids a token, and offers to undo it. One that is voided already stays as it is.
pub(crate) async fn void(
    who: Allowed<Void>,
    uid: web::Path<String>,
    request: HttpRequest,
    Form(Parts((form, nonce))): Form<Parts<(ReasonForm, Nonce)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let reason = match read_reason(&form.reason) {
        Ok(reason) => reason,
        Err(mistake) => {
            let token = super::tile_view::find(&app, &uid.to_string()).await?;
            let mut again = VoidPage { reason: form.reason, ..VoidPage::new(&request, &app, &token) };
            again.errors.add_all(&[mistake]);
            return page(&app, again.errors.status(), &again);
        }
    };
    let done = quick_sets::perform(&app, &who.caller, uid, Action::Void { reason }, &nonce).await?;
    Ok(quick_sets::to_tile(&app, uid, done))
}

/// Restores a voided token, and offers to undo it.
pub(crate) async fn unvoid(
    who: Allowed<Void>,
    uid: web::Path<String>,
    Form(nonce): Form<Nonce>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let done = quick_sets::perform(&app, &who.caller, uid, Action::Unvoid, &nonce).await?;
    Ok(quick_sets::to_tile(&app, uid, done))
}
