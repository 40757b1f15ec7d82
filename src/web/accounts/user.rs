//! `/users/edit`, what is done there to one user, and `/users/remove`.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::roles;
use super::roles::RoleChoice;
use super::users::{Named, NewPassword, UserQuery, UserView, checked, is_you, list, show_password};
use crate::access::{Principal, Role};
use crate::store;
use crate::store::Connection;
use crate::store::accounts::users;
use crate::token::{Micros, Problem, TokenError};
use crate::web::callers::Caller;
use crate::web::error::{Error, or_refusal};
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::notice::Notice;
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Query};
use crate::web::query_string;
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "accounts/user_edit.html")]
struct UserPage {
    page: Page,
    user: UserView,
    roles: [RoleChoice; 5],
    refusal: Option<String>,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "accounts/user_remove.html")]
struct RemovePage {
    page: Page,
    user: UserView,
}

/// The user of that name as `caller` sees it.
async fn find(app: &App, caller: &Caller, name: &str) -> Result<Option<UserView>, Error> {
    let clock = app.time_formatter();
    let name = name.to_owned();
    let user = app.store.read_inline(move |connection| users::find(connection, &name)).await?;
    Ok(user.map(|user| UserView::new(user, clock, caller)))
}

fn edit_page(request: &HttpRequest, user: UserView) -> UserPage {
    let page = Page::new(request, Section::Users);
    UserPage {
        page,
        roles: roles::choices(user.role.word.parse().ok()),
        user,
        refusal: None,
        errors: FormErrors::default(),
    }
}

/// Shows a user, with forms for what can be changed.
pub(crate) async fn show(
    who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<UserQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let user = find(&app, &who.caller, &checked(query.name)?).await?.ok_or(Error::NotFound)?;
    let notice = match query.done.as_str() {
        "role" => Some(words::accounts::role_changed(&user.name)),
        "same" => Some(words::accounts::role_unchanged(&user.name)),
        "password" => Some(words::accounts::password_reset(&user.name)),
        "disabled" => Some(words::accounts::user_disabled(&user.name)),
        "enabled" => Some(words::accounts::user_enabled(&user.name)),
        _ => None,
    };
    let page_of = Page::new(&request, Section::Users).with_notice(notice.map(Notice::done));
    page(&app, StatusCode::OK, &UserPage { page: page_of, ..edit_page(&request, user) })
}

/// A change of a user, and the request for it.
struct Change<'a> {
    app: &'a App,
    request: &'a HttpRequest,
    caller: &'a Caller,
    name: String,
}

impl Change<'_> {
    /// Does `work`, which may end sessions. A refusal is shown on the user's page.
    async fn make(
        &self,
        work: impl Fn(&mut Connection, &str, &Principal, Micros) -> Result<(), store::Error> + Send + 'static,
    ) -> Result<Result<(), HttpResponse>, Error> {
        let (name, by, now) = (self.name.clone(), self.caller.principal.clone(), self.app.store.now());
        let made = self.app.store.write(move |connection| work(connection, &name, &by, now)).await;
        self.app.callers.forget_sessions();
        match or_refusal(made)? {
            Ok(()) => Ok(Ok(())),
            Err(why) => Ok(Err(self.refused(why).await?)),
        }
    }

    async fn refused(&self, why: String) -> Result<HttpResponse, Error> {
        let Some(user) = find(self.app, self.caller, &self.name).await? else {
            return list(self.app, self.request, self.caller, None, Some(why)).await;
        };
        let template = UserPage { refusal: Some(why), ..edit_page(self.request, user) };
        page(self.app, StatusCode::CONFLICT, &template)
    }

    /// The user's page with the errors of a form.
    async fn invalid(&self, errors: FormErrors) -> Result<HttpResponse, Error> {
        let user = find(self.app, self.caller, &self.name).await?.ok_or(Error::NotFound)?;
        let template = UserPage { errors, ..edit_page(self.request, user) };
        page(self.app, StatusCode::UNPROCESSABLE_ENTITY, &template)
    }

    /// The page with a generated password.
    fn show_password(self, browser: &Session, password: String) -> Result<HttpResponse, Error> {
        let mut page_of = Page::new(self.request, Section::Users);
        page_of.notice = Some(Notice::done(words::accounts::password_reset(&self.name)));
        if self.signs_out(browser) {
            page_of.user = None;
            page_of.notice = Some(Notice::done(words::accounts::OWN_PASSWORD_RESET));
        }
        show_password(self.app, page_of, self.name, password)
    }

    /// Leads to the user's page, or to the sign-in page when the change signed out the own user.
    fn done(&self, browser: &Session, word: &str) -> HttpResponse {
        if self.signs_out(browser) {
            return see_other(self.app, "/login?done=signed-out");
        }
        self.to_page(word)
    }

    fn to_page(&self, word: &str) -> HttpResponse {
        see_other(self.app, &query_string::with("/users/edit", [("name", self.name.as_str()), ("done", word)], ""))
    }

    /// Does `work`, and leads to the page with the notice `done`.
    async fn make_and_redirect(
        &self,
        browser: &Session,
        done: &str,
        work: impl Fn(&mut Connection, &str, &Principal, Micros) -> Result<(), store::Error> + Send + 'static,
    ) -> Result<HttpResponse, Error> {
        Ok(self.make(work).await?.map_or_else(|refused| refused, |()| self.done(browser, done)))
    }

    /// Whether the change signed out the own user; then the cookie is removed, too.
    fn signs_out(&self, browser: &Session) -> bool {
        let is_you = is_you(self.caller, &self.name);
        if is_you {
            browser.purge();
        }
        is_you
    }
}

