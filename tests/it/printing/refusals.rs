//! What the pages of sheets make of what they cannot print: a reason, and never a wrong sheet.

use std::time::Duration;

use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::{Answer, App, send, with_required};
use crate::support::browser::Browser;
use crate::support::printing::{fetch_pdf, read_codes, runs_with_tokens};

/// What a program is told.
async fn print_as_program(app: &App, query: &[(&str, &str)]) -> Answer {
    let asked = app.request(Role::Viewer, Method::GET, "/sheet.pdf").header("Accept", "application/json");
    send(asked.query(query)).await
}

#[actix_web::test]
async fn what_cannot_be_printed_is_refused_with_the_reason_and_the_field() {
    let app = App::start().await;
    let uid = app.add(&[("label", "Locker 7")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    for (name, value, says) in [
        ("start", "0", "counted from 1"),
        ("start", "22", "This sheet has 21 labels. There is no label 22"),
        ("start", "4294967295", "There is no label"),
        ("start", "4294967296", "not a whole number"),
        ("start", "-1", "not a whole number"),
        ("start", "1.5", "not a whole number"),
        ("start", "a\0b", "not a whole number"),
        ("offset_x", "20.001", "from -20 to 20 mm"),
        ("offset_y", "-21", "-20 to 20 mm"),
        ("offset_x", "x", "not a number of millimetres"),
        ("offset_y", "1.2345", "not a number of millimetres"),
        ("offset_x", "NaN", "not a number of millimetres"),
        ("offset_x", "99999999999999999999", "not a number of millimetres"),
        ("offset_x", "-15", "cut off"),
        ("dpi", "149", "150 to 1200 dpi"),
        ("dpi", "1201", "150 to 1200 dpi"),
        ("dpi", "x", "not a whole number"),
        ("text", "other", "is not one of label, value, none"),
        ("text_size", "huge", "is not one of small, medium, large"),
        ("second_line", "price", "is not one of none, valid_until, batch, text"),
        ("second_text", &*"x".repeat(201), "200"),
        ("second_text", "a\nb", "control characters"),
        ("start_on", "old", "is not one of next, new"),
        ("sheet", "avery-l0000", "There is no sheet"),
        ("sheet", "\0", "There is no sheet"),
        ("printer", "HP \"<b>Office</b>'", "There is no printer"),
        ("q", "nothing like it", "No tokens to print"),
        ("q", "a\0b", "control characters"),
        ("state", "melted", "state"),
        ("created_from", "yesterday", "is not a time"),
        ("batch", "x", "is not a uid"),
        ("print_run", "x", "is not a uid"),
        ("printed", "x", "is not one of never_used, never"),
    ] {
        let sheet = if name == "sheet" { value } else { "avery-l7160" };
        let mut query = vec![("all", "1"), ("sheet", sheet)];
        query.extend((name != "sheet").then_some((name, value)));
        let answer = print_as_program(&app, &query).await;
        let param = if says.starts_with("No tokens") { "uid" } else { name };
        assert_eq!(answer.status, 422, "{name}={value:?}");
        answer.check_failure("TokenValueError").check_param(param);
        let message = answer.body["message"].as_str().unwrap();
        assert!(!message.ends_with(".."), "{message}");
        assert!(message.contains(says), "{name}={value:?}: {message}");
        assert!(message.len() < 400 && !message.contains('\0'), "{message}");
        for path in ["/sheet", "/sheet.pdf", "/sheet/check", "/sheet/browser"] {
            let page = viewer.post(path, &query).await;
            page.check(422, &["These labels can’t be printed yet", "<html"]);
            assert!(page.text.contains(&says.replace('\'', "&#39;")), "{path} {name}={value:?}: {}", page.text);
            assert!(!page.text.contains("<b>Office"), "{}", page.text);
        }
        if says != "cut off" {
            viewer.post("/print_jobs", &query).await.check(422, &["These labels can’t be printed yet"]);
            viewer.post("/sheet", &[&query[..], &[("page", "2")]].concat()).await.check(422, &[]);
        }
    }
    for value in ["", "x", "\0", &"9".repeat(300)] {
        print_as_program(&app, &[("uid", value)]).await.check_failure("TokenValueError");
        let says = if value.is_empty() { "Nothing was printed" } else { "is not a uid" };
        viewer.post("/sheet.pdf", &[("uid", value)]).await.check(422, &[says]);
    }
    viewer.post("/sheet", &[("select", "ticked")]).await.check(422, &["No tokens selected"]);
    assert!(runs_with_tokens(&app).is_empty());
    print_as_program(&app, &[("uid", &uid), ("start", "21")]).await;
    assert_eq!(runs_with_tokens(&app).len(), 1);
}

#[actix_web::test]
async fn unknown_parameters_and_unknown_tokens_are_named() {
    let app = App::start().await;
    let (uid, gone, voided) = (app.add(&[]).await, app.add(&[]).await, app.add(&[]).await);
    app.post(&format!("/{gone}/delete_token"), &[]).await.check_success();
    app.post(&format!("/{voided}/void_token"), &[]).await.check_success();
    print_as_program(&app, &[("uid", &uid), ("offset", "1")])
        .await
        .check_failure("TokenAPIError")
        .check_param("offset");
    print_as_program(&app, &[("uid", &uid), ("start", "1"), ("start", "2")]).await.check_failure("TokenAPIError");
    print_as_program(&app, &[("uid", &uid), ("_", "1")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    for unknown in [&Uid::random().to_string(), &gone] {
        let query = [("uid", &*uid), ("uid", unknown)];
        print_as_program(&app, &query).await.check_failure("TokenNotExists");
        for path in ["/sheet", "/sheet.pdf", "/sheet/check", "/sheet/browser"] {
            viewer.post(path, &query).await.check(404, &["<html"]);
        }
        viewer.get(&format!("/sheet?uid={uid}&uid={unknown}")).await.check(404, &[]);
    }
    let query = [("uid", &*uid), ("uid", &*voided)];
    let answer = print_as_program(&app, &query).await;
    answer.check_failure("TokenValueError").check_param("uid");
    assert!(answer.body["message"].as_str().unwrap().contains(&format!("{voided} is voided")), "{answer:?}");
    for path in ["/sheet", "/sheet.pdf", "/sheet/check", "/sheet/browser"] {
        viewer.post(path, &query).await.check(422, &[&format!("{voided} is voided")]);
    }
    viewer.get(&format!("/sheet?uid={voided}")).await.check(422, &["is voided"]);
    assert_eq!(runs_with_tokens(&app).len(), 1, "the one with a free parameter");
}

#[actix_web::test]
async fn values_and_labels_that_are_too_much_for_a_label() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let long = "x".repeat(1_000);
    let uid = app.add(&[("value", &long), ("label", "Long one")]).await;
    let query = [("uid", &*uid), ("sheet", "avery-l4731")];
    let answer = print_as_program(&app, &query).await;
    answer.check_failure("TokenValueError").check_param("sheet");
    let message = answer.body["message"].as_str().unwrap().to_owned();
    for words in ["“Long one” (1000 characters)", "too fine", "300 dpi", "characters", "the label sheet Avery"] {
        assert!(message.contains(words), "{message}");
    }
    viewer.post("/sheet.pdf", &query).await.check(422, &["too fine", "Use a code of at most"]);
    // The remedy is one.
    fetch_pdf(app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&[("uid", &*uid), ("sheet", "avery-l7165")]))
        .await;

    let emoji = app.add(&[("label", "Party 🎉 at 8"), ("value", "E-1")]).await;
    let query = [("uid", &*emoji), ("sheet", "avery-l7160")];
    let answer = print_as_program(&app, &query).await;
    answer.check_failure("TokenValueError").check_param("text");
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains("🎉 (U+1F389)") && message.contains("“Party 🎉 at 8”"), "{message}");
    let page = viewer.post("/sheet.pdf", &query).await;
    page.check(422, &["U+1F389", "name=\"leave_out\" value=\"1\"", "Leave out these characters", "add a font"]);
    let left_out = [&query[..], &[("leave_out", "1")]].concat();
    let bytes = fetch_pdf(app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&left_out)).await;
    let sheet = tessera::sheet::presets::preset("avery-l7160").unwrap();
    assert_eq!(read_codes(&bytes, sheet, (0.0, 0.0))[0][0], "E-1");
    let nothing = [&query[..], &[("text", "none")]].concat();
    fetch_pdf(app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&nothing)).await;

    let mut uids = Vec::new();
    for label in ["w".repeat(200), "Käse für Zoë; Ελληνικά; Русский; עברית ‏abc 12".into(), "<b>&\"'".into()]
    {
        uids.push(app.add(&[("label", &label)]).await);
    }
    let query: Vec<(&str, &str)> =
        uids.iter().map(|uid| ("uid", uid.as_str())).chain([("sheet", "avery-l7651")]).collect();
    let bytes = app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(&query).send().await.unwrap();
    let status = bytes.status();
    let bytes = bytes.bytes().await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    let sheet = tessera::sheet::presets::preset("avery-l7651").unwrap();
    assert_eq!(read_codes(&bytes, sheet, (0.0, 0.0))[0][..3], uids);
    viewer.post("/sheet/browser", &query).await.check(200, &["sheet-page", "<svg"]);
}

