//! `/scan`: as it works without JavaScript, and what its script asks for.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tessera::access::Role;
use tessera::token::gate::GateRules;

use crate::support::app::{App, send};
use crate::support::browser::{Browser, PageAnswer};
use crate::support::gates::{add_gate, change_gate};

/// Holds that a page shows this verdict, and says all of this.
#[track_caller]
fn check_verdict(page: &PageAnswer, kind: &str, says: &[&str]) {
    let verdict = format!("data-verdict=\"{kind}\"");
    page.check(page.status, &[&[verdict.as_str()], says].concat());
}

#[actix_web::test]
async fn a_scanner_lands_at_the_door_and_uses_tokens_there() {
    let app = App::start_at("/tickets").await;
    add_gate(&app, "North", &GateRules::default());
    let uid = app.add(&[("usage_count", "3"), ("label", "Anna & Ben")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    browser.get("/").await.check_leads_to("/tickets/scan");
    let page = browser.get("/scan?gate=North").await;
    page.check(
        200,
        &[
            "Ready",
            "Gate <strong dir=\"auto\">North</strong>",
            "action=\"/tickets/scan\"",
            "aria-current=\"page\">Scan",
        ],
    );
    assert!(!page.text.contains(">Tokens<"));
    let nonce = page.field("nonce");
    let form = [("code", uid.as_str()), ("gate", "North"), ("uses", "2"), ("nonce", nonce.as_str())];
    let good = browser.post("/scan", &form).await;
    check_verdict(&good, "good", &["Anna &#38; Ben", "Used 2 times. 1 use left.", ">Undo<span"]);
    check_verdict(&browser.post("/scan", &form).await, "good", &["1 use left."]);
    assert_eq!(app.token(&uid).await["usage_count"], 1, "sent twice, used once");
    assert_eq!(app.usage(Some(&uid)).await[0]["gate"], "North");

    let usage_uid = app.usage(Some(&uid)).await[0]["uid"].as_str().unwrap().to_owned();
    let undo = [("usage_uid", usage_uid.as_str()), ("gate", "North"), ("nonce", "undo-1")];
    for _ in 0..2 {
        check_verdict(&browser.post("/scan/undo", &undo).await, "look", &["Undone", "3 uses left."]);
    }
    check_verdict(
        &browser.post("/scan/undo", &[("usage_uid", usage_uid.as_str())]).await,
        "look",
        &["This use was already undone."],
    );
    check_verdict(
        &browser.post("/scan", &[("code", "nothing <b>")]).await,
        "refused",
        &["Unknown code.", "nothing &#60;b&#62;"],
    );
    check_verdict(&browser.post("/scan", &[("code", " ")]).await, "look", &["The code must not be empty."]);
    check_verdict(&browser.post("/scan", &[("code", &uid), ("gate", "gone")]).await, "look", &["There is no gate"]);
    for wrong in ["0", "-1", "x"] {
        check_verdict(&browser.post("/scan", &[("code", &uid), ("uses", wrong)]).await, "look", &["whole number"]);
    }
}

#[actix_web::test]
async fn every_refusal_says_why_and_the_rest_below() {
    let app = App::start().await;
    add_gate(&app, "North", &GateRules::default());
    let mut browser = Browser::of(&app, Role::Editor).await;
    let scan = |code: String| [("code".to_owned(), code), ("gate".to_owned(), "North".to_owned())];
    let uid = app.add(&[("usage_count", "1")]).await;
    let ask =
        |browser: &Browser<'_>, code: &str| browser.request(Method::POST, "/scan").form(&scan(code.to_owned())).send();
    let text = |answer: reqwest::Result<reqwest::Response>| async { answer.unwrap().text().await.unwrap() };
    assert!(text(ask(&browser, &uid).await).await.contains("Used. 0 uses left."));
    let again = text(ask(&browser, &uid).await).await;
    assert!(again.contains("data-verdict=\"look\"") && again.contains("Used at this gate"), "{again}");
    assert!(again.contains("Used up. Last used today"), "{again}");
    assert!(!again.contains("Use again"), "no other use could succeed");
    let locked = app.add(&[("usage_count", "5"), ("lock_time", "60")]).await;
    assert!(text(ask(&browser, &locked).await).await.contains("4 uses left."));
    let again = text(ask(&browser, &locked).await).await;
    assert!(again.contains("Used at this gate") && again.contains("Use again"), "{again}");
    let elsewhere = browser.post("/scan", &[("code", &uid)]).await;
    check_verdict(&elsewhere, "refused", &["Used up. Last used today", "at North by editor"]);

    let early = app.add(&[("valid_from", "2999-01-01"), ("label", "Early")]).await;
    check_verdict(
        &browser.post("/scan", &[("code", &early)]).await,
        "refused",
        &["Not yet valid. Valid from 1 Jan 2999 00:00.", "data-opens="],
    );
    let voided = app.add(&[("valid_to", "2001-01-01"), ("usage_count", "0")]).await;
    app.post("/void_token", &[("token_uid", &voided), ("reason", "Lost")]).await.check_success();
    let refused = browser.post("/scan", &[("code", &voided)]).await;
    check_verdict(
        &refused,
        "refused",
        &["Voided today", "by API key manager: Lost.", "<li>Used up.</li>", "<li>Expired. Was valid until 1 Jan 2001"],
    );
}

#[actix_web::test]
async fn a_code_is_looked_up_tested_and_found_by_its_label() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2"), ("label", "Straße 7"), ("value", "T-7")]).await;
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    check_verdict(&scanner.get("/scan").await, "ready", &["Ready"]);
    let look_up = [("code", "T-7"), ("look_up", "1")];
    check_verdict(
        &scanner.post("/scan", &look_up).await,
        "look",
        &["Looked up", "Can be used. 2 uses left.", ">Use once<"],
    );
    let tested = scanner.post("/scan", &[("code", "T-7"), ("test", "1")]).await;
    check_verdict(&tested, "good", &["Test: not used", "1 use left."]);
    check_verdict(
        &scanner.post("/scan", &[("code", "Straße"), ("look_up", "1")]).await,
        "look",
        &["Cannot be used. Unknown code."],
    );
    check_verdict(&scanner.get(&format!("/{uid}")).await, "look", &["Straße 7", ">Use once<"]);
    check_verdict(&scanner.get("/scan?code=T-7").await, "look", &[">Use once<"]);
    assert_eq!((app.usage(None).await.len(), &app.token(&uid).await["usage_count"]), (0, &json!(2)));
    check_verdict(
        &scanner.post("/scan", &[("code", &format!("\\000026{}/{uid}", app.base))]).await,
        "good",
        &["1 use left."],
    );
    let mut editor = Browser::of(&app, Role::Editor).await;
    let found = editor.post("/scan", &[("code", "straße"), ("look_up", "1")]).await;
    check_verdict(&found, "look", &["Choose", "Straße 7", &format!("value=\"{}/{uid}\"", app.base)]);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/scan").await.check(403, &[]);
    assert!(!viewer.get("/").await.text.contains(">Scan<"));
}

#[actix_web::test]
async fn the_gate_is_asked_for_where_there_are_some() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "2"), ("label", "Anna")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    add_gate(&app, "North & South", &GateRules::default());
    let asked = browser.get("/scan").await;
    asked.check(200, &["Choose your gate", "value=\"North &#38; South\"", "No gate"]);
    assert!(!asked.text.contains("name=\"code\""));
    for (chosen, says) in [("North+%26+South", "Gate <strong dir=\"auto\">North &#38; South<"), ("", "No gate")] {
        check_verdict(&browser.get(&format!("/scan?gate={chosen}")).await, "ready", &[says]);
    }
    let linked = browser.get(&format!("/{uid}")).await;
    check_verdict(&linked, "look", &["Anna", "Can be used. 2 uses left.", "Choose your gate"]);
    let code = format!("name=\"code\" value=\"{}/{uid}\"", app.base);
    assert!(linked.text.contains(&code) && !linked.text.contains("Use once"));
    let gone = browser.get("/scan?gate=gone").await;
    check_verdict(&gone, "look", &["There is no gate", "Choose a gate.", "Choose your gate"]);
}

