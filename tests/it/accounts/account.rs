//! `/account`: the password and the sessions of whoever is signed in.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PASSWORD};

#[actix_web::test]
async fn the_account_changes_the_password_and_ends_sessions() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let mut other = Browser::new(&app);
    other.sign_in("editor").await.check_leads_to("/");
    let page = browser.get("/account").await;
    page.check(200, &["editor", "This browser", "Sign out everywhere else"]);
    let session = page.field("session");
    browser.post("/account/sessions/end", &[("session", &session)]).await.check_leads_to("/account?done=ended");
    browser.get("/account?done=ended").await.check(200, &["That browser is signed out"]);
    other.get("/").await.check_leads_to("/login");
    browser.get("/").await.check(200, &[]);
    browser.post("/account/sessions/end", &[("session", "x")]).await.check(422, &[]);

    let change = |current, password, again| [("current", current), ("password", password), ("again", again)];
    let wrong = browser.post("/account/password", &change("wrong", "short", "other")).await;
    wrong.check(422, &["Wrong current password", "12 to 1,000 characters", "two new passwords are different"]);
    let common = browser.post("/account/password", &change(PASSWORD, "password1234", "password1234")).await;
    common.check(422, &["too easy to guess"]);
    other.sign_in("editor").await.check_leads_to("/");
    let new = "another-tile-of-1888";
    browser.post("/account/password", &change(PASSWORD, new, new)).await.check_leads_to("/account?done=password");
    browser.get("/account?done=password").await.check(200, &["Password changed"]);
    other.get("/").await.check_leads_to("/login");
    other.sign_in("editor").await.check(422, &[]);
    other.post("/login", &[("name", "editor"), ("password", new)]).await.check_leads_to("/");
}
