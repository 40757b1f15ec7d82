//! Several processes, and processes that are killed: the promise through a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rand::RngExt;

use crate::support::app::{Answer, send};
use crate::support::process::{Place, Server};

async fn add(server: &Server, key: &str, count: usize, uses: usize) -> Vec<String> {
    server.add_tokens(key, &[("count", &count.to_string()), ("usage_count", &uses.to_string())]).await
}

async fn left(server: &Server, key: &str, uid: &str) -> usize {
    let answer = send(server.get(key, &format!("/query_token?token_uid={uid}"))).await;
    usize::try_from(answer.check_success().body["token"]["usage_count"].as_i64().unwrap()).unwrap()
}

/// The successful uses of a token in the log.
async fn logged(server: &Server, key: &str, uid: &str) -> usize {
    let entries = server.usage(key, uid).await;
    entries.iter().filter(|entry| entry["error_code"].is_null()).count()
}

#[actix_web::test]
async fn five_hundred_asks_over_two_processes_for_fifty_uses_give_fifty() {
    let place = Place::new();
    let servers = [place.serve(), place.serve()];
    let key = place.key("manager");
    let uid = add(&servers[0], &key, 1, 50).await.remove(0);
    let path = format!("/{uid}/consume_token");
    let answers = join_all((0..500).map(|n| send(servers[n % 2].post(&key, &path)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 50);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenUsageCountExceeded");
    }
    assert_eq!(logged(&servers[1], &key, &uid).await, 50);
}

#[actix_web::test]
async fn the_command_line_gets_its_turn_under_load() {
    let place = Arc::new(Place::new());
    let server = place.serve();
    let key = place.key("manager");
    let uid = add(&server, &key, 1, 1_000_000).await.remove(0);
    let going = Arc::new(AtomicUsize::new(1));
    let load: Vec<_> = (0..32)
        .map(|_| {
            let (going, client) = (Arc::clone(&going), reqwest::Client::new());
            let request = client.post(format!("{}/{uid}/consume_token", server.base)).bearer_auth(&key);
            tokio::spawn(async move {
                while going.load(Ordering::Relaxed) == 1 {
                    send(request.try_clone().unwrap()).await.check_success();
                }
            })
        })
        .collect();
    let turns = {
        let place = Arc::clone(&place);
        tokio::task::spawn_blocking(move || {
            for n in 0..10 {
                place.works(&["key", "add", &format!("k-{n}"), "--role", "viewer"]);
            }
        })
    };
    turns.await.unwrap();
    going.store(0, Ordering::Relaxed);
    join_all(load).await.into_iter().for_each(|ended| ended.unwrap());
}

#[actix_web::test]
async fn kill_9_under_load_loses_no_use_and_gives_none_twice() {
    const TOKENS: usize = 20;
    const USES: usize = 200;
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let uids = add(&server, &key, TOKENS, USES).await;
    let acknowledged: Arc<Vec<AtomicUsize>> = Arc::new((0..TOKENS).map(|_| AtomicUsize::new(0)).collect());

    for round in 0..5 {
        let clients: Vec<_> = (0..16)
            .map(|client| {
                let (uids, key, base) = (uids.clone(), key.clone(), server.base.clone());
                let acknowledged = Arc::clone(&acknowledged);
                tokio::spawn(async move {
                    let http = reqwest::Client::new();
                    for n in 0.. {
                        let token = (n + client * 7) % TOKENS;
                        let path = format!("{base}/{}/consume_token", uids[token]);
                        let Ok(response) = http.post(path).bearer_auth(&key).send().await else { return };
                        if Answer::of_any(response).await == Some(200) {
                            acknowledged[token].fetch_add(1, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        let moment = rand::rng().random_range(20..250);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        server.kill();
        join_all(clients).await.into_iter().for_each(|ended| ended.unwrap());
        server = place.serve();
        for (token, uid) in uids.iter().enumerate() {
            let (left, logged) = (left(&server, &key, uid).await, logged(&server, &key, uid).await);
            let acknowledged = acknowledged[token].load(Ordering::SeqCst);
            assert_eq!(logged, USES - left, "round {round}: log and count agree");
            assert!(acknowledged <= logged, "round {round}: {acknowledged} uses were acknowledged, {logged} are known");
            // At most one answer a client can have been on its way.
            assert!(logged - acknowledged <= 16 * (round + 1), "round {round}: {logged} - {acknowledged}");
        }
    }
    let total: usize = acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    assert!(total > 0, "there was no load");
}

#[actix_web::test]
async fn an_ask_repeated_with_its_key_after_a_crash_uses_once() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let uid = add(&server, &key, 1, 500).await.remove(0);
    let mut sent = 0;
    for round in 0..3 {
        let asks = (0..40).map(|n| {
            let request = server.post(&key, &format!("/{uid}/consume_token"));
            let request = request.header("Idempotency-Key", format!("{round}-{n}"));
            tokio::spawn(async move { drop(request.send().await) })
        });
        let asks: Vec<_> = asks.collect();
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(1..30))).await;
        server.kill();
        join_all(asks).await;
        server = place.serve();
        for n in 0..40 {
            let request = server.post(&key, &format!("/{uid}/consume_token"));
            send(request.header("Idempotency-Key", format!("{round}-{n}"))).await.check_success();
            sent += 1;
        }
        assert_eq!(left(&server, &key, &uid).await, 500 - sent);
        assert_eq!(logged(&server, &key, &uid).await, sent);
    }
}

/// The log's sum of what was used and given back is what is missing, whenever a process is killed; what was answered is in
/// it; and an undo that is asked for again with its key is one.
#[actix_web::test]
async fn kill_9_among_uses_and_undos_leaves_each_whole_or_not_made() {
    const USES: i64 = 100_000;
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    let uid = add(&server, &key, 1, usize::try_from(USES).unwrap()).await.remove(0);
    let mut answered = 0;
    for round in 0..5 {
        let clients: Vec<_> = (0..12)
            .map(|client| {
                let (uid, key, base) = (uid.clone(), key.clone(), server.base.clone());
                let post = move |path: &str, form: Vec<(&'static str, String)>| {
                    reqwest::Client::new().post(format!("{base}{path}")).bearer_auth(&key).form(&form).send()
                };
                tokio::spawn(async move {
                    let mut undone = 0;
                    for n in 0.. {
                        let nonce = format!("{round}-{client}-{n}");
                        let uses = (n % 3 + 1).to_string();
                        let form = vec![("token_uid", uid.clone()), ("uses", uses), ("nonce", nonce.clone())];
                        let Ok(used) = post("/consume_token", form).await else { return undone };
                        if used.status() != 200 {
                            return undone;
                        }
                        let Ok(undo) = post("/undo_consume", vec![("nonce", nonce)]).await else { return undone };
                        undone += i32::from(undo.status() == 200);
                    }
                    undone
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(20..250))).await;
        server.kill();
        answered += join_all(clients).await.into_iter().map(Result::unwrap).sum::<i32>();
        server = place.serve();
        let entries = server.usage(&key, &uid).await;
        let uses = |entry: &serde_json::Value| entry["uses"].as_i64().unwrap();
        let missing = USES - i64::try_from(left(&server, &key, &uid).await).unwrap();
        assert_eq!(entries.iter().map(uses).sum::<i64>(), missing, "round {round}");
        let undos: Vec<&str> = entries.iter().filter_map(|entry| entry["undoes"].as_str()).collect();
        let once: std::collections::BTreeSet<&str> = undos.iter().copied().collect();
        assert_eq!(once.len(), undos.len(), "round {round}: a use is undone once");
        for undo in entries.iter().filter(|entry| entry["undoes"].is_string()) {
            let used = entries.iter().find(|entry| entry["uid"] == undo["undoes"]).unwrap();
            assert_eq!(uses(undo), -uses(used), "round {round}");
        }
        assert!(
            i64::from(answered) <= i64::try_from(undos.len()).unwrap(),
            "round {round}: what was answered is known"
        );
    }
    assert!(answered > 0, "there was no load");
}
