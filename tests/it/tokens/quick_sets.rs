//! What one click on a tile sets, and its undo.

use chrono::{NaiveTime, TimeZone};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::Role;
use tessera::store::schema::actions;
use tessera::token::Micros;

use crate::support::app::{App, send};
use crate::support::browser::{Browser, PageAnswer};
use crate::support::process::{Place, libfaketime};

const VIENNA: chrono_tz::Tz = chrono_tz::Tz::Europe__Vienna;

/// Clicks, and goes where that leads.
async fn click(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> PageAnswer {
    let done = browser.post(path, fields).await;
    done.check_leads_to(&path[..37]);
    browser.get(&done.location).await
}

/// Presses the undo on a tile.
async fn undo(browser: &mut Browser<'_>, tile: &PageAnswer) -> PageAnswer {
    let start = tile.text.find("/actions/").unwrap_or_else(|| panic!("no undo in {}", tile.text));
    let path: String = tile.text[start..].chars().take_while(|c| *c != '"').collect();
    let done = browser.post(&path, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    browser.get(&done.location).await
}

/// A time of today in Vienna, as the JSON views write it.
fn today(hour: u32) -> Value {
    let day = Micros::now().local(VIENNA).date();
    let local = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap());
    json!(VIENNA.from_local_datetime(&local).unwrap().to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

async fn uses(app: &App, uid: &str) -> Value {
    app.token(uid).await["usage_count"].clone()
}

#[actix_web::test]
async fn a_click_makes_a_token_valid_today_and_can_be_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("valid_to", "2030-01-01T00:00:00Z")]).await;
    let (tile, path) = (browser.get(&format!("/{uid}")).await, format!("/{uid}/set_range"));
    tile.check(200, &["value=\"morning\"", "08:00–12:00", "08:00:00 (Europe/Vienna) to ", "No time limits"]);
    for (name, from, to) in [("morning", 8, 12), ("afternoon", 12, 18), ("today", 8, 18)] {
        let tile = click(&mut browser, &path, &[("range", name)]).await;
        let said = format!("Valid from today {from:02}:00 to today {to:02}:00.");
        tile.check(200, &[&said, "Undo"]);
        let token = app.token(&uid).await;
        assert_eq!((&token["valid_from"], &token["valid_to"]), (&today(from), &today(to)));
    }
    click(&mut browser, &path, &[("range", "today")]).await.check(200, &["No change needed."]);
    let tile = click(&mut browser, &path, &[("no_limits", "1")]).await;
    tile.check(200, &["Time limits removed."]);
    assert!(!tile.text.contains("No time limits"), "there are none to take away");
    let token = app.token(&uid).await;
    assert_eq!((&token["valid_from"], &token["valid_to"]), (&Value::Null, &Value::Null));
    let undone = undo(&mut browser, &tile).await;
    undone.check(200, &["Change undone.", "No time limits"]);
    assert_eq!(app.token(&uid).await["valid_from"], today(8));
    click(&mut browser, &path, &[("range", "evening")]).await.check(200, &["this time range no longer exists"]);
    browser.post(&path, &[]).await.check(400, &[]);
    assert_eq!(app.token(&uid).await["valid_from"], today(8));
}

#[actix_web::test]
async fn a_click_sets_a_count() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let path = format!("/{uid}/set_count");
    for (count, said) in [("10", "Uses set to 10."), ("0", "Uses set to 0."), ("-1", "Uses set to unlimited.")] {
        click(&mut browser, &path, &[("usage_count", count)]).await.check(200, &[said, "Undo"]);
        assert_eq!(uses(&app, &uid).await.to_string(), count);
    }
    for wrong in ["-2", "2147483648", "x"] {
        browser.post(&path, &[("usage_count", wrong)]).await.check(422, &[]);
    }
    browser.post(&path, &[]).await.check(400, &[]);

    // What is consumed meanwhile stays consumed.
    let tile = click(&mut browser, &path, &[("usage_count", "20")]).await;
    app.consume(&uid).await.check_success();
    click(&mut browser, &path, &[("usage_count", "5")]).await.check(200, &["Uses set to 5."]);
    let later = undo(&mut browser, &tile).await;
    later.check(200, &["changed later"]);
    assert_eq!(uses(&app, &uid).await, 5);
    let tile = click(&mut browser, &path, &[("usage_count", "50")]).await;
    app.consume(&uid).await.check_success();
    undo(&mut browser, &tile).await.check(200, &["Change undone."]);
    assert_eq!(uses(&app, &uid).await, 4);
}

