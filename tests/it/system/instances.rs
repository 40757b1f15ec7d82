//! Several processes on one database: what is promised holds over all of them, and what ends, ends everywhere.

use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect;
use serde_json::Value;
use tessera::access::Role;
use tessera::store::accounts::keys;
use tessera::token::Micros;

use crate::support::app::{Answer, add_key, send};
use crate::support::process::{Place, Server};

/// Two servers on a new database, and a manager's key.
struct Two {
    place: Place,
    servers: [Server; 2],
    key: String,
}

impl Two {
    fn start() -> Self {
        let place = Place::new();
        let servers = [place.serve(), place.serve()];
        let key = place.key("manager");
        Self { place, servers, key }
    }

    async fn add(&self, count: &str, uses: &str, lock_time: &str) -> Vec<String> {
        let form = [("count", count), ("usage_count", uses), ("lock_time", lock_time)];
        self.servers[0].add_tokens(&self.key, &form).await
    }

    /// Asks for a use, every other time at the other server.
    async fn consume(&self, n: usize, uid: &str, nonce: Option<&str>) -> Answer {
        let path = format!("/{uid}/consume_token");
        let request = self.servers[n % 2].post(&self.key, &path);
        send(request.form(&nonce.map_or([("_", "")], |nonce| [("nonce", nonce)]))).await
    }

    /// Every entry of the log.
    async fn usage(&self) -> Vec<Value> {
        self.servers[1].usage(&self.key, "").await
    }
}

fn given(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[actix_web::test]
async fn a_lock_of_an_hour_holds_over_two_processes() {
    let two = Two::start();
    let uid = two.add("1", "-1", "3600").await.remove(0);
    let answers = join_all((0..200).map(|n| two.consume(n, &uid, None))).await;
    assert_eq!(given(&answers), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenLockTimeViolation");
    }
    assert_eq!(two.usage().await.len(), 200, "every attempt is in the log once");
}

#[actix_web::test]
async fn six_hundred_shuffled_asks_over_two_processes_give_each_token_its_uses() {
    let two = Two::start();
    let uids = two.add("100", "3", "0").await;
    // 7 is coprime to 100: every token is asked for six times, far apart, and in batches of other neighbours.
    let answers = join_all((0..600).map(|n| two.consume(n / 3, &uids[n * 7 % 100], None))).await;
    assert_eq!(given(&answers), 300);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.check_failure("TokenUsageCountExceeded");
    }
    let usage = two.usage().await;
    assert_eq!(usage.len(), 600, "every attempt is in the log once");
    for uid in &uids {
        let uses = usage.iter().filter(|entry| entry["token_uid"] == **uid && entry["error_code"].is_null()).count();
        assert_eq!(uses, 3, "{uid}");
    }
    for server in &two.servers {
        assert!(!server.log().contains("deadlock"), "{}", server.log());
    }
}

#[actix_web::test]
async fn one_key_a_hundred_times_over_two_processes_uses_once() {
    let two = Two::start();
    let uid = two.add("1", "100", "0").await.remove(0);
    let answers = join_all((0..100).map(|n| two.consume(n, &uid, Some("the-one")))).await;
    for answer in &answers {
        assert_eq!(answer.check_success().body["usage_count"], 99);
    }
    assert_eq!(answers.iter().filter(|answer| answer.body["replayed"] == true).count(), 99);
    assert_eq!(two.usage().await.len(), 1);
}

/// No lock of a token keeps two asks for two tokens apart; the kept reply does.
#[actix_web::test]
async fn one_key_for_two_tokens_over_two_processes_is_used_for_one() {
    let two = Two::start();
    for round in 0..20 {
        let uids = two.add("2", "1", "0").await;
        let nonce = format!("round-{round}");
        let asks = (0..10).map(|n| two.consume(n, &uids[n % 2], Some(&nonce)));
        let answers = join_all(asks).await;
        let used = answers.iter().filter(|answer| answer.status == 200 && answer.body["replayed"] != true).count();
        assert_eq!(used, 1, "{answers:?}");
        for wrong in answers.iter().filter(|answer| answer.status != 200) {
            wrong.check_failure("TokenValueError").check_param("nonce");
        }
    }
}

#[actix_web::test]
async fn processes_that_start_together_migrate_once_and_make_one_admin() {
    for _ in 0..3 {
        let place = Place::new();
        let servers: Vec<Server> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| place.serve())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let shown = servers.iter().filter(|server| server.log().contains("(shown only this once)")).count();
        assert_eq!(shown, 1, "one of them made the admin");
        assert_eq!(place.works(&["user", "list"]).matches("admin").count(), 1);
    }
}

