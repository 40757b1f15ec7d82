//! `/export/tokens`: every format, every filter, and what cannot be asked for.

use reqwest::Method;
use serde_json::{Value, json};
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::tokens;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::export::{column, exported, lines, refused, table};
use crate::support::printing::keep_run_of;
use crate::support::tokens::token;

const HEAD: &str = "uid,value,label,valid_from,valid_to,usage_count,lock_time,batch,voided,void_reason,state,used,last_used,\
                    creator,created,modified";

const HEADINGS: &str = "ID,Value,Label,Valid from,Valid until,Uses left,Lock (seconds),Batch,Voided,Reason for voiding,State,Used,\
                        Last used,Created by,Created,Changed";

/// The uids of the tokens of a filter.
async fn uids(app: &App, query: &str) -> Vec<String> {
    let text = exported(app, &format!("/export/tokens{query}")).await;
    column(&table(&text, b','), "uid").into_iter().map(str::to_owned).collect()
}

#[actix_web::test]
async fn each_format_has_every_token_oldest_first() {
    let app = App::start().await;
    let long = "😀".repeat(150) + &"ä".repeat(200);
    let values = ["=HYPERLINK(\"http://evil.example\")", "say \"hi\", you; and me", "-1", &long];
    let mut added = Vec::new();
    for value in values {
        added.push(app.add(&[("value", value), ("label", "Größe, \"1\""), ("usage_count", "2")]).await);
    }
    let bounds = [
        ("valid_from", "2026-01-01T00:00:00.000001Z"),
        ("valid_to", "2999-12-31T23:00:00Z"),
        ("usage_count", "-1"),
        ("lock_time", "60"),
    ];
    added.push(app.add(&bounds).await);
    let batch = app.post("/add_tokens", &[("count", "1"), ("batch_name", "Sömmer; fest")]).await;
    added.push(batch.check_success().body["token_uids"][0].as_str().unwrap().to_owned());
    app.consume(&added[0]).await.check_success();
    app.consume(&added[0]).await.check_success();
    app.post("/void_token", &[("token_uid", &added[1]), ("reason", "Lost, \"twice\"")]).await.check_success();
    let deleted = app.add(&[]).await;
    app.post("/delete_token", &[("token_uid", &deleted)]).await.check_success();

    let csv = exported(&app, "/export/tokens").await;
    assert!(csv.starts_with(&format!("{HEAD}\r\n")) && csv.ends_with("\r\n"), "{csv}");
    let rows = table(&csv, b',');
    let of = |name| column(&rows, name);
    assert_eq!(of("uid"), added);
    assert_eq!(of("value")[..4], values, "every value exactly");
    assert_eq!(of("state"), ["used_up", "voided", "active", "active", "active", "active"]);
    assert_eq!(
        (of("used"), of("usage_count")),
        (vec!["2", "0", "0", "0", "0", "0"], vec!["0", "2", "2", "2", "-1", "1"])
    );
    assert_eq!((of("batch")[0], of("batch")[5]), ("", "Sömmer; fest"));
    assert_eq!((of("valid_from")[4], of("lock_time")[4]), ("2026-01-01T00:00:00.000001Z", "60"));
    assert_eq!((of("void_reason")[1], of("voided")[0]), ("Lost, \"twice\"", ""));

    // JSON Lines say what query_tokens says.
    let objects = lines(&exported(&app, "/export/tokens?format=jsonl").await);
    let asked = app.get("/query_tokens", &[]).await;
    let mut known = asked.check_success().body["tokens"].as_array().unwrap().clone();
    known.reverse();
    assert_eq!(objects.len(), known.len());
    for (object, known) in objects.iter().zip(&known) {
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), HEAD.split(',').count());
        for (name, value) in object.as_object().unwrap() {
            assert!(["batch", "used"].contains(&name.as_str()) || *value == known[name], "{name}: {object}, {known}");
        }
    }
    assert_eq!((&objects[5]["batch"], &objects[0]["used"]), (&json!("Sömmer; fest"), &json!(2)));
    let first = exported(&app, "/export/tokens?format=jsonl").await;
    assert!(first.starts_with("{\"uid\":\"") && first.contains(",\"label\":\"Größe, \\\"1\\\"\",\"valid_from\":null,"));

    let excel = exported(&app, "/export/tokens?format=excel").await;
    assert!(excel.starts_with(&format!("\u{feff}{HEADINGS}\r\n")), "{excel}");
    let rows = table(excel.trim_start_matches('\u{feff}'), b',');
    let of = |name| column(&rows, name);
    assert_eq!(of("Value")[..3], ["'=HYPERLINK(\"http://evil.example\")", "say \"hi\", you; and me", "'-1"]);
    assert_eq!((of("State")[0], of("Uses left")[4]), ("Used up", "Unlimited"));
    assert_eq!(
        (of("Valid from")[4], of("Valid until")[4]),
        ("2026-01-01 01:00:00", "3000-01-01 00:00:00"),
        "in Vienna"
    );
}

