//! Error pages, and errors as JSON.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::tokens::MISSING_UID;

#[actix_web::test]
async fn errors_have_pages_with_a_way_back() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    browser.get("/add").await.check(403, &["You don't have access to this page", "Back to tokens", "Sign out"]);
    for path in ["/nothing", "/not-a-uid/edit", &format!("/{MISSING_UID}"), &format!("/{MISSING_UID}/qr_code")] {
        let page = browser.get(path).await;
        assert!(matches!(page.status, 403 | 404), "{path}");
    }
    browser.get("/not-a-uid").await.check(404, &["Page not found"]);
    let post = browser.post("/", &[]).await;
    post.check(405, &["can't be opened directly"]);
    assert_eq!(post.headers["allow"], "GET, HEAD");
    let head = browser.request(Method::HEAD, "/").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (200, String::new()));
    app.connection().batch_execute("ALTER TABLE usage RENAME TO gone").unwrap();
    let uid = app.add(&[]).await;
    let fault = browser.get(&format!("/{uid}")).await;
    fault.check(500, &["Something went wrong", "under request"]);
    assert!(!fault.text.contains("relation") && !fault.text.contains("no such table"), "{}", fault.text);
}

#[actix_web::test]
async fn whoever_asks_for_json_gets_json() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let json = browser.request(Method::GET, "/nothing").header("Accept", "application/json").send().await.unwrap();
    assert!(json.status() == 404 || json.headers()["content-type"] == "application/json");
    let view = browser.get("/query_tokens").await;
    assert_eq!(view.check(200, &["\"tokens\""]).headers["content-type"], "application/json");
    let denied = browser.post(&format!("/{MISSING_UID}/delete_token"), &[]).await;
    denied.check(403, &["\"error\":\"Forbidden\""]);
    let mut nobody = Browser::new(&app);
    nobody.get("/query_tokens").await.check(401, &["\"error\":\"Unauthorized\""]);
}

#[actix_web::test]
async fn a_database_that_is_away_is_a_page_that_says_so() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    app.database.take_away();
    let page = browser.get("/").await;
    page.check(503, &["Tessera can't answer right now", "Back to tokens"]);
    assert_eq!(page.headers["retry-after"], "1");
    app.database.bring_back();
    browser.get("/").await.check(200, &["Tokens"]);
}
