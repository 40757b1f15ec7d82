//! `tessera copy`: a database moves whole, from SQLite to where the tests run and back to SQLite.

use serde_json::Value;

use tessera::store::connection::transaction;
use tessera::store::copy;

use crate::support::app::send;
use crate::support::database::{Database, number};
use crate::support::process::{Place, Server, text};

/// Everything that the views tell of tokens and the log.
async fn tokens_and_usage(server: &Server, key: &str) -> (Value, Value) {
    let tokens = send(server.get(key, "/query_tokens?limit=1000")).await.check_success().body["tokens"].clone();
    let usage = send(server.get(key, "/query_usage?limit=1000")).await.check_success().body["usage"].clone();
    (tokens, usage)
}

#[actix_web::test]
async fn a_database_moves_whole_and_back() {
    let place = Place::new();
    let mut server = place.serve_on("sqlite:a.db");
    let key = place.works(&["--database-url", "sqlite:a.db", "key", "add", "first", "--role", "manager"]);
    let key = key.trim();
    let form = [("count", "20"), ("usage_count", "2"), ("label", "Größe {n}"), ("valid_to", "2999-12-31")];
    let uids = server.add_tokens(key, &form).await;
    for n in 0..30 {
        let request = server.post(key, &format!("/{}/consume_token", uids[n * 7 % 20]));
        send(request.header("Idempotency-Key", format!("key-{n}"))).await;
    }
    send(server.post(key, &format!("/{}/delete_token", uids[3]))).await.check_success();
    send(server.post(key, &format!("/{}/consume_token", uids[3]))).await.check_failure("TokenNotExists");
    let lost = server.post(key, &format!("/{}/void_token", uids[4])).form(&[("reason", "Lost")]);
    send(lost).await.check_success();
    let before = tokens_and_usage(&server, key).await;

    let elsewhere = Database::empty();
    let copy = ["--database-url", "sqlite:a.db", "copy", "--to", &elsewhere.text];
    place.fails(&copy, 1, "stop the servers on it first");
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    let copied = place.run(&copy);
    let said = text(&copied.stderr);
    assert!(copied.status.success() && said.contains("every row compared"), "{said}");
    let rows =
        |table: &str| said.lines().find(|line| line.trim().starts_with(table)).unwrap().split_whitespace().last();
    assert_eq!((rows("tokens"), rows("usage"), rows("users")), (Some("20"), Some("31"), Some("1")), "{said}");
    place.fails(&copy, 1, "something in its table tokens already");

    // The same key, kept replies, the same log; and what is new follows.
    let mut server = place.serve_on(&elsewhere.text);
    assert_eq!(tokens_and_usage(&server, key).await, before);
    let again = server.post(key, &format!("/{}/consume_token", uids[0])).header("Idempotency-Key", "key-0");
    assert_eq!(send(again).await.check_success().body["replayed"], true);
    send(server.post(key, "/add_tokens").form(&form)).await.check_success();
    send(server.post(key, &format!("/{}/consume_token", uids[19]))).await;
    let after = tokens_and_usage(&server, key).await;
    assert_eq!((after.0.as_array().unwrap().len(), after.1.as_array().unwrap().len()), (39, 32));

    let copy = ["--database-url", &elsewhere.text, "copy", "--to", "sqlite:b.db"];
    place.fails(
        &copy,
        1,
        if crate::support::database::on_postgres() { "in use" } else { "stop the servers on it first" },
    );
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    assert!(place.run(&copy).status.success());
    assert_eq!(tokens_and_usage(&place.serve_on("sqlite:b.db"), key).await, after);
}

/// It would hold the lock until its transaction ends, and wait for the lock of a copy into another database.
#[test]
fn a_copy_locks_nothing_that_the_databases_of_a_server_share() {
    only_on_postgres!();
    let (from, to) = (Database::new(), Database::new());
    let shared = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND database = 0 AND locktype = 'relation'
        AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')";
    let locked = transaction(&mut to.connect(), |to| {
        copy::copy(&mut from.connect(), to)?;
        Ok(number(to, shared))
    });
    assert_eq!(locked.unwrap(), 0);
}