#[actix_web::test]
async fn every_filter_of_the_list_filters() {
    let app = App::start().await;
    let batch = app.post("/add_tokens", &[("count", "3"), ("batch_name", "Party"), ("label", "Locker {n:02}")]).await;
    let batch_uid = batch.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    let of_batch = uids(&app, &format!("?batch={batch_uid}")).await;
    assert_eq!(of_batch.len(), 3);
    let old = tessera::token::Token { created: crate::support::usage_log::at("2026-01-05T10:00"), ..token(1) };
    let new = token(0);
    let (old, new) = (
        {
            crate::support::tokens::add(&mut app.connection(), &old);
            old.uid.to_string()
        },
        {
            crate::support::tokens::add(&mut app.connection(), &new);
            new.uid.to_string()
        },
    );
    let run = keep_run_of(&app, &[of_batch[1].parse().unwrap()], 100, None).await;
    app.post("/void_token", &[("token_uid", &of_batch[2])]).await.check_success();

    assert_eq!(uids(&app, "?q=locker+02").await, [of_batch[1].as_str()]);
    assert_eq!(uids(&app, &format!("?q={}", &old[..13])).await, [old.as_str()]);
    assert_eq!(uids(&app, &format!("?q=locker&batch={batch_uid}&state=active")).await, of_batch[..2]);
    assert_eq!(uids(&app, "?state=used_up").await, [new.as_str()]);
    assert_eq!(uids(&app, "?state=voided").await, [of_batch[2].as_str()]);
    assert_eq!(uids(&app, "?created_to=2026-01-05").await, [old.as_str()], "with that whole day, as the page has it");
    assert_eq!(uids(&app, "?created_from=2026-01-01&created_to=2026-01-04").await, [""; 0]);
    assert_eq!(uids(&app, "?created_from=2026-01-06&state=used_up").await, [new.as_str()]);
    assert_eq!(uids(&app, &format!("?print_run={}", run.uid)).await, [of_batch[1].as_str()]);
    assert_eq!(uids(&app, "?printed=never_used").await, [of_batch[1].as_str()]);
    assert_eq!(uids(&app, "?printed=never&q=locker").await, [of_batch[0].clone(), of_batch[2].clone()]);
    assert_eq!(uids(&app, "?q=nobody+has+this").await, [""; 0]);

    // A batch whose tokens are all gone, and one that never was.
    for uid in &of_batch {
        app.post("/delete_token", &[("token_uid", uid)]).await.check_success();
    }
    assert_eq!(uids(&app, &format!("?batch={batch_uid}")).await, [""; 0]);
    assert_eq!(uids(&app, &format!("?batch={}", tessera::token::Uid::random())).await, [""; 0]);
    assert_eq!(uids(&app, "").await.len(), 2);
}

