//! A cookie that the browser does not keep, and the cookie's name.

use reqwest::{Method, RequestBuilder};
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PASSWORD, add_user};
use crate::support::database::on_postgres;

/// A sign-in as the browser of `origin` sends it.
fn sign_in(browser: &Browser<'_>, origin: Option<&str>) -> RequestBuilder {
    let request = browser.request(Method::POST, "/login");
    let request = origin.into_iter().fold(request, |request, origin| request.header("Origin", origin));
    request.form(&[("name", "anna"), ("password", PASSWORD), ("next", "/tickets/add?label=A%26B")])
}

#[actix_web::test]
async fn a_cookie_that_did_not_come_back_is_said_with_the_address_that_is_right() {
    let app = App::start_as("https://example.org/tickets").await;
    add_user(&app, "anna", Role::Editor);
    for origin in [Some("http://10.0.0.5:8080"), Some("null"), None] {
        let answer = sign_in(&Browser::new(&app), origin).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{origin:?}");
        let location = answer.headers()["location"].to_str().unwrap().replacen("/tickets", "", 1);
        assert!(location.starts_with("/login?check_cookie=1&next=%2Ftickets%2Fadd"), "{location}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        // It came by http: the browser has dropped the cookie.
        let page = Browser::new(&app).get(&location).await;
        page.check(422, &["role=\"alert\"", "https only", "open https://example.org/tickets/", "--public-url"]);
        assert_eq!(page.field("next"), "/tickets/add?label=A%26B");
        // It came by https, of which the proxy says nothing: all is well, and it goes on.
        let kept = Browser::of_cookie(&app, &cookie).get(&location).await;
        assert_eq!(kept.check_leads_to("/tickets/").location, "/tickets/add?label=A%26B", "{origin:?}");
    }
    // Who came by https for sure is not sent there.
    let answer = sign_in(&Browser::new(&app), Some("https://example.org")).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/tickets/add?label=A%26B");
    let forged = Browser::new(&app).get("/login?check_cookie=1&next=%2F%2Fevil.example").await;
    assert!(forged.check(422, &[]).field("next") == "/tickets/", "{}", forged.text);
}

#[actix_web::test]
async fn a_cookie_that_is_for_http_too_needs_no_look() {
    for app in [App::start().await, App::start_as("http://example.org/tickets").await] {
        add_user(&app, "anna", Role::Editor);
        for origin in [Some("https://example.org"), Some("http://example.org"), None] {
            let answer = sign_in(&Browser::new(&app), origin).send().await.unwrap();
            assert_eq!(answer.status(), 303, "{origin:?}");
            assert!(!answer.headers()["location"].to_str().unwrap().contains("check_cookie"), "{origin:?}");
        }
    }
}

#[actix_web::test]
async fn two_instances_on_one_host_do_not_sign_each_other_out() {
    let (one, other) = (App::start().await, App::start_as("http://127.0.0.1:81").await);
    let (browser, second) = (Browser::of(&one, Role::Viewer).await, Browser::of(&other, Role::Viewer).await);
    let (first, second) = (browser.cookie().unwrap(), second.cookie().unwrap());
    let name = |cookie: &str| cookie.split('=').next().unwrap().to_owned();
    let port = one.base.rsplit(':').next().unwrap();
    // On a server, instances on several ports are one, and only what is configured tells them from others.
    assert_eq!(name(first), if on_postgres() { "tessera".to_owned() } else { format!("tessera_{port}") });
    assert_eq!(name(second), "tessera_81");
    // A browser sends all cookies of a host to each of its ports.
    let both = format!("{first}; {second}");
    for app in [&one, &other] {
        Browser::of_cookie(app, &both).get("/").await.check(200, &["Sign out"]);
    }
    let signed_out = Browser::of_cookie(&one, &both).post("/logout", &[]).await;
    let ended = signed_out.headers["set-cookie"].to_str().unwrap();
    assert!(ended.starts_with(&format!("{}=;", name(first))), "{ended}");
    Browser::of_cookie(&other, &both).get("/").await.check(200, &["Sign out"]);
}
