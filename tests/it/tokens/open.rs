//! A code or a link that is scanned into the search field opens its token.

use tessera::access::Role;

use super::agreement::index;
use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};
use crate::support::tokens::MISSING_UID;

/// Sends a search by the Enter key.
async fn open(browser: &mut Browser<'_>, q: &str) -> PageAnswer {
    let url = reqwest::Url::parse_with_params("http://x", [("open", "1"), ("q", q)]).unwrap();
    browser.get(&format!("/?{}", url.query().unwrap())).await
}

#[actix_web::test]
async fn what_is_exactly_a_token_opens_it() {
    let app = App::start_as("https://desk.example/tickets").await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let plain = app.add(&[]).await;
    let own = app.add(&[("value", "Ticket 1"), ("label", "Anna")]).await;
    let part = app.add(&[("value", "desk.example")]).await;
    let link = app.add(&[("value", "https://desk.example/tickets/")]).await;
    let quoted = app.add(&[("value", "\"in quotes\"")]).await;
    let tile = |uid: &str| format!("https://desk.example/tickets/{uid}");
    for (q, uid) in [
        (plain.clone(), &plain),
        (plain.to_uppercase(), &plain),
        (tile(&plain), &plain),
        (tile(&plain).to_uppercase().replace("TICKETS", "tickets"), &plain),
        (format!("{}/", tile(&plain)), &plain),
        ("Ticket 1".into(), &own),
        (" Ticket 1 \u{a0}".into(), &own),
        (own.clone(), &own),
        (own.to_uppercase(), &own),
        (tile(&own), &own),
        ("desk.example".into(), &part),
        ("https://desk.example/tickets/".into(), &link),
        ("\"in quotes\"".into(), &quoted),
    ] {
        let opened = open(&mut browser, &q).await;
        opened.check_leads_to(&format!("/tickets/{uid}"));
        assert_eq!(opened.location, format!("/tickets/{uid}"), "{q}");
    }
    for q in [
        "ticket 1",
        "Ticket",
        "Ticket  1",
        "Anna",
        &own[..8],
        MISSING_UID,
        &tile(MISSING_UID),
        &format!("https://elsewhere.example/tickets/{plain}"),
        &format!("http://desk.example/tickets/{plain}"),
        &format!("https://desk.example/{plain}"),
        &format!("https://desk.example/tickets/{plain}/edit"),
        &format!("/{plain}"),
        "nothing",
        "\u{301}",
        "",
    ] {
        let found = open(&mut browser, q).await;
        assert_eq!(found.status, 200, "{q}: {}", found.location);
        assert!(!found.text.contains("open=1"), "{q}: no link carries it");
    }
    open(&mut browser, "a\0b").await.check(422, &[]);
    open(&mut browser, &"x".repeat(1_001)).await.check(422, &[]);
}

#[actix_web::test]
async fn a_search_that_was_not_sent_by_enter_is_a_search() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let uid = app.add(&[("value", "Ticket 1")]).await;
    for more in ["", "&open=", "&open=0", "&open=true"] {
        browser.get(&format!("/?q=Ticket+1{more}")).await.check(200, &["1 token", &format!("href=\"/{uid}\"")]);
    }
    // With a filter that leaves it out: a code is its token, whatever is chosen beside.
    browser.get("/?q=Ticket+1&state=expired&open=1").await.check_leads_to(&format!("/{uid}"));
    app.post("/add_tokens", &[("count", "120"), ("label", "Locker {n}")]).await.check_success();
    let list = browser.get("/?q=locker&open=1").await;
    list.check(200, &["120 tokens", ">Next</a>"]);
    assert!(!list.text.contains("open=1"));
    browser.get("/query_tokens?open=1&q=x").await.check(400, &["open"]);
}

#[actix_web::test]
async fn the_code_of_a_deleted_token_opens_it_as_well() {
    let app = App::start_as("https://desk.example").await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let plain = app.add(&[]).await;
    let first = app.add(&[("value", "T-1")]).await;
    app.post(&format!("/{first}/delete_token"), &[]).await.check_success();
    let own = app.add(&[("value", "T-1")]).await;
    app.add(&[("value", "T-10")]).await;
    open(&mut browser, "T-1").await.check_leads_to(&format!("/{own}"));
    for uid in [&plain, &own] {
        app.post(&format!("/{uid}/delete_token"), &[]).await.check_success();
    }
    for is_indexed in [false, true] {
        if is_indexed {
            index(&mut app.connection());
        }
        for (q, uid) in [
            (plain.clone(), &plain),
            (plain.to_uppercase(), &plain),
            (format!("https://desk.example/{plain}"), &plain),
            ("T-1".into(), &own),
            (first.clone(), &first),
        ] {
            let opened = open(&mut browser, &q).await;
            opened.check_leads_to(&format!("/{uid}"));
        }
        open(&mut browser, "t-1").await.check(200, &[]);
    }
    let new = app.add(&[("value", "T-1")]).await;
    open(&mut browser, "T-1").await.check_leads_to(&format!("/{new}"));
}

#[actix_web::test]
async fn who_may_only_scan_is_led_to_the_door_as_ever() {
    let app = App::start().await;
    let uid = app.add(&[("value", "T-1")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    open(&mut browser, "T-1").await.check_leads_to("/scan");
    let mut stranger = Browser::new(&app);
    let login = open(&mut stranger, "T-1").await;
    login.check_leads_to("/login");
    assert!(!login.location.contains(&uid), "nobody is told which token has a value");
}
