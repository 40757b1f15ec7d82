//! `/docs`: the API for people.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::content::Block;
use super::file::Description;
use super::reference::Reference;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Anybody};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "docs/docs.html")]
struct DocsPage<'a> {
    page: Page,
    reference: &'a str,
}

/// What is the same for everybody.
#[derive(Template)]
#[template(path = "docs/reference.html")]
struct ReferenceBody<'a> {
    base: &'a str,
    reference: Reference,
}

/// The documentation of this server's API. It is made once.
pub(crate) async fn docs(
    _who: Allowed<Anybody>,
    request: HttpRequest,
    app: web::Data<App>,
    description: web::Data<Description>,
) -> Result<HttpResponse, Error> {
    if description.page.get().is_none() {
        // That takes longer than a use may wait.
        let (own, base) = (web::Data::clone(&description), Arc::clone(&app.base));
        let body = web::block(move || ReferenceBody { base: &base, reference: own.reference() }.render()).await;
        let body = body.map_err(|error| Error::fault(error.to_string()))?;
        let _ = description.page.set(body.map_err(|error| Error::fault(error.to_string()))?);
    }
    let reference = description.page.get().map(String::as_str).unwrap_or_default();
    page(&app, StatusCode::OK, &DocsPage { page: Page::new(&request, Section::Keys), reference })
}
