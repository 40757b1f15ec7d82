//! Tokens that are made together: over HTTP.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::database::on_postgres;

const FIELDS: [(&str, &str); 6] = [
    ("valid_from", ""),
    ("valid_to", ""),
    ("usage_count", "2"),
    ("lock_time", "0"),
    ("lock_unit", "seconds"),
    ("label", ""),
];

fn with<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let rest = FIELDS.iter().filter(|(name, _)| !fields.iter().any(|(given, _)| given == name));
    rest.copied().chain(fields.iter().copied()).collect()
}

#[actix_web::test]
async fn many_tokens_are_made_as_a_batch_that_counts_its_uses() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    browser.get("/batches").await.check(200, &["No batches yet"]);
    let form = browser.get("/add_many").await;
    let uid = form.field("batch_uid");
    let fields =
        with(&[("batch_uid", &uid), ("count", "120"), ("batch_name", "Fête d'été 😀"), ("label", "Casier {n:02}")]);
    let made = browser.post("/add_many", &fields).await;
    made.check_leads_to(&format!("/batches/{uid}?done=made"));
    let twice = browser.post("/add_many", &fields).await;
    assert_eq!(made.location, twice.check_leads_to("/").location, "the same form is the same batch");

    let more: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, if *name == "count" { "2" } else { value })).collect();
    let other = browser.post("/add_many", &more).await;
    assert_ne!(other.check_leads_to("/batches/").location, made.location, "a form that was changed is another batch");
    let page = browser.get(&made.location).await;
    page.check(
        200,
        &["120 tokens created.", "Fête d&#39;été 😀", "<strong>120</strong> tokens", "<strong>0</strong> used"],
    );
    let found = app.get("/query_tokens", &[("batch", &uid), ("limit", "1000")]).await;
    let tokens = found.check_success().body["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len(), 120);
    let mut labels: Vec<&str> = tokens.iter().map(|token| token["label"].as_str().unwrap()).collect();
    labels.sort_unstable();
    assert_eq!((labels[0], labels[119]), ("Casier 01", "Casier 99"), "a number that is wider than asked for is whole");
    assert!(labels.contains(&"Casier 120"));

    let token = tokens[0]["uid"].as_str().unwrap();
    app.consume(token).await.check_success();
    app.consume(token).await.check_success();
    let undone = app.consume(tokens[2]["uid"].as_str().unwrap()).await.body["usage_uid"].as_str().unwrap().to_owned();
    app.post("/undo_consume", &[("usage_uid", &undone)]).await.check_success();
    app.post(&format!("/{}/delete_token", tokens[1]["uid"].as_str().unwrap()), &[]).await.check_success();
    browser.get(&format!("/batches/{uid}")).await.check(
        200,
        &[
            "<strong>119</strong> tokens",
            "<strong>1</strong> used",
            "<strong>1</strong> used up",
            "<strong>1</strong> deleted",
        ],
    );
    browser.get(&format!("/{token}")).await.check(200, &[&format!("/batches/{uid}"), "Fête"]);
    browser.get(&format!("/?batch={uid}")).await.check(200, &["119 tokens", "selected>Fête"]);
    browser.get("/batches").await.check(200, &["Fête", "119"]);

    browser
        .post(&format!("/batches/{uid}/rename"), &[("batch_name", "\n")])
        .await
        .check(422, &["“Name” must not be empty."]);
    let renamed = browser.post(&format!("/batches/{uid}/rename"), &[("batch_name", "Herbst")]).await;
    browser.get(&renamed.check_leads_to("/batches/").location).await.check(200, &["Batch renamed.", "Herbst"]);
    let stale = [("batch_name", "Winter"), ("was_batch_name", "Fête")];
    let both = browser.post(&format!("/batches/{uid}/rename"), &stale).await;
    both.check(409, &["Someone else renamed this batch", "Herbst", "Winter"]);
    assert_eq!((both.field("was_batch_name"), both.field("batch_name")), ("Herbst".into(), "Winter".into()));
    let same = [("batch_name", "Fête"), ("was_batch_name", "Fête")];
    browser.post(&format!("/batches/{uid}/rename"), &same).await.check_leads_to("/batches/");
    browser.get(&format!("/batches/{uid}")).await.check(200, &["<h1 dir=\"auto\">Herbst</h1>"]);
}

