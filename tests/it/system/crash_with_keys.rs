//! Requests with an idempotency key whose server is killed: asked again, at this or another instance, each is done once.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use crate::support::app::{Answer, send};
use crate::support::database::number;
use crate::support::process::{Place, Server};

/// As many as are written in many pieces.
const MANY: usize = 20_000;

fn ask(server: &Server, key: &str, (path, order): (&str, &str), body: &Value) -> reqwest::RequestBuilder {
    server.post(key, path).header("Idempotency-Key", order).json(body)
}

/// Asks until it is no longer in progress, as a program would.
async fn ask_again(server: &Server, key: &str, request: (&str, &str), body: &Value) -> Answer {
    for _ in 0..180 {
        let answer = send(ask(server, key, request, body)).await;
        if answer.status != 409 {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), "1");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{request:?} never ends");
}

/// Sends a request, and kills its server while it is at work.
async fn kill_during(mut server: Server, key: &str, request: (&str, &str), body: &Value, milliseconds: u64) {
    let sent = ask(&server, key, request, body).send();
    let sent = tokio::spawn(async move { drop(sent.await) });
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    server.kill();
    sent.await.unwrap();
}

#[actix_web::test]
async fn a_long_list_that_a_crash_has_ended_is_added_once() {
    let place = Place::new();
    drop(place.serve());
    let key = place.key("manager");
    let mut count = 0;
    for round in 0..3 {
        let tokens: Vec<Value> = (0..MANY).map(|n| json!({"value": format!("V-{round}-{n}")})).collect();
        let (body, order) = (json!({"tokens": tokens}), format!("order-{round}"));
        let request = ("/add_tokens", order.as_str());
        kill_during(place.serve(), &key, request, &body, rand::rng().random_range(200..1_500)).await;
        let server = place.serve();
        let added = ask_again(&server, &key, request, &body).await;
        count += added.check_success().body["count"].as_u64().unwrap();
        let again = send(ask(&server, &key, request, &body)).await;
        assert_eq!(again.check_success().body["replayed"], true);
        assert_eq!(again.body["token_uids"], added.body["token_uids"]);
        let uid = added.body["token_uids"][MANY - 1].as_str().unwrap();
        let last = send(server.get(&key, &format!("/query_token?token_uid={uid}"))).await;
        assert_eq!(last.check_success().body["token"]["value"], format!("V-{round}-{}", MANY - 1));
        let visible = "SELECT COUNT(*) FROM tokens LEFT JOIN batches ON batches.id = tokens.batch \
            WHERE tokens.batch IS NULL OR batches.made IS NOT NULL";
        assert_eq!(number(&mut place.connection(), visible), i64::try_from(count).unwrap(), "round {round}");
    }
}

#[actix_web::test]
async fn a_long_list_that_a_crash_has_ended_is_changed_once() {
    let place = Place::new();
    drop(place.serve());
    let key = place.key("manager");
    let server = place.serve();
    let uids = server.add_tokens(&key, &[("count", &MANY.to_string()), ("usage_count", "0")]).await;
    drop(server);
    for round in 1..=3 {
        let tokens: Vec<Value> = uids.iter().map(|uid| json!({"token_uid": uid, "add_uses": 5})).collect();
        let (body, order) = (json!({"tokens": tokens}), format!("order-{round}"));
        let request = ("/update_tokens", order.as_str());
        kill_during(place.serve(), &key, request, &body, rand::rng().random_range(200..2_500)).await;
        let servers = [place.serve(), place.serve()];
        let (first, second) = futures_util::future::join(
            ask_again(&servers[0], &key, request, &body),
            ask_again(&servers[1], &key, request, &body),
        )
        .await;
        for answer in [first, second] {
            assert_eq!(answer.check_success().body["count"], MANY);
        }
        let least = number(&mut place.connection(), "SELECT CAST(MIN(usage_count) AS BIGINT) FROM tokens");
        let most = number(&mut place.connection(), "SELECT CAST(MAX(usage_count) AS BIGINT) FROM tokens");
        assert_eq!((least, most), (5 * round, 5 * round));
    }
}
