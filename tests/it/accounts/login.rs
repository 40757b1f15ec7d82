//! Signing in and out: sessions, throttling, the way back, and requests of other sites.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::{Principal, Role};
use tessera::store::accounts::users;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::app::{App, send};
use crate::support::browser::{Browser, PASSWORD, add_user};

#[actix_web::test]
async fn pages_want_a_sign_in_and_come_back_after_it() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&[]).await;
    add_user(&app, "anna", Role::Editor);
    let mut browser = Browser::new(&app);
    for (path, next) in
        [("/", "%2Ftickets%2F"), ("/add?x=1", "%2Ftickets%2Fadd%3Fx%3D1"), ("/nothing", "%2Ftickets%2Fnothing")]
    {
        browser.get(path).await.check_leads_to(&format!("/tickets/login?next={next}"));
    }
    let form = browser.get(&format!("/login?next=%2Ftickets%2F{uid}")).await;
    form.check(200, &["Sign in", "name=\"password\""]);
    let next = form.field("next");
    let signed_in = browser.post("/login", &[("name", "anna"), ("password", PASSWORD), ("next", &next)]).await;
    assert_eq!(signed_in.check_leads_to("/tickets/").location, format!("/tickets/{uid}"));
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    for part in ["tessera", "HttpOnly", "SameSite=Lax", "Path=/tickets"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("anna"), "{cookie}");
    browser.get("/").await.check(200, &["anna", "Sign out"]);
}

#[actix_web::test]
async fn the_way_back_stays_here() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Editor);
    for trap in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "javascript:alert(1)",
        "evil",
        "/\t/evil.example",
        "",
    ] {
        let mut browser = Browser::new(&app);
        let form = [("name", "anna"), ("password", PASSWORD), ("next", trap)];
        assert_eq!(browser.post("/login", &form).await.check_leads_to("/").location, "/", "{trap:?}");
    }
}

#[actix_web::test]
async fn wrong_names_and_wrong_passwords_are_told_the_same() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Editor);
    let mut browser = Browser::new(&app);
    let says = ["Wrong name or password", "role=\"alert\""];
    let wrong = browser.post("/login", &[("name", "anna"), ("password", "wrong")]).await;
    wrong.check(422, &says);
    assert_eq!(wrong.field("name"), "anna", "what was typed is kept");
    assert!(!wrong.text.contains("value=\"wrong\""), "but not the password");
    let unknown = browser.post("/login", &[("name", "nobody"), ("password", PASSWORD)]).await;
    assert_eq!(unknown.check(422, &says).text.replace("nobody", "anna"), wrong.text);
    let long = "x".repeat(2_000);
    browser.post("/login", &[("name", "anna"), ("password", &long)]).await.check(422, &says);
    browser.post("/login", &[]).await.check(422, &says);
    let megabyte = "x".repeat(1_000_000);
    browser.post("/login", &[("name", "anna"), ("password", &megabyte)]).await.check(413, &["Too much data"]);
    assert!(browser.cookie().is_none());
}

#[actix_web::test]
async fn spaces_around_a_name_are_ignored() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Editor);
    for name in [" anna", "anna ", "\tanna\u{a0}"] {
        let signed_in = Browser::new(&app).post("/login", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.check_leads_to("/").location, "/", "{name:?}");
    }
    let wrong = Browser::new(&app).post("/login", &[("name", " anna "), ("password", " wrong ")]).await;
    wrong.check(422, &["Wrong name or password."]);
    let spaced = [("name", "anna"), ("password", &*format!("{PASSWORD} "))];
    Browser::new(&app).post("/login", &spaced).await.check(422, &["Wrong name or password."]);
}

