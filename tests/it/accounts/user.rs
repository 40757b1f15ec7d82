//! `/users/edit` and what is done to one user: role, password, disabling, removal, and what becomes of sessions.

use reqwest::Method;
use tessera::access::Role;
use tessera::store::accounts::users;

use super::users::{OTHER, sign_in};
use crate::support::app::App;
use crate::support::audit::check_audited;
use crate::support::browser::{Browser, add_user, shown_secret};

#[actix_web::test]
async fn a_role_is_changed_and_ends_the_sessions() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut anna = Browser::of(&app, Role::Editor).await;
    anna.get("/add").await.check(200, &[]);
    browser
        .get("/users/edit?name=editor")
        .await
        .check(200, &["Change the role", "value=\"editor\" required", "checked"]);
    let same = browser.post("/users/role", &[("name", "editor"), ("role", "editor")]).await;
    browser
        .get(&same.check_leads_to("/users/edit?name=editor&done=same").location)
        .await
        .check(200, &["already has this role"]);
    anna.get("/add").await.check(200, &[]);
    let changed = browser.post("/users/role", &[("name", "editor"), ("role", "viewer")]).await;
    browser.get(&changed.check_leads_to("/users/edit").location).await.check(200, &["Role changed."]);
    check_audited(&app, ["user:manager", "user role", "editor", "viewer"]);
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check_leads_to("/");
    anna.get("/add").await.check(403, &[]);
    browser.post("/users/role", &[("name", "editor"), ("role", "root")]).await.check(422, &["href=\"#role\""]);
    browser.post("/users/role", &[("name", "editor")]).await.check(422, &["Choose a role."]);

    let page = browser.get("/users/edit?name=editor").await;
    assert_eq!(page.field("was_role"), "viewer");
    let stale = [("name", "editor"), ("role", "admin"), ("was_role", "editor")];
    let both = browser.post("/users/role", &stale).await;
    both.check(409, &["Someone else changed the role to viewer. You chose admin."]);
    let again = [("name", "editor"), ("role", "admin"), ("was_role", &both.field("was_role"))];
    browser.post("/users/role", &again).await.check_leads_to("/users/edit");
}

#[actix_web::test]
async fn a_password_is_reset_and_ends_the_sessions() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut anna = Browser::of(&app, Role::Editor).await;
    for (bad, says) in
        [("short", "12 to 1,000 characters"), ("password1234", "easy to guess"), ("editoreditor", "easy to guess")]
    {
        let page = browser.post("/users/password", &[("name", "editor"), ("password", bad)]).await;
        page.check(422, &["Nothing changed", "id=\"password-error\"", says]);
    }
    anna.get("/").await.check(200, &[]);
    let reset = browser.post("/users/password", &[("name", "editor"), ("password", OTHER)]).await;
    reset.check_leads_to("/users/edit?name=editor&done=password");
    check_audited(&app, ["user:manager", "user passwd", "editor", ""]);
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check(422, &[]);
    sign_in(&app, "editor", OTHER).await.check_leads_to("/");
}

#[actix_web::test]
async fn a_disabled_user_is_out_at_once_until_enabled() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut anna = Browser::of(&app, Role::Editor).await;
    anna.get("/").await.check(200, &[]);
    let name = [("name", "editor")];
    browser.post("/users/disable", &name).await.check_leads_to("/users/edit?name=editor&done=disabled");
    check_audited(&app, ["user:manager", "user disable", "editor", ""]);
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check(422, &["Wrong name or password"]);
    let since = users::find(&mut app.connection(), "editor").unwrap().unwrap().disabled;
    browser.post("/users/disable", &name).await.check_leads_to("/users/edit");
    assert_eq!(users::find(&mut app.connection(), "editor").unwrap().unwrap().disabled, since, "since it was");
    browser.get("/users").await.check(200, &["Disabled"]);
    browser.get("/users/edit?name=editor").await.check(200, &["Disabled", "Enable user"]);
    browser.post("/users/enable", &name).await.check_leads_to("/users/edit?name=editor&done=enabled");
    check_audited(&app, ["user:manager", "user enable", "editor", ""]);
    browser.post("/users/enable", &name).await.check_leads_to("/users/edit");
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check_leads_to("/");
}

