//! `/users` over HTTP: every action, every refusal, and what becomes of sessions.

use diesel::prelude::*;
use diesel::sql_types::Text;
use reqwest::Method;
use tessera::access::Role;
use tessera::store::accounts::users;

use crate::app::App;
use crate::browser::{Browser, PageAnswer, add_user};

const OTHER: &str = "lantern under 7 bridges";

async fn sign_in(app: &App, name: &str, password: &str) -> PageAnswer {
    Browser::new(app).post("/login", &[("name", name), ("password", password)]).await
}

/// The secret that a page shows once.
pub fn secret(page: &PageAnswer) -> String {
    let start = page.text.find("<code>").unwrap_or_else(|| panic!("no secret in {}", page.text)) + "<code>".len();
    page.text[start..].split("</code>").next().unwrap().to_owned()
}

/// What the audit holds: who, what, of whom, and its detail, the last first.
pub fn audited(app: &App) -> Vec<[String; 4]> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        principal: String,
        #[diesel(sql_type = Text)]
        action: String,
        #[diesel(sql_type = Text)]
        subject: String,
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let query = "SELECT principal, action, subject, detail FROM audit ORDER BY id DESC";
    let rows: Vec<Row> = diesel::sql_query(query).load(&mut app.connection()).unwrap();
    rows.into_iter().map(|row| [row.principal, row.action, row.subject, row.detail]).collect()
}

/// Holds that the last thing audited is this.
#[track_caller]
pub fn check_audited(app: &App, entry: [&str; 4]) {
    assert_eq!(audited(app)[0], entry.map(str::to_owned));
}

#[actix_web::test]
async fn a_user_is_added_with_a_typed_password() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/").await.check(200, &["href=\"/tickets/users\""]);
    browser.get("/users").await.check(200, &["manager", "you", "just now", "Active"]);
    browser
        .get("/users/add")
        .await
        .check(200, &["Add user", "Uses tokens and asks for one exact value", "shows it once"]);
    let form = [("name", " Zoë@home "), ("role", "editor"), ("password", OTHER)];
    let added = browser.post("/users/add", &form).await;
    assert_eq!(added.check_leads_to("/").location, "/tickets/users?done=added");
    check_audited(&app, ["user:manager", "user add", "Zoë@home", "editor"]);
    browser
        .get("/users?done=added")
        .await
        .check(200, &["The user is added", "Zoë@home", "never", "name=Zo%C3%AB%40home"]);
    sign_in(&app, "Zoë@home", OTHER).await.check_leads_to("/tickets/");
    let user = users::find(&mut app.connection(), "Zoë@home").unwrap().unwrap();
    assert_eq!((user.role, user.last_sign_in.is_some(), user.disabled), (Role::Editor, true, None));
}

#[actix_web::test]
async fn a_made_password_is_shown_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let form = [("name", "anna"), ("role", "viewer"), ("password", "")];
    let made = browser.post("/users/add", &form).await;
    made.check(200, &["It is shown once", "The password of anna", "Copy password", "The user is added"]);
    assert_eq!(made.headers["cache-control"], "no-store");
    let first = secret(&made);
    assert_eq!(first.len(), 24);
    sign_in(&app, "anna", &first).await.check_leads_to("/");
    browser.post("/users/add", &form).await.check(422, &["There is a user anna already."]);
    let reset = browser.post("/users/password", &[("name", "anna"), ("password", "")]).await;
    let second = secret(reset.check(200, &["It is shown once", "every session of this user is ended"]));
    assert_ne!(first, second);
    for page in ["/users", "/users/edit?name=anna", "/users/remove?name=anna", "/account"] {
        let text = browser.get(page).await.text;
        assert!(!text.contains(&first) && !text.contains(&second) && !text.contains("argon2"), "{page}");
    }
    sign_in(&app, "anna", &first).await.check(422, &[]);
    sign_in(&app, "anna", &second).await.check_leads_to("/");
    assert!(!audited(&app).iter().flatten().any(|text| text.contains(&first) || text.contains(&second)));
}