#[actix_web::test]
async fn uses_are_added_to_those_that_are_left() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let path = format!("/{uid}/add_uses");
    browser.get(&format!("/{uid}")).await.check(200, &["Give a use back", "Add uses"]);
    app.consume(&uid).await.check_success();
    click(&mut browser, &path, &[("add_uses", "1")]).await.check(200, &["One use added.", "Undo"]);
    assert_eq!(uses(&app, &uid).await, 3);
    let tile = click(&mut browser, &path, &[("add_uses", "40")]).await;
    tile.check(200, &["40 uses added."]);
    app.consume(&uid).await.check_success();
    undo(&mut browser, &tile).await.check(200, &["Change undone."]);
    assert_eq!(uses(&app, &uid).await, 2);
    for wrong in ["0", "-1", "", "x", "2147483648"] {
        let tile = browser.post(&path, &[("add_uses", wrong)]).await;
        tile.check(422, &["The token was not changed", "a whole number from 1", "add_uses-error"]);
        assert!(tile.text.contains(&format!("required value=\"{wrong}\"")), "as it was typed");
    }
    browser.post(&path, &[("add_uses", "2147483647")]).await.check(422, &["at most 2,147,483,647 uses"]);
    assert_eq!(uses(&app, &uid).await, 2);
}

#[actix_web::test]
async fn nothing_is_added_to_unlimited_uses() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    let tile = browser.get(&format!("/{uid}")).await;
    assert!(!tile.text.contains("Give a use back") && !tile.text.contains("Add uses"), "{}", tile.text);
    let path = format!("/{uid}/add_uses");
    click(&mut browser, &path, &[("add_uses", "1")])
        .await
        .check(200, &["this token has unlimited uses", "flash refused"]);
    assert_eq!(uses(&app, &uid).await, -1);
}

#[actix_web::test]
async fn the_same_form_sent_twice_is_done_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let path = format!("/{uid}/add_uses");
    let nonce = browser.get(&format!("/{uid}")).await.field("nonce");
    let add = |uses: &str| {
        let form = [("nonce", nonce.clone()), ("add_uses", uses.to_owned())];
        browser.request(Method::POST, &path).form(&form).send()
    };
    for answer in futures_util::future::join_all((0..8).map(|_| add("1"))).await {
        assert_eq!(answer.unwrap().status(), 303);
    }
    assert_eq!(uses(&app, &uid).await, 4);
    // The same button after an undo does it again.
    let tile = browser.get(&format!("/{uid}?done=did-{nonce}")).await;
    undo(&mut browser, &tile).await;
    assert_eq!(uses(&app, &uid).await, 3);
    click(&mut browser, &path, &[("nonce", &nonce), ("add_uses", "1")]).await.check(200, &["One use added."]);
    assert_eq!(uses(&app, &uid).await, 4);
    // The same form with another button does something else.
    click(&mut browser, &path, &[("nonce", &nonce), ("add_uses", "10")]).await.check(200, &["10 uses added"]);
    assert_eq!(uses(&app, &uid).await, 14);
    let other = app.add(&[("usage_count", "3")]).await;
    click(&mut browser, &format!("/{other}/add_uses"), &[("nonce", &nonce), ("add_uses", "1")])
        .await
        .check(200, &["One use"]);
    assert_eq!(uses(&app, &other).await, 4);
}

#[actix_web::test]
async fn uses_that_are_given_and_consumed_at_once_are_all_counted() {
    let app = App::start().await;
    let browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "50")]).await;
    let consumes = (0..20).map(|_| async { app.consume(&uid).await.status });
    let adds = (0..20).map(|_| async {
        let form = [("add_uses", "2")];
        let answer = browser.request(Method::POST, &format!("/{uid}/add_uses")).form(&form).send().await.unwrap();
        answer.status().as_u16()
    });
    let both =
        futures_util::future::join(futures_util::future::join_all(consumes), futures_util::future::join_all(adds));
    let (consumed, added) = both.await;
    assert_eq!((consumed, added), (vec![200; 20], vec![303; 20]));
    assert_eq!(uses(&app, &uid).await, 50 - 20 + 40);
}

