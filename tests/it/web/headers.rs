//! Headers that every answer has, and HTTPS.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, add_user};

#[actix_web::test]
async fn every_page_has_its_headers() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[]).await;
    let tile = format!("/{uid}");
    let (edit, delete) = (format!("/{uid}/edit"), format!("/{uid}/delete"));
    for path in ["/login", "/", "/add", &tile, &edit, &delete, "/deleted", "/account", "/nothing"] {
        let page = browser.get(path).await;
        let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(policy.contains("worker-src 'self'; manifest-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert!(header("permissions-policy").contains("camera=(self)"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("strict-transport-security"), "", "not without https");
        assert!(!page.text.contains("style=\"") && !page.text.contains("<script>") && !page.text.contains("onclick"));
    }
}

#[actix_web::test]
async fn https_has_hsts_and_a_cookie_of_this_host() {
    for (public, name) in
        [("https://example.org", "__Host-tessera_443="), ("https://example.org/tickets", "__Secure-tessera_443=")]
    {
        let app = App::start_as(public).await;
        add_user(&app, "anna", Role::Editor);
        let mut browser = Browser::new(&app);
        let page = browser.get("/login").await;
        assert!(page.headers["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        let signed_in = browser.sign_in("anna").await;
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with(name) && cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    }
}

#[actix_web::test]
async fn every_answer_says_what_other_sites_may_not_do() {
    let app = App::start_as("https://example.org").await;
    let mut browser = Browser::new(&app);
    let uid = app.add(&[]).await;
    for path in ["/", "/login", "/healthz", "/query_tokens", &format!("/{uid}/qr_code"), "/static/none"] {
        let answer = browser.get(path).await;
        for name in [
            "content-security-policy",
            "cross-origin-resource-policy",
            "cross-origin-opener-policy",
            "permissions-policy",
            "referrer-policy",
            "x-content-type-options",
            "strict-transport-security",
        ] {
            assert!(answer.headers.contains_key(name), "{name} of {path}");
        }
    }
}
