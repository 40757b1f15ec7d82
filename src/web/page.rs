//! The shell of every page, and answers with a page's headers.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;

use super::assets;
use super::callers::Caller;
use super::error::Error;
use super::headers::common;
use super::navigation::{NavigationLink, Section, links};
use super::notice::Notice;
use super::state::App;
use crate::access::{Permission, Role};

/// What every page needs.
pub(crate) struct Page {
    /// The path before every address: empty, or as in `/tickets`.
    pub(crate) base: Arc<str>,
    /// The organisation's name; may be empty.
    pub(crate) organisation: String,
    /// The section that the page belongs to.
    section: Option<Section>,
    /// Who is signed in.
    pub(crate) user: Option<PageUser>,
    /// What was done before the page was opened.
    pub(crate) notice: Option<Notice>,
}

/// Who is signed in.
pub(crate) struct PageUser {
    pub(crate) name: String,
    role: Role,
}

impl Page {
    /// The page that answers `request`.
    pub(crate) fn new(request: &HttpRequest, section: impl Into<Option<Section>>) -> Self {
        let app = request.app_data::<web::Data<App>>();
        let base = app.map(|app| Arc::clone(&app.base));
        let organisation = app.map(|app| app.settings.last().organisation.clone()).unwrap_or_default();
        let user = request
            .extensions()
            .get::<Caller>()
            .map(|caller| PageUser { name: caller.via.name().to_owned(), role: caller.role });
        Self { base: base.unwrap_or_default(), organisation, section: section.into(), user, notice: None }
    }

    /// The page with a notice at its top.
    pub(crate) fn with_notice(self, notice: Option<Notice>) -> Self {
        Self { notice, ..self }
    }

    /// The links to the sections that the user may open.
    pub(crate) fn navigation(&self) -> Vec<NavigationLink> {
        self.user.as_ref().map(|user| links(user.role, self.section)).unwrap_or_default()
    }

    /// Whether the head has a field that searches tokens. The list has one of its own.
    pub(crate) fn has_search(&self) -> bool {
        self.may(Permission::See) && self.section != Some(Section::Tokens)
    }

    /// Whether this is the page of the own account.
    pub(crate) fn is_account(&self) -> bool {
        self.section == Some(Section::Account)
    }

    /// Whether the list of tokens is a way back: for users who may see it, and for visitors, who may sign in.
    pub(crate) fn leads_to_tokens(&self) -> bool {
        self.user.is_none() || self.may(Permission::See)
    }

    /// Whether the user may add and edit, and save printers.
    pub(crate) fn may_edit(&self) -> bool {
        self.may(Permission::Edit)
    }

    /// Whether the user may delete, and so restore.
    pub(crate) fn may_delete(&self) -> bool {
        self.may(Permission::Delete)
    }

    /// Whether the user looks after settings, users and keys.
    pub(crate) fn may_manage(&self) -> bool {
        self.may(Permission::Manage)
    }

    fn may(&self, permission: Permission) -> bool {
        self.user.as_ref().is_some_and(|user| user.role.may(permission))
    }

    /// The address of an embedded file.
    pub(crate) fn asset(&self, name: &str) -> String {
        format!("{}/static/{}", self.base, assets::address(name))
    }
}

/// A page of nothing but our own: no script, style, image or form of another origin, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer with the headers of a page. Every answer gets most of them in `app.rs`; the page of a panic is made outside
/// of that.
pub(crate) fn html(status: StatusCode, https: bool) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    response.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    for header in common(https) {
        response.insert_header(header);
    }
    response
}

/// A page. Where something is wrong with what was entered its title begins with "Error: ", which is what a screen reader
/// says first.
pub(crate) fn page(app: &App, status: StatusCode, template: &impl Template) -> Result<HttpResponse, Error> {
    let mut text = template.render().map_err(|error| Error::fault(error.to_string()))?;
    if status.is_client_error() && status != StatusCode::NOT_FOUND {
        text = text.replacen("<title>", "<title>Error: ", 1);
    }
    Ok(html(status, app.public_url.is_https()).body(text))
}

/// Done: the browser goes on to `path`, below the base path, by GET.
pub(crate) fn see_other(app: &App, path: &str) -> HttpResponse {
    let address = format!("{}{path}", app.base);
    html(StatusCode::SEE_OTHER, app.public_url.is_https()).insert_header((header::LOCATION, address)).finish()
}
