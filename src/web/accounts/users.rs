//! `/users` and `/users/add`: who may sign in.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::roles;
use super::roles::{RoleChoice, RoleView};
use crate::access::{Role, check_name, password};
use crate::store::accounts::users;
use crate::store::accounts::users::{NewUser, User};
use crate::web::callers::Caller;
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Query};
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "accounts/users.html")]
struct UsersPage {
    page: Page,
    error: Option<String>,
    users: Vec<UserView>,
}

/// A user as the pages show it.
pub(crate) struct UserView {
    /// The name.
    pub(crate) name: String,
    /// What the user may do.
    pub(crate) role: RoleView,
    /// Says that the name is no role, where it is another role's.
    pub(crate) name_note: Option<String>,
    /// When the user was added.
    pub(crate) created: FormattedTime,
    /// When the user last signed in.
    pub(crate) last_sign_in: Option<FormattedTime>,
    /// Since when the user may not sign in.
    pub(crate) disabled: Option<FormattedTime>,
    /// Whether it is the user of the request.
    pub(crate) is_you: bool,
}

impl UserView {
    /// A user as `caller` sees it.
    pub(crate) fn new(user: User, clock: TimeFormatter, caller: &Caller) -> Self {
        Self {
            role: RoleView::new(user.role),
            name_note: roles::name_note(&user.name, user.role),
            created: clock.format(user.created),
            last_sign_in: user.last_sign_in.map(|at| clock.format(at)),
            disabled: user.disabled.map(|at| clock.format(at)),
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
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct Named {
    name: String,
}

impl Named {
    /// The name.
    pub(crate) fn checked(self) -> Result<String, Error> {
        checked(self.name)
    }
}

/// A name that a user or a key can have; nobody has any other.
pub(crate) fn checked(name: String) -> Result<String, Error> {
    check_name(&name).map_err(|_| Error::NotFound)?;
    Ok(name)
}

/// The address of a page, with what was done to whom before it was opened.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct UserQuery {
    pub(super) name: String,
    pub(super) done: String,
}

/// Shows every user.
pub(crate) async fn show(
    who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<UserQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let notice = match query.done.as_str() {
        _ if check_name(&query.name).is_err() => None,
        "added" => Some(words::accounts::user_added(&query.name)),
        "removed" => Some(words::accounts::user_removed(&query.name)),
        _ => None,
    };
    list(&app, &request, &who.caller, notice.map(Notice::done), None).await
}

/// The list of users; a conflict, when `error` says why something was not done.
pub(crate) async fn list(
    app: &App,
    request: &HttpRequest,
    caller: &Caller,
    notice: Option<Notice>,
    error: Option<String>,
) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let users = app.store.read(users::list).await?;
    let users = users.into_iter().map(|user| UserView::new(user, clock, caller)).collect();
    let status = if error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page(app, status, &UsersPage { page: Page::new(request, Section::Users).with_notice(notice), error, users })
}

#[derive(Template)]
#[template(path = "accounts/user_add.html")]
struct AddPage {
    page: Page,
    name: String,
    roles: [RoleChoice; 5],
    errors: FormErrors,
}

/// The address of the form, which brings back what was typed.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NewUserQuery {
    name: String,
    role: String,
}

/// The fields of the form.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NewUserForm {
    name: String,
    role: String,
    /// Empty for a generated one.
    password: String,
}

/// The form for a new user.
pub(crate) async fn add_form(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<NewUserQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    add_page(&app, &request, query.name, query.role.parse().ok(), FormErrors::default())
}

fn add_page(
    app: &App,
    request: &HttpRequest,
    name: String,
    role: Option<Role>,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let status = errors.status();
    page(app, status, &AddPage { page: Page::new(request, Section::Users), name, roles: roles::choices(role), errors })
}

/// Adds a user, or shows the form again.
pub(crate) async fn add(
    who: Allowed<Manage>,
    request: HttpRequest,
    Form(form): Form<NewUserForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let name = form.name.trim().to_owned();
    let mut errors = FormErrors::default();
    if let Err(why) = check_name(&name) {
        errors.add("name", why);
    }
    let role = roles::chosen(&form.role, &mut errors);
    let password = NewPassword::of(form.password, &name, &mut errors);
    let (Some(role), true) = (role, errors.is_empty()) else {
        return add_page(&app, &request, name, role, errors);
    };
    match save(&app, name.clone(), role, &password, &who.caller).await? {
        Ok(()) if password.is_generated => {
            let page_of = Page::new(&request, Section::Users);
            let notice = Notice::done(words::accounts::user_added(&name));
            show_password(&app, page_of.with_notice(Some(notice)), name, password.text)
        }
        Ok(()) => Ok(see_other(&app, &query_string::with("/users", [("done", "added"), ("name", &name)], ""))),
        Err(why) => {
            errors.add("name", why);
            add_page(&app, &request, name, Some(role), errors)
        }
    }
}

/// Saves a new user, or says why the name is refused.
async fn save(
    app: &App,
    name: String,
    role: Role,
    password: &NewPassword,
    caller: &Caller,
) -> Result<Result<(), String>, Error> {
    let password_hash = app.background.passwords.hash(password.text.clone()).await?;
    app.recheck(caller).await?;
    let (by, now) = (caller.principal.clone(), app.store.now());
    let add = app.store.write(move |connection| {
        users::add(connection, &NewUser { name: &name, password_hash: &password_hash, role }, &by, now)
    });
    or_refusal(add.await)
}

/// A password from a form, or generated because the field was left empty.
pub(crate) struct NewPassword {
    /// The password.
    pub(crate) text: String,
    /// It was generated, and is to be shown once.
    pub(crate) is_generated: bool,
}

impl NewPassword {
    /// The password for `name`; an error is added when it is refused.
    pub(crate) fn of(text: String, name: &str, errors: &mut FormErrors) -> Self {
        if text.is_empty() {
            return Self { text: password::generate(name), is_generated: true };
        }
        if let Err(why) = password::check(&text, name) {
            errors.add("password", why);
        }
        Self { text, is_generated: false }
    }
}

#[derive(Template)]
#[template(path = "accounts/password_created.html")]
struct PasswordPage {
    page: Page,
    name: String,
    password: String,
}

/// Shows a generated password once, in answer to the form: only its hash is kept.
pub(crate) fn show_password(app: &App, page_of: Page, name: String, password: String) -> Result<HttpResponse, Error> {
    page(app, StatusCode::OK, &PasswordPage { page: page_of, name, password })
}
