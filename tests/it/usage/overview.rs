//! `/overview`: each number is right, and leads to as many.

use tessera::access::Role;
use tessera::token::Micros;
use tessera::token::gate::GateRules;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::export::{exported, lines};
use crate::support::gates::add_gate;
use crate::support::usage_log::{Attempt, refused, used, write, write_many};

/// Now and so many seconds, as a form has it.
fn in_seconds(seconds: i32) -> String {
    Micros::now().plus_seconds(seconds).to_string()
}

/// The addresses and texts of the links of a page or a part of it, without marks.
fn links(text: &str) -> Vec<(String, String)> {
    let main = text.split("<main").nth(1).unwrap_or(text);
    let links = main.split("<a ").skip(1).map(|rest| rest.split("</a>").next().unwrap());
    let link = |link: &str| {
        let href = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let (_, inner) = link.split_once('>').unwrap();
        let words: String = inner.split('<').map(|part| part.rsplit('>').next().unwrap()).collect();
        (href, words.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    links.map(link).collect()
}

/// How many there are behind a link, as its export has them.
async fn behind(app: &App, href: &str) -> usize {
    let without_order = href.replace("&sort=valid_to", "");
    let file = match without_order.strip_prefix("/usage?") {
        Some(filter) => format!("/export/usage?format=jsonl&{filter}"),
        None => {
            format!("/export/tokens?format=jsonl&{}", without_order.trim_start_matches('/').trim_start_matches('?'))
        }
    };
    lines(&exported(app, file.trim_end_matches('&')).await).len()
}

/// Holds that the page has these numbers, and that each leads to as many.
async fn check(app: &App, text: &str, wanted: &[&str]) {
    let links = links(text);
    for wanted in wanted {
        let found = links.iter().find(|(_, words)| words == wanted);
        let (href, words) = found.unwrap_or_else(|| panic!("{wanted} in {links:?}"));
        let number: usize = words.split(' ').next().unwrap().replace(',', "").parse().unwrap();
        assert_eq!(behind(app, href).await, number, "{words}: {href}");
    }
}

/// The numbers of a row of a table.
fn row<'a>(text: &'a str, name: &str) -> &'a str {
    let rows = text.split("<tr>").find(|row| row.contains(&format!(">{name}</")));
    rows.unwrap_or_else(|| panic!("{name} in {text}")).split("</tr>").next().unwrap()
}

#[actix_web::test]
async fn an_empty_instance_says_what_will_be_here() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/overview").await;
    page.check(200, &["Nothing to count yet", "how many tokens are valid"]);
    assert!(!page.text.contains("Add the first token"));
    Browser::of(&app, Role::Editor).await.get("/overview").await.check(200, &["Add the first token"]);
}

#[actix_web::test]
async fn each_number_is_right_and_leads_to_as_many() {
    let app = App::start().await;
    add_gate(&app, "North", &GateRules { undo_seconds: Some(600), ..GateRules::default() });
    add_gate(&app, "Quiet", &GateRules::default());
    let batch =
        app.post("/add_tokens", &[("count", "3"), ("batch_name", "Party & friends"), ("usage_count", "1")]).await;
    let uids = batch.check_success().body["token_uids"].clone();
    let of_batch = |n: usize| uids[n].as_str().unwrap().to_owned();
    let single = app.add(&[("usage_count", "5"), ("label", "Locker 1")]).await;
    let void = app.add(&[]).await;
    app.post("/void_token", &[("token_uid", &void)]).await.check_success();
    let early = app.add(&[("valid_from", &in_seconds(86_400 * 3))]).await;

    let at_north = async |uid: &str, nonce: &str| {
        app.post("/consume_token", &[("token_uid", uid), ("gate", "North"), ("nonce", nonce)]).await
    };
    at_north(&of_batch(0), "one").await.check_success();
    at_north(&of_batch(1), "two").await.check_success();
    at_north(&of_batch(0), "three").await.check_failure("TokenUsageCountExceeded");
    app.post("/undo_consume", &[("nonce", "two")]).await.check_success();
    app.post("/consume_token", &[("token_uid", &single), ("uses", "3")]).await.check_success();
    app.consume(&void).await.check_failure("TokenVoided");
    app.consume(&early).await.check_failure("TokenTimeRangeViolation");
    for _ in 0..2 {
        app.post("/consume_token", &[("value", "nobody knows it")]).await.check_failure("TokenNotExists");
    }
    // Yesterday's do not count.
    let old = Micros::now().plus_seconds(-2 * 86_400).to_string();
    write(&mut app.connection(), &[used(&old, "A"), refused(&old, "B", 2)]);

    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/overview").await;
    page.check(200, &["Europe/Vienna"]);
    let text = &page.text;
    check(&app, text, &["3 valid now", "6 tokens", "3 used today", "1 undone", "5 refused today"]).await;
    check(&app, text, &["0 opening in the next 24 hours", "0 ending in the next 24 hours"]).await;
    for (reason, count) in [("Unknown code", 2), ("Used up", 1), ("Voided", 1), ("Not valid at that time", 1)] {
        let (href, number) = links(row(text, reason)).pop().unwrap_or_default();
        assert_eq!((number, behind(&app, &href).await), (count.to_string(), count), "{reason}");
    }
    for (place, counts) in [("North", [2, 1]), ("Party &#38; friends", [2, 1])] {
        let found: Vec<_> = links(row(text, place));
        for ((href, number), count) in found.iter().zip(counts) {
            assert_eq!((number, behind(&app, href).await), (&count.to_string(), count), "{place}: {href}");
        }
        assert_eq!(found.len(), 2);
    }
    assert!(!text.contains("Quiet"), "nobody was there today");
    assert!(!text.contains("Please check"));
    for (href, _) in links(text) {
        viewer.get(&href).await.check(200, &[]);
    }
}

