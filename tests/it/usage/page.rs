//! `/usage`: filters, pages, roles and the chart.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;
use tessera::token::gate::GateRules;

use crate::support::app::{App, send};
use crate::support::browser::{Browser, add_user};
use crate::support::gates::add_gate;
use crate::support::usage_log::{Attempt, at, refused, used, write, write_many};

/// The values of a page's entries whose tokens are gone, in their order.
fn values(text: &str) -> Vec<&str> {
    let cells = text.split("<td class=\"name\"><span class=\"mono\">").skip(1);
    cells.map(|cell| cell.split("</span>").next().unwrap()).collect()
}

pub async fn app_with_log() -> App {
    let app = App::start().await;
    let mut log = vec![
        used("2026-10-24T10:00", "A-1"),
        refused("2026-10-24T23:59:59.999999", "A-2", 2),
        used("2026-10-25T00:00", "A-3"),
        refused("2026-10-25T02:30+02:00", "B-4", 3),
        refused("2026-10-25T02:30+01:00", "B-5", 4),
        used("2026-10-25T23:59:59.999999", "B-6"),
        refused("2026-10-26T00:00", "b-7", 1),
    ];
    log[5].who = "user:anna".into();
    write(&mut app.connection(), &log);
    app
}

#[actix_web::test]
async fn an_entry_tells_who_which_token_and_what_came_of_it() {
    let app = App::start().await;
    let labelled = app.add(&[("value", "T-1"), ("label", "Anna <b>")]).await;
    let plain = app.add(&[("value", "T-2"), ("usage_count", "0")]).await;
    let gone = app.add(&[("value", "T-3")]).await;
    for uid in [&labelled, &plain, &gone] {
        app.consume(uid).await;
    }
    app.post("/consume_token", &[("value", "<script>x")]).await.check_failure("TokenNotExists");
    app.post("/delete_token", &[("token_uid", &gone)]).await.check_success();
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/usage").await;
    page.check(
        200,
        &[
            &format!("href=\"/{labelled}\">Anna &#60;b&#62;</a><span class=\"mono muted small\">T-1</span>"),
            &format!("href=\"/{plain}\" class=\"mono\">T-2</a>"),
            "<span class=\"mono\">T-3</span>",
            "<span class=\"mono\">&#60;script&#62;x</span>",
            "Refused: used up",
            "Refused: unknown code",
            "API key manager",
            "4 entries",
            "<h2>Last 30 days: ",
            "aria-current=\"page\">Usage</a>",
        ],
    );
    assert!(!page.text.contains(&format!("href=\"/{gone}\"")), "a deleted token has no tile");
    for query in ["anna+%3CB%3E", "t-1"] {
        viewer.get(&format!("/usage?q={query}")).await.check(200, &["1 entry", "Anna &#60;b&#62;"]);
    }
    let tile = viewer.get(&format!("/{labelled}")).await;
    tile.check(200, &[&format!("href=\"/usage?token_uid={labelled}\">All uses</a>")]);
    let one = viewer.get(&format!("/usage?token_uid={labelled}")).await;
    one.check(200, &["<h1>Usage of Anna &#60;b&#62;</h1>", "1 entry", "name=\"token_uid\""]);
    let deleted = viewer.get(&format!("/usage?token_uid={gone}")).await;
    deleted.check(200, &[&format!("<h1>Usage of {gone}</h1>"), "1 entry"]);
}

#[actix_web::test]
async fn every_part_of_the_filter_finds_what_it_says() {
    let app = app_with_log().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    for (query, found) in [
        ("", &["b-7", "B-6", "B-5", "B-4", "A-3", "A-2", "A-1"][..]),
        ("q=b-", &["b-7", "B-6", "B-5", "B-4"]),
        ("q=%25", &[]),
        ("user=ANNA", &["B-6"]),
        ("user=user:anna", &["B-6"]),
        ("user=user:ann", &[]),
        ("user=key:", &["b-7", "B-5", "B-4", "A-3", "A-2", "A-1"]),
        ("user=API+key+door", &["b-7", "B-5", "B-4", "A-3", "A-2", "A-1"]),
        ("outcome=used", &["B-6", "A-3", "A-1"]),
        ("outcome=refused", &["b-7", "B-5", "B-4", "A-2"]),
        ("outcome=TokenNotExists", &["b-7"]),
        ("outcome=TokenUsageCountExceeded", &["A-2"]),
        ("outcome=TokenLockTimeViolation", &["B-4"]),
        ("outcome=TokenTimeRangeViolation", &["B-5"]),
        ("from=2026-10-25&to=2026-10-25", &["B-6", "B-5", "B-4", "A-3"]),
        ("from=2026-10-26", &["b-7"]),
        ("to=2026-10-24", &["A-2", "A-1"]),
        ("from=2026-10-25T02:00%2B01:00&to=2026-10-25T02:59:59%2B01:00", &["B-5"]),
        ("from=2026-10-25&to=2026-10-25&outcome=refused&q=B&user=door", &["B-5", "B-4"]),
        ("token_uid=1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f", &[]),
        ("batch=1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f", &[]),
    ] {
        let page = viewer.get(&format!("/usage?{query}")).await;
        assert_eq!((page.status, values(&page.text)), (200, found.to_vec()), "{query}");
    }
    let nothing = viewer.get("/usage?q=zzz&outcome=used&batch=1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f").await;
    nothing.check(
        200,
        &[
            "No entries match",
            "Remove a filter:",
            ">Search</a>",
            "href=\"/usage?q=zzz&#38;batch=1f0e6c1a%2D54f7%2D4b1c%2D9d5e%2D0a3b7c2d4e6f\">Outcome",
            ">Batch</a>",
        ],
    );
}

