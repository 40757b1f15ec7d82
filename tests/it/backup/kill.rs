//! kill -9 at random moments of a backup and of a restore.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use rand::RngExt;

use super::files::{names, own_url, rows};
use crate::support::database::number;
use crate::support::process::{Place, text};

/// How often each is killed.
fn rounds() -> usize {
    if std::env::var_os("TESSERA_TEST_LONG").is_some() { 20 } else { 5 }
}

/// Starts a command and kills it within about the time that it takes.
fn kill_within(place: &Place, arguments: &[&str], whole: Duration) {
    let mut child = place.spawn(arguments);
    std::thread::sleep(whole.mul_f64(rand::rng().random_range(0.0..1.1)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[actix_web::test]
async fn a_killed_backup_leaves_the_one_before() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("manager");
    let uid = server.add_tokens(&key, &[("count", "3000"), ("usage_count", "9")]).await.remove(0);
    let start = Instant::now();
    place.works(&["backup", "b.db"]);
    let whole = start.elapsed();
    for _ in 0..rounds() {
        kill_within(&place, &["backup", "b.db"], whole);
        assert_eq!(rows(&place, "b.db", "tokens"), 3_000);
        let used = server.post(&key, &format!("/{uid}/consume_token"));
        assert!([200, 409].contains(&used.send().await.unwrap().status().as_u16()), "the server goes on");
    }
    place.works(&["backup", "b.db"]);
    assert!(!names(&place).iter().any(|name| name.contains("partial")), "{:?}", names(&place));
}

#[actix_web::test]
async fn a_killed_restore_leaves_the_old_database_or_the_new_one() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("manager");
    for (count, name) in [("1500", "one.db"), ("500", "other.db")] {
        server.add_tokens(&key, &[("count", count)]).await;
        place.works(&["backup", name]);
    }
    // With all that is in the log.
    server.kill();
    let start = Instant::now();
    place.works(&["restore", "one.db"]);
    let whole = start.elapsed();
    let mut found = Vec::new();
    for round in 0..rounds() {
        kill_within(&place, &["restore", ["other.db", "one.db"][round % 2]], whole);
        // PostgreSQL may take a moment to notice that whoever held its lock is gone.
        let start = Instant::now();
        loop {
            let backup = place.run(&["backup", "now.db"]);
            if backup.status.success() {
                break;
            }
            assert!(start.elapsed() < Duration::from_mins(1), "round {round}: {}", text(&backup.stderr));
            std::thread::sleep(Duration::from_millis(100));
        }
        let tokens = rows(&place, "now.db", "tokens");
        assert!([1_500, 2_000].contains(&tokens), "round {round}: {tokens}");
        found.push(tokens);
    }
    place.works(&["restore", "other.db"]);
    let server = place.serve_on(&own_url(&place));
    let uid = server.add_tokens(&key, &[("count", "1")]).await.remove(0);
    assert_eq!(server.post(&key, &format!("/{uid}/consume_token")).send().await.unwrap().status(), 200, "{found:?}");
    assert!(!names(&place).iter().any(|name| name.contains("partial")), "{:?}", names(&place));
}

/// Nobody has to wait for the end of a statement whose command was killed.
#[test]
fn what_was_killed_in_a_long_statement_is_in_no_restores_way() {
    only_on_postgres!();
    let place = Place::new();
    place.works(&["migrate"]);
    place.works(&["backup", "b.db"]);
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(120); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE INSERT ON keys FOR EACH ROW EXECUTE FUNCTION slow()";
    let mut connection = place.connection();
    connection.batch_execute(slow).unwrap();
    let mut adding = place.spawn(&["key", "add", "late", "--role", "viewer"]);
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    while number(&mut connection, sleeping) == 0 {
        assert!(adding.try_wait().unwrap().is_none(), "the key was added at once");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(connection);
    adding.kill().unwrap();
    adding.wait().unwrap();
    place.works(&["restore", "b.db"]);
}
