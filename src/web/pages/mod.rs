//! The pages: one file a page, with its template's struct, its form and its handlers.

pub mod account;
pub mod action;
pub mod add_many;
pub mod address;
pub mod asked;
pub mod audit;
pub mod batch;
pub mod bulk;
pub mod bulk_form;
pub mod delete;
pub mod deleted;
pub mod error;
pub mod form;
pub mod found;
pub mod keys;
pub mod list;
pub mod login;
pub mod overview;
pub mod print_jobs;
pub mod print_runs;
pub mod printers;
pub mod qr_code;
pub mod quick;
pub mod roles;
pub mod selected;
pub mod settings;
pub mod settings_typed;
pub mod sheet;
pub mod sheet_form;
pub mod sheets;
pub mod tile;
pub mod trying;
pub mod turn;
pub mod typed;
pub mod usage;
pub mod user;
pub mod users;
pub mod view;
pub mod void;
pub mod when;

use std::sync::Arc;

use actix_web::http::header::{EntityTag, IfNoneMatch};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;

use super::assets;
use super::callers::Caller;
use super::error::Error;
use super::headers::common;
use super::state::App;
use crate::access::Permission;
use crate::token::TokenError;

/// What every page needs.
pub struct Page {
    /// The path before every address: empty, or as in `/tickets`.
    pub base: Arc<str>,
    /// Which part of the navigation this is.
    pub at: &'static str,
    /// Who is signed in.
    pub user: Option<PageUser>,
}

/// Who is signed in, as far as the header tells.
pub struct PageUser {
    /// The user's name.
    pub name: String,
    /// Whether the user may see tokens.
    pub sees: bool,
    /// Whether the user may delete, and so restore.
    pub deletes: bool,
    /// Whether the user looks after settings, users and keys.
    pub manages: bool,
}

impl Page {
    /// The page that answers `request`.
    pub fn new(request: &HttpRequest, at: &'static str) -> Self {
        let base = request.app_data::<web::Data<App>>().map(|app| Arc::clone(&app.base));
        let user = request.extensions().get::<Caller>().map(|caller| PageUser {
            name: caller.via.name().to_owned(),
            sees: caller.role.may(Permission::See),
            deletes: caller.role.may(Permission::Delete),
            manages: caller.role.may(Permission::Manage),
        });
        Self { base: base.unwrap_or_default(), at, user }
    }

    /// Whether the list of tokens is a way back: for who may see it, or is not signed in yet.
    pub fn sees(&self) -> bool {
        self.user.as_ref().is_none_or(|user| user.sees)
    }

    /// The address of an embedded file.
    pub fn asset(&self, name: &str) -> String {
        format!("{}/static/{}", self.base, assets::address(name))
    }
}

/// A page of nothing but our own: no script, style, image or form of another origin, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer with the headers of a page. Every answer gets most of them in `app.rs`; the page of a panic is made outside
/// of that.
pub fn html(status: StatusCode, https: bool) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    response.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    for header in common(https) {
        response.insert_header(header);
    }
    response
}

/// A page.
///
/// # Errors
/// A fault, when the template cannot be rendered.
pub fn page(app: &App, status: StatusCode, template: &impl Template) -> Result<HttpResponse, Error> {
    let text = template.render().map_err(|error| Error::fault(error.to_string()))?;
    Ok(html(status, app.public_url.is_https()).body(text))
}

/// Whether a browser has what `tag` stands for already.
pub fn is_known(known: &IfNoneMatch, tag: &EntityTag) -> bool {
    match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|other| other.weak_eq(tag)),
    }
}

/// Done: the browser goes on to `path`, below the base path, by GET.
pub fn see_other(app: &App, path: &str) -> HttpResponse {
    let address = format!("{}{path}", app.base);
    html(StatusCode::SEE_OTHER, app.public_url.is_https()).insert_header((header::LOCATION, address)).finish()
}

/// What is wrong with a form, by field.
#[derive(Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Adds what is wrong with a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// Adds errors that name their fields, in the words of the form.
    pub fn add_all(&mut self, errors: &[TokenError]) {
        for error in errors {
            let (field, told) = (error.param().unwrap_or("value"), error.to_string());
            let told = match field {
                "usage_count" => "Uses must be a whole number from 0 to 2,147,483,647, or unlimited.".into(),
                "lock_time" => "The lock must be a whole number of up to 2,147,483,647 seconds, and 0 for none.".into(),
                _ => as_labelled(&told),
            };
            self.add(field, told);
        }
    }

    /// What was read, or none when it could not be: then it is noted why.
    pub fn note<T>(&mut self, read: Result<Option<T>, TokenError>) -> Option<T> {
        read.unwrap_or_else(|error| {
            self.add_all(&[error]);
            None
        })
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The status of the page that tells it.
    pub fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// All of it: field and sentence.
    pub fn list(&self) -> &[(String, String)] {
        &self.0
    }

    /// What is wrong with one field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(of, _)| of == field).map(|(_, message)| message.as_str())
    }
}

/// What the pages call the parameters.
const NAMES: [(&str, &str); 6] = [
    ("valid_from", "“Valid from”"),
    ("valid_to", "“Valid to”"),
    ("usage_count", "“Uses”"),
    ("lock_time", "“Lock after each use”"),
    ("created_from", "“Created from”"),
    ("created_to", "“Created to”"),
];

/// A message with the fields called as on the page. What was typed stands in quotes, and as it was typed.
fn as_labelled(message: &str) -> String {
    let (ours, typed) = message.split_at(message.find('"').unwrap_or(message.len()));
    NAMES.iter().fold(ours.to_owned(), |ours, (name, label)| ours.replace(name, label)) + typed
}

/// What was done, told on the next page.
pub struct Flash {
    /// One sentence.
    pub text: String,
    /// It was not done.
    pub refused: bool,
    /// The uid of what can be undone: of a token whose deletion, or, on a tile, of an action.
    pub undo: Option<String>,
}

impl Flash {
    fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), refused: false, undo: None }
    }
}

#[cfg(test)]
mod tests {
    use super::as_labelled;

    #[test]
    fn messages_call_the_fields_as_the_page_does() {
        let told = as_labelled("valid_to must be later than valid_from.");
        assert_eq!(told, "“Valid to” must be later than “Valid from”.");
        assert_eq!(as_labelled("lock_time \"lock_time\" is no"), "“Lock after each use” \"lock_time\" is no");
    }
}