#[actix_web::test]
async fn users_keys_and_gates_are_chosen_from_a_list() {
    let app = app_with_log().await;
    add_user(&app, "ben", Role::Editor);
    add_gate(&app, "North", &GateRules::default());
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/usage").await;
    page.check(
        200,
        &[
            "<option value=\"user:ben\">ben</option><option value=\"user:viewer\">viewer</option>",
            "<option value=\"key:manager\">API key manager</option>",
            "<option value=\"North\">North</option>",
        ],
    );
    assert!(!page.text.contains("user:anna\">"), "there is no user of that name");
    let ben = viewer.get("/usage?user=user%3Aben&gate=North").await;
    ben.check(200, &["<option value=\"user:ben\" selected>ben</option>", "<option value=\"North\" selected>North"]);
    // What an address names and is there no more stays chosen, and so does a part of a name.
    let gone = viewer.get("/usage?user=user%3Aanna").await;
    gone.check(200, &["<option value=\"user:anna\" selected>anna</option>", "B-6"]);
    viewer.get("/usage?user=nn").await.check(200, &["<option value=\"nn\" selected>nn</option>", "B-6"]);
    viewer.get("/usage?gate=Gone").await.check(422, &["<option value=\"Gone\" selected>Gone</option>"]);
}

#[actix_web::test]
async fn what_cannot_be_asked_for_is_told() {
    let app = App::start().await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/usage").await.check(200, &["Nothing used yet"]);
    for (query, says) in [
        ("from=2026-10-26&to=2026-10-25", "“To” must not be before “From”."),
        ("from=soon", "“From” &#34;soon&#34; is not a time"),
        ("to=2026-02-30", "“To” &#34;2026-02-30&#34; is not a time"),
        ("outcome=Used", "outcome &#34;Used&#34; is not one of used, undone, refused, TokenNotExists"),
        ("token_uid=x", "token_uid &#34;x&#34; is not a uid"),
        ("batch=x", "batch &#34;x&#34; is not a uid"),
        ("q=a%00b", "contain line breaks or control characters"),
        ("user=a%00b", "contain line breaks or control characters"),
        (&format!("user={}", "x".repeat(101)), "“User or API key” has at most 100 characters."),
        ("after=x", "cursor was not given by this view"),
    ] {
        viewer.get(&format!("/usage?{query}")).await.check(422, &["These filters can&#39;t be used", says]);
        if !query.starts_with("after") {
            viewer.get(&format!("/usage.csv?{query}")).await.check(422, &[says]);
        }
    }
    for hostile in ["%22%3E%3Cscript%3E", "%27%20OR%201%3D1", "%F0%9F%98%80", "%25%25", "%5C"] {
        let page = viewer.get(&format!("/usage?q={hostile}&user={hostile}")).await;
        assert!(page.status == 200 && !page.text.contains("\"><script>"), "{}", page.text);
    }
    viewer.get("/usage?from=1970-01-02&to=9999-12-31").await.check(200, &[]);
}

#[actix_web::test]
async fn the_log_is_for_who_may_see_tokens() {
    let app = app_with_log().await;
    for path in ["/usage", "/usage.csv"] {
        for role in Role::ALL {
            let answer = send(app.request(role, Method::GET, path)).await;
            assert_eq!(answer.status, if role == Role::Scanner { 403 } else { 200 }, "{role:?}");
        }
        assert_eq!(send(app.request(Role::Viewer, Method::HEAD, path)).await.status, 200);
        assert_eq!(send(app.request(Role::Manager, Method::POST, path)).await.status, 405);
        let next = format!("/login?next={}", path.replace('/', "%2F").replace('.', "%2E"));
        Browser::new(&app).get(path).await.check_leads_to(&next);
    }
}

#[actix_web::test]
async fn pages_lead_to_each_other_and_belong_to_their_filter() {
    let app = App::start().await;
    let log: Vec<Attempt> =
        (0..120).map(|n| used(&format!("2026-10-24T10:00:{:02}", n % 60), &format!("P{n:03}"))).collect();
    write(&mut app.connection(), &log);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let link = |text: &str, words: &str| {
        let before = text.split(&format!("\">{words}</a>")).next().unwrap();
        before.rsplit("href=\"").next().unwrap().replace("&#38;", "&")
    };
    let all: Vec<String> = (0..120).rev().map(|n| format!("P{n:03}")).collect();
    let first = viewer.get("/usage?q=p").await;
    assert_eq!(values(&first.text), all[..50]);
    write(&mut app.connection(), &[used("2026-10-24T11:00", "P-later")]);
    let second = viewer.get(&link(&first.text, "Next")).await;
    assert_eq!(values(&second.text), all[50..100]);
    let third = viewer.get(&link(&second.text, "Next")).await;
    assert_eq!(values(&third.text), all[100..]);
    assert!(!third.text.contains(">Next<"));
    let back = viewer.get(&link(&third.text, "Back")).await;
    assert_eq!(values(&back.text), all[50..100]);
    let last = viewer.get(&link(&back.text, "Last")).await;
    assert_eq!(values(&last.text), all[70..]);
    let plain = viewer.get("/usage").await;
    plain.check(200, &["121 entries"]);
    let other = link(&plain.text, "Next").replace('?', "?q=x&");
    viewer.get(&other).await.check(422, &["Start again without it"]);
}

