//! Keys with a limit: what is beyond it is refused, and not done.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tessera::access::Role;
use tessera::store::accounts::keys;

use crate::support::app::{Answer, App, add_key, add_limited_key, send};
use crate::support::browser::Browser;
use crate::support::process::Place;

fn consume(app: &App, key: &str, uid: &str) -> RequestBuilder {
    app.anonymous(Method::POST, &format!("/{uid}/consume_token")).bearer_auth(key)
}

fn look_up(app: &App, key: &str) -> RequestBuilder {
    app.anonymous(Method::GET, "/query_token").query(&[("value", "x")]).bearer_auth(key)
}

/// Asks again until a request is over the limit: the machine may be slow.
async fn over(ask: impl Fn() -> RequestBuilder) -> Answer {
    for _ in 0..20 {
        let answers = join_all((0..5).map(|_| send(ask()))).await;
        if let Some(refused) = answers.into_iter().find(|answer| answer.status == 429) {
            return refused;
        }
    }
    panic!("nothing is over the limit")
}

#[track_caller]
fn check_refused(answer: &Answer, rate: &str) {
    answer.check_failure("TooManyRequests");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("ratelimit-policy"), format!("\"key\";q={rate};w=1"));
    assert_eq!(answer.header("ratelimit"), "\"key\";r=0;t=1");
    assert_eq!(answer.body["detail"], json!({"retry_after": 1}));
}

