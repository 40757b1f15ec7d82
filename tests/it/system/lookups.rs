//! Look-ups on PostgreSQL that share statements: how many a page takes, and what one look-up does to another.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, RequestBuilder};

use crate::support::app::{Answer, send};
use crate::support::cluster::Cluster;
use crate::support::process::{Place, Server};

/// A server on a cluster of its own, which logs every statement.
struct Table {
    cluster: Cluster,
    server: Server,
    key: String,
    client: Client,
    _place: Place,
}

impl Table {
    fn new() -> Self {
        let cluster = Cluster::start(&["log_statement=all"]);
        let url = cluster.create_database("tessera");
        let place = Place::new();
        let server = place.serve_on(&url);
        let key = place.works(&["--database-url", &url, "key", "add", "test", "--role", "manager"]);
        Self { cluster, server, key: key.trim().to_owned(), client: Client::new(), _place: place }
    }

    async fn add(&self, count: usize, uses: usize) -> Vec<String> {
        let (count, uses) = (count.to_string(), uses.to_string());
        let form = [("count", &*count), ("usage_count", &*uses), ("batch_name", "Friday"), ("label", "Seat {n}")];
        self.server.add_tokens(&self.key, &form).await
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.request(path)).await
    }

    /// One client for all: to make another takes longer than what is asked.
    fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.server.base)).bearer_auth(&self.key)
    }

    /// Statements that were logged behind this place of the log.
    fn statements(&self, from: usize) -> usize {
        let log = self.cluster.log();
        ["LOG:  execute ", "LOG:  statement: "].iter().map(|words| log[from..].matches(words).count()).sum()
    }

    /// The fewest statements that a page took: now and then others come between, or what is remembered for a second is
    /// read anew.
    async fn fewest(&self, path: &str) -> usize {
        let mut fewest = usize::MAX;
        for _ in 0..20 {
            let before = self.cluster.log().len();
            let answer = self.get(path).await;
            assert!([200, 409].contains(&answer.status), "{path}: {answer:?}");
            fewest = fewest.min(self.statements(before));
        }
        fewest
    }

    /// Asks for all of these while the database stands still: so all but the first ones wait together.
    async fn get_together(&mut self, paths: &[String]) -> Vec<Answer> {
        self.get("/query_token?value=warm").await.check_success();
        self.cluster.pause();
        let asked: Vec<_> = paths
            .iter()
            .map(|path| {
                let request = self.request(path);
                tokio::spawn(async move { send(request).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.cluster.resume();
        join_all(asked).await.into_iter().map(Result::unwrap).collect()
    }
}

#[actix_web::test]
async fn a_tile_takes_three_statements_and_a_list_four() {
    only_on_postgres!();
    let table = Table::new();
    let uid = table.add(120, 2).await.remove(7);
    for _ in 0..4 {
        send(table.server.post(&table.key, &format!("/{uid}/consume_token"))).await;
    }
    let next = |answer: &Answer| {
        let page = answer.body.as_str().unwrap();
        let (_, cursor) = page.split_once("after=").unwrap();
        format!("/?after={}", cursor.split(['"', '&']).next().unwrap())
    };
    let second = next(&table.get("/").await);
    for (path, most) in [("/", 4), (&second, 4), ("/?last=1", 4)] {
        let taken = table.fewest(path).await;
        assert!((1..=most).contains(&taken), "{path} takes {taken} statements");
    }
    for (path, most) in [("", 3), ("/consume_token?test=1", 3)] {
        let before = table.cluster.log().len();
        let taken = table.fewest(&format!("/{uid}{path}")).await;
        assert!((1..=most).contains(&taken), "/uid{path} takes {taken} statements");
        let log = &table.cluster.log()[before..];
        assert!(log.matches("execute __diesel_stmt").count() >= 20 * taken, "they are prepared once: {log}");
    }
}

#[actix_web::test]
async fn look_ups_that_arrive_together_share_statements() {
    only_on_postgres!();
    let mut table = Table::new();
    let uids = table.add(64, 1).await;
    for (path, most) in [("/query_token?value=", 16), ("/query_token?token_uid=", 16), ("/", 32)] {
        let paths: Vec<String> = uids.iter().map(|uid| format!("{path}{uid}")).collect();
        // The first round makes connections, and in another one some may come late.
        let mut taken = usize::MAX;
        for _ in 0..6 {
            let before = table.cluster.log().len();
            for (answer, uid) in table.get_together(&paths).await.iter().zip(&uids) {
                let is_its = answer.status == 200 && answer.body.to_string().contains(uid.as_str());
                assert!(is_its, "{path}{uid}: {answer:?}");
            }
            taken = taken.min(table.statements(before));
            if taken <= most {
                break;
            }
        }
        assert!(taken <= most, "{path}: 64 look-ups took {taken} statements");
    }
}

#[actix_web::test]
async fn a_row_that_cannot_be_read_spoils_no_other_look_up() {
    only_on_postgres!();
    let mut table = Table::new();
    let uids = table.add(30, 1).await;
    let spoil = format!("UPDATE tokens SET uid = 'broken', value = 'Karl' WHERE uid = '{}'", uids[20]);
    table.cluster.sql("tessera", &spoil);
    let mut paths: Vec<String> = uids.iter().map(|uid| format!("/query_token?value={uid}")).collect();
    paths[20] = "/query_token?value=Karl".into();
    for (n, (answer, uid)) in table.get_together(&paths).await.iter().zip(&uids).enumerate() {
        if n == 20 {
            answer.check_failure("Exception");
        } else {
            assert_eq!(answer.check_success().body["token"]["uid"], uid.as_str());
        }
    }
}

#[actix_web::test]
async fn connections_that_were_lost_meanwhile_cost_nobody_an_answer() {
    only_on_postgres!();
    let table = Table::new();
    let uid = table.add(1, 1).await.remove(0);
    for _ in 0..5 {
        let path = format!("/query_token?token_uid={uid}");
        for answer in join_all((0..8).map(|_| table.get(&path))).await {
            answer.check_success();
        }
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tessera'";
        table.cluster.sql("postgres", others);
        for answer in join_all((0..8).map(|_| table.get(&path))).await {
            answer.check_success();
        }
    }
}

#[actix_web::test]
async fn a_look_up_sees_what_was_answered_before_it() {
    only_on_postgres!();
    let table = Table::new();
    let uids = table.add(8, 1).await;
    let changes = uids.iter().map(async |uid| {
        for n in 0..25 {
            let label = format!("Seat {n}");
            let change = table.server.post(&table.key, &format!("/{uid}/update_token")).form(&[("label", &label)]);
            send(change).await.check_success();
            let token = table.get(&format!("/query_token?value={uid}")).await;
            assert_eq!(token.check_success().body["token"]["label"], label);
            let tile = table.get(&format!("/{uid}")).await;
            assert!(tile.body.as_str().unwrap().contains(&label), "{label}");
        }
    });
    join_all(changes).await;
}
