//! `/account`: the own password and the own sessions.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::password_attempt::{FailureRecord, PasswordAttempt};
use super::roles::RoleView;
use crate::access::password;
use crate::access::session::SessionHash;
use crate::store;
use crate::store::accounts::{sessions, users};
use crate::store::audit;
use crate::web::callers::{Caller, Via};
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::FormattedTime;
use crate::web::guard::{Allowed, Anybody};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Query};
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "accounts/account.html")]
struct AccountPage {
    page: Page,
    name: String,
    role: RoleView,
    errors: FormErrors,
    sessions: Vec<SessionView>,
}

struct SessionView {
    id: i64,
    agent: String,
    address: String,
    since: FormattedTime,
    last_seen: FormattedTime,
    is_current: bool,
}

/// The user behind a session; a key has no account.
fn user(caller: &Caller) -> Result<(SessionHash, i64, String), Error> {
    match &caller.via {
        Via::Session { hash, user_id, name } => Ok((*hash, *user_id, name.to_string())),
        Via::Key { .. } => Err(Error::Forbidden(words::accounts::KEY_HAS_NO_ACCOUNT.into())),
    }
}

/// Shows the account.
pub(crate) async fn show(
    who: Allowed<Anybody>,
    request: HttpRequest,
    Query(query): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let notice = match query.done.as_str() {
        "password" => Some(words::accounts::OWN_PASSWORD_CHANGED),
        "ended" => Some(words::accounts::SESSION_ENDED),
        "all-ended" => Some(words::accounts::OTHER_SESSIONS_ENDED),
        _ => None,
    };
    account(&who.caller, &request, &app, FormErrors::default(), notice.map(Notice::done)).await
}

async fn account(
    caller: &Caller,
    request: &HttpRequest,
    app: &App,
    errors: FormErrors,
    notice: Option<Notice>,
) -> Result<HttpResponse, Error> {
    let (hash, user_id, name) = user(caller)?;
    let clock = app.time_formatter();
    let listed = app.store.read_inline(move |connection| Ok(sessions::list(connection, user_id, clock.now)?)).await?;
    let view = |session: sessions::Session| SessionView {
        id: session.id,
        is_current: session.hash == hash,
        agent: browser(&session.agent),
        address: session.address,
        since: clock.format(session.created),
        last_seen: clock.format(session.last_seen),
    };
    let status = errors.status();
    let sessions = listed.into_iter().map(view).collect();
    let page_of = Page::new(request, Section::Account).with_notice(notice);
    page(app, status, &AccountPage { page: page_of, name, role: RoleView::new(caller.role), errors, sessions })
}

/// The name of a browser from its description, which also names older browsers.
fn browser(agent: &str) -> String {
    const KNOWN: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let known = KNOWN.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| agent.chars().take(40).collect())
}

/// Changes the own password, and ends every other session.
pub(crate) async fn change_password(
    who: Allowed<Anybody>,
    request: HttpRequest,
    Form(form): Form<PasswordForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (_, _, name) = user(&who.caller)?;
    let failure = FailureRecord { by: who.caller.principal.clone(), action: "password refused" };
    let attempt = PasswordAttempt::begin(&app, &request, &name).await?;
    let known = attempt.check(&app, &name, form.current.clone(), failure).await?;
    let errors = form.errors(&name, known.is_some());
    if !errors.is_empty() {
        return account(&who.caller, &request, &app, errors, None).await;
    }
    save_password(&app, &who.caller, form.password, known.map(|user| user.password_hash)).await?;
    Ok(see_other(&app, "/account?done=password"))
}

/// The fields of the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct PasswordForm {
    current: String,
    password: String,
    again: String,
}

impl PasswordForm {
    fn errors(&self, name: &str, current_is_right: bool) -> FormErrors {
        let mut errors = FormErrors::default();
        if !current_is_right {
            errors.add("current", words::accounts::NOT_CURRENT_PASSWORD);
        }
        if let Err(why) = password::check(&self.password, name) {
            errors.add("password", why);
        }
        if self.password != self.again {
            errors.add("again", words::accounts::NOT_REPEATED);
        }
        errors
    }
}

/// Saves a password and ends every other session, unless the password was changed since it was checked.
async fn save_password(app: &App, caller: &Caller, password: String, known: Option<String>) -> Result<(), Error> {
    let (session, user_id, name) = user(caller)?;
    let password_hash = app.background.passwords.hash(password).await?;
    app.recheck(caller).await?;
    let (by, now) = (caller.principal.clone(), app.store.now());
    let change = app.store.write(move |connection| {
        if users::lock_credentials(connection, &name)?.map(|user| user.password_hash) != known {
            return Err(store::Error::Refused(words::accounts::PASSWORD_CHANGED_MEANWHILE.into()));
        }
        users::change_password(connection, &name, &password_hash, &by, now)?;
        sessions::end_others(connection, user_id, &session, None)?;
        Ok(())
    });
    change.await?;
    app.callers.forget_sessions();
    Ok(())
}

/// Which of the own sessions is to end.
#[derive(Deserialize, Validate)]
pub(crate) struct SessionForm {
    /// Its id; none for all but this one.
    session: Option<i64>,
}

/// Ends one of the own sessions, or all but this one.
pub(crate) async fn end_sessions(
    who: Allowed<Anybody>,
    Form(SessionForm { session: only }): Form<SessionForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (hash, user_id, name) = user(&who.caller)?;
    let (by, now) = (who.caller.principal, app.store.now());
    let end = app.store.write(move |connection| match sessions::end_others(connection, user_id, &hash, only)? {
        0 => Ok(()),
        count => audit::record(connection, &by, "session end", &name, &words::accounts::sessions(count), now),
    });
    end.await?;
    app.callers.forget_sessions();
    Ok(see_other(&app, if only.is_some() { "/account?done=ended" } else { "/account?done=all-ended" }))
}
