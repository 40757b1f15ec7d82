//! Changes of more tokens than one transaction takes: over HTTP, and through the end of the server.

use std::cell::Cell;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rand::RngExt;
use serde_json::json;
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::{Connection, tokens};
use tessera::token::Token;

use super::change::{change, confirmation, undo};
use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::database::number;
use crate::support::process::Place;
use crate::support::tokens::{MISSING_UID, token};

/// More than a piece on either database.
const MANY: usize = 2_300;

fn add(connection: &mut Connection, count: usize, uses: i32) -> Vec<String> {
    let made: Vec<Token> = (0..count).map(|_| token(uses)).collect();
    transaction(connection, |connection| tokens::add_all(connection, &made)).unwrap();
    made.iter().map(|token| token.uid.to_string()).collect()
}

#[actix_web::test]
async fn many_tokens_are_changed_and_that_is_undone() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let mut connection = app.connection();
    add(&mut connection, MANY, 3);
    let all = [("select", "found"), ("state", "active")];
    let far =
        |connection: &mut Connection, what: &str| number(connection, &format!("SELECT COUNT(*) FROM tokens {what}"));
    let many = i64::try_from(MANY).unwrap();

    let lock = [&all[..], &[("do", "lock"), ("lock_time", "9"), ("lock_unit", "seconds")]].concat();
    change(&mut browser, &lock).await.check(200, &["Lock set to 9 seconds", "2,300 tokens"]);
    let label = change(&mut browser, &[&all[..], &[("do", "label"), ("label", "Locker {n:04}")]].concat()).await;
    assert_eq!(far(&mut connection, "WHERE lock_time = 9 AND label LIKE 'Locker ____'"), many);
    assert_eq!(number(&mut connection, "SELECT COUNT(DISTINCT label) FROM tokens"), many, "each has its own number");
    undo(&mut browser, &label).await.check(200, &["Change undone."]);
    assert_eq!(far(&mut connection, "WHERE label IS NULL"), many);
    let action = change(&mut browser, &[&all[..], &[("do", "delete")]].concat()).await;
    action.check(200, &["Deleted", "2,300 tokens"]);
    assert_eq!(far(&mut connection, "WHERE deleted_at IS NULL"), 0);
    undo(&mut browser, &action).await.check(200, &["Change undone."]);
    assert_eq!(far(&mut connection, "WHERE deleted_at IS NULL"), many);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM actions WHERE pending IS NOT NULL"), 0);
}

#[actix_web::test]
async fn a_call_deletes_many_tokens_or_none() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let mut connection = app.connection();
    let uids = add(&mut connection, MANY, 3);
    let there = "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL";
    let with_one_missing = [&uids[..], &[MISSING_UID.to_owned()]].concat();
    let refused = app.post_json("/delete_tokens", json!({ "token_uids": with_one_missing })).await;
    refused.check_failure("TokenNotExists");
    assert!(refused.body.to_string().contains(MISSING_UID), "{}", refused.body);
    assert_eq!(number(&mut connection, there), 2_300);
    browser.get("/actions").await.check(200, &["No actions yet"]);
    let twice = [&uids[..], &uids[..]].concat();
    let deleted = app.post_json("/delete_tokens", json!({ "token_uids": twice })).await;
    assert_eq!(deleted.check_success().body["count"], 2_300);
    assert_eq!(number(&mut connection, there), 0);
    app.post_json("/delete_tokens", json!({ "token_uids": uids })).await.check_failure("TokenNotExists");
    browser.get("/actions").await.check(200, &["Deleted", "2,300 tokens", "API key manager"]);
}

#[actix_web::test]
async fn a_page_tells_how_far_an_action_is() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let mut connection = app.connection();
    add(&mut connection, 5, 3);
    let form = [("select", "found"), ("state", "active"), ("do", "lock"), ("lock_time", "9"), ("lock_unit", "seconds")];
    change(&mut browser, &form).await;
    let path = format!("/actions/{}", uid(&mut connection));
    // Nobody may think that it was left behind.
    let until = "touched = touched + 4000000";
    connection.batch_execute(&format!("UPDATE actions SET pending = 'changing', handled = 2, {until}")).unwrap();
    let page = browser.get(&format!("{path}?done=done")).await;
    let poll = "<noscript><meta http-equiv=\"refresh\"";
    page.check(200, &["Changing 5 tokens", "2 of 5 tokens", poll, "data-poll", "<progress max=\"5\" value=\"2\""]);
    assert!(!page.text.contains("5 tokens changed.") && !page.text.contains("Undo for"), "{}", page.text);
    browser.get("/actions").await.check(200, &["in progress"]);
    let refused = browser.post(&format!("{path}/undo"), &[]).await;
    browser.get(&refused.check_leads_to(&path).location).await.check(200, &["This change isn’t finished yet"]);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM actions WHERE undone IS NOT NULL"), 0);
    for hidden in ["staging", "abandoned"] {
        connection.batch_execute(&format!("UPDATE actions SET pending = '{hidden}'")).unwrap();
        browser.get(&path).await.check(404, &[]);
        browser.get("/actions").await.check(200, &["No actions yet"]);
    }
}

fn uid(connection: &mut Connection) -> String {
    use tessera::store::schema::actions;
    actions::table.select(actions::uid).get_result(connection).unwrap()
}