#[actix_web::test]
async fn what_opens_and_ends_soon_is_named_the_next_first() {
    let app = App::start().await;
    for (label, from, to) in [
        ("Later", Some(3_600 * 30), None),
        ("Second", Some(7_200), None),
        ("First", Some(600), Some(7_200)),
        ("Open", Some(-600), Some(3_600 * 30)),
        ("Ends second", Some(-7_200), Some(7_200)),
        ("Ends first", None, Some(600)),
        ("Ended", None, Some(-600)),
    ] {
        let (from, to) = (from.map(in_seconds).unwrap_or_default(), to.map(in_seconds).unwrap_or_default());
        app.add(&[("label", label), ("valid_from", &from), ("valid_to", &to)]).await;
    }
    let used_up = app.add(&[("label", "Used up"), ("valid_to", &in_seconds(900)), ("usage_count", "1")]).await;
    app.consume(&used_up).await.check_success();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/overview").await;
    check(&app, &page.text, &["2 opening in the next 24 hours", "2 ending in the next 24 hours", "3 valid now"]).await;
    let names = |heading: &str| -> Vec<String> {
        let section = page.text.split(&format!(">{heading}</h2>")).nth(1).unwrap().split("</section>").next().unwrap();
        links(section).into_iter().map(|(_, name)| name).collect()
    };
    assert_eq!(names("Opening soon"), ["First", "Second"]);
    assert_eq!(names("Ending soon"), ["Ends first", "Ends second"]);
    viewer.get("/?soon=later").await.check(422, &["soon"]);
    // The index says so, too, once it knows these tokens.
    let all = exported(&app, "/export/tokens?soon=ending&q=ends&format=jsonl").await;
    assert_eq!(lines(&all).len(), 2);
}

#[actix_web::test]
async fn what_is_odd_is_said_in_a_sentence() {
    let app = App::start().await;
    add_gate(&app, "South", &GateRules::default());
    let uid = app.add(&[("label", "Locker <1>"), ("value", "L-1"), ("usage_count", "0")]).await;
    let calm = app.add(&[("label", "Calm"), ("usage_count", "0")]).await;
    for _ in 0..6 {
        app.consume(&uid).await.check_failure("TokenUsageCountExceeded");
    }
    for _ in 0..4 {
        app.consume(&calm).await.check_failure("TokenUsageCountExceeded");
    }
    for n in 0..21 {
        let guess = format!("guess {n}");
        app.post("/consume_token", &[("value", &guess), ("gate", "South")]).await.check_failure("TokenNotExists");
    }
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/overview").await;
    let odd: Vec<_> = links(&page.text).into_iter().filter(|(_, words)| words.ends_with('.')).collect();
    assert_eq!(odd.len(), 3, "{odd:?}");
    assert!(odd[0].1.starts_with("Locker &#60;1&#62; was refused 6 times "), "{odd:?}");
    assert_eq!(odd[1].1, "South refused 21 of 21 attempts today.");
    assert_eq!(odd[2].1, "Unknown codes caused 21 refusals today.");
    for ((href, _), count) in odd.iter().zip([6, 21, 21]) {
        assert_eq!(behind(&app, href).await, count, "{href}");
        viewer.get(href).await.check(200, &[&format!("{count} entries")]);
    }
}

#[actix_web::test]
async fn on_a_day_with_very_many_attempts_the_newest_are_counted() {
    let app = App::start().await;
    let uid = app.add(&[]).await;
    let now = Micros::now().get();
    let unknown = Attempt { token_uid: Some(uid), ..refused(&in_seconds(-1), "X", 1) };
    write(&mut app.connection(), &[unknown]);
    write_many(&mut app.connection(), 200_100, &format!("{now} - i / 50"), "NULL", "CASE WHEN i % 4 = 0 THEN 1 END");
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let begun = std::time::Instant::now();
    let page = viewer.get("/overview").await;
    page.check(200, &["<span class=\"small\">more than </span>"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(8), "{:?}", begun.elapsed());
}