#[actix_web::test]
async fn only_who_may_edit_sets_anything() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let mut editor = Browser::of(&app, Role::Editor).await;
    let done = editor.post(&format!("/{uid}/set_count"), &[("usage_count", "9")]).await.location;
    for role in [Role::Scanner, Role::Viewer] {
        let mut browser = Browser::of(&app, role).await;
        for (view, form) in
            [("set_range", ("range", "today")), ("set_count", ("usage_count", "5")), ("add_uses", ("add_uses", "1"))]
        {
            browser.post(&format!("/{uid}/{view}"), &[form]).await.check(403, &["Your role can't add or edit"]);
            browser.get(&format!("/{uid}/{view}")).await.check(405, &[]);
        }
        if role == Role::Viewer {
            let tile = browser.get(&done).await;
            tile.check(200, &["Uses set to 9."]);
            assert!(!tile.text.contains("Undo") && !tile.text.contains("class=\"quick\""), "{}", tile.text);
        }
    }
    assert_eq!(uses(&app, &uid).await, 9);
    // Another token's action is not told here, and neither is one that does not exist.
    let other = app.add(&[]).await;
    for action in [done.rsplit("did-").next().unwrap(), "x", &other] {
        let tile = editor.get(&format!("/{other}?done=did-{action}")).await;
        assert!(!tile.check(200, &[]).text.contains("class=\"flash"), "{}", tile.text);
    }
    for uid in [other.replace(|c: char| c.is_ascii_hexdigit(), "0"), "x".into()] {
        editor.post(&format!("/{uid}/set_count"), &[("usage_count", "5")]).await.check(404, &[]);
    }
    app.post(&format!("/{other}/delete_token"), &[]).await.check_success();
    editor.post(&format!("/{other}/add_uses"), &[("add_uses", "5")]).await.check(404, &[]);
}

#[actix_web::test]
async fn the_buttons_are_those_of_the_settings() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let rows = "INSERT INTO settings VALUES ('quick_counts', '[7]', 0, 'x'), \
                ('time_ranges', '[{\"name\":\"a & <b>\",\"from\":\"22:00\",\"to\":\"06:00\"}]', 0, 'x')";
    app.connection().batch_execute(rows).unwrap();
    let uid = app.add(&[("usage_count", "7")]).await;
    let tile = browser.get(&format!("/{uid}")).await;
    tile.check(200, &["value=\"7\" title=\"Set the uses left to 7\" aria-current=\"true\"", "22:00–06:00"]);
    assert!(!tile.text.contains("value=\"100\""));
    click(&mut browser, &format!("/{uid}/set_range"), &[("range", "a & <b>")])
        .await
        .check(200, &["to tomorrow 06:00."]);
    let kept: i64 = actions::table.count().get_result(&mut app.connection()).unwrap();
    assert_eq!(kept, 1);
}

#[actix_web::test]
async fn a_range_is_right_on_the_days_on_which_the_clock_is_put() {
    // On PostgreSQL the database's clock counts.
    only_on_sqlite!();
    for (day, from, to) in [
        ("2026-03-29", "2026-03-29T01:00:00Z", "2026-03-29T04:00:00Z"),
        ("2026-10-25", "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z"),
    ] {
        let place = Place::new();
        place.works(&["migrate"]);
        let rows = "INSERT INTO settings VALUES ('time_ranges', \
                    '[{\"name\":\"early\",\"from\":\"02:30\",\"to\":\"06:00\"}]', 0, 'x')";
        place.connection().batch_execute(rows).unwrap();
        let noon = Micros::read(&format!("{day}T12:00"), VIENNA).unwrap();
        let offset = (noon.get() - Micros::now().get()) / 1_000_000;
        let preload = libfaketime();
        let server = place.serve_after(&format!(
            "export TESSERA_TIMEZONE=Europe/Vienna FAKETIME={offset:+}s FAKETIME_DONT_FAKE_MONOTONIC=1 \
             DONT_FAKE_MONOTONIC=1 LD_PRELOAD={}",
            preload.display()
        ));
        let key = place.key("editor");
        let uid = server.add_tokens(&key, &[("count", "1")]).await.remove(0);
        let tile = server.post(&key, &format!("/{uid}/set_range")).form(&[("range", "early")]).send().await.unwrap();
        assert_eq!(tile.status(), 200);
        let token = send(server.get(&key, &format!("/query_token?token_uid={uid}"))).await.body["token"].clone();
        assert_eq!((&token["valid_from"], &token["valid_to"]), (&json!(from), &json!(to)));
    }
}
