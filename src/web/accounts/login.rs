//! `/login` and `/logout`.

use actix_session::Session;
use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::password_attempt;
use super::password_attempt::{FailureRecord, PasswordAttempt};
use crate::access::{Principal, session};
use crate::store::accounts::sessions::NewSession;
use crate::store::accounts::users::Credentials;
use crate::store::accounts::{sessions, users};
use crate::store::audit;
use crate::web::callers::Via;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Anybody, read_organisation};
use crate::web::login_redirect::return_to;
use crate::web::negotiation::answers_json;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Query};
use crate::web::query_string;
use crate::web::session_cookie::SESSION_ID;
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "accounts/login.html")]
struct LoginPage {
    page: Page,
    name: String,
    next: String,
    problem: Option<String>,
    signed_out: bool,
}

/// What is kept of a browser's description.
const AGENT_CHARS: usize = 200;

/// The address of the page.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct LoginQuery {
    /// Where to go on.
    next: String,
    /// Somebody has signed out.
    done: bool,
    /// Somebody has signed in: whether the browser kept the cookie is to be seen.
    check_cookie: bool,
}

/// The fields of the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct LoginForm {
    name: String,
    password: String,
    next: String,
}

/// The form; or, after a sign-in, what it was for, if the browser has kept the cookie.
///
/// # Errors
/// A query string that cannot be read; unavailable, when the database cannot be asked.
pub(crate) async fn show(
    request: HttpRequest,
    browser: Session,
    Query(query): Query<LoginQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    read_organisation(&request).await;
    let next = local(&request, &app, &query.next);
    if query.check_cookie {
        let id = browser.get::<String>(SESSION_ID).ok().flatten().unwrap_or_default();
        if app.callers.by_session(&app.store, &id).await?.is_some() {
            return Ok(go_on(&app, &next));
        }
        return form_again(&request, &app, StatusCode::UNPROCESSABLE_ENTITY, String::new(), next, not_kept(&app));
    }
    let signed_out = query.done;
    let template = LoginPage { page: Page::new(&request, None), name: String::new(), next, problem: None, signed_out };
    page(&app, StatusCode::OK, &template)
}

/// Signs in, or shows the form again.
pub(crate) async fn sign_in(
    request: HttpRequest,
    browser: Session,
    Form(LoginForm { name, password, next }): Form<LoginForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    // Keyboards of phones add a space behind a word. No name has a NUL, and PostgreSQL no text that has one.
    let name = name.trim().replace('\0', "\u{fffd}");
    let next = local(&request, &app, &next);
    let attempt = match PasswordAttempt::begin(&app, &request, &name).await {
        Ok(attempt) => attempt,
        Err(Error::TooManyRequests(seconds)) if !answers_json(&request) => {
            return form_throttled(&request, &app, name, next, seconds);
        }
        Err(error) => return Err(error),
    };
    let session = match attempt.check(&app, &name, password, refused()).await? {
        Some(user) => begin(&app, &request, &browser, user, &name).await?,
        None => None,
    };
    let Some(id) = session else {
        return form_again(
            &request,
            &app,
            StatusCode::UNPROCESSABLE_ENTITY,
            name,
            next,
            words::accounts::WRONG_SIGN_IN.into(),
        );
    };
    set_cookie(&browser, id)?;
    if may_lose_cookie(&request, &app) {
        return Ok(see_other(&app, &query_string::with("/login", [("check_cookie", "1"), ("next", &next)], "")));
    }
    Ok(go_on(&app, &next))
}

fn go_on(app: &App, next: &str) -> HttpResponse {
    see_other(app, next.strip_prefix(&*app.base).unwrap_or(next))
}

/// Whether the browser may drop the cookie, which is for https only. One that came by https says so in `Origin`; of any other
/// it is seen whether the cookie comes back, as proxies need not tell.
fn may_lose_cookie(request: &HttpRequest, app: &App) -> bool {
    let origin = request.headers().get(header::ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
    app.public_url.is_https() && !origin.starts_with(b"https://")
}

fn not_kept(app: &App) -> String {
    words::accounts::cookie_not_kept(&app.public_url.to_string())
}

fn form_again(
    request: &HttpRequest,
    app: &App,
    status: StatusCode,
    name: String,
    next: String,
    problem: String,
) -> Result<HttpResponse, Error> {
    let template = LoginPage { page: Page::new(request, None), name, next, problem: Some(problem), signed_out: false };
    page(app, status, &template)
}

/// The form of somebody who failed too often, with the seconds to wait.
fn form_throttled(
    request: &HttpRequest,
    app: &App,
    name: String,
    next: String,
    seconds: i64,
) -> Result<HttpResponse, Error> {
    let problem = Error::TooManyRequests(seconds).to_string();
    let mut response = form_again(request, app, StatusCode::TOO_MANY_REQUESTS, name, next, problem)?;
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    Ok(response)
}

/// A new cookie at every sign-in: one that somebody planted before is worth nothing.
fn set_cookie(browser: &Session, id: String) -> Result<(), Error> {
    browser.renew();
    browser.insert(SESSION_ID, id).map_err(|error| Error::fault(error.to_string()))
}

/// Begins a session, and ends the one that the browser had; none when the password was changed since it was checked.
async fn begin(
    app: &App,
    request: &HttpRequest,
    browser: &Session,
    user: Credentials,
    name: &str,
) -> Result<Option<String>, Error> {
    let (id, name) = (session::generate(), name.to_owned());
    let hash = session::hash(&id);
    let before = browser.get::<String>(SESSION_ID).ok().flatten().map(|id| session::hash(&id));
    let address = password_attempt::client(app, request);
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
    let agent: String = agent.chars().take(AGENT_CHARS).collect();
    let now = app.store.now();
    let work = app.store.write(move |connection| {
        if users::lock_credentials(connection, &name)?.is_none_or(|known| known.password_hash != user.password_hash) {
            password_attempt::record(connection, &refused(), &name, &address, now)?;
            return Ok(false);
        }
        if let Some(before) = before {
            sessions::end(connection, &before)?;
        }
        users::signed_in(connection, user.user_id, now)?;
        let new = NewSession { hash: &hash, user_id: user.user_id, address: &address, agent: &agent };
        sessions::begin(connection, &new, now)?;
        audit::record(connection, &Principal::user(&name), "sign-in", &name, &address, now)?;
        Ok(true)
    });
    let begun = work.await?;
    if let Some(before) = &before {
        app.callers.forget(before);
    }
    Ok(begun.then_some(id))
}

fn refused() -> FailureRecord {
    FailureRecord { by: Principal::nobody(), action: "sign-in failed" }
}

/// Signs out: the session ends on the server, and the cookie goes.
pub(crate) async fn sign_out(
    who: Allowed<Anybody>,
    browser: Session,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    if let Via::Session { hash, name, .. } = who.caller.via {
        let (by, now) = (who.caller.principal, app.store.now());
        let end = app.store.write(move |connection| {
            sessions::end(connection, &hash)?;
            audit::record(connection, &by, "sign-out", &name, "", now)
        });
        end.await?;
        app.callers.forget(&hash);
    }
    browser.purge();
    Ok(see_other(&app, "/login?done=signed-out"))
}

/// The address to go on to after the sign-in: a page of ours that only shows something, or the first page.
fn local(request: &HttpRequest, app: &App, next: &str) -> String {
    format!("{}{}", app.base, return_to(request, next, true))
}
