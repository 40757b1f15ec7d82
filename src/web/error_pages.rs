//! Pages for what did not work, made in one place out of the errors of all handlers.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;

use super::bearer::has_bearer;
use super::form_errors::in_words_of_pages;
use super::negotiation::{is_view, prefers_json, vary_by_accept};
use super::page::{Page, html};
use crate::token::TokenError;
use crate::web::error::Error;
use crate::web::login_redirect::login_redirect;
use crate::web::rate_headers;
use crate::web::state::App;
use crate::web::words::errors as words;

#[derive(Template)]
#[template(path = "errors/error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    title: &'static str,
    message: String,
    advice: &'static str,
}

/// Makes a page of an error, unless a program asked: then it stays JSON.
///
/// # Errors
/// What has no request any more, since it panicked, becomes its page as an error.
pub(crate) async fn error_pages<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if is_view(request.request()) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let response = if prefers_json(request.request()) {
        next.call(request).await?.map_into_boxed_body()
    } else {
        with_pages(request, next).await?
    };
    Ok(varying(response))
}

/// What went wrong, and the way to the sign-in page, depend on what is accepted; a page that is shown does not.
fn varying(mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if response.status().is_client_error() || response.status().is_server_error() {
        vary_by_accept(response.headers_mut());
    }
    response
}

async fn with_pages<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let https = is_https(request.request());
    let page = Page::new(request.request(), None);
    let response = match next.call(request).await {
        Ok(response) => response,
        Err(error) => match error.as_error::<Error>() {
            Some(known) => return Err(Rendered::of(page, known, https).into()),
            None => return Err(error),
        },
    };
    let Some(error) = response.response().error().and_then(|error| error.as_error::<Error>()) else {
        return Ok(response.map_into_boxed_body());
    };
    let mut answer = match error {
        Error::Unauthorized(_) if !has_bearer(response.request()) => login_redirect(response.request(), https),
        error => Rendered::of(Page::new(response.request(), None), error, https).error_response(),
    };
    rate_headers::keep(response.headers(), answer.headers_mut());
    let (request, _) = response.into_parts();
    Ok(ServiceResponse::new(request, answer))
}

fn is_https(request: &HttpRequest) -> bool {
    request.app_data::<web::Data<App>>().is_some_and(|app| app.public_url.is_https())
}

/// An error as its page.
#[derive(Debug)]
struct Rendered {
    status: StatusCode,
    text: String,
    https: bool,
    headers: Vec<(header::HeaderName, header::HeaderValue)>,
}

impl Rendered {
    fn of(page: Page, error: &Error, https: bool) -> Self {
        let status = error.status_code();
        let (title, advice) = match error {
            Error::ForeignOrigin { .. } => words::OTHER_ADDRESS,
            _ => words::title_and_advice(status),
        };
        let message = match error {
            Error::Token(TokenError::Unknown(_)) => words::NO_SUCH_TOKEN.to_owned(),
            Error::Unknown(_) => words::OUTCOME_UNKNOWN.to_owned(),
            Error::Token(error) => in_words_of_pages(error),
            error => error.to_string(),
        };
        let template = ErrorPage { page, status: status.as_u16(), title, message, advice };
        // What the JSON of this error says in its headers is as true of its page.
        let json = error.json();
        let kept = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];
        let headers = kept.into_iter().filter_map(|name| json.headers().get(&name).cloned().map(|value| (name, value)));
        let headers = headers.collect();
        Self { status, text: template.render().unwrap_or_else(|_| title.to_owned()), https, headers }
    }
}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl ResponseError for Rendered {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = html(self.status, self.https);
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.body(self.text.clone())
    }
}
