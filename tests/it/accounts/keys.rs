//! `/keys` over HTTP: made, shown once, working at once, and revoked at once.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use reqwest::Method;
use tessera::access::Role;
use tessera::store::accounts::keys;
use tessera::token::Micros;

use crate::support::app::{Answer, App, add_key, send};
use crate::support::audit::{audited, check_audited};
use crate::support::browser::{Browser, shown_secret};

async fn query_with_key(app: &App, key: &str) -> Answer {
    send(app.anonymous(Method::GET, "/query_token").query(&[("value", "x")]).bearer_auth(key)).await
}

#[actix_web::test]
async fn a_key_is_shown_once_and_works_and_stops_at_once() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/").await.check(200, &["href=\"/tickets/keys\""]);
    browser.get("/keys/add").await.check(200, &["Time in Europe/Vienna", "Scans tokens at the door"]);
    let form = [("name", " door-3 "), ("role", "scanner"), ("expires", "")];
    let made = browser.post("/keys/add", &form).await;
    made.check(200, &["it is shown only once", "API key door-3", "Copy key", "Valid until you revoke it", "curl -H"]);
    assert_eq!(made.headers["cache-control"], "no-store");
    let key = shown_secret(&made);
    assert!(key.starts_with("tsr_") && key.len() == 52, "{key}");
    let curl = format!("Bearer {key}&#39; &#39;{}/query_token?value=test", app.base);
    assert!(made.text.contains(&curl), "{curl} is not in {}", made.text);
    check_audited(&app, ["user:manager", "key add", "door-3", "scanner"]);
    query_with_key(&app, &key).await.check_success();
    tokio::time::sleep(Duration::from_millis(200)).await;

    browser.post("/keys/add", &form).await.check(422, &["There is already an API key door-3", "href=\"#name\""]);
    let list = browser.get("/keys").await;
    list.check(200, &["door-3", "Scanner", "by manager", "Active", "just now"]);
    let asked = browser.get("/keys/revoke?name=door-3").await;
    asked.check(200, &["Revoke API key door-3?", "by manager"]);
    assert!(!list.text.contains(&key) && !asked.text.contains(&key));
    query_with_key(&app, &key).await.check_success();
    let revoked = browser.post("/keys/revoke", &[("name", "door-3")]).await;
    query_with_key(&app, &key).await.check_failure("Unauthorized");
    browser
        .get(revoked.check_leads_to("/tickets/keys?done=revoked").location.strip_prefix("/tickets").unwrap())
        .await
        .check(200, &["API key revoked."]);
    check_audited(&app, ["user:manager", "key revoke", "door-3", ""]);
    browser
        .post("/keys/revoke", &[("name", "door-3")])
        .await
        .check(409, &["There is no key door-3.", "<h1>API keys</h1>"]);
    assert!(!audited(&app).iter().flatten().any(|text| text.contains(&key)));

    let again = shown_secret(browser.post("/keys/add", &form).await.check(200, &[]));
    assert_ne!(again, key);
    query_with_key(&app, &again).await.check_success();
    query_with_key(&app, &key).await.check_failure("Unauthorized");
}

#[actix_web::test]
async fn a_key_has_the_role_that_was_chosen() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for role in Role::ALL {
        let name = format!("own-{role}");
        let key =
            shown_secret(browser.post("/keys/add", &[("name", &name), ("role", role.word())]).await.check(200, &[]));
        let list = app.anonymous(Method::GET, "/query_tokens").bearer_auth(&key);
        assert_eq!(send(list).await.status, if role == Role::Scanner { 403 } else { 200 }, "{role}");
        query_with_key(&app, &key).await.check_success();
    }
}

