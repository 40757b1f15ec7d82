//! What is said to a page of another address.

use reqwest::Method;
use tessera::access::Role;

use crate::support::app::{Answer, App};
use crate::support::browser::Browser;

#[actix_web::test]
async fn a_foreign_origin_is_named_beside_ours() {
    let app = App::start_as("https://example.org").await;
    let uid = app.add(&[]).await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let host = app.base.trim_start_matches("http://").to_owned();
    browser.site = None;
    let foreign = "http://tickets.example.org:8081";
    let page = browser.request(Method::POST, &format!("/{uid}/use")).header("Origin", foreign).send().await.unwrap();
    assert_eq!(page.status(), 403);
    let text = page.text().await.unwrap();
    for words in [foreign, "https://example.org", &host, "--public-url", "This form came from another address"] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    let json = browser.request(Method::POST, &format!("/{uid}/consume_token")).header("Origin", foreign);
    let json = Answer::of(json.send().await.unwrap()).await;
    let message = json.check_failure("Forbidden").body["message"].as_str().unwrap();
    assert!(message.contains(foreign) && message.contains("https://example.org") && message.contains("--public-url"));
    assert_eq!(
        json.body["detail"],
        serde_json::json!({"origin": foreign, "accepted_origins": ["https://example.org", host]})
    );
    assert_eq!(app.token(&uid).await["usage_count"], 1, "nothing is used");
    // A proxy that passes on the right host, and an address that is one: each is named once.
    let same = browser.request(Method::POST, "/add_token").header("Origin", foreign).header("Host", "example.org");
    let same = same.send().await.unwrap();
    assert_eq!(Answer::of(same).await.body["detail"]["accepted_origins"], serde_json::json!(["https://example.org"]));
}

#[actix_web::test]
async fn what_came_is_cut_and_escaped() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    for site in [None, Some("cross-site")] {
        browser.site = site;
        let evil = format!("https://<script>alert(1)</script>{}", "x".repeat(5_000));
        let page = browser.request(Method::POST, "/logout").header("Origin", &evil).header("Host", "<b>").send();
        let text = page.await.unwrap().text().await.unwrap();
        assert!(
            !text.contains("<script>alert") && !text.contains("<b>") && text.contains("&#60;script&#62;"),
            "{text}"
        );
        assert!(text.len() < 6_000, "{}", text.len());
        for (origin, words) in
            [(Some("null"), "A page of another site"), (None, "A page of another site"), (Some("?"), "A page of ?")]
        {
            let request = browser.request(Method::POST, "/logout");
            let request = origin.into_iter().fold(request, |request, origin| request.header("Origin", origin));
            let answer = request.send().await.unwrap();
            if site.is_none() && origin.is_none() {
                // Neither header: no browser.
                assert_eq!(answer.status(), 303);
                browser.sign_in("editor").await;
                continue;
            }
            assert!(answer.text().await.unwrap().contains(words), "{site:?} {origin:?}");
        }
    }
}