#[actix_web::test]
async fn a_user_is_removed_after_a_question() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut anna = Browser::of(&app, Role::Editor).await;
    anna.get("/").await.check(200, &[]);
    browser.get("/users/remove?name=editor").await.check(200, &["Remove editor?", "can't be undone"]);
    anna.get("/").await.check(200, &[]);
    let removed = browser.post("/users/remove", &[("name", "editor")]).await;
    browser
        .get(&removed.check_leads_to("/users?done=removed").location)
        .await
        .check(200, &["User editor removed and signed out everywhere."]);
    check_audited(&app, ["user:manager", "user remove", "editor", ""]);
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check(422, &[]);
    // From two tabs: told on the list.
    for path in ["/users/remove", "/users/disable", "/users/enable", "/users/password"] {
        let twice = browser.post(path, &[("name", "editor"), ("password", OTHER)]).await;
        twice.check(409, &["There is no user editor.", "<h1>Users</h1>"]);
    }
    browser
        .post("/users/role", &[("name", "editor"), ("role", "viewer")])
        .await
        .check(409, &["There is no user editor."]);
}

#[actix_web::test]
async fn the_last_manager_stays() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    add_user(&app, "other", Role::Manager);
    browser.post("/users/disable", &[("name", "other")]).await.check_leads_to("/users/edit");
    let (own, role) = (("name", "manager"), ("role", "admin"));
    for (path, form) in [("/users/role", vec![own, role]), ("/users/disable", vec![own]), ("/users/remove", vec![own])]
    {
        let refused = browser.post(path, &form).await;
        refused.check(409, &["Nothing changed", "This is the last manager. Make another user a manager first."]);
        browser.get("/users").await.check(200, &["you"]);
    }
    let user = users::find(&mut app.connection(), "manager").unwrap().unwrap();
    assert_eq!((user.role, user.disabled), (Role::Manager, None));
}

#[actix_web::test]
async fn changing_oneself_signs_out_after_a_warning() {
    let app = App::start().await;
    add_user(&app, "other", Role::Manager);
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/users/edit?name=manager").await.check(200, &["This is you.", "signs you out"]);
    browser
        .get("/users/remove?name=manager")
        .await
        .check(200, &["Remove yourself?", "You will be signed out immediately"]);

    let made = browser.post("/users/password", &[("name", "manager")]).await;
    let password = shown_secret(made.check(200, &["Password changed", "I've saved it, sign in"]));
    assert!(!made.text.contains("Sign out"), "nobody is signed in on this page");
    assert!(browser.cookie().is_none());
    let signs_in = [("name", "manager"), ("password", password.as_str())];
    browser.post("/login", &signs_in).await.check_leads_to("/");
    browser.post("/users/disable", &[("name", "manager")]).await.check_leads_to("/login?done=signed-out");
    browser.post("/login", &signs_in).await.check(422, &[]);

    browser.sign_in("other").await.check_leads_to("/");
    browser.post("/users/enable", &[("name", "manager")]).await.check_leads_to("/users/edit");
    browser
        .post("/users/role", &[("name", "other"), ("role", "viewer")])
        .await
        .check_leads_to("/login?done=signed-out");
    browser.sign_in("other").await.check_leads_to("/");
    browser.get("/users").await.check(403, &["Only managers"]);

    browser.post("/login", &signs_in).await.check_leads_to("/");
    browser.post("/users/role", &[("name", "other"), ("role", "manager")]).await.check_leads_to("/users/edit");
    browser.post("/users/remove", &[("name", "manager")]).await.check_leads_to("/login?done=signed-out");
    browser.get("/users").await.check_leads_to("/login");
}

#[actix_web::test]
async fn two_managers_who_demote_each_other_leave_one() {
    for (path, form) in [("/users/role", &[("role", "viewer")][..]), ("/users/disable", &[]), ("/users/remove", &[])] {
        let app = App::start().await;
        let first = Browser::of(&app, Role::Manager).await;
        add_user(&app, "other", Role::Manager);
        let mut second = Browser::new(&app);
        second.sign_in("other").await.check_leads_to("/");
        let send = |browser: &Browser<'_>, name: &'static str| {
            let form: Vec<_> = form.iter().copied().chain([("name", name)]).collect();
            browser.request(Method::POST, path).form(&form).send()
        };
        let (one, two) = futures_util::future::join(send(&first, "other"), send(&second, "manager")).await;
        let mut statuses = [one.unwrap().status().as_u16(), two.unwrap().status().as_u16()];
        statuses.sort_unstable();
        // Both are 303 when one comes so late that it is sent to the sign-in.
        assert!(matches!(statuses, [303, 303 | 409]), "{path}: {statuses:?}");
        let is_manager = |user: &users::User| user.role == Role::Manager && user.disabled.is_none();
        let left = users::list(&mut app.connection()).unwrap().into_iter().filter(is_manager).count();
        assert_eq!(left, 1, "{path}");
    }
}