#[actix_web::test]
async fn nothing_is_printed_from_another_site_or_ahead() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let path = format!("/sheet.pdf?uid={uid}&start=2");
    for site in ["cross-site", "same-site"] {
        viewer.site = Some(site);
        viewer.get(&path).await.check_leads_to(&format!("/sheet?uid={uid}&start=2"));
        for path in ["/sheet", "/sheet.pdf", "/sheet/check", "/sheet/browser", "/print_jobs"] {
            viewer.post(path, &[("uid", &uid)]).await.check(403, &[]);
        }
    }
    for site in ["same-origin", "none"] {
        viewer.site = Some(site);
        for (name, value) in [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch")] {
            let ahead = viewer.request(Method::GET, &path).header(name, value).send().await.unwrap();
            assert_eq!(ahead.status(), 403, "{name}");
        }
    }
    for (method, path, allow) in [
        (Method::HEAD, "/sheet.pdf", "GET, POST"),
        (Method::PUT, "/sheet", "GET, HEAD, POST"),
        (Method::GET, "/sheet/check", "POST"),
        (Method::GET, "/sheet/browser", "POST"),
        (Method::POST, "/sheet.css", "GET, HEAD"),
    ] {
        let answer = app.request(Role::Viewer, method.clone(), path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, allow), "{path}");
    }
    assert!(runs_with_tokens(&app).is_empty());
    viewer.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(runs_with_tokens(&app).len(), 1);
}