#[actix_web::test]
async fn what_is_over_a_keys_limit_is_refused_and_not_done() {
    let app = App::start().await;
    let key = add_limited_key(&mut app.connection(), "slow", Role::Scanner, "2");
    let uid = app.add(&[("usage_count", "100")]).await;
    let start = Instant::now();
    let answers = join_all((0..30).map(|_| send(consume(&app, &key, &uid)))).await;
    let (used, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    let most = 2.0 + 2.0 * start.elapsed().as_secs_f64();
    assert!(
        used.len() >= 2 && f64::from(u32::try_from(used.len()).unwrap()) <= most && !refused.is_empty(),
        "{} used",
        used.len()
    );
    for answer in &refused {
        check_refused(answer, "2");
    }
    for answer in &used {
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=2;w=1");
        assert!(["\"key\";r=1;t=1", "\"key\";r=0;t=1"].contains(&answer.header("ratelimit")), "{answer:?}");
    }
    let usage = app.get("/query_usage", &[("token_uid", &uid), ("limit", "1000")]).await;
    assert_eq!(
        usage.check_success().body["usage"].as_array().unwrap().len(),
        used.len(),
        "refused ones are no attempts"
    );
    let left = app.get("/query_token", &[("token_uid", &uid)]).await.body["token"]["usage_count"].clone();
    assert_eq!(left, json!(100 - used.len()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    send(consume(&app, &key, &uid)).await.check_success();
}

#[actix_web::test]
async fn others_are_not_in_the_way_and_without_a_limit_nothing_is_said() {
    let app = App::start().await;
    let slow = add_limited_key(&mut app.connection(), "slow", Role::Manager, "1");
    let free = add_key(&mut app.connection(), "free", Role::Manager, None);
    over(|| look_up(&app, &slow)).await;
    for answer in join_all((0..50).map(|_| send(look_up(&app, &free)))).await {
        answer.check_success();
        assert!(answer.headers.get("ratelimit").is_none() && answer.headers.get("ratelimit-policy").is_none());
    }
    // Health checks and open addresses, also with such a key.
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        for _ in 0..5 {
            let answer = app.anonymous(Method::GET, path).bearer_auth(&slow).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
    }
    let mut browser = Browser::of(&app, Role::Manager).await;
    for _ in 0..10 {
        let page = browser.get("/keys").await;
        assert!(page.status == 200 && page.headers.get("ratelimit").is_none());
    }
}

#[actix_web::test]
async fn every_answer_to_a_limited_key_says_what_is_left() {
    let app = App::start().await;
    let key = add_limited_key(&mut app.connection(), "quick", Role::Viewer, "1000");
    let ask = |method: Method, path: &str, accept: &'static str| {
        app.anonymous(method, path).header("Accept", accept).bearer_auth(&key)
    };
    for (request, status) in [
        (ask(Method::GET, "/query_tokens", "*/*"), 200),
        (ask(Method::GET, "/query_tokens?limit=0", "*/*"), 422),
        (ask(Method::POST, "/consume_token", "*/*"), 403),
        (ask(Method::GET, "/", "text/html"), 200),
        (ask(Method::GET, "/1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f", "text/html"), 404),
        (ask(Method::GET, "/settings", "text/html"), 403),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{answer:?}");
        assert_eq!(answer.headers()["ratelimit-policy"], "\"key\";q=1000;w=1");
        assert!(answer.headers()["ratelimit"].to_str().unwrap().starts_with("\"key\";r=99"), "{answer:?}");
    }
    let slow = add_limited_key(&mut app.connection(), "slow", Role::Viewer, "1");
    over(|| look_up(&app, &slow)).await;
    let page = app.anonymous(Method::GET, "/").header("Accept", "text/html").bearer_auth(&slow).send().await.unwrap();
    if page.status() == 429 {
        assert!(page.headers().contains_key("ratelimit") && page.headers()["retry-after"] == "1");
        assert!(page.text().await.unwrap().contains("This API key may send 1 request a second"));
    }
}

#[actix_web::test]
async fn a_replay_counts() {
    let app = App::start().await;
    let key = add_limited_key(&mut app.connection(), "slow", Role::Scanner, "1");
    let uid = app.add(&[("usage_count", "5")]).await;
    check_refused(&over(|| consume(&app, &key, &uid).header("Idempotency-Key", "1")).await, "1");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = send(consume(&app, &key, &uid).header("Idempotency-Key", "1")).await;
    assert_eq!((&again.check_success().body["usage_count"], &again.body["replayed"]), (&json!(4), &json!(true)));
}

#[actix_web::test]
async fn a_limit_that_was_set_elsewhere_is_known_within_a_second() {
    let app = App::start().await;
    let key = add_key(&mut app.connection(), "door-7", Role::Scanner, None);
    let said = async || send(look_up(&app, &key)).await.header("ratelimit-policy").to_owned();
    assert_eq!(said().await, "");
    for (rate, says) in [("70", "\"key\";q=70;w=1"), ("90", "\"key\";q=90;w=1"), ("NULL", "")] {
        let update = format!("UPDATE keys SET rate = {rate} WHERE name = 'door-7'");
        app.connection().batch_execute(&update).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(said().await, says);
    }
}

#[actix_web::test]
async fn a_key_gets_its_limit_on_the_page() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    browser.get("/keys/add").await.check(200, &["Rate limit", "requests a second", "Each instance of Tessera counts"]);
    for wrong in ["0", "-1", "10001", "1.5", "many"] {
        let page = browser.post("/keys/add", &[("name", "till"), ("role", "scanner"), ("rate", wrong)]).await;
        page.check(422, &["href=\"#rate\"", "id=\"rate-error\"", "from 1 to 10,000"]);
        assert_eq!(page.field("rate"), wrong);
    }
    let made = browser.post("/keys/add", &[("name", "till"), ("role", "scanner"), ("rate", " 5 ")]).await;
    made.check(200, &["API key till", "5 requests a second at most in each instance of Tessera"]);
    browser.get("/keys").await.check(200, &["5 a second"]);
    browser.get("/keys/revoke?name=till").await.check(200, &["<dt>Rate limit</dt><dd>5 requests a second</dd>"]);
    browser
        .post("/keys/add", &[("name", "free"), ("role", "scanner"), ("rate", "")])
        .await
        .check(200, &["API key free"]);
    let kept = keys::by_name(&mut app.connection(), "free").unwrap().unwrap();
    assert!(kept.prefix.starts_with("tsr_") && kept.prefix.len() == 12, "{kept:?}");
    browser.get("/keys").await.check(200, &[&format!("{}…", kept.prefix)]);
}

#[actix_web::test]
async fn a_keys_last_use_says_from_where() {
    let place = Place::new();
    let server = place.serve_after("export TESSERA_TRUSTED_PROXIES=127.0.0.1");
    let add = ["key", "add", "till", "--role", "scanner", "--rate", "5"];
    let key = place.works(&add).trim().to_owned();
    let line = || {
        let list = place.works(&["key", "list"]);
        list.lines().find(|line| line.starts_with("till")).unwrap().to_owned()
    };
    let before = line();
    assert!(before.contains(&format!("till  {}  scanner  none  5/s", &key[..12])), "{before}");
    assert!(before.ends_with("never      none"), "{before}");
    send(server.get(&key, "/query_token?value=x").header("X-Forwarded-For", "203.0.113.7")).await.check_success();
    let mut after = line();
    for _ in 0..50 {
        if !after.ends_with("none") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        after = line();
    }
    assert!(after.ends_with("203.0.113.7") && after.matches("never").count() == 1, "{after}");
}

#[test]
fn a_key_that_turned_up_is_revoked_by_its_first_characters() {
    let place = Place::migrated();
    place.fails(&["key", "add", "till", "--role", "scanner", "--rate", "0"], 2, "from 1 to 10,000");
    let mut keys: Vec<String> = Vec::new();
    for name in ["north", "south", "east"] {
        keys.push(place.works(&["key", "add", name, "--role", "scanner"]).trim().to_owned());
    }
    // By what the list shows, and by the whole text, as it turned up.
    for (name, text) in [("north", &keys[0][..12]), ("south", &keys[1])] {
        let output = place.run(&["key", "revoke", text]);
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("The key {name} was revoked.\n"));
        let again = place.run(&["key", "revoke", text]);
        let said = String::from_utf8(again.stderr).unwrap();
        assert_eq!(said, format!("tessera: There is no key that begins with {}.\n", &text[..12]));
    }
    let list = place.works(&["key", "list"]);
    assert!(list.contains("east") && !list.contains("north") && !list.contains("south"), "{list}");
    place.fails(&["key", "revoke", "tsr_"], 1, "There is no key that begins with tsr_.");
}
