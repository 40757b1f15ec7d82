//! `/login` and `/logout`.

use std::sync::LazyLock;

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Page, page, see_other};
use crate::access::{Principal, password, session};
use crate::store::attempts::{self, Try};
use crate::store::audit;
use crate::store::sessions::{self, NewSession};
use crate::store::users::{self, Credentials};
use crate::token::Micros;
use crate::web::callers::Via;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Anybody, SESSION_ID};
use crate::web::params::Params;
use crate::web::state::App;

#[derive(Template)]
#[template(path = "session/login.html")]
struct LoginPage {
    page: Page,
    name: String,
    next: String,
    problem: Option<String>,
    signed_out: bool,
}

/// What stands in the log of attempts of a name: cut, as it may be a megabyte.
const SUBJECT_CHARS: usize = 64;
/// What is kept of a browser's description.
const AGENT_CHARS: usize = 200;
/// Told for unknown names and wrong passwords alike: nobody learns which names there are.
const WRONG: &str = "This name and password do not fit together.";

/// A password that nobody has: it is checked for names that do not exist, so that these take as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| password::hash(&password::generate()).unwrap_or_default());

/// The form.
///
/// # Errors
/// A query string that cannot be read.
pub async fn show(request: HttpRequest, params: Params, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let next = local(&app, params.filled("next")?.as_deref());
    let signed_out = params.filled("done")?.is_some();
    let template = LoginPage { page: Page::new(&request, ""), name: String::new(), next, problem: None, signed_out };
    page(&app, StatusCode::OK, &template)
}

/// Signs in, or shows the form again.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub async fn sign_in(
    request: HttpRequest,
    browser: Session,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = params.text("name")?.unwrap_or_default();
    let password = params.text("password")?.unwrap_or_default();
    let next = local(&app, params.filled("next")?.as_deref());
    let address = app.proxies.client(&request).map(|address| address.to_string()).unwrap_or_default();
    let cut: String = name.chars().take(SUBJECT_CHARS).collect();
    let subjects = [format!("name:{cut}"), format!("address:{address}")];
    let tried = app.store.write(move |connection| Ok(attempts::begin(connection, &subjects, Micros::now())?)).await?;
    let again = |status, problem: String| {
        let page_of = Page::new(&request, "");
        let name = cut.clone();
        page(
            &app,
            status,
            &LoginPage { page: page_of, name, next: next.clone(), problem: Some(problem), signed_out: false },
        )
    };
    let attempts = match tried {
        Try::Allowed(attempts) => attempts,
        Try::Wait(seconds) => {
            let problem = format!("Too many tries. Wait {seconds} seconds, then try again.");
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, problem)?;
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return Ok(response);
        }
    };
    let Some(user) = check(&app, &name, password).await? else {
        let subject = cut.clone();
        let record = app.store.write(move |connection| {
            audit::record(connection, &Principal::nobody(), "sign-in failed", &subject, &address, Micros::now())
        });
        record.await?;
        return again(StatusCode::UNPROCESSABLE_ENTITY, WRONG.into());
    };
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
    let agent = agent.chars().take(AGENT_CHARS).collect();
    let id = begin(&app, user, Beginning { name, address, agent, attempts }).await?;
    // A new cookie at every sign-in: one that somebody planted before is worth nothing.
    browser.renew();
    browser.insert(SESSION_ID, id).map_err(|error| Error::fault(error.to_string()))?;
    Ok(see_other(&app, next.strip_prefix(&*app.base).unwrap_or(&next)))
}

/// The user of that name, if this is the user's password. Takes the same time when there is none.
async fn check(app: &App, name: &str, password: String) -> Result<Option<Credentials>, Error> {
    let wanted = name.to_owned();
    let found = app.store.look(move |connection| Ok(users::credentials(connection, &wanted)?)).await?;
    let hash = found.as_ref().map_or_else(|| NOBODY.clone(), |user| user.password_hash.clone());
    let good = verify(app, password, hash).await?;
    Ok(found.filter(|_| good))
}

/// Whether a password is the one of a hash. Two at once, as each takes 19 MiB and a core.
///
/// # Errors
/// A fault, when the thread that works on it dies.
pub async fn verify(app: &App, password: String, hash: String) -> Result<bool, Error> {
    // No password is longer, and hashing a longer one is only work.
    if password.chars().count() > password::MAX_CHARS {
        return Ok(false);
    }
    let _turn = app.hashes.acquire().await;
    let verified = web::block(move || password::verify(&password, &hash)).await;
    verified.map_err(|error| Error::fault(error.to_string()))
}

struct Beginning {
    name: String,
    address: String,
    agent: String,
    attempts: Vec<i64>,
}

async fn begin(app: &App, user: Credentials, beginning: Beginning) -> Result<String, Error> {
    let id = session::generate();
    let hash = session::hash(&id);
    let work = app.store.write(move |connection| {
        let now = Micros::now();
        attempts::forgive(connection, &beginning.attempts)?;
        users::signed_in(connection, user.user_id, now)?;
        let (address, agent) = (beginning.address.as_str(), beginning.agent.as_str());
        sessions::begin(connection, &NewSession { hash: &hash, user_id: user.user_id, address, agent }, now)?;
        audit::record(connection, &Principal::user(&beginning.name), "sign-in", &beginning.name, address, now)
    });
    work.await?;
    Ok(id)
}

/// Signs out: the session ends on the server, and the cookie goes.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub async fn sign_out(who: Allowed<Anybody>, browser: Session, app: web::Data<App>) -> Result<HttpResponse, Error> {
    if let Via::Session { hash, .. } = who.caller.via {
        app.store.write(move |connection| Ok(sessions::end(connection, &hash)?)).await?;
        app.callers.forget(&hash);
    }
    browser.purge();
    Ok(see_other(&app, "/login?done=signed-out"))
}

/// The way back after the sign-in: a path of ours, or the first page. Anything else could be a trap on another site:
/// `//evil.example` and `/\evil.example` are addresses of other hosts to a browser.
fn local(app: &App, next: Option<&str>) -> String {
    let base: &str = &app.base;
    let is_ours = |next: &&str| {
        let below = next.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        below && !next.starts_with("//") && !next.contains('\\') && !next.chars().any(char::is_control)
    };
    next.filter(is_ours).map_or_else(|| format!("{base}/"), str::to_owned)
}