#[actix_web::test]
async fn a_key_ends_at_a_moment_in_the_configured_zone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let form = [("name", "later"), ("role", "viewer"), ("expires", "2999-07-01T12:30")];
    browser.post("/keys/add", &form).await.check(200, &["Valid until", "1 Jul 2999 12:30", "2999-07-01T10:30:00Z"]);
    let stored = keys::by_name(&mut app.connection(), "later").unwrap().unwrap();
    assert_eq!(stored.expires, Micros::read("2999-07-01T10:30:00Z", Tz::UTC).ok());
    browser.get("/keys").await.check(200, &["until <time datetime=\"2999-07-01T10:30:00Z\""]);

    let soon = (Utc::now() + TimeDelta::seconds(3)).with_timezone(&Tz::Europe__Vienna);
    let expires = soon.format("%Y-%m-%dT%H:%M:%S").to_string();
    let short = [("name", "short"), ("role", "viewer"), ("expires", expires.as_str())];
    let key = shown_secret(browser.post("/keys/add", &short).await.check(200, &[]));
    query_with_key(&app, &key).await.check_success();
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    query_with_key(&app, &key).await.check_failure("Unauthorized");
    browser.get("/keys").await.check(200, &["Expired", "since <time"]);
    browser.get("/keys/revoke?name=short").await.check(200, &["<dt>Expired</dt>"]);
}

#[actix_web::test]
async fn a_new_key_that_cannot_be_is_refused_beside_the_field() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let good = [("name", "door-3"), ("role", "scanner"), ("expires", "")];
    let count = |app: &App| keys::list(&mut app.connection()).unwrap().len();
    let (before, long) = (count(&app), "x".repeat(65));
    for (field, text, says) in [
        ("name", "", "A name needs 1 to 64"),
        ("name", "a b", "A name needs"),
        ("name", "a:b", "A name needs"),
        ("name", "a\0b", "A name needs"),
        ("name", "\"><img src=x onerror=alert(1)>", "A name needs"),
        ("name", "scanner", "There is already an API key scanner"),
        ("name", &long, "A name needs"),
        ("role", "", "Choose a role."),
        ("role", "root", "Choose a role"),
        ("expires", "2001-01-01T00:00", "must be in the future"),
        ("expires", "soon", "is not a time"),
        ("expires", "2999-03-31T02:30", "does not exist in the time zone"),
        ("expires", "99999-01-01T00:00", "“Valid until”"),
    ] {
        let fields: Vec<_> =
            good.iter().map(|(name, value)| (*name, if *name == field { text } else { value })).collect();
        let page = browser.post("/keys/add", &fields).await;
        page.check(
            422,
            &["API key not created", &format!("href=\"#{field}\""), &format!("id=\"{field}-error\""), says],
        );
        assert!(!page.text.contains("<img src=x") && !page.text.contains("tsr_"));
        if field != "name" {
            assert_eq!(page.field("name"), "door-3", "what was typed is kept");
        }
        if field == "expires" {
            assert_eq!(page.field("expires"), text);
        }
    }
    assert_eq!(count(&app), before);
}

#[actix_web::test]
async fn what_is_no_key_is_not_found_and_none_at_all_is_explained() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    for name in ["nobody", "", "..", "a%00b", "%3Cb%3E"] {
        browser.get(&format!("/keys/revoke?name={name}")).await.check(404, &["Page not found"]);
    }
    browser.post("/keys/revoke", &[("name", "a\0b")]).await.check(404, &[]);
    browser.post("/keys/revoke?name=scanner", &[]).await.check(404, &[]);
    for role in Role::ALL {
        browser.post("/keys/revoke", &[("name", role.word())]).await.check_leads_to("/keys");
    }
    browser.get("/keys").await.check(200, &["No API keys yet", "Create the first API key"]);
}

#[actix_web::test]
async fn keys_are_for_managers() {
    let app = App::start().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        let allowed = role == Role::Manager;
        for page in ["/keys", "/keys/add", "/keys/revoke?name=scanner"] {
            assert_eq!(browser.get(page).await.status, if allowed { 200 } else { 403 }, "{role} {page}");
        }
        if !allowed {
            browser.post("/keys/add", &[("name", "x"), ("role", "manager")]).await.check(403, &["Only managers"]);
            browser.post("/keys/revoke", &[("name", "manager")]).await.check(403, &["Only managers"]);
        }
    }
    let mut nobody = Browser::new(&app);
    nobody.post("/keys/revoke", &[("name", "x")]).await.check_leads_to("/login?next=%2Fkeys");
    // A manager's key is a manager, and can end itself.
    let own = add_key(&mut app.connection(), "own", Role::Manager, None);
    let revoke = |key: &str| app.anonymous(Method::POST, "/keys/revoke").bearer_auth(key).form(&[("name", "own")]);
    assert_eq!(revoke(&own).send().await.unwrap().status(), 401, "after the redirect it is nobody's");
    query_with_key(&app, &own).await.check_failure("Unauthorized");
}
