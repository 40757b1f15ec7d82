//! `/usage.csv`: the log as a table.

use reqwest::Method;
use serde_json::Value;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::usage_log::{at, used, write, write_many};

async fn text(app: &App, query: &str) -> String {
    let answer = app.request(Role::Viewer, Method::GET, &format!("/usage.csv{query}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[actix_web::test]
async fn the_table_has_what_the_json_has() {
    let app = App::start().await;
    let uid = app.add(&[("value", "say \"hi\", you"), ("label", "Anna"), ("usage_count", "1")]).await;
    app.consume(&uid).await.check_success();
    app.consume(&uid).await.check_failure("TokenUsageCountExceeded");
    app.post("/consume_token", &[("value", "ünknown")]).await.check_failure("TokenNotExists");
    let answer = app.request(Role::Viewer, Method::GET, "/usage.csv").send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8; header=present");
    let name = header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"usage-") && name.ends_with(".csv\""), "{name}");
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store".into(), "nosniff".into()));
    let table = answer.text().await.unwrap();
    assert!(
        table.starts_with(
            "timestamp,token_uid,token_value,token_label,user,outcome,error,error_code,uid,gate,uses,undoes\r\n"
        ),
        "{table}"
    );
    assert!(table.contains(",\"say \"\"hi\"\", you\",") && table.ends_with("\r\n"), "{table}");
    let expected: Vec<Vec<String>> = app
        .usage(None)
        .await
        .iter()
        .map(|entry| {
            let text = |name: &str| match &entry[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let [at, token, value, user] = ["timestamp", "token_uid", "token_value", "user"].map(text);
            let label = if token == uid { "Anna".to_owned() } else { String::new() };
            let outcome = if entry["error"].is_null() { "used" } else { "refused" };
            vec![
                at,
                token,
                value,
                label,
                user,
                outcome.to_owned(),
                text("error"),
                text("error_code"),
                text("uid"),
                text("gate"),
                text("uses"),
                text("undoes"),
            ]
        })
        .collect();
    assert_eq!(rows(&table), expected);
    assert_eq!(rows(&text(&app, "?outcome=used").await).len(), 1);
    assert_eq!(rows(&text(&app, &format!("?token_uid={uid}&outcome=refused")).await).len(), 1);
    assert_eq!(
        text(&app, "?q=zzz").await,
        "timestamp,token_uid,token_value,token_label,user,outcome,error,error_code,uid,gate,uses,undoes\r\n"
    );
}

#[actix_web::test]
async fn no_cell_is_a_formula() {
    let app = App::start().await;
    let hostile = ["=HYPERLINK(\"http://evil.example\")", "+1", "-1", "@SUM(1)", "a\r\nb,\"c", "ok"];
    let log: Vec<_> = hostile.iter().map(|value| used("2026-10-24", value)).collect();
    write(&mut app.connection(), &log);
    let table = rows(&text(&app, "").await);
    let cells: Vec<&str> = table.iter().rev().map(|row| &*row[2]).collect();
    assert_eq!(cells, ["'=HYPERLINK(\"http://evil.example\")", "'+1", "'-1", "'@SUM(1)", "a\r\nb,\"c", "ok"]);
}

#[actix_web::test]
async fn thousands_of_entries_come_whole_whatever_is_added_meanwhile() {
    let app = App::start().await;
    write_many(&mut app.connection(), 30_500, &format!("{} + i", at("2026-10-01").get()), "NULL", "NULL");
    let mut answer = app.request(Role::Viewer, Method::GET, "/usage.csv").send().await.unwrap();
    let mut body = answer.chunk().await.unwrap().unwrap().to_vec();
    write_many(&mut app.connection(), 100, &format!("{}", at("2026-10-01").get()), "NULL", "2");
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    let table = rows(std::str::from_utf8(&body).unwrap());
    assert_eq!(table.len(), 30_500);
    let in_order = table.iter().zip((1..=30_500).rev()).all(|(row, i)| row[8] == format!("uid-{i}"));
    assert!(in_order, "newest first, each once, none that was added");

    // Whoever goes away takes the rest along, and is nobody's trouble.
    for _ in 0..20 {
        let mut answer = app.request(Role::Viewer, Method::GET, "/usage.csv").send().await.unwrap();
        drop(answer.chunk().await.unwrap());
    }
    assert_eq!(rows(&text(&app, "?outcome=refused").await).len(), 100);
}
