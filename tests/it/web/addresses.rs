//! A slash at the end of an address, and the base path without one.

use reqwest::Method;
use reqwest::redirect::Policy;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PASSWORD, add_user};
use crate::support::raw::{header, until_closed};

#[actix_web::test]
async fn a_slash_at_the_end_is_served() {
    for base_path in ["", "/tickets"] {
        let app = App::start_at(base_path).await;
        let uid = app.add(&[("usage_count", "9")]).await;
        let mut browser = Browser::of(&app, Role::Editor).await;
        for path in ["/add", "/actions", "/usage", "/scan", "/account", &format!("/{uid}"), &format!("/{uid}/edit")] {
            let plain = browser.get(path).await;
            let slashed = browser.get(&format!("{path}/?x=1/")).await;
            assert_eq!((slashed.status, slashed.text.len()), (200, plain.text.len()), "{path}");
            assert_eq!(slashed.headers["vary"], plain.headers["vary"], "{path}");
        }
        // Programs' views, by each of their methods.
        let form = [("usage_count", "1"), ("lock_time", ""), ("valid_from", ""), ("valid_to", "")];
        let add = app.request(Role::Editor, Method::POST, "/add_token/").form(&form).send().await.unwrap();
        assert_eq!(add.status(), 200);
        for (method, path) in [
            (Method::POST, format!("/{uid}/consume_token/")),
            (Method::GET, format!("/{uid}/consume_token/?test=1")),
            (Method::POST, format!("/consume_token/?token_uid={uid}")),
            (Method::GET, "/query_tokens/".into()),
        ] {
            let answer = app.request(Role::Editor, method, &path).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["content-type"]),
                (200, &"application/json".parse().unwrap()),
                "{path}"
            );
        }
        assert_eq!(app.token(&uid).await["usage_count"], 7, "each was one use");
        // What is refused without the slash is refused with it, and in the same way.
        let prefetch = app.request(Role::Editor, Method::GET, &format!("/{uid}/consume_token/"));
        assert_eq!(prefetch.header("Sec-Purpose", "prefetch").send().await.unwrap().status(), 403);
        let head = app.request(Role::Editor, Method::HEAD, &format!("/{uid}/consume_token/")).send().await.unwrap();
        assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET, POST".parse().unwrap()));
        let anonymous = app.anonymous(Method::POST, &format!("/{uid}/consume_token/")).send().await.unwrap();
        assert_eq!(
            (anonymous.status().as_u16(), &anonymous.headers()["content-type"]),
            (401, &"application/json".parse().unwrap())
        );
        for health in ["/healthz/", "/readyz/"] {
            assert_eq!(app.anonymous(Method::GET, health).send().await.unwrap().status(), 200);
        }
        for nothing in ["//", "/add//", "//add/", "/add%2F", "/add/%2F"] {
            assert_eq!(browser.get(nothing).await.status, 404, "{nothing}");
        }
    }
}

#[actix_web::test]
async fn a_sign_in_comes_back_from_an_address_with_a_slash() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&[]).await;
    add_user(&app, "anna", Role::Editor);
    for (asked, back) in [
        ("/add/".to_owned(), "/tickets/add".to_owned()),
        (format!("/{uid}/?x=/"), format!("/tickets/{uid}?x=/")),
        (format!("/{uid}/consume_token/"), "/tickets/".to_owned()),
        ("/sheet.pdf/?q=x".to_owned(), "/tickets/sheet?q=x".to_owned()),
    ] {
        let mut browser = Browser::new(&app);
        let led = browser.get(&asked).await;
        // A view is asked for by programs, which no sign-in page helps; its address may be given as `next` all the same.
        let next = format!("/tickets{asked}");
        if !asked.contains("consume_token") {
            let login = led.check_leads_to("/tickets/login?next=").location.replacen("/tickets", "", 1);
            browser.get(&login).await.check(200, &["Sign in"]);
        }
        let form = [("name", "anna"), ("password", PASSWORD), ("next", &next)];
        let to = browser.post("/login/", &form).await.location;
        assert_eq!(
            to.trim_end_matches('/').replace("/?", "?"),
            back.trim_end_matches('/').replace("/?", "?"),
            "{asked}"
        );
    }
    let mut browser = Browser::new(&app);
    for trap in [
        "//evil.example/",
        "/tickets//evil.example/",
        "/\\evil.example/",
        "/tickets/\\evil.example/",
        "/tickets/..//evil.example/",
    ] {
        let form = [("name", "anna"), ("password", PASSWORD), ("next", trap)];
        assert_eq!(browser.post("/login", &form).await.check_leads_to("/tickets/").location, "/tickets/", "{trap}");
    }
}

#[actix_web::test]
async fn no_address_leads_to_another_host() {
    for base_path in ["", "/tickets"] {
        let app = App::start_at(base_path).await;
        for path in [
            "//evil.example/",
            "//evil.example/add/",
            "///",
            "//",
            "/tickets//evil.example/",
            "http://evil.example/tickets",
            "http://evil.example/",
        ] {
            let request =
                format!("GET {path} HTTP/1.0\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n");
            let (head, _) = until_closed(&app.base, &request).await;
            let location = header(&head, "location");
            assert!(location.is_empty() || location.starts_with(&format!("{base_path}/")), "{path}: {head}");
            assert!(
                !location.starts_with("//") && !location.split('?').next().unwrap().contains("evil"),
                "{path}: {head}"
            );
        }
    }
}

#[actix_web::test]
async fn the_base_path_leads_to_the_first_page() {
    let app = App::start_as("https://example.org/tickets").await;
    let root = app.base.replace("/tickets", "");
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let signed_in = Browser::of(&app, Role::Viewer).await;
    for (path, location) in [
        ("/tickets", "/tickets/"),
        ("/tickets?q=a%20b&state=x", "/tickets/?q=a%20b&state=x"),
        ("/t%69ckets?x", "/tickets/?x"),
    ] {
        for (method, cookie) in [(Method::GET, ""), (Method::HEAD, ""), (Method::GET, signed_in.cookie().unwrap())] {
            let request = client.request(method, format!("{root}{path}")).header("Cookie", cookie);
            let answer = request.header("Host", "evil.example").send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &location.parse().unwrap()));
        }
    }
    let post = client.post(format!("{root}/tickets")).send().await.unwrap();
    assert_eq!((post.status().as_u16(), &post.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    assert_eq!(client.get(format!("{root}/ticketsx")).send().await.unwrap().status(), 404);
}
