//! `query_usage` with `order=oldest`: how another system follows the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::Value;
use tessera::store::Connection;
use tessera::store::connection::transaction;
use tessera::store::usage::retention::remove_old;
use tessera::token::{Micros, Uid};

use crate::support::app::{App, send};
use crate::support::database::{number, on_postgres};
use crate::support::process::Place;
use crate::support::usage_log::write_many;

/// Whoever follows the log: its filter, its place, and what came so far.
struct Follower<'a> {
    app: &'a App,
    filter: Vec<(&'static str, String)>,
    cursor: String,
    seen: Vec<String>,
}

impl<'a> Follower<'a> {
    fn new(app: &'a App, filter: &[(&'static str, &str)]) -> Self {
        let filter = filter.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        Self { app, filter, cursor: String::new(), seen: Vec::new() }
    }

    /// Polls once, and returns how many came.
    async fn poll(&mut self, limit: &str) -> usize {
        let mut query: Vec<(&str, &str)> = self.filter.iter().map(|(name, text)| (*name, text.as_str())).collect();
        query.extend([("order", "oldest"), ("limit", limit), ("cursor", self.cursor.as_str())]);
        let answer = self.app.get("/query_usage", &query).await;
        let came = uids(&answer.check_success().body);
        answer.body["next_cursor"].as_str().expect("always").clone_into(&mut self.cursor);
        self.seen.extend(came.iter().cloned());
        came.len()
    }
}

fn uids(body: &Value) -> Vec<String> {
    body["usage"].as_array().unwrap().iter().map(|entry| entry["uid"].as_str().unwrap().to_owned()).collect()
}