#[actix_web::test]
async fn a_batch_that_cannot_be_made_is_refused_with_what_was_typed() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let long = "🦉".repeat(201);
    let nearly = format!("{}{{n}}", "ש".repeat(199));
    for (fields, told) in [
        (with(&[("count", "0")]), "from 1 to 100000"),
        (with(&[("count", "100001")]), "from 1 to 100000"),
        (with(&[("count", "ten")]), "from 1 to 100000"),
        (with(&[("count", "")]), "from 1 to 100000"),
        (with(&[("count", "3"), ("label", &long)]), "at most 200 characters"),
        (with(&[("count", "10"), ("label", &nearly)]), "at most 200 characters"),
        (with(&[("count", "3"), ("label", "{n:0}")]), "Write a running number as"),
        (with(&[("count", "3"), ("batch_name", &long)]), "“Name” has at most 200 characters"),
        (with(&[("count", "3"), ("usage_count", "")]), "whole number"),
        (
            with(&[("count", "3"), ("valid_from", "2026-01-02T00:00"), ("valid_to", "2026-01-01T00:00")]),
            "must be later",
        ),
    ] {
        let page = browser.post("/add_many", &fields).await;
        page.check(422, &["No tokens were created", told]);
    }
    let nine = with(&[("count", "9"), ("label", &nearly)]);
    let made = browser.post("/add_many", &nine).await;
    browser.get(&made.check_leads_to("/batches/").location).await.check(200, &["ששש, ", "<strong>9</strong> tokens"]);
    let found = app.get("/query_tokens", &[]).await;
    assert_eq!(found.check_success().body["tokens"].as_array().unwrap().len(), 9);
}

#[actix_web::test]
async fn a_batch_tells_how_far_it_is_and_when_it_was_given_up() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let begun = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    let insert = |created: i64, failure: &str| {
        format!(
            "DELETE FROM batches; INSERT INTO batches (uid, name, count, creator, created, touched, failure) \
             VALUES ('{begun}', 'Far', 90000, 'user:anna', {created}, {created}, {failure})"
        )
    };
    let now = tessera::token::Micros::now().get();
    app.connection().batch_execute(&insert(now, "NULL")).unwrap();
    let path = format!("/batches/{begun}");
    let page = browser.get(&path).await;
    page.check(200, &["Creating 90,000 tokens", "<noscript><meta http-equiv=\"refresh\"", "data-poll", "<progress"]);
    browser.get("/batches").await.check(200, &["No batches yet"]);
    app.connection().batch_execute(&insert(now - 200_000_000, "NULL")).unwrap();
    browser.get(&path).await.check(200, &["No tokens were created", "ended before they were done", "Try again"]);
    app.connection().batch_execute(&insert(now, "'The disk is full.'")).unwrap();
    browser.get(&path).await.check(200, &["No tokens were created", "The disk is full."]);
}

#[actix_web::test]
async fn a_large_batch_is_made_whole_beside_consumes() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let busy = app.add(&[("usage_count", "-1")]).await;
    let fields = with(&[("count", "20000"), ("label", "T {n:06}")]);
    let made = browser.post("/add_many", &fields).await;
    let path = made.check_leads_to("/batches/").location.clone();
    loop {
        app.consume(&busy).await.check_success();
        let page = browser.get(&path).await;
        page.check(200, &[]);
        if page.text.contains("<strong>20,000</strong> tokens") {
            break;
        }
        page.check(200, &["Creating 20,000 tokens"]);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// A browser whose button is pressed twice takes its first request back, and follows the second.
#[actix_web::test]
async fn a_batch_is_made_also_when_whoever_asked_for_it_goes_away() {
    let app = App::start().await;
    let browser = Browser::of(&app, Role::Editor).await;
    let uid = Uid::random().to_string();
    let fields = with(&[("batch_uid", &uid), ("count", "20")]);
    let mut other = app.connection();
    let hold = if on_postgres() { "BEGIN; LOCK TABLE batches IN EXCLUSIVE MODE" } else { "BEGIN IMMEDIATE" };
    other.batch_execute(hold).unwrap();
    let moment = Duration::from_millis(300);
    let left = browser.request(Method::POST, "/add_many").form(&fields).timeout(moment).send().await;
    assert!(left.is_err(), "it waits");
    tokio::time::sleep(moment).await;
    other.batch_execute("COMMIT").unwrap();
    for _ in 0..100 {
        let found = app.get("/query_tokens", &[("batch", &uid)]).await;
        if found.body["tokens"].as_array().is_some_and(|tokens| tokens.len() == 20) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it was never made");
}