#[actix_web::test]
async fn the_check_tells_page_by_page_and_ends_with_its_reader() {
    let app = App::start().await;
    let made = app.post("/add_tokens", &[("count", "70"), ("label", "Locker {n}")]).await;
    made.check_success();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.post("/sheet/check", &[("all", "1"), ("sheet", "avery-l7651"), ("start", "3")]).await;
    page.check(
        200,
        &["70 tokens on", "render every label at 300 dpi", "Page 1: 63 codes read", "Page 2: 7 codes read"],
    );
    page.check(
        200,
        &["70 tokens checked: every code can be scanned and is correct.", "name=\"start\" value=\"3\"", "</html>"],
    );
    assert!(runs_with_tokens(&app).is_empty(), "to check prints nothing");

    // One that goes after the first words; what is under way ends soon, and others are served.
    app.post("/add_tokens", &[("count", "3000")]).await.check_success();
    let mut leaving =
        viewer.request(Method::POST, "/sheet/check").form(&[("sheet", "avery-l7651")]).send().await.unwrap();
    assert!(leaving.chunk().await.unwrap().is_some());
    drop(leaving);
    let one = viewer.request(Method::POST, "/sheet/check").form(&[("q", "Locker 70")]).send();
    let one = tokio::time::timeout(Duration::from_secs(30), one).await.unwrap().unwrap();
    assert!(one.text().await.unwrap().contains("1 token checked: every code can be scanned and is correct."));
}

#[actix_web::test]
async fn the_browser_prints_the_same_and_the_papers_size_is_told() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&with_required(&[("label", "Locker <7>")])).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.post("/sheet/browser", &[("uid", &uid), ("sheet", "avery-22806"), ("start", "12")]).await;
    page.check(200, &["1 token", "class=\"sheet-page\"", "width=215.9&amp;height=279.4", "/tickets/print_runs/"]);
    assert_eq!(page.text.matches("<svg").count(), 1);
    assert_eq!(
        (runs_with_tokens(&app).len(), runs_with_tokens(&app)[0].0.start),
        (1, 12),
        "it is printed, and so it is kept"
    );
    let css = viewer.get("/sheet.css?width=215.9&height=279.4").await;
    css.check(200, &["@page { size: 215.9mm 279.4mm; margin: 0; }"]);
    assert_eq!(css.headers["content-type"], "text/css; charset=utf-8");
    for wrong in [
        "",
        "width=210",
        "width=0&height=10",
        "width=x&height=10",
        "width=210;}&height=10",
        "width=2001&height=10",
        "width=-1&height=1",
        "width=%00&height=1",
    ] {
        viewer.get(&format!("/sheet.css?{wrong}")).await.check(404, &[]);
    }
}