#[actix_web::test]
async fn more_than_a_piece_comes_whole_by_every_way() {
    let app = App::start().await;
    let made: Vec<_> = (0..3_500)
        .map(|n| tessera::token::Token { label: Some(format!("Seat {}", n % 2)), ..token(1 - n % 2) })
        .collect();
    for made in made.chunks(500) {
        transaction(&mut app.connection(), |connection| tokens::add_all(connection, made)).unwrap();
    }
    let batch = [("count", "2500"), ("batch_name", "Many"), ("label", "Seat {n}"), ("usage_count", "1")];
    let batch = app.post("/add_tokens", &batch).await.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    let all = uids(&app, "").await;
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!((all.len(), once.len()), (6_000, 6_000));
    for (query, count) in [
        ("?state=used_up".to_owned(), 1_750),
        ("?q=seat".into(), 6_000),
        ("?q=seat&state=active".into(), 4_250),
        (format!("?batch={batch}"), 2_500),
        (format!("?batch={batch}&state=active"), 2_500),
        (format!("?batch={batch}&state=used_up"), 0),
        ("?created_from=2020-01-01&state=used_up".into(), 1_750),
        ("?created_from=2020-01-01&q=seat&printed=never".into(), 6_000),
        ("?created_from=2020-01-01".into(), 6_000),
        ("?created_to=2020-01-01".into(), 0),
        ("?printed=never".into(), 6_000),
    ] {
        let found = uids(&app, &query).await;
        let mut ids: Vec<usize> = found.iter().map(|uid| all.iter().position(|known| known == uid).unwrap()).collect();
        assert_eq!(found.len(), count, "{query}");
        // By creation where an index of that order leads to them: many were made within a microsecond of each other.
        if !query.contains("created") {
            assert!(ids.is_sorted(), "{query}");
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{query}: each once");
    }
}

#[actix_web::test]
async fn what_cannot_be_asked_for_is_refused_by_name() {
    let app = App::start().await;
    let get = async |query: &str| refused(&app, Role::Viewer, &format!("/export/tokens?{query}")).await;
    get("format=xlsx").await.check_failure("TokenValueError").check_param("format");
    for unknown in ["cursor", "limit", "sort", "after", "uid"] {
        get(&format!("{unknown}=1")).await.check_failure("TokenAPIError").check_param(unknown);
    }
    get("state=lost").await.check_failure("TokenValueError").check_param("state");
    get("batch=x").await.check_failure("TokenValueError").check_param("batch");
    get("created_from=soon").await.check_failure("TokenValueError").check_param("created_from");
    get("q=%00").await.check_failure("TokenValueError").check_param("q");
    assert_eq!(exported(&app, "/export/tokens?_=1&format=").await, format!("{HEAD}\r\n"));

    let head = app.request(Role::Viewer, Method::HEAD, "/export/tokens?format=jsonl").send().await.unwrap();
    assert_eq!(head.status(), 200);
    let header = |name: &str| head.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/jsonl");
    let name = header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"tokens-2") && name.ends_with(".jsonl\""), "{name}");
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store".into(), "nosniff".into()));
    assert!(head.bytes().await.unwrap().is_empty());
    assert_eq!(app.post("/export/tokens", &[]).await.status, 405);
}

#[actix_web::test]
async fn the_pages_lead_to_what_they_show() {
    let app = App::start_at("/tickets").await;
    let batch = app.post("/add_tokens", &[("count", "2"), ("batch_name", "Party"), ("label", "Seat & row {n}")]).await;
    let batch = batch.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    app.add(&[("label", "Other")]).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    for (page, count) in [
        ("/".to_owned(), 3),
        ("/?q=seat+%26+row&sort=label".into(), 2),
        (format!("/batches/{batch}"), 2),
        ("/?state=active&q=other".into(), 1),
    ] {
        let shown = viewer.get(&page).await;
        shown.check(200, &["Export", "CSV for Excel</a>", "CSV for programs</a>", "JSON</a>"]);
        let links = shown.text.split("href=\"/tickets").filter(|rest| rest.starts_with("/export/tokens?"));
        let links: Vec<String> = links.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")).collect();
        assert_eq!(links.len(), 3, "{page}: {links:?}");
        let file = viewer.get(links.iter().find(|link| link.ends_with("format=jsonl")).unwrap()).await;
        let objects: Vec<Value> = lines(&file.text);
        assert_eq!(objects.len(), count, "{page}: {}", file.text);
    }
}