#[actix_web::test]
async fn a_revoked_key_ends_on_every_instance_within_a_second() {
    let two = Two::start();
    let mut connection = two.place.connection();
    let door = add_key(&mut connection, "door", Role::Viewer, None);
    for server in &two.servers {
        send(server.get(&door, "/query_tokens")).await.check_success();
    }
    two.place.works(&["key", "revoke", "door"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for server in &two.servers {
        send(server.get(&door, "/query_tokens")).await.check_failure("Unauthorized");
    }
    assert!(!keys::list(&mut connection).unwrap().iter().any(|key| key.name == "door"));
}

#[actix_web::test]
async fn a_session_is_good_on_every_instance_and_ends_on_each() {
    let place = Place::new();
    // On SQLite, what they are reached by tells that they are one.
    let public = "export TESSERA_ADMIN_PASSWORD='correct horse battery' TESSERA_PUBLIC_URL=http://tickets.example.org";
    let (first, second) = (place.serve_after(public), place.serve_after(public));
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let form = [("name", "admin"), ("password", "correct horse battery")];
    let signed_in = client.post(format!("{}/login", first.base)).form(&form).send().await.unwrap();
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let list = |server: &Server| client.get(format!("{}/", server.base)).header(COOKIE, &cookie).send();
    assert_eq!(list(&second).await.unwrap().status(), 200);
    let out = client.post(format!("{}/logout", second.base)).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(out.status(), 303);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for server in [&first, &second] {
        assert_eq!(list(server).await.unwrap().status(), 303, "it leads to the sign-in page");
    }
}

#[actix_web::test]
async fn guesses_are_counted_over_all_instances() {
    let place = Place::new();
    let servers = [place.serve(), place.serve()];
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let guess = |n: usize| {
        let form = [("name", "admin"), ("password", "wrong-wrong-wrong")];
        client.post(format!("{}/login", servers[n % 2].base)).form(&form).send()
    };
    let answers = join_all((0..30).map(guess)).await;
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 20, "{statuses:?}");
}

/// A password that was right a moment ago begins no session after it was changed.
#[actix_web::test]
async fn a_sign_in_waits_for_a_change_of_the_password_and_heeds_it() {
    // SQLite's one lock keeps the two apart from their beginning.
    only_on_postgres!();
    let place = Place::new();
    let server = place.serve_after("export TESSERA_ADMIN_PASSWORD='correct horse battery'");
    let mut other = place.connection();
    other.batch_execute("BEGIN; UPDATE users SET password_hash = 'another' WHERE name = 'admin'").unwrap();
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let form = [("name", "admin"), ("password", "correct horse battery")];
    let sign_in = tokio::spawn(client.post(format!("{}/login", server.base)).form(&form).send());
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.batch_execute("COMMIT").unwrap();
    assert_eq!(sign_in.await.unwrap().unwrap().status(), 422);
    let sessions = diesel::dsl::sql::<diesel::sql_types::BigInt>("(SELECT count(*) FROM sessions)");
    assert_eq!(diesel::select(sessions).get_result::<i64>(&mut other).unwrap(), 0);
}

/// The hour that an answer's `Date` says, in GMT.
fn hour(answer: &reqwest::Response) -> String {
    let date = answer.headers()["date"].to_str().unwrap();
    date.split(' ').nth(4).unwrap()[..2].to_owned()
}

/// The clock of one instance is an hour ahead. On PostgreSQL that is nobody's time: locks, validity, expiry and what is
/// told of them go by the server's clock.
#[actix_web::test]
async fn clocks_of_two_instances_an_hour_apart_make_no_difference() {
    // Processes on one file are on one machine, which has one clock.
    only_on_postgres!();
    let place = Place::new();
    let (right, ahead) = (place.serve(), place.serve_with_clock("+3600s"));
    let key = place.key("manager");
    let shows = |server: &Server| reqwest::get(format!("{}/healthz", server.base));
    let dates = [shows(&right).await.unwrap(), shows(&ahead).await.unwrap()];
    assert_ne!(hour(&dates[0]), hour(&dates[1]), "libfaketime does its work");
    let soon = Micros::now().plus_seconds(1_800);
    let short = add_key(&mut place.connection(), "short", Role::Viewer, Some(soon));
    send(ahead.get(&short, "/query_tokens")).await.check_success();

    let form = [("valid_from", ""), ("valid_to", &soon.to_string()), ("usage_count", "5"), ("lock_time", "2")];
    let added = send(ahead.post(&key, "/add_token").form(&form)).await;
    let uid = added.check_success().body["token_uid"].as_str().unwrap().to_owned();
    let consume = |server: &Server| send(server.post(&key, &format!("/{uid}/consume_token")));
    let state = |server: &Server| send(server.get(&key, &format!("/query_token?token_uid={uid}")));
    for [first, second] in [[&right, &ahead], [&ahead, &right]] {
        assert_eq!(state(first).await.body["token"]["state"], "active");
        let used = consume(first).await;
        let at: String = used.check_success().body["last_used"].as_str().unwrap().to_owned();
        assert!(at < Micros::now().plus_seconds(60).to_string(), "{at} is an hour ahead");
        let refused = consume(second).await;
        refused.check_failure("TokenLockTimeViolation");
        assert!(["1", "2"].contains(&refused.header("retry-after")), "{}", refused.header("retry-after"));
        assert_eq!(state(second).await.body["token"]["state"], "locked");
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
    let created = state(&right).await.body["token"]["created"].as_str().unwrap().to_owned();
    assert!(created < Micros::now().plus_seconds(60).to_string(), "{created}");
}
