//! The log of one token: each entry knows the one before it, and no index leads to them.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::usage_log::{at, write_many};

/// The entries that `query_usage` tells, page by page.
async fn all(app: &App, fields: &[(&str, &str)]) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let more = [("limit", "1000"), ("cursor", cursor.as_str())];
        let json = app.get("/query_usage", &[fields, &more].concat()).await;
        let entries = json.check_success().body["usage"].as_array().unwrap().clone();
        found.extend(entries.iter().map(|entry| entry["uid"].as_str().unwrap().to_owned()));
        let Some(next) = json.body["next_cursor"].as_str() else { return found };
        next.clone_into(&mut cursor);
    }
}

fn in_order(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| format!("uid-{number}")).collect()
}

#[actix_web::test]
async fn a_long_log_is_found_whole_in_both_directions_and_filtered() {
    const COUNT: usize = 36_000;
    let app = App::start().await;
    let (busy, other) = (app.add(&[("usage_count", "-1")]).await, app.add(&[("usage_count", "-1")]).await);
    let id = |uid: &str| format!("(SELECT id FROM tokens WHERE uid = '{uid}')");
    let token = format!("CASE WHEN i % 3 = 0 THEN {} ELSE {} END", id(&other), id(&busy));
    let time = format!("{} + CAST(i AS BIGINT) * 100000", at("2026-10-01").get());
    write_many(&mut app.connection(), COUNT, &time, &token, "CASE WHEN i % 100 = 1 THEN 2 END");
    let of_busy = || (1..=COUNT).rev().filter(|i| i % 3 != 0);
    assert_eq!(all(&app, &[("token_uid", &busy)]).await, in_order(of_busy()));
    let csv = async |query: String| {
        let answer = app.request(Role::Viewer, Method::GET, &format!("/usage.csv?{query}")).send().await.unwrap();
        answer.text().await.unwrap().lines().count() - 1
    };
    assert_eq!(csv(format!("token_uid={other}")).await, COUNT / 3);
    assert_eq!(csv(format!("token_uid={busy}&outcome=refused")).await, 240);

    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let address = format!("/usage?token_uid={busy}");
    let first = viewer.get(&address).await;
    first.check(200, &["more than 10,000 entries", "<strong>23,760</strong> used", "<strong>240</strong> refused"]);
    let link = |text: &str, rel: &str| {
        let tag = text.split("<a ").find(|tag| tag.contains(&format!("rel=\"{rel}\""))).unwrap().to_owned();
        tag.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&")
    };
    let second = viewer.get(&link(&first.text, "next")).await;
    let again = viewer.get(&link(&second.text, "prev")).await;
    let rows = |text: &str| text.rsplit("<tbody").next().unwrap().split("</tbody>").next().unwrap().to_owned();
    assert_eq!(rows(&again.text), rows(&first.text), "back on the first page");
    assert_ne!(rows(&second.text), rows(&first.text));
    viewer.get(&format!("{address}&outcome=refused")).await.check(200, &["240 entries"]);
}

#[actix_web::test]
async fn a_log_ends_where_older_entries_were_removed() {
    let app = App::start().await;
    let (token, other) = (app.add(&[("usage_count", "-1")]).await, app.add(&[("usage_count", "-1")]).await);
    let uses = async |uid: &str, times| {
        for _ in 0..times {
            app.post("/consume_token", &[("token_uid", uid)]).await.check_success();
        }
    };
    uses(&token, 3).await;
    uses(&other, 1).await;
    uses(&token, 2).await;
    assert_eq!(all(&app, &[("token_uid", &token)]).await.len(), 5);
    app.connection().batch_execute("DELETE FROM usage WHERE id <= 2").unwrap();
    assert_eq!(all(&app, &[("token_uid", &token)]).await.len(), 3);
    // SQLite counts from one again in a log that is empty: what has that number now is another token's.
    app.connection().batch_execute("DELETE FROM usage; UPDATE tokens SET last_entry = 2").unwrap();
    uses(&other, 2).await;
    assert_eq!(all(&app, &[("token_uid", &token)]).await, Vec::<String>::new());
    uses(&token, 1).await;
    assert_eq!(all(&app, &[("token_uid", &token)]).await.len(), 1);
    assert_eq!(all(&app, &[("token_uid", &other)]).await.len(), 2);
}