#[actix_web::test]
async fn a_new_user_that_cannot_be_is_refused_beside_the_field() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let good = [("name", "anna"), ("role", "viewer"), ("password", OTHER)];
    let long = "x".repeat(65);
    let before = audited(&app).len();
    for (field, text, says) in [
        ("name", "", "A name has 1 to 64"),
        ("name", "a b", "A name has"),
        ("name", "a/b", "A name has"),
        ("name", "-anna", "no hyphen first"),
        ("name", "an\0na", "A name has"),
        ("name", "<script>alert(1)</script>", "A name has"),
        ("name", "\u{202e}anna", "A name has"),
        ("name", "manager", "There is a user manager already."),
        ("name", &long, "A name has"),
        ("role", "", "Choose one of the five roles."),
        ("role", "root", "Choose one"),
        ("role", "manager'; --", "Choose one"),
        ("password", "short", "A password has 12 to 1000 characters"),
        ("password", "password1234", "among the common ones"),
        ("password", "annaannaanna", "among the common ones"),
        ("password", &"x7".repeat(501), "A password has"),
    ] {
        let fields: Vec<_> =
            good.iter().map(|(name, value)| (*name, if *name == field { text } else { value })).collect();
        let page = browser.post("/users/add", &fields).await;
        let link = format!("href=\"#{field}\"");
        page.check(422, &["The user was not added", &link, &format!("id=\"{field}-error\""), says]);
        assert!(!page.text.contains("<script>alert") && !page.text.contains(OTHER), "{field} {text:?}");
        if field != "name" {
            assert_eq!(page.field("name"), "anna", "what was typed is kept");
        }
        if field != "role" {
            page.check(422, &["value=\"viewer\" required aria-describedby=\"may-viewer\" checked"]);
        }
    }
    assert_eq!((users::list(&mut app.connection()).unwrap().len(), audited(&app).len()), (1, before));
    browser.post("/users/add", &[]).await.check(422, &["href=\"#name\"", "href=\"#role\""]);
    // What a link brings along is no form.
    browser.post("/users/add?name=eve&role=manager", &[]).await.check(422, &["href=\"#name\""]);
}

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
    browser.get(&same.check_leads_to("/users/edit?name=editor&done=same").location).await.check(200, &["what it was"]);
    anna.get("/add").await.check(200, &[]);
    let changed = browser.post("/users/role", &[("name", "editor"), ("role", "viewer")]).await;
    browser.get(&changed.check_leads_to("/users/edit").location).await.check(200, &["The role is changed"]);
    check_audited(&app, ["user:manager", "user role", "editor", "viewer"]);
    anna.get("/").await.check_leads_to("/login");
    anna.sign_in("editor").await.check_leads_to("/");
    anna.get("/add").await.check(403, &[]);
    browser.post("/users/role", &[("name", "editor"), ("role", "root")]).await.check(422, &["href=\"#role\""]);
    browser.post("/users/role", &[("name", "editor")]).await.check(422, &["Choose one"]);
}

#[actix_web::test]
async fn a_password_is_reset_and_ends_the_sessions() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let mut anna = Browser::of(&app, Role::Editor).await;
    for (bad, says) in [("short", "12 to 1000 characters"), ("password1234", "common"), ("editoreditor", "common")] {
        let page = browser.post("/users/password", &[("name", "editor"), ("password", bad)]).await;
        page.check(422, &["Nothing was changed", "id=\"password-error\"", says]);
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
    anna.sign_in("editor").await.check(422, &["do not fit together"]);
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
    browser.get("/users/remove?name=editor").await.check(200, &["Remove this user?", "cannot be undone"]);
    anna.get("/").await.check(200, &[]);
    let removed = browser.post("/users/remove", &[("name", "editor")]).await;
    browser.get(&removed.check_leads_to("/users?done=removed").location).await.check(200, &["The user is removed"]);
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
async fn what_is_no_user_is_not_found() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for name in ["nobody", "", "..", "a%00b", "%3Cscript%3E", "-x"] {
        for page in ["edit", "remove"] {
            browser.get(&format!("/users/{page}?name={name}")).await.check(404, &["Nothing is here"]);
        }
    }
    for path in ["/users/role", "/users/password", "/users/disable", "/users/enable", "/users/remove"] {
        browser.post(path, &[("name", "a\0b"), ("role", "viewer")]).await.check(404, &[]);
        browser.post(&format!("{path}?name=manager"), &[]).await.check(404, &[]);
        if path != "/users/remove" {
            browser.get(path).await.check(405, &[]);
        }
    }
    // A name that a browser would take for a way up.
    browser
        .post("/users/add", &[("name", ".."), ("role", "viewer"), ("password", OTHER)])
        .await
        .check_leads_to("/users");
    browser.get("/users").await.check(200, &["/users/edit?name=.."]);
    browser.post("/users/remove", &[("name", "..")]).await.check_leads_to("/users?done=removed");
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
        refused.check(409, &["Nothing was changed", "This is the last manager; make another user a manager first."]);
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
    browser.get("/users/remove?name=manager").await.check(200, &["Remove yourself?", "You are signed out at once"]);

    let made = browser.post("/users/password", &[("name", "manager")]).await;
    let password = secret(made.check(200, &["Your password is changed", "I have it, sign in"]));
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
    browser.get("/users").await.check(403, &["for managers"]);

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

#[actix_web::test]
async fn users_are_for_managers() {
    let app = App::start().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        let allowed = role == Role::Manager;
        for page in ["/users", "/users/add", "/users/edit?name=scanner", "/users/remove?name=scanner"] {
            assert_eq!(browser.get(page).await.status, if allowed { 200 } else { 403 }, "{role} {page}");
        }
        for path in ["/users/add", "/users/role", "/users/password", "/users/disable", "/users/enable", "/users/remove"]
        {
            let answer = browser.post(path, &[("name", role.word()), ("role", "manager"), ("password", "short")]).await;
            if !allowed {
                answer.check(403, &["for managers"]);
            }
        }
        if !allowed {
            let account = browser.get("/account").await;
            assert!(!account.text.contains("/users\""), "{role}: no door is shown");
        }
    }
    assert_eq!(users::list(&mut app.connection()).unwrap().len(), 5, "the last manager stays, and nobody else could");
}

#[actix_web::test]
async fn nobody_is_sent_to_sign_in_and_back_to_a_page() {
    let app = App::start().await;
    let mut nobody = Browser::new(&app);
    for (path, back) in [("/users/role", "%2Fusers"), ("/users/remove", "%2Fusers"), ("/users/add", "%2Fusers%2Fadd")] {
        let sent = nobody.post(path, &[("name", "x")]).await;
        assert_eq!(sent.check_leads_to("/login").location, format!("/login?next={back}"));
    }
    nobody.site = Some("cross-site");
    nobody.post("/users/add", &[("name", "eve")]).await.check(403, &["another site"]);
}