/// As they are when the clock has jumped, back and forth: numbers and times have nothing to do with each other.
#[actix_web::test]
async fn times_find_exactly_theirs_whatever_the_order_of_the_log() {
    let app = App::start().await;
    let begin = at("2026-10-01").get();
    let seconds = |i: i64| i * 7_919 % 60_000;
    write_many(
        &mut app.connection(),
        60_000,
        &format!("{begin} + (i * 7919 % 60000) * CAST(1000000 AS BIGINT)"),
        "NULL",
        "NULL",
    );
    let moment = |second: i64| tessera::token::Micros::stored(begin + second * 1_000_000).to_string();
    // Narrow; wide and near the end; wide and with much that is newer; nothing at all.
    for (from, to) in [(100, 400), (20_000, 59_999), (0, 30_000), (5_000, 29_000), (70_000, 80_000)] {
        let expected: Vec<String> =
            (1..=60_000).rev().filter(|i| (from..=to).contains(&seconds(*i))).map(|i| format!("uid-{i}")).collect();
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..3 {
            let query = [("from", &*moment(from)), ("to", &moment(to)), ("limit", "200"), ("cursor", &cursor)];
            let answer = app.get("/query_usage", &query).await;
            let entries = answer.check_success().body["usage"].as_array().unwrap();
            seen.extend(entries.iter().map(|entry| entry["uid"].as_str().unwrap().to_owned()));
            let Some(next) = answer.body["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        assert_eq!(seen, expected[..expected.len().min(600)], "{from} to {to}");
    }
}

#[actix_web::test]
async fn a_batch_finds_the_uses_of_its_tokens_also_of_deleted_ones() {
    let app = App::start().await;
    let added = app.post("/add_tokens", &[("count", "3"), ("label", "in {n}")]).await;
    let uids: Vec<String> = serde_json::from_value(added.check_success().body["token_uids"].clone()).unwrap();
    let other = app.add(&[("value", "other")]).await;
    let batch = Uid::random().to_string();
    let make = format!(
        "INSERT INTO batches (uid, name, count, creator, created, touched, made) VALUES ('{batch}', 'Summer & co', 3, 'user:a', 1, 1, 2);
         UPDATE tokens SET batch = (SELECT id FROM batches) WHERE uid IN ('{}')",
        uids.join("', '")
    );
    app.connection().batch_execute(&make).unwrap();
    for uid in [&uids[0], &uids[1], &other] {
        app.consume(uid).await.check_success();
    }
    app.post("/delete_token", &[("token_uid", &uids[0])]).await.check_success();
    app.consume(&uids[0]).await.check_failure("TokenNotExists");
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let entries = |body: &serde_json::Value| {
        let entries = body["usage"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["token_uid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let expected = [&uids[0], &uids[1], &uids[0]].map(String::clone);
    let json = app.get("/query_usage", &[("batch", &batch)]).await;
    assert_eq!(entries(&json.check_success().body), expected);
    let page = viewer.get(&format!("/usage?batch={batch}")).await;
    page.check(200, &["<h1>Usage of Summer &#38; co</h1>", "3 entries", "2</strong> used", "1</strong> refused"]);
    for (token, count) in [(&uids[0], 2), (&uids[2], 0), (&other, 0)] {
        let json = app.get("/query_usage", &[("batch", &batch), ("token_uid", token)]).await;
        assert_eq!(entries(&json.check_success().body).len(), count);
    }
    app.get("/query_usage", &[("batch", "x")]).await.check_failure("TokenValueError").check_param("batch");
    let unknown = app.get("/query_usage", &[("batch", &Uid::random().to_string())]).await;
    assert_eq!(unknown.check_success().body["usage"].as_array().unwrap().len(), 0);

    // So many that the log is walked instead.
    let token = format!("CASE WHEN i % 2 = 0 THEN (SELECT id FROM tokens WHERE uid = '{}') END", uids[2]);
    write_many(&mut app.connection(), 41_000, &at("2026-10-01").get().to_string(), &token, "NULL");
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let json = app.get("/query_usage", &[("batch", &*batch), ("limit", "1000"), ("cursor", &cursor)]).await;
        count += json.check_success().body["usage"].as_array().unwrap().len();
        let Some(next) = json.body["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(count, 20_503);
    viewer.get(&format!("/usage?batch={batch}")).await.check(200, &["more than 10,000 entries"]);
}