/// The uids of the log, oldest first.
async fn log(app: &App, uid: Option<&str>) -> Vec<String> {
    app.usage(uid).await.iter().rev().map(|entry| entry["uid"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn each_entry_comes_once_and_the_cursor_goes_on() {
    let app = App::start().await;
    let mut all = Follower::new(&app, &[]);
    assert_eq!(all.poll("10").await, 0);
    let begin = all.cursor.clone();
    assert_eq!((all.poll("10").await, all.cursor == begin), (0, true), "nothing has come");
    let (one, two) = (app.add(&[("usage_count", "-1")]).await, app.add(&[("usage_count", "-1")]).await);
    let mut of_two = Follower::new(&app, &[("token_uid", &two)]);
    for n in 0..7 {
        app.consume(if n < 5 { &one } else { &two }).await.check_success();
    }
    for came in [3, 3, 1, 0] {
        assert_eq!(all.poll("3").await, came);
    }
    assert_eq!(all.seen, log(&app, None).await);
    assert_eq!((of_two.poll("1").await, of_two.poll("1").await, of_two.poll("1").await), (1, 1, 0));
    assert_eq!(of_two.seen, log(&app, Some(&two)).await);
    let before = of_two.cursor.clone();
    app.consume(&one).await.check_success();
    assert_eq!((of_two.poll("1").await, of_two.cursor == before), (0, false), "it passes what does not match");
    app.consume(&two).await.check_success();
    assert_eq!((of_two.poll("1").await, all.poll("1000").await), (1, 2));
    assert_eq!(all.seen, log(&app, None).await);

    let newest = app.get("/query_usage", &[("limit", "1")]).await;
    let newest = newest.check_success().body["next_cursor"].as_str().unwrap();
    for (order, cursor) in [("oldest", newest), ("newest", &all.cursor), ("", &all.cursor), ("oldest", &of_two.cursor)]
    {
        let refused = app.get("/query_usage", &[("order", order), ("cursor", cursor)]).await;
        assert_eq!(refused.check_failure("TokenValueError").check_param("cursor").body["reason"], "foreign_cursor");
    }
    app.get("/query_usage", &[("order", "new")]).await.check_failure("TokenValueError").check_param("order");
}

#[actix_web::test]
async fn every_filter_can_be_followed() {
    let app = App::start().await;
    let made = app.post("/add_tokens", &[("count", "2"), ("usage_count", "-1"), ("batch_name", "B")]).await;
    let (batch, made) = (made.check_success().body["batch_uid"].clone(), made.body["token_uids"].clone());
    let other = app.add(&[("usage_count", "-1")]).await;
    let nobody = Uid::random().to_string();
    for uid in [made[0].as_str().unwrap(), &other, &nobody, made[1].as_str().unwrap(), &other] {
        app.consume(uid).await;
    }
    let entries = app.usage(None).await;
    let time = |n: usize| entries[4 - n]["timestamp"].as_str().unwrap().to_owned();
    let (second, fourth) = (time(1), time(3));
    for (filter, right) in [
        (vec![("batch", batch.as_str().unwrap())], &[0, 3][..]),
        (vec![("token_uid", nobody.as_str())], &[2]),
        (vec![("token_uid", &other), ("batch", batch.as_str().unwrap())], &[]),
        (vec![("from", &second), ("to", &fourth)], &[1, 2, 3]),
        (vec![("from", "2999-01-01")], &[]),
        (vec![("print_run", &nobody)], &[]),
        (vec![("batch", &nobody)], &[]),
    ] {
        let mut follower = Follower::new(&app, &filter);
        for _ in 0..4 {
            follower.poll("1").await;
        }
        let right: Vec<&str> = right.iter().map(|n| entries[4 - n]["uid"].as_str().unwrap()).collect();
        assert_eq!(follower.seen, right, "{filter:?}");
    }
    let unknown = app.get("/query_usage", &[("order", "oldest"), ("gate", "South")]).await;
    unknown.check_failure("TokenValueError").check_param("gate");
}

/// Numbers of PostgreSQL are drawn before they are committed.
#[actix_web::test]
async fn what_commits_late_is_not_skipped() {
    only_on_postgres!();
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    app.consume(&uid).await.check_success();
    for end in ["COMMIT", "ROLLBACK"] {
        let mut follower = Follower::new(&app, &[]);
        while follower.poll("10").await > 0 {}
        let before = follower.seen.clone();
        let mut late = app.connection();
        begin_late(&mut late, "late");
        app.consume(&uid).await.check_success();
        assert_eq!(log(&app, None).await.len(), before.len() + 1, "others see what is committed");
        let (cursor, since) = (follower.cursor.clone(), Instant::now());
        assert_eq!(follower.poll("10").await, 0, "the one before it may come yet");
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
        assert_eq!(follower.cursor, cursor);
        // Somebody else's work holds up nobody, however long it takes.
        late.batch_execute(end).unwrap();
        let mut other = app.connection();
        other.batch_execute("BEGIN; SELECT count(*) FROM usage; UPDATE tokens SET label = 'x'").unwrap();
        let since = Instant::now();
        assert_eq!(follower.poll("10").await, if end == "COMMIT" { 2 } else { 1 });
        assert!(since.elapsed() < Duration::from_millis(800), "{:?}", since.elapsed());
        other.batch_execute("ROLLBACK").unwrap();
        assert_eq!(follower.seen, log(&app, None).await);
        app.connection().batch_execute("DELETE FROM usage WHERE uid = 'late'").unwrap();
    }
}

#[actix_web::test]
async fn what_is_held_for_a_moment_is_waited_for() {
    only_on_postgres!();
    let app = App::start().await;
    let mut late = app.connection();
    begin_late(&mut late, "late");
    let commit = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        late.batch_execute("COMMIT").unwrap();
    });
    let mut follower = Follower::new(&app, &[]);
    follower.poll("10").await;
    assert_eq!(follower.seen, ["late"]);
    commit.join().unwrap();
}

/// The log of two servers under load, with numbers that are drawn early, late and for nothing.
#[actix_web::test]
async fn nothing_is_missed_and_nothing_comes_twice_under_load() {
    const USES: usize = 400;
    let place = Place::new();
    let servers = Arc::new([place.serve(), place.serve()]);
    let key = place.key("manager");
    let tokens = servers[0].add_tokens(&key, &[("count", "20"), ("usage_count", "-1")]).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let late = on_postgres().then(|| {
        let (mut connection, is_over) = (place.connection(), Arc::clone(&is_over));
        std::thread::spawn(move || draw_late(&mut connection, &is_over))
    });
    let users = (0..8).map(|user| {
        let (servers, key, tokens) = (Arc::clone(&servers), key.clone(), tokens.clone());
        actix_web::rt::spawn(async move {
            for n in 0..USES / 8 {
                let path = format!("/{}/consume_token", tokens[(user * 7 + n) % tokens.len()]);
                send(servers[(user + n) % 2].post(&key, &path)).await.check_success();
            }
        })
    });
    let users: Vec<_> = users.collect();
    let (mut seen, mut cursor, mut n) = (Vec::new(), String::new(), 0);
    loop {
        let was_over = is_over.load(Ordering::Relaxed);
        let path = format!("/query_usage?order=oldest&limit=23&cursor={cursor}");
        let answer = send(servers[n % 2].get(&key, &path)).await;
        let came = uids(&answer.check_success().body);
        seen.extend(came.iter().cloned());
        answer.body["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        n += 1;
        if !was_over && users.iter().all(actix_web::rt::task::JoinHandle::is_finished) {
            is_over.store(true, Ordering::Relaxed);
        }
        if was_over && came.is_empty() {
            break;
        }
    }
    for user in users {
        user.await.unwrap();
    }
    late.map(std::thread::JoinHandle::join).transpose().unwrap();
    loop {
        let path = format!("/query_usage?order=oldest&limit=1000&cursor={cursor}");
        let answer = send(servers[0].get(&key, &path)).await;
        let came = uids(&answer.check_success().body);
        answer.body["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        seen.extend(came.iter().cloned());
        if came.is_empty() {
            break;
        }
    }
    let all: Vec<String> =
        servers[1].usage(&key, "").await.iter().rev().map(|entry| entry["uid"].as_str().unwrap().to_owned()).collect();
    assert!(all.len() >= USES, "{}", all.len());
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "each once");
    assert_eq!(seen, all, "in the order of the log");
}

/// Draws a number in a transaction that goes on.
fn begin_late(connection: &mut Connection, uid: &str) {
    let now = Micros::now().get();
    let insert =
        format!("INSERT INTO usage (uid, timestamp, principal, uses, taken) VALUES ('{uid}', {now}, 'key:late', 1, 1)");
    connection.batch_execute(&format!("BEGIN; {insert}")).unwrap();
}

/// Draws numbers and keeps others waiting, some of them for nothing.
fn draw_late(connection: &mut Connection, is_over: &AtomicBool) {
    for n in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        begin_late(connection, &format!("late-{n}"));
        std::thread::sleep(Duration::from_millis(if n % 20 == 7 { 1_300 } else { n % 9 * 5 }));
        connection.batch_execute(if n % 3 == 0 { "ROLLBACK" } else { "COMMIT" }).unwrap();
    }
}

#[actix_web::test]
async fn a_log_that_retention_has_emptied_goes_on() {
    let app = App::start().await;
    let mut connection = app.connection();
    write_many(&mut connection, 5, "i", "NULL", "NULL");
    let mut follower = Follower::new(&app, &[]);
    assert_eq!(follower.poll("10").await, 5);
    connection.batch_execute("DELETE FROM settings WHERE name = 'usage_days'").unwrap();
    while transaction(&mut connection, |connection| remove_old(connection, Micros::now())).unwrap() {}
    assert_eq!(number(&mut connection, "SELECT count(*) FROM usage"), 0);
    assert_eq!(follower.poll("10").await, 0, "its last entry was removed, and no other was");
    let uid = app.add(&[("usage_count", "-1")]).await;
    for _ in 0..3 {
        app.consume(&uid).await.check_success();
    }
    assert_eq!(follower.poll("10").await, 3);
}

/// A database that was restored gives numbers again: a place behind its end is of another log.
#[actix_web::test]
async fn a_cursor_of_a_log_that_is_gone_is_refused() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    for _ in 0..5 {
        app.consume(&uid).await.check_success();
    }
    let mut follower = Follower::new(&app, &[]);
    follower.poll("10").await;
    let lost = async || {
        let query = [("order", "oldest"), ("cursor", follower.cursor.as_str())];
        app.get("/query_usage", &query).await
    };
    app.connection().batch_execute("DELETE FROM usage WHERE id > 3").unwrap();
    if on_postgres() {
        app.connection().batch_execute("SELECT setval('usage_id_seq', 3)").unwrap();
    }
    let refused = lost().await;
    assert_eq!(refused.check_failure("TokenValueError").check_param("cursor").body["reason"], "lost_cursor");
    for _ in 0..4 {
        app.consume(&uid).await.check_success();
    }
    assert_eq!(lost().await.check_failure("TokenValueError").body["reason"], "lost_cursor", "another has its number");
    let mut again = Follower::new(&app, &[]);
    assert_eq!(again.poll("10").await, 7);
}

/// Whoever follows few of a long log comes through it page by page.
#[actix_web::test]
async fn a_long_log_is_passed_in_parts() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "-1")]).await;
    write_many(&mut app.connection(), 230_000, "i", "NULL", "1");
    app.consume(&uid).await.check_success();
    // Nothing leads to a print run's entries, so each is looked at.
    let mut slow = Follower::new(&app, &[("print_run", &Uid::random().to_string())]);
    let mut places = Vec::new();
    for _ in 0..3 {
        slow.poll("10").await;
        places.push(slow.cursor.clone());
    }
    assert!(slow.seen.is_empty() && places[0] != places[1] && places[1] == places[2], "{places:?}");
    // An index leads to a token's.
    let mut quick = Follower::new(&app, &[("token_uid", &uid)]);
    assert_eq!((quick.poll("10").await, quick.poll("10").await), (1, 0));
    let from = app.usage(Some(&uid)).await[0]["timestamp"].as_str().unwrap().to_owned();
    let mut late = Follower::new(&app, &[("from", &from)]);
    assert_eq!(late.poll("10").await, 1);
}
