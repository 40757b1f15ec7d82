//! Many at once: the promise under load.

use futures_util::future::join_all;
use reqwest::Method;
use tessera::access::Role;

use crate::support::app::{App, send};

#[actix_web::test]
async fn five_hundred_asks_for_fifty_uses_give_fifty() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "50")]).await;
    let answers = join_all((0..500).map(|_| app.consume(&uid))).await;
    let given = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(given, 50);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenUsageCountExceeded");
    }
    let mut left: Vec<i64> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.body["usage_count"].as_i64().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..50).collect::<Vec<_>>(), "each use was told another number");
    let entries = app.usage(Some(&uid)).await;
    assert_eq!(entries.len(), 500, "every attempt is in the log once");
    assert_eq!(entries.iter().filter(|entry| entry["error_code"].is_null()).count(), 50);
}

#[actix_web::test]
async fn two_hundred_asks_for_a_lock_of_an_hour_give_one() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1"), ("lock_time", "3600")]).await;
    let answers = join_all((0..200).map(|_| app.consume(&uid))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenLockTimeViolation");
    }
}

#[actix_web::test]
async fn one_key_a_hundred_times_at_once_uses_once() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "100")]).await;
    let ask = || {
        let request = app.request(Role::Scanner, Method::POST, &format!("/{uid}/consume_token"));
        send(request.header("Idempotency-Key", "the-one"))
    };
    let answers = join_all((0..100).map(|_| ask())).await;
    for answer in &answers {
        assert_eq!(answer.check_success().body["usage_count"], 99);
    }
    assert_eq!(answers.iter().filter(|answer| answer.body["replayed"] == true).count(), 99);
    assert_eq!(app.token(&uid).await["usage_count"], 99);
    assert_eq!(app.usage(Some(&uid)).await.len(), 1);
}

#[actix_web::test]
async fn shuffled_asks_for_many_tokens_give_each_its_uses() {
    let app = App::start().await;
    let added = app.post("/add_tokens", &[("count", "100"), ("usage_count", "3")]).await;
    let uids: Vec<String> = serde_json::from_value(added.body["token_uids"].clone()).unwrap();
    // 7 is coprime to 100, so that every token is asked for six times, far apart.
    let answers = join_all((0..600).map(|n| app.consume(&uids[n * 7 % 100]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 300);
    for uid in &uids {
        assert_eq!(app.token(uid).await["usage_count"], 0);
    }
    assert_eq!(app.usage(None).await.len(), 600);
}
