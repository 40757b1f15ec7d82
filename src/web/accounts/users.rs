//! `/users` and `/users/add`: who may sign in.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::roles;
use super::roles::RoleChoice;
use crate::access::{Role, check_name, password};
use crate::store;
use crate::store::accounts::users;
use crate::store::accounts::users::{NewUser, User};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, Manage};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Params};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "accounts/users.html")]
struct UsersPage {
    page: Page,
    flash: Option<&'static str>,
    problem: Option<String>,
    users: Vec<UserView>,
}

/// A user as the pages show it.
pub(crate) struct UserView {
    /// The name.
    pub(crate) name: String,
    /// What the user may do.
    pub(crate) role: Role,
    /// When the user was added.
    pub(crate) created: FormattedTime,
    /// When the user last signed in.
    pub(crate) last_sign_in: Option<FormattedTime>,
    /// Since when the user may not sign in.
    pub(crate) disabled: Option<FormattedTime>,
    /// Whether it is who asks.
    pub(crate) is_you: bool,
}

impl UserView {
    /// A user as `caller` sees it.
    pub(crate) fn new(user: User, clock: TimeFormatter, caller: &Caller) -> Self {
        Self {
            role: user.role,
            created: clock.tell(user.created),
            last_sign_in: user.last_sign_in.map(|at| clock.tell(at)),
            disabled: user.disabled.map(|at| clock.tell(at)),
            is_you: is_you(caller, &user.name),
            name: user.name,
        }
    }
}

/// Whether `caller` is the user of that name, and not a key.
pub(crate) fn is_you(caller: &Caller, name: &str) -> bool {
    // A key's name is empty here, and no user's is.
    caller.via.name() == name
}

/// The user or the key that a page or a form is about. The name is a parameter, as `..` is a name and no path.
///
/// # Errors
/// Nothing is there, when it cannot be a name.
pub(crate) fn named(params: &Params) -> Result<String, Error> {
    let name = params.text("name")?.unwrap_or_default();
    check_name(&name).map_err(|_| Error::NotFound)?;
    Ok(name)
}

/// Shows every user.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub(crate) async fn show(
    who: Allowed<Manage>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let flash = params.filled("done")?.and_then(|done| match done.as_str() {
        "added" => Some("The user is added, and can sign in."),
        "removed" => Some("The user is removed, and signed out everywhere."),
        _ => None,
    });
    list(&app, &request, &who.caller, flash, None).await
}

/// The list of users; when `problem` is what kept something from being done, as a conflict.
///
/// # Errors
/// Unavailable, when the database cannot be asked.
pub(crate) async fn list(
    app: &App,
    request: &HttpRequest,
    caller: &Caller,
    flash: Option<&'static str>,
    problem: Option<String>,
) -> Result<HttpResponse, Error> {
    let clock = TimeFormatter { now: app.store.now(), zone: app.zone };
    let found = app.store.read(users::list).await?;
    let users = found.into_iter().map(|user| UserView::new(user, clock, caller)).collect();
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page(app, status, &UsersPage { page: Page::new(request, "users"), flash, problem, users })
}

#[derive(Template)]
#[template(path = "accounts/user_add.html")]
struct AddPage {
    page: Page,
    name: String,
    role: String,
    roles: [RoleChoice; 5],
    problems: FormErrors,
}

/// The form for a new user.
///
/// # Errors
/// A fault, when the template cannot be rendered.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    form(&app, &request, String::new(), String::new(), FormErrors::default())
}

fn form(
    app: &App,
    request: &HttpRequest,
    name: String,
    role: String,
    problems: FormErrors,
) -> Result<HttpResponse, Error> {
    let status = problems.status();
    page(app, status, &AddPage { page: Page::new(request, "users"), name, role, roles: roles::choices(), problems })
}

/// Adds a user, or shows the form again.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(params): Form,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = params.text("name")?.unwrap_or_default().trim().to_owned();
    let word = params.text("role")?.unwrap_or_default();
    let mut problems = FormErrors::default();
    if let Err(why) = check_name(&name) {
        problems.add("name", why);
    }
    let role = roles::read(&params, &mut problems)?;
    let password = NewPassword::read(&params, &name, &mut problems)?;
    let (Some(role), true) = (role, problems.is_empty()) else {
        return form(&app, &request, name, word, problems);
    };
    let password_hash = app.background.passwords.hash(password.text.clone()).await?;
    let (by, now, wanted) = (who.caller.principal, app.store.now(), name.clone());
    let added = app.store.write(move |connection| {
        users::add(connection, &NewUser { name: &wanted, password_hash: &password_hash, role }, &by, now)
    });
    match added.await {
        Ok(()) if password.is_made => made(&app, Page::new(&request, "users"), name, password.text, true),
        Ok(()) => Ok(see_other(&app, "/users?done=added")),
        Err(store::Error::Refused(why)) => {
            problems.add("name", why);
            form(&app, &request, name, word, problems)
        }
        Err(error) => Err(error.into()),
    }
}

/// A password that was typed into a form, or made because the field was left empty.
pub(crate) struct NewPassword {
    /// The password.
    pub(crate) text: String,
    /// Nobody has seen it yet.
    pub(crate) is_made: bool,
}

impl NewPassword {
    /// The password for `name`; it is noted when it may not be one.
    ///
    /// # Errors
    /// A field that is no text.
    pub(crate) fn read(params: &Params, name: &str, problems: &mut FormErrors) -> Result<Self, Error> {
        let Some(text) = params.filled("password")? else {
            return Ok(Self { text: password::generate(), is_made: true });
        };
        if let Err(why) = password::check(&text, name) {
            problems.add("password", why);
        }
        Ok(Self { text, is_made: false })
    }
}

#[derive(Template)]
#[template(path = "accounts/password_created.html")]
struct MadePage {
    page: Page,
    name: String,
    password: String,
    is_new: bool,
}

/// A password that was made, once: it is the answer to the form, as only its hash is kept. `is_new`: the user is, too.
///
/// # Errors
/// A fault, when the template cannot be rendered.
pub(crate) fn made(
    app: &App,
    page_of: Page,
    name: String,
    password: String,
    is_new: bool,
) -> Result<HttpResponse, Error> {
    page(app, StatusCode::OK, &MadePage { page: page_of, name, password, is_new })
}
