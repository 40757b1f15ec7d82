//! PostgreSQL that is killed, stopped, frozen, and replaced while instances use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use reqwest::Client;

use crate::support::app::{Answer, send};
use crate::support::cluster::Cluster;
use crate::support::process::{Place, Server, check_failed};

/// Two instances on a cluster of their own.
struct Outage {
    cluster: Cluster,
    servers: [Server; 2],
    key: String,
    _place: Place,
}

impl Outage {
    fn start() -> Self {
        let cluster = Cluster::start(&[]);
        let database_url = cluster.create_database("tessera");
        let place = Place::new();
        let servers = [place.serve_on(&database_url), place.serve_on(&database_url)];
        let key = place.works(&["--database-url", &database_url, "key", "add", "test", "--role", "manager"]);
        Self { cluster, servers, key: key.trim().to_owned(), _place: place }
    }

    async fn add(&self, count: usize, uses: usize) -> Vec<String> {
        let form = [("count", &*count.to_string()), ("usage_count", &*uses.to_string())];
        self.servers[0].add_tokens(&self.key, &form).await
    }

    async fn status(&self, server: usize, path: &str) -> u16 {
        let answer = self.servers[server].get(&self.key, path).send().await;
        answer.unwrap_or_else(|why| panic!("{why:?}: {}", self.servers[server].log())).status().as_u16()
    }

