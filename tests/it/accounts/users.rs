//! `/users` over HTTP: every action, every refusal, and what becomes of sessions.

use tessera::access::Role;
use tessera::store::accounts::users;

use crate::support::app::App;
use crate::support::audit::{audited, check_audited};
use crate::support::browser::{Browser, PageAnswer, shown_secret};

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
    let first = shown_secret(&made);
    assert_eq!(first.split('-').count(), 5, "words that can be typed on a phone: {first}");
    assert!(first.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{first}");
    sign_in(&app, "anna", &first).await.check_leads_to("/");
    browser.post("/users/add", &form).await.check(422, &["There is a user anna already."]);
    let reset = browser.post("/users/password", &[("name", "anna"), ("password", "")]).await;
    let second = shown_secret(reset.check(200, &["It is shown once", "every session of this user is ended"]));
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