/// The form for another role.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct RoleForm {
    name: String,
    role: String,
    /// What the form knew.
    was_role: String,
}

/// Gives a user another role, unless somebody else has meanwhile.
pub(crate) async fn change_role(
    who: Allowed<Manage>,
    request: HttpRequest,
    browser: Session,
    Form(form): Form<RoleForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let change = Change { app: &app, request: &request, caller: &who.caller, name: checked(form.name)? };
    let mut errors = FormErrors::default();
    let Some(role) = roles::chosen(&form.role, &mut errors) else { return change.invalid(errors).await };
    let known = Some(form.was_role).filter(|word| !word.is_empty()).map(|word| word.parse::<Role>()).transpose();
    let known = known.map_err(|_| TokenError::value("was_role", Problem::Unreadable))?;
    if find(&app, &who.caller, &change.name).await?.is_some_and(|user| user.role.word == role.word()) {
        return Ok(change.to_page("same"));
    }
    let work = move |c: &mut Connection, name: &str, by: &Principal, now| {
        users::set_role_from(c, name, (known, role), by, now)
    };
    change.make_and_redirect(&browser, "role", work).await
}

/// The form for another password.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NewPasswordForm {
    name: String,
    /// Empty for a generated one.
    password: String,
}

/// Gives a user another password, from the form or generated.
pub(crate) async fn reset_password(
    who: Allowed<Manage>,
    request: HttpRequest,
    browser: Session,
    Form(form): Form<NewPasswordForm>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let change = Change { app: &app, request: &request, caller: &who.caller, name: checked(form.name)? };
    let mut errors = FormErrors::default();
    let password = NewPassword::of(form.password, &change.name, &mut errors);
    if !errors.is_empty() {
        return change.invalid(errors).await;
    }
    let hash = app.background.passwords.hash(password.text.clone()).await?;
    app.recheck(&who.caller).await?;
    let work = move |c: &mut Connection, name: &str, by: &Principal, now| users::set_password(c, name, &hash, by, now);
    if let Err(refused) = change.make(work).await? {
        return Ok(refused);
    }
    if password.is_generated {
        change.show_password(&browser, password.text)
    } else {
        Ok(change.done(&browser, "password"))
    }
}

/// Keeps a user from signing in, and ends the user's sessions.
pub(crate) async fn disable(
    who: Allowed<Manage>,
    request: HttpRequest,
    browser: Session,
    Form(form): Form<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let change = Change { app: &app, request: &request, caller: &who.caller, name: form.checked()? };
    change.make_and_redirect(&browser, "disabled", users::disable).await
}

/// Lets a user sign in again.
pub(crate) async fn enable(
    who: Allowed<Manage>,
    request: HttpRequest,
    browser: Session,
    Form(form): Form<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let change = Change { app: &app, request: &request, caller: &who.caller, name: form.checked()? };
    change.make_and_redirect(&browser, "enabled", users::enable).await
}

/// Asks whether to remove a user.
pub(crate) async fn ask(
    who: Allowed<Manage>,
    request: HttpRequest,
    Query(query): Query<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let user = find(&app, &who.caller, &query.checked()?).await?.ok_or(Error::NotFound)?;
    page(&app, StatusCode::OK, &RemovePage { page: Page::new(&request, Section::Users), user })
}

/// Removes a user.
pub(crate) async fn remove(
    who: Allowed<Manage>,
    request: HttpRequest,
    browser: Session,
    Form(form): Form<Named>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let change = Change { app: &app, request: &request, caller: &who.caller, name: form.checked()? };
    if let Err(refused) = change.make(users::remove).await? {
        return Ok(refused);
    }
    if change.signs_out(&browser) {
        return Ok(see_other(&app, "/login?done=signed-out"));
    }
    Ok(see_other(&app, &query_string::with("/users", [("done", "removed"), ("name", &change.name)], "")))
}