#[actix_web::test]
async fn the_same_form_sent_five_times_at_once_is_one_action_and_leads_to_it() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let mut connection = app.connection();
    add(&mut connection, MANY, 3);
    let form = [("select", "found"), ("state", "active"), ("do", "add_uses"), ("add_uses", "2")];
    let preview = browser.post("/bulk", &[&form[..], &[("step", "preview")]].concat()).await;
    let fields = confirmation(&preview);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = [&form[..], &fields].concat();
    let requests = (0..5).map(|_| browser.request(reqwest::Method::POST, "/bulk").form(&sent).send());
    for answer in futures_util::future::join_all(requests).await {
        let answer = answer.unwrap();
        let leads_to = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(
            leads_to.is_some_and(|path| path.contains("changed=") || path.contains("/actions/")),
            "{status}: {text}"
        );
    }
    settled(&mut connection).await;
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE usage_count = 5"), 2_300);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM actions"), 1);
}

#[actix_web::test]
async fn the_same_long_list_deleted_four_times_at_once_is_deleted_once() {
    let app = App::start().await;
    let uids = add(&mut app.connection(), MANY, 3);
    let list = json!({ "token_uids": uids });
    let calls = (0..4).map(|_| app.post_json("/delete_tokens", list.clone()));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenNotExists");
    }
}

#[actix_web::test]
async fn a_long_list_is_deleted_while_others_edit_its_tokens_all_the_time() {
    let app = App::start().await;
    let mut connection = app.connection();
    let uids = add(&mut connection, MANY, 3);
    let (deleted, edited) = (Cell::new(false), Cell::new(0));
    let edits = async {
        for uid in uids.iter().rev().cycle().take_while(|_| !deleted.get()) {
            let answer = app.post_json("/update_token", json!({ "token_uid": uid, "label": "meanwhile" })).await;
            edited.set(edited.get() + i32::from(answer.status == 200));
        }
    };
    let deletion = async {
        let answer = app.post_json("/delete_tokens", json!({ "token_uids": uids })).await;
        deleted.set(true);
        answer
    };
    let ((), answer) = futures_util::future::join(edits, deletion).await;
    assert_eq!(answer.check_success().body["count"], 2_300);
    assert!(edited.get() > 3, "{}", edited.get());
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL"), 0);
}

/// A client that goes, as when a browser is closed, neither stops an action nor leaves half of one.
#[actix_web::test]
async fn an_action_whose_client_has_gone_is_carried_out_or_not_begun() {
    let app = App::start().await;
    let mut connection = app.connection();
    for wait in [5, 50, 200] {
        let uids = add(&mut connection, MANY, 3);
        let call =
            app.request(Role::Manager, reqwest::Method::POST, "/delete_tokens").json(&json!({ "token_uids": uids }));
        let _ = call.timeout(Duration::from_millis(wait)).send().await;
        settled(&mut connection).await;
        let left = number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL");
        assert!(left == 0 || left == 2_300, "{left}");
        connection.batch_execute("UPDATE tokens SET deleted_at = 1, deleted_by = ''").unwrap();
    }
}

/// Waits until nothing is under way.
async fn settled(connection: &mut Connection) {
    for _ in 0..1_200 {
        let decided = "SELECT COUNT(*) FROM actions WHERE pending IN ('staging', 'listing', 'changing', 'undoing')";
        if number(connection, decided) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not carried on");
}

/// `kill -9` while tokens are changed, deleted, or restored: all of them are, or none; and uses stay used.
#[actix_web::test]
async fn kill_9_in_the_middle_of_an_action_leaves_the_whole_of_it_or_nothing() {
    let rounds = if std::env::var_os("TESSERA_TEST_LONG").is_some() { 50 } else { 3 };
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let mut connection = place.connection();
    for round in 0..rounds {
        connection.batch_execute("UPDATE tokens SET deleted_at = 1, deleted_by = '' WHERE deleted_at IS NULL").unwrap();
        let uids = add(&mut connection, MANY, 9);
        let deletion = server.post(&key, "/delete_tokens").json(&json!({ "token_uids": uids }));
        let deletion = tokio::spawn(deletion.send());
        let mut consumed = 0;
        let moment = tokio::time::sleep(Duration::from_millis(rand::rng().random_range(10..500)));
        tokio::pin!(moment);
        let consume = server.post(&key, &format!("/{}/consume_token", uids[MANY / 2]));
        loop {
            tokio::select! {
                () = &mut moment => break,
                answer = consume.try_clone().unwrap().send() => consumed += i64::from(answer.unwrap().status() == 200),
            }
        }
        server.kill();
        let is_deleted = deletion.await.unwrap().is_ok_and(|answer| answer.status() == 200);
        server = place.serve();
        // What was not decided is given up later than an action that was is carried on.
        for _ in 0..1_200 {
            if number(&mut connection, "SELECT COUNT(*) FROM actions WHERE pending = 'changing'") == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let left = number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE deleted_at IS NULL");
        assert!(left == 0 || left == 2_300 && !is_deleted, "round {round}: {left} are left, deleted: {is_deleted}");
        let used = format!("SELECT used * 100 + usage_count FROM tokens WHERE uid = '{}'", uids[MANY / 2]);
        let used = number(&mut connection, &used);
        assert_eq!((used / 100 + used % 100, used / 100 >= consumed.min(9)), (9, true), "round {round}: {used}");
    }
    send(server.get(&key, "/query_tokens")).await.check_success();
}
