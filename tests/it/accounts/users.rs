//! `/users` over HTTP: every action, every refusal, and what becomes of sessions.

use tessera::access::Role;
use tessera::store::accounts::users;

use crate::support::app::App;
use crate::support::audit::{audited, check_audited};
use crate::support::browser::{Browser, PageAnswer, add_user, shown_secret};

pub const OTHER: &str = "lantern under 7 bridges";

pub async fn sign_in(app: &App, name: &str, password: &str) -> PageAnswer {
    Browser::new(app).post("/login", &[("name", name), ("password", password)]).await
}

#[actix_web::test]
async fn a_user_is_added_with_a_typed_password() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/").await.check(200, &["href=\"/tickets/users\""]);
    browser.get("/users").await.check(200, &["manager", "you", "just now", "Active"]);
    browser.get("/users/add").await.check(200, &["Add user", "Scans tokens at the door", "shown once"]);
    let form = [("name", " Zoë@home "), ("role", "editor"), ("password", OTHER)];
    let added = browser.post("/users/add", &form).await;
    assert_eq!(added.check_leads_to("/").location, "/tickets/users?done=added&name=Zo%C3%AB%40home");
    check_audited(&app, ["user:manager", "user add", "Zoë@home", "editor"]);
    browser
        .get("/users?done=added&name=Zo%C3%AB%40home")
        .await
        .check(200, &["User Zoë@home added.", "Zoë@home", "never", "name=Zo%C3%AB%40home"]);
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
    made.check(200, &["it is shown only once", "Password for anna", "Copy password", "User anna added."]);
    assert_eq!(made.headers["cache-control"], "no-store");
    let first = shown_secret(&made);
    assert_eq!(first.split('-').count(), 5, "words that can be typed on a phone: {first}");
    assert!(first.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{first}");
    sign_in(&app, "anna", &first).await.check_leads_to("/");
    browser.post("/users/add", &form).await.check(422, &["There is already a user anna."]);
    let reset = browser.post("/users/password", &[("name", "anna"), ("password", "")]).await;
    let second = shown_secret(reset.check(200, &["it is shown only once", "anna is signed out everywhere"]));
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
        ("name", "", "A name needs 1 to 64"),
        ("name", "a b", "A name needs"),
        ("name", "a/b", "A name needs"),
        ("name", "-anna", "start with a hyphen"),
        ("name", "an\0na", "A name needs"),
        ("name", "<script>alert(1)</script>", "A name needs"),
        ("name", "\u{202e}anna", "A name needs"),
        ("name", "manager", "There is already a user manager."),
        ("name", &long, "A name needs"),
        ("role", "", "Choose a role."),
        ("role", "root", "Choose a role"),
        ("role", "manager'; --", "Choose a role"),
        ("password", "short", "A password must have 12 to 1,000 characters"),
        ("password", "password1234", "too easy to guess"),
        ("password", "annaannaanna", "too easy to guess"),
        ("password", &"x7".repeat(501), "A password must have"),
    ] {
        let fields: Vec<_> =
            good.iter().map(|(name, value)| (*name, if *name == field { text } else { value })).collect();
        let page = browser.post("/users/add", &fields).await;
        let link = format!("href=\"#{field}\"");
        page.check(422, &["User not added", &link, &format!("id=\"{field}-error\""), says]);
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
async fn a_role_says_what_it_may_and_is_not_taken_for_a_name() {
    let app = App::start().await;
    add_user(&app, "admin", Role::Manager);
    let mut browser = Browser::of(&app, Role::Manager).await;
    let list = browser.get("/users").await;
    let may = "Everything, including users, API keys, gates and settings.";
    list.check(200, &["<strong>Manager</strong>", may, "The name is admin, the role is Manager."]);
    assert_eq!(list.text.matches("The name is").count(), 1, "the user manager is one");
    browser.get("/users/edit?name=admin").await.check(200, &["<strong>Manager</strong>", may, "The name is admin"]);
    for form in ["/users/add", "/users/edit?name=admin", "/keys/add"] {
        let names = Role::ALL.map(|role| {
            let name = role.word();
            format!("<label for=\"role-{name}\">{}{}</label>", name[..1].to_uppercase(), &name[1..])
        });
        browser.get(form).await.check(200, &names.each_ref().map(String::as_str));
    }
    let account = Browser::of(&app, Role::Viewer).await.get("/account").await;
    account.check(
        200,
        &["Your role is <strong>Viewer</strong>", "Cannot change or use tokens.", "A manager can give you"],
    );
}

#[actix_web::test]
async fn what_is_no_user_is_not_found() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for name in ["nobody", "", "..", "a%00b", "%3Cscript%3E", "-x"] {
        for page in ["edit", "remove"] {
            browser.get(&format!("/users/{page}?name={name}")).await.check(404, &["Page not found"]);
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
                answer.check(403, &["Only managers"]);
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
