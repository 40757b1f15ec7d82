//! Where signing in leads to: addresses that mean something else to a browser than they look, and forms that are too large
//! for an address, or were filled by a link.

use tessera::access::Role;

use super::coming_back::{anna, end_sessions, sign_in, state};
use crate::support::app::App;
use crate::support::browser::{Browser, PASSWORD, add_user};

/// Signs anna in with this `next`, and returns where she is then.
async fn sign_in_to(browser: &mut Browser<'_>, next: &str) -> (String, u16) {
    browser.forget();
    let back = browser.post("/login", &[("name", "anna"), ("password", PASSWORD), ("next", next)]).await;
    assert_eq!(back.status, 303, "{next:?}: {}", back.text);
    let status = browser.get(&back.location).await.status;
    (back.location, status)
}

#[actix_web::test]
async fn no_address_prints_or_uses_anything_however_it_is_written() {
    let app = App::start().await;
    let (mut browser, _elsewhere) = anna(&app).await;
    let uid = app.add(&[("label", "Locker 1"), ("usage_count", "5")]).await;
    let before = state(&app);
    for (next, leads_to) in [
        ("/./sheet.pdf?all=1", "/sheet?all=1"),
        ("/x/../sheet.pdf?q=Locker", "/sheet?q=Locker"),
        ("/%2e/sheet.pdf?q=Locker", "/sheet?q=Locker"),
        ("/%73heet.pdf?all=1", "/sheet?all=1"),
        ("/sheet%2Epdf?all=1", "/sheet?all=1"),
        ("/sheet/check#", "/sheet"),
        ("/{uid}/./use", "/{uid}"),
        ("/{uid}/use#", "/{uid}"),
        ("/{uid}/%75se", "/{uid}"),
        ("/{uid}/c%6Fnsume_token", "/"),
        ("/./{uid}/consume_token", "/"),
        ("/%6cogout", "/"),
        ("/logout#", "/"),
        ("/login?done=signed-out", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/.//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/users/role?name=", "/users"),
        ("/keys/revoke?name=", "/keys/revoke?name="),
        ("/users/add?name=zoe&password=never-shown", "/users/add"),
    ] {
        let (at, status) = sign_in_to(&mut browser, &next.replace("{uid}", &uid)).await;
        assert_eq!(at, leads_to.replace("{uid}", &uid), "{next}");
        assert!(status != 405 && status < 500, "{next} leads to {at}: {status}");
        assert_eq!(state(&app), before, "{next}");
    }
    let (at, _) = sign_in_to(&mut browser, &format!("/usage?q={}", "%20".repeat(2_000))).await;
    assert_eq!(at, "/usage", "longer than a proxy takes");
    // The same for what a browser without a session opened.
    browser.forget();
    let asked = browser.get("/%73heet.pdf?q=Locker").await;
    let (at, page) = sign_in(&mut browser, &asked).await;
    assert_eq!((at.as_str(), page.status), ("/sheet?q=Locker", 200));
    assert_eq!(state(&app), before);
}

#[actix_web::test]
async fn no_address_leads_out_of_the_base_path() {
    let app = App::start_at("/tickets").await;
    add_user(&app, "anna", Role::Manager);
    let mut browser = Browser::new(&app);
    for (next, leads_to) in [
        ("/tickets/../other/x", "/tickets/"),
        ("/tickets/%2e%2e/%2e%2e/admin/delete?x=1", "/tickets/"),
        ("/ticketsx", "/tickets/"),
        ("/tickets/./sheet.pdf?all=1", "/tickets/sheet?all=1"),
        ("/t%69ckets/add", "/tickets/add"),
    ] {
        let back = browser.post("/login", &[("name", "anna"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((back.status, back.location.as_str()), (303, leads_to), "{next}");
        browser.forget();
    }
}

#[actix_web::test]
async fn the_lists_form_keeps_its_ticks_and_its_filter() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let uids: Vec<String> = {
        let made = app.post("/add_tokens", &[("count", "70"), ("label", "Locker {n}")]).await;
        made.check_success().body["token_uids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|uid| uid.as_str().unwrap().to_owned())
            .collect()
    };
    let page = uids[10..].join(" ");
    // The last: nobody ticked anything.
    for (select, tick, shows) in [
        ("ticked", &*uids[0], "<strong>1 token</strong>"),
        ("found", &*uids[0], "<strong>70 tokens</strong>"),
        ("ticked", "", "<strong>70 tokens</strong>"),
    ] {
        end_sessions(&mut elsewhere).await;
        let form = [("q", "Locker"), ("page", &*page), ("select", select), ("do", "validity"), ("uid", tick)];
        let refused = browser.post("/sheet", &form).await;
        let (at, sheet) = sign_in(&mut browser, &refused).await;
        assert!(sheet.text.contains(shows), "{select} leads to {at}: {}", sheet.text);
    }
    // The page shows the newest 50.
    for (ticked, checked, told) in [(&uids[69..], 1, false), (&uids[..1], 0, true)] {
        end_sessions(&mut elsewhere).await;
        let form: Vec<(&str, &str)> = ticked.iter().map(|uid| ("uid", &**uid)).chain([("do", "validity")]).collect();
        let refused = browser.post("/bulk", &form).await;
        let (at, list) = sign_in(&mut browser, &refused).await;
        assert_eq!(list.text.matches(" checked>").count(), checked, "{at}");
        assert_eq!(list.text.contains("some of them on other pages"), told, "{at}");
    }
}

#[actix_web::test]
async fn a_form_is_as_it_was_sent_also_with_empty_fields_and_odd_names() {
    let app = App::start().await;
    let (mut browser, mut elsewhere) = anna(&app).await;
    let uid = app.add(&[]).await;
    for (path, form, shows) in [
        ("/sheets/add", vec![("name", "Typed"), ("columns", ""), ("rows", "2")], "value=\"Typed\""),
        ("/printers", vec![("name", "Typed"), ("offset_x", ""), ("offset_y", "3")], "value=\"Typed\""),
        ("/users/role", vec![("name", ""), ("role", "viewer")], "anna"),
        (
            "/add",
            vec![("label", "Typed"), ("lock_unit", "seconds"), ("was_&label=x#", "1"), ("was_\r\nX", "1")],
            "value=\"Typed\"",
        ),
        ("/settings/time_ranges", vec![("was", "[]"), ("name-\n", "1"), ("name-new", "Typed")], "value=\"Typed\""),
        (
            "/sheet",
            vec![("uid", &*uid), ("sheet", "avery-l7160"), ("for_sheet", "avery-l7651"), ("start", "5")],
            "avery-l7160",
        ),
    ] {
        let known = browser.post(path, &form).await;
        end_sessions(&mut elsewhere).await;
        let refused = browser.post(path, &form).await;
        let (at, page) = sign_in(&mut browser, &refused).await;
        page.check(200, &[shows]);
        if path == "/sheet" {
            assert_eq!(page.field("start"), known.field("start"), "{at}: as if signed in");
        }
    }
}

/// Its author would know what the code of the new token says.
#[actix_web::test]
async fn a_link_chooses_no_uid_of_a_new_token() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let theirs = "11111111-2222-4333-8444-555555555555";
    let form = browser.get(&format!("/add?lock_unit=seconds&label=x&token_uid={theirs}")).await;
    form.check(200, &["value=\"x\""]);
    assert_ne!(form.field("token_uid"), theirs);
}

#[actix_web::test]
async fn an_empty_parameter_of_a_selection_is_none() {
    let app = App::start().await;
    let uid = app.add(&[("label", "Locker 1")]).await;
    app.add(&[]).await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    let one = "<strong>1 token</strong>";
    for (query, shows) in [
        (format!("uids=&uid={uid}"), one),
        (format!("uid=&uid={uid}"), one),
        (format!("uids=+&uid={uid}&select="), one),
        ("uids=+&uid=&select=&all=1".into(), "<strong>2 tokens</strong>"),
        ("uids=+&uid=&select=".into(), "What do you want to print?"),
    ] {
        browser.get(&format!("/sheet?{query}")).await.check(200, &[shows]);
    }
    for path in ["/sheet.pdf", "/sheet/check", "/sheet/browser", "/print_jobs"] {
        browser
            .post(path, &[("select", ""), ("uids", " "), ("uid", "")])
            .await
            .check(422, &["What do you want to print?"]);
    }
}