#[actix_web::test]
async fn a_gates_rules_hold_at_the_door_as_well() {
    let app = App::start().await;
    let rules = GateRules { undo_seconds: None, look_up: false, typing: false, several: false };
    add_gate(&app, "Strict", &rules);
    let uid = app.add(&[("usage_count", "9")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    let page = browser.get("/scan?gate=Strict").await;
    assert!(!page.text.contains("name=\"uses\"") && !page.text.contains("name=\"look_up\""));
    let off =
        "Off at this gate: typing codes, looking up and testing, several uses at once. A manager can turn this on.";
    page.check(200, &[off]);
    assert!(!browser.get("/scan?gate=").await.text.contains("Off at this gate"));
    let with = |name: &'static str, value: &'static str| {
        [("code", uid.clone()), ("gate", "Strict".into()), (name, value.into())]
    };
    check_verdict(
        &browser.get(&format!("/scan?gate=Strict&code={uid}")).await,
        "look",
        &["Looking up and testing tokens is off"],
    );
    for (name, value) in [("uses", "2"), ("look_up", "1"), ("test", "1"), ("source", "typed")] {
        let refused = browser.request(Method::POST, "/scan").form(&with(name, value)).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{name}");
    }
    let good = browser.request(Method::POST, "/scan").form(&with("fragment", "1")).send().await.unwrap();
    let text = good.text().await.unwrap();
    assert!(
        text.starts_with("<section") && text.contains("data-verdict=\"good\"") && !text.contains(">Undo<"),
        "{text}"
    );
    let counts = browser.get("/scan/counts?gate=Strict").await;
    counts.check(200, &["<strong>1</strong> in<", "<strong>0</strong> refused<", "<strong>1</strong> in at all gates"]);
    let nobody = send(app.anonymous(Method::POST, "/scan").header("Accept", "application/json")).await;
    nobody.check_failure("Unauthorized");
}

#[actix_web::test]
async fn who_lost_the_answer_is_let_in_though_the_gate_was_closed_meanwhile() {
    let app = App::start().await;
    let north = add_gate(&app, "North", &GateRules::default());
    let uid = app.add(&[("usage_count", "5"), ("label", "Anna")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    let scan = |nonce: &'static str, gate: &'static str| {
        [
            ("code", uid.clone()),
            ("gate", gate.into()),
            ("uses", "2".into()),
            ("nonce", nonce.into()),
            ("fragment", "1".into()),
        ]
    };
    let ask = async |browser: &mut Browser<'_>, nonce, gate| {
        let form = scan(nonce, gate).map(|(name, value): (&str, String)| (name.to_owned(), value));
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post("/scan", &form).await
    };
    check_verdict(&ask(&mut browser, "k", "North").await, "good", &["3 uses left."]);
    let strict = GateRules { several: false, typing: false, undo_seconds: None, ..GateRules::default() };
    for what in [(north, "North", &strict, true), (north, "North", &strict, false), (north, "Nordtor", &strict, false)]
    {
        change_gate(&app, what);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let good = ask(&mut browser, "k", "North").await;
        check_verdict(&good, "good", &["Anna", "3 uses left."]);
        assert!(good.status == 200 && !good.text.contains(">Undo<"), "{}", good.text);
        let new = ask(&mut browser, "new", "North").await;
        check_verdict(&new, "look", &["gate"]);
        assert_ne!(new.status, 200);
    }
    assert_eq!((app.usage(None).await.len(), &app.token(&uid).await["usage_count"]), (1, &json!(3)));
}

#[actix_web::test]
async fn a_code_of_another_system_is_nobodys_and_logged_as_it_can_be() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let long = "x".repeat(2_000);
    for (code, logged) in [
        (long.as_str(), "x".repeat(64)),
        ("]d2\u{1d}01095", "]d2\u{241d}01095".to_owned()),
        ("a\0b", "a\u{2401}b".to_owned()),
        (&"🦉".repeat(900), "🦉".repeat(64)),
    ] {
        let refused = browser.post("/scan", &[("code", code)]).await;
        check_verdict(&refused, "refused", &["Unknown code."]);
        assert!(refused.status == 200 && !refused.text.contains('\u{1d}'));
        let entry = &app.usage(None).await[0];
        assert_eq!((&entry["token_value"], &entry["error_code"]), (&json!(logged), &json!(1)));
        for wish in ["look_up", "test"] {
            let asked = browser.post("/scan", &[("code", code), (wish, "1")]).await;
            check_verdict(&asked, if wish == "test" { "refused" } else { "look" }, &["Unknown code."]);
        }
        assert_eq!(browser.get(&format!("/scan?code={}", code.replace('\0', "%00"))).await.status, 200);
    }
    assert_eq!(app.usage(None).await.len(), 4);
    browser.get("/usage").await.check(200, &["]d2\u{241d}01095"]);
}

#[actix_web::test]
async fn what_nobody_can_mean_is_said_and_does_nothing() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "5")]).await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    for (name, value, says) in [("source", "evil", "source &#34;"), ("test", "0", "test must be 1, or be left out.")] {
        let wrong = browser.post("/scan", &[("code", uid.as_str()), (name, value)]).await;
        check_verdict(&wrong, "look", &[says]);
        assert_eq!(wrong.status, 422);
    }
    for (form, says) in [(vec![], "usage_uid is missing"), (vec![("usage_uid", "x")], "is not a uid")] {
        let wrong = browser.post("/scan/undo", &form).await;
        check_verdict(&wrong, "look", &[says]);
        assert_ne!(wrong.status, 200);
    }
    for header in ["Purpose", "Sec-Purpose", "X-Moz"] {
        for path in ["/scan".to_owned(), format!("/{uid}/use")] {
            let ahead = browser.request(Method::POST, &path).header(header, "prefetch").form(&[("code", uid.as_str())]);
            assert_eq!(ahead.send().await.unwrap().status(), 403, "{header} {path}");
        }
    }
    assert_eq!((app.usage(None).await.len(), &app.token(&uid).await["usage_count"]), (0, &json!(5)));
    for source in ["camera", "photo", "wedge", "typed"] {
        check_verdict(&browser.post("/scan", &[("code", uid.as_str()), ("source", source)]).await, "good", &[]);
    }
}
