//! Errors are JSON for programs and pages for people, at every address.

use reqwest::{Method, Response};
use tessera::access::{Role, api_key};

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::tokens::MISSING_UID;

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn is_json(answer: &Response) -> bool {
    answer.headers()["content-type"] == "application/json"
}

fn varies(answer: &Response) -> bool {
    answer.headers().get_all("vary").iter().any(|vary| vary == "accept")
}

/// Below the base path and outside of it: what is asked for, and its status for a manager.
fn mistyped() -> Vec<(Method, String, u16)> {
    vec![
        (Method::GET, "/tickets/nothing".into(), 404),
        (Method::POST, "/tickets/add_tokenz".into(), 404),
        (Method::GET, "/tickets/not-a-uid/edit".into(), 404),
        (Method::GET, format!("/tickets/{MISSING_UID}"), 404),
        (Method::GET, "/tickets/nothing/".into(), 404),
        (Method::POST, "/tickets/".into(), 405),
        (Method::POST, "/tickets/overview".into(), 405),
        (Method::POST, "/tickets".into(), 405),
        (Method::GET, "/elsewhere".into(), 404),
        (Method::GET, "//".into(), 404),
        (Method::DELETE, "/healthz".into(), 405),
    ]
}

#[actix_web::test]
async fn a_bearer_gets_json_unless_it_prefers_html() {
    let app = App::start_at("/tickets").await;
    let root = app.base.replace("/tickets", "");
    let key = crate::support::app::add_key(&mut app.connection(), "program", Role::Manager, None);
    for (method, path, status) in mistyped() {
        for (accept, json) in [
            (None, true),
            (Some("*/*"), true),
            (Some("application/json"), true),
            (Some("application/json, text/plain, */*"), true),
            (Some(HTML), false),
        ] {
            let request = reqwest::Client::new().request(method.clone(), format!("{root}{path}")).bearer_auth(&key);
            let request = accept.into_iter().fold(request, |request, accept| request.header("Accept", accept));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} {accept:?}");
            assert_eq!(is_json(&answer), json, "{method} {path} {accept:?}");
            assert!(varies(&answer), "{method} {path} {accept:?}");
            let text = answer.text().await.unwrap();
            assert!(!json || text.contains(if status == 404 { "NotFound" } else { "MethodNotAllowed" }), "{text}");
        }
    }
    // So does a bearer that is none, and never a way to the sign-in page.
    for bearer in [format!("Bearer {}", api_key::generate()), "Bearer".into(), "Bearer x y".into()] {
        let answer = app.anonymous(Method::GET, "/").header("Authorization", &bearer).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), is_json(&answer)), (401, true), "{bearer}");
        let page = app.anonymous(Method::GET, "/").header("Authorization", &bearer).header("Accept", HTML);
        let page = page.send().await.unwrap();
        assert_eq!((page.status().as_u16(), is_json(&page)), (401, false), "{bearer}");
    }
    // A page stays a page.
    let page = app.request(Role::Manager, Method::GET, "/").send().await.unwrap();
    assert_eq!((page.status().as_u16(), is_json(&page), varies(&page)), (200, false, false));
}

#[actix_web::test]
async fn an_anonymous_browser_is_led_to_the_sign_in_page() {
    let app = App::start_at("/tickets").await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in ["/", "/nothing", "/add/"] {
        let ask = |accept: Option<&'static str>| {
            let request = client.get(format!("{}{path}", app.base));
            accept.into_iter().fold(request, |request, accept| request.header("Accept", accept)).send()
        };
        for accept in [None, Some("*/*"), Some(HTML)] {
            let answer = ask(accept).await.unwrap();
            assert_eq!((answer.status().as_u16(), varies(&answer)), (303, true), "{path} {accept:?}");
            let way_back = format!("/tickets/login?next=%2Ftickets{}", path.trim_end_matches('/').replace('/', "%2F"));
            assert!(answer.headers()["location"].to_str().unwrap().starts_with(&way_back), "{answer:?}");
        }
        let answer = ask(Some("application/json")).await.unwrap();
        assert_eq!((answer.status().as_u16(), is_json(&answer), varies(&answer)), (401, true, true), "{path}");
    }
}

#[actix_web::test]
async fn another_scheme_is_as_if_absent() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let nobody = Browser::new(&app);
    for header in ["Basic YW5uYTpzZWNyZXQ=", "Negotiate YII", "Digest username=\"anna\"", "", " ", "Bearers x"] {
        let with = |browser: &Browser<'_>, method: Method, path: &str| {
            browser.request(method, path).header("Authorization", header).send()
        };
        let page = with(&browser, Method::GET, "/").await.unwrap();
        assert_eq!(page.status(), 200, "{header:?} beside a session");
        let used = with(&browser, Method::POST, &format!("/{uid}/consume_token")).await.unwrap();
        assert_eq!(used.status(), 200, "{header:?}");
        assert_eq!(with(&nobody, Method::GET, "/add").await.unwrap().status(), 303, "{header:?}");
        assert_eq!(with(&nobody, Method::GET, "/query_tokens").await.unwrap().status(), 401, "{header:?}");
        // It is no key, by which no browser's page can ask: other sites are refused as ever.
        browser.site = Some("cross-site");
        assert_eq!(with(&browser, Method::POST, &format!("/{uid}/use")).await.unwrap().status(), 403, "{header:?}");
        let consume = with(&browser, Method::GET, &format!("/{uid}/consume_token")).await.unwrap();
        assert_eq!(consume.status(), 403, "{header:?}");
        browser.site = Some("same-origin");
    }
    // A bearer that is none is not passed over for the session beside it.
    for header in ["Bearer", "Bearer ", "bearer:x", "Bearer \u{e4}"] {
        let value = reqwest::header::HeaderValue::from_bytes(header.as_bytes()).unwrap();
        let page = browser.request(Method::GET, "/").header("Authorization", value).send().await.unwrap();
        assert_eq!(page.status(), 401, "{header:?}");
    }
    // Of two headers the bearer counts, as where a proxy passes on its own.
    let key = crate::support::app::add_key(&mut app.connection(), "program", Role::Viewer, None);
    let both = app.anonymous(Method::GET, "/query_tokens").header("Authorization", "Basic x").bearer_auth(&key);
    assert_eq!(both.send().await.unwrap().status(), 200);
}

#[actix_web::test]
async fn a_form_of_a_session_that_ended_is_kept_beside_a_proxys_header() {
    let app = App::start().await;
    let browser = Browser::of(&app, Role::Editor).await;
    let cookie = browser.cookie().unwrap().to_owned();
    let mut same = Browser::of_cookie(&app, &cookie);
    same.post("/logout", &[]).await.check_leads_to("/login");
    let sent = browser.request(Method::POST, "/add").form(&[("label", "Anna")]).header("Authorization", "Basic x");
    let answer = sent.send().await.unwrap();
    let way_back = answer.headers()["location"].to_str().unwrap();
    assert!(way_back.contains("label%3DAnna"), "{way_back}");
}