#[actix_web::test]
async fn guessing_is_throttled_by_name_and_by_address() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Editor);
    let mut browser = Browser::new(&app);
    for _ in 0..12 {
        browser.sign_in("anna").await.check_leads_to("/");
    }
    for n in 0..10 {
        let name = if n % 2 == 0 { "anna" } else { "nobody" };
        browser.post("/login", &[("name", name), ("password", "wrong")]).await.check(422, &[]);
    }
    let waits = browser.sign_in("ben").await;
    waits.check(429, &["Too many attempts. Wait"]);
    let seconds: u64 = waits.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "by address, {seconds}");
    // Elsewhere, only the name counts.
    app.connection().batch_execute("DELETE FROM attempts WHERE subject LIKE 'address:%'").unwrap();
    for _ in 0..5 {
        browser.post("/login", &[("name", "anna"), ("password", "wrong")]).await.check(422, &[]);
        app.connection().batch_execute("DELETE FROM attempts WHERE subject LIKE 'address:%'").unwrap();
    }
    browser.sign_in("anna").await.check(429, &["Too many attempts"]);
    // The clock was years ahead at those tries, and was put right.
    let ahead = "UPDATE attempts SET timestamp = timestamp + 90000000000000";
    app.connection().batch_execute(ahead).unwrap();
    browser.sign_in("anna").await.check_leads_to("/");
    for _ in 0..10 {
        browser.post("/login", &[("name", "anna"), ("password", "wrong")]).await.check(422, &[]);
        app.connection().batch_execute("DELETE FROM attempts WHERE subject LIKE 'address:%'").unwrap();
    }
    // A minute later.
    app.connection().batch_execute("UPDATE attempts SET timestamp = timestamp - 61000000").unwrap();
    browser.sign_in("anna").await.check_leads_to("/");
}

#[actix_web::test]
async fn of_many_guesses_at_once_ten_are_tried() {
    let app = App::start().await;
    let browser = Browser::new(&app);
    let guess = || browser.request(Method::POST, "/login").form(&[("name", "anna"), ("password", "wrong")]).send();
    let answers = futures_util::future::join_all((0..40).map(|_| guess())).await;
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
    let program = app.anonymous(Method::POST, "/login").header("Accept", "application/json").form(&[("name", "anna")]);
    send(program).await.check_failure("TooManyRequests");
}

#[actix_web::test]
async fn successes_do_not_count_however_many_come_at_once() {
    let app = App::start().await;
    add_user(&app, "anna", Role::Editor);
    let browser = Browser::new(&app);
    let sign_in = || browser.request(Method::POST, "/login").form(&[("name", "anna"), ("password", PASSWORD)]).send();
    let answers = futures_util::future::join_all((0..25).map(|_| sign_in())).await;
    for answer in answers {
        assert_eq!(answer.unwrap().status(), 303);
    }
}

#[actix_web::test]
async fn the_own_password_is_not_guessed_either() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let guess = [("current", "wrong"), ("password", "another-tile-of-1888"), ("again", "another-tile-of-1888")];
    for _ in 0..10 {
        browser.post("/account/password", &guess).await.check(422, &["Wrong current password"]);
    }
    browser.post("/account/password", &guess).await.check(429, &["Too many attempts"]);
}

#[actix_web::test]
async fn a_new_sign_in_ends_the_session_before_it() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let before = browser.cookie().unwrap().to_owned();
    browser.sign_in("editor").await.check_leads_to("/");
    assert_ne!(browser.cookie(), Some(before.as_str()));
    browser.get("/").await.check(200, &[]);
    browser.set_cookie(&before);
    browser.get("/").await.check_leads_to("/login");
}

#[actix_web::test]
async fn sessions_end_on_the_server() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let cookie = browser.cookie().unwrap().to_owned();
    let before = browser.get("/").await;
    before.check(200, &["Tokens"]);
    browser.post("/logout", &[]).await.check_leads_to("/login?done=signed-out");
    assert!(browser.cookie().is_none());
    browser.get("/login?done=signed-out").await.check(200, &["You are signed out"]);
    browser.set_cookie(&cookie);
    browser.get("/").await.check_leads_to("/login");

    browser.sign_in("editor").await.check_leads_to("/");
    let ends = [
        "UPDATE sessions SET last_seen = last_seen - 43201000000",
        "UPDATE sessions SET created = created - 2592001000000",
        // It was made while the clock was ahead, and would last for as long as that.
        "UPDATE sessions SET created = created + 400000000, last_seen = last_seen + 400000000",
        "UPDATE users SET disabled_at = 1",
    ];
    for end in ends {
        app.connection().batch_execute(end).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser.get("/").await.check_leads_to("/login");
        app.connection().batch_execute("UPDATE users SET disabled_at = NULL").unwrap();
        browser.sign_in("editor").await.check_leads_to("/");
    }
    let by = Principal::shell("test");
    add_user(&app, "other", Role::Manager);
    transaction(&mut app.connection(), |c| users::set_role(c, "editor", Role::Viewer, &by, Micros::now())).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    browser.get("/").await.check_leads_to("/login");
    browser.sign_in("editor").await.check_leads_to("/");
    transaction(&mut app.connection(), |c| users::remove(c, "editor", &by, Micros::now())).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    browser.get("/").await.check_leads_to("/login");
}