    /// Waits until both instances answer as if nothing had been.
    async fn heals(&self) {
        let since = Instant::now();
        for server in 0..2 {
            while self.status(server, "/readyz").await != 200 {
                assert!(since.elapsed() < Duration::from_secs(30), "{}", self.servers[server].log());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[actix_web::test]
async fn kill_9_of_the_database_under_load_loses_no_use_and_gives_none_twice() {
    const TOKENS: usize = 20;
    const USES: usize = 2_000;
    only_on_postgres!();
    let mut outage = Outage::start();
    let uids = Arc::new(outage.add(TOKENS, USES).await);
    let acknowledged: Arc<Vec<AtomicUsize>> = Arc::new((0..TOKENS).map(|_| AtomicUsize::new(0)).collect());
    for round in 0..3 {
        let going = Arc::new(AtomicBool::new(true));
        let clients: Vec<_> = (0..16)
            .map(|client| {
                let (uids, key, base) =
                    (Arc::clone(&uids), outage.key.clone(), outage.servers[client % 2].base.clone());
                let (going, acknowledged) = (Arc::clone(&going), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    let http = Client::new();
                    let mut unavailable = 0;
                    for n in 0.. {
                        if !going.load(Ordering::Relaxed) {
                            break;
                        }
                        let token = (n + client * 7) % TOKENS;
                        let path = format!("{base}/{}/consume_token", uids[token]);
                        let answer = Answer::of(http.post(path).bearer_auth(&key).send().await.unwrap()).await;
                        match answer.status {
                            200 => drop(acknowledged[token].fetch_add(1, Ordering::SeqCst)),
                            503 => unavailable += 1,
                            _ => drop(answer.check_failure("TokenUsageCountExceeded")),
                        }
                    }
                    unavailable
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        outage.cluster.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        outage.cluster.restart();
        outage.heals().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        going.store(false, Ordering::Relaxed);
        let told: Vec<usize> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
        assert!(told.iter().sum::<usize>() > 0, "nobody noticed");

        for (token, uid) in uids.iter().enumerate() {
            let count = |sql: &str| outage.cluster.sql("tessera", sql).parse::<usize>().unwrap();
            let left = count(&format!("SELECT usage_count FROM tokens WHERE uid = '{uid}'"));
            let logged = count(&format!("SELECT count(*) FROM usage WHERE token_uid = '{uid}' AND error_code IS NULL"));
            let acknowledged = acknowledged[token].load(Ordering::SeqCst);
            assert_eq!(logged, USES - left, "round {round}: log and count agree");
            assert!(acknowledged <= logged, "round {round}: {acknowledged} acknowledged, {logged} known");
            // Of each instance one batch can have been committed without its answer being known.
            assert!(logged - acknowledged <= 16 * (round + 1), "round {round}: {logged} - {acknowledged}");
        }
    }
    assert!(acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).sum::<usize>() > 100, "there was no load");
}

#[actix_web::test]
async fn a_database_that_stops_is_503_at_once_and_heals_without_a_restart() {
    only_on_postgres!();
    let mut outage = Outage::start();
    let uid = outage.add(1, 5).await.remove(0);
    let consume = format!("/{uid}/consume_token");
    outage.cluster.stop();
    let since = Instant::now();
    for path in [consume.as_str(), "/query_tokens", "/readyz"] {
        assert_eq!(outage.status(0, path).await, 503, "{path}");
    }
    assert!(since.elapsed() < Duration::from_secs(25), "{:?}", since.elapsed());
    assert_eq!(outage.status(0, "/healthz").await, 200);
    outage.cluster.restart();
    outage.heals().await;
    let answer = send(outage.servers[0].post(&outage.key, &consume)).await;
    assert_eq!(answer.check_success().body["usage_count"], 4, "what was told 503 was not done");
}

/// A server that stands still says nothing, and its connections stay open.
#[actix_web::test]
async fn a_database_that_is_frozen_is_503_within_seconds_and_heals() {
    only_on_postgres!();
    let mut outage = Outage::start();
    let uid = outage.add(1, 100).await.remove(0);
    let consume = format!("/{uid}/consume_token");
    send(outage.servers[0].post(&outage.key, &consume)).await.check_success();
    outage.cluster.pause();
    let since = Instant::now();
    let asks = join_all((0..20).map(|n| send(outage.servers[n % 2].post(&outage.key, &consume)))).await;
    for answer in &asks {
        answer.check_failure("Unavailable");
    }
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    outage.cluster.resume();
    outage.heals().await;
    let known = send(outage.servers[1].get(&outage.key, &format!("/query_token?token_uid={uid}"))).await;
    let left = known.check_success().body["token"]["usage_count"].as_i64().unwrap();
    assert!((79..=99).contains(&left), "at most what was asked for: {left}");
    send(outage.servers[0].post(&outage.key, &consume)).await.check_success();
}

/// The address names both hosts; the instance goes to the one that takes writes, and follows when the other one does.
#[actix_web::test]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    only_on_postgres!();
    // What was acknowledged is on the standby, too.
    let mut primary = Cluster::start(&["synchronous_standby_names=*", "synchronous_commit=local"]);
    primary.create_database("tessera");
    let standby = Cluster::standby_of(&primary);
    primary.sql("postgres", "ALTER DATABASE tessera SET synchronous_commit = remote_apply");
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let url = format!("postgres://postgres@{hosts}/tessera?target_session_attrs=read-write");
    let place = Place::new();
    let server = place.serve_on(&url);
    let key = place.works(&["--database-url", &url, "key", "add", "test", "--role", "manager"]);
    let form = [("count", "1"), ("usage_count", "1000000")];
    let added = send(server.post(key.trim(), "/add_tokens").form(&form)).await;
    let uid = added.check_success().body["token_uids"][0].as_str().unwrap().to_owned();
    let consume = || async {
        let request = server.post(key.trim(), &format!("/{uid}/consume_token"));
        Answer::of(request.send().await.unwrap()).await
    };
    for left in (999_990..1_000_000).rev() {
        assert_eq!(consume().await.check_success().body["usage_count"], left);
    }

    primary.kill();
    consume().await.check_failure("Unavailable");
    standby.promote();
    let since = Instant::now();
    let mut tries = 1;
    let answer = loop {
        let answer = consume().await;
        if answer.status == 200 {
            break answer;
        }
        tries += 1;
        assert!(since.elapsed() < Duration::from_secs(30), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let left = answer.body["usage_count"].as_i64().unwrap();
    assert!((999_989 - tries..=999_989).contains(&left), "every use is known there: {left}");
}

/// libpq tells it in several lines, with advice.
#[test]
fn a_command_that_loses_the_database_says_so_in_one_line() {
    only_on_postgres!();
    let cluster = Cluster::start(&[]);
    let database_url = cluster.create_database("tessera");
    let place = Place::new();
    place.works(&["--database-url", &database_url, "migrate"]);
    let holder = database_url.parse::<tessera::store::DatabaseUrl>().unwrap();
    let mut holder = holder.connect().unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE keys").unwrap();
    let add = ["--database-url", &database_url, "key", "add", "door", "--role", "scanner"];
    let output = std::thread::scope(|scope| {
        let command = scope.spawn(|| place.run(&add));
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        while !command.is_finished() {
            cluster.sql("postgres", waiting);
            std::thread::sleep(Duration::from_millis(20));
        }
        command.join().unwrap()
    });
    check_failed(&output, 1, "the connection to the database was lost: ");
}