#[actix_web::test]
async fn a_made_up_cookie_is_nobody() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let good = browser.cookie().unwrap().to_owned();
    let name = good.split('=').next().unwrap();
    for bad in [
        &*format!("{name}=x"),
        &format!("{name}="),
        &format!("{good}x"),
        &good[..good.len() - 4],
        &format!("{name}=%00%ff"),
    ] {
        browser.set_cookie(bad);
        browser.get("/").await.check_leads_to("/login");
    }
}

#[actix_web::test]
async fn requests_of_other_sites_are_refused() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    let (using, consuming) = (format!("/{uid}/use"), format!("/{uid}/consume_token"));
    let host = app.base.trim_start_matches("http://").to_owned();
    for (site, origin, allowed) in [
        (Some("same-origin"), None, true),
        (Some("none"), None, true),
        (Some("cross-site"), None, false),
        (Some("same-site"), None, false),
        (Some("cross-site"), Some(app.base.clone()), false),
        (None, Some(app.base.clone()), true),
        (None, Some(format!("https://{host}")), true),
        (None, Some("https://evil.example".into()), false),
        (None, Some("null".into()), false),
        (None, None, true),
    ] {
        browser.site = site;
        for path in [&using, &consuming, &"/login".to_owned(), &"/logout".to_owned()] {
            if allowed && path == "/logout" {
                continue;
            }
            let mut request = browser.request(Method::POST, path);
            if let Some(origin) = &origin {
                request = request.header("Origin", origin);
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status != 403, allowed, "{site:?} {origin:?} {path}: {status}");
        }
    }
    // By key it is no browser's doing.
    let by_key = app.request(Role::Scanner, Method::POST, &consuming).header("Sec-Fetch-Site", "cross-site");
    send(by_key).await.check_success();
}

#[actix_web::test]
async fn a_signed_in_browser_consumes_by_get_from_here_only() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "9")]).await;
    let path = format!("/{uid}/consume_token");
    for site in [Some("none"), Some("cross-site"), None] {
        browser.site = site;
        assert_eq!(browser.get(&path).await.status, 403, "{site:?}");
    }
    assert_eq!(app.token(&uid).await["usage_count"], 9);
    browser.site = Some("same-origin");
    let navigates = browser.request(Method::GET, &path).header("Sec-Fetch-Mode", "navigate").send().await.unwrap();
    assert_eq!(navigates.status(), 403, "a redirect of ours may come from elsewhere");
    browser.get(&path).await.check(200, &["\"consumed\":true"]);
    assert_eq!(app.usage(Some(&uid)).await[0]["user"], "user:editor");
}

#[actix_web::test]
async fn a_session_that_ended_in_a_form_comes_back_to_it() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let mut browser = Browser::new(&app);
    for (path, next) in [
        (format!("/{uid}/edit"), format!("%2F{}%2Fedit", uid.replace('-', "%2D"))),
        (format!("/{uid}/use"), format!("%2F{}", uid.replace('-', "%2D"))),
        ("/add".into(), "%2Fadd".into()),
        ("/account/password".into(), "%2Faccount".into()),
        ("/logout".into(), "%2F".into()),
    ] {
        assert_eq!(browser.post(&path, &[]).await.check_leads_to("/login").location, format!("/login?next={next}"));
    }
}
