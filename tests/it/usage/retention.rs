//! What is too old for the log goes by itself.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tessera::access::Principal;
use tessera::store::connection::transaction;
use tessera::store::usage::retention::remove_old;
use tessera::store::{Connection, Store, settings};
use tessera::token::Micros;
use tessera::token::settle::{Answer, Ask, Lookup};

use crate::support::database::Database;
use crate::support::tokens::{add, token};
use crate::support::usage_log::write_many;

const DAY: i64 = 24 * 3_600 * 1_000_000;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    principal: String,
    #[diesel(sql_type = Text)]
    detail: String,
}

fn entries(connection: &mut Connection) -> i64 {
    diesel::sql_query("SELECT COUNT(*) AS count FROM usage").get_result::<Count>(connection).unwrap().count
}

fn audited(connection: &mut Connection) -> Vec<Row> {
    diesel::sql_query("SELECT principal, detail FROM audit WHERE action = 'usage retention' ORDER BY id")
        .load(connection)
        .unwrap()
}

/// Entries of `days` ago, a microsecond apart.
fn write_old(connection: &mut Connection, count: usize, days: i64) {
    write_before(connection, count, days, Micros::now());
}

/// Entries of `days` before a moment, a microsecond apart.
fn write_before(connection: &mut Connection, count: usize, days: i64, moment: Micros) {
    let from = moment.get() - days * DAY;
    write_many(connection, count, &format!("{from} + i"), "NULL", "NULL");
    connection.batch_execute("DELETE FROM settings WHERE name = 'usage_days'").unwrap();
}

fn set_days(connection: &mut Connection, days: &str) {
    let set = format!(
        "DELETE FROM settings WHERE name = 'usage_days'; INSERT INTO settings VALUES ('usage_days', '{days}', 0, 'test')"
    );
    connection.batch_execute(&set).unwrap();
}

#[actix_web::test]
async fn old_entries_go_by_themselves_while_two_servers_go_on_consuming() {
    let database = Database::new();
    let mut connection = database.connect();
    write_old(&mut connection, 4_500, 401);
    write_old(&mut connection, 300, 399);
    let token = token(-1);
    add(&mut connection, &token);
    let stores = [Store::start(&database.url).unwrap(), Store::start(&database.url).unwrap()];
    let since = Instant::now();
    let mut consumed = 0;
    while entries(&mut connection) > 300 + consumed {
        for store in &stores {
            let what = Lookup { uid: Some(token.uid), ..Lookup::default() };
            let answer = store.consume(Ask::once(Principal::key("door"), what)).await;
            assert!(matches!(answer, Ok(Answer::Done(..))), "{answer:?}");
            consumed += 1;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{} entries are left", entries(&mut connection));
    }
    assert_eq!(entries(&mut connection), 300 + consumed, "young ones stay");
    let rows = audited(&mut connection);
    let removed: i64 = rows.iter().map(|row| row.detail.split(' ').next().unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!((removed, rows[0].principal.as_str()), (4_500, "tessera"), "{rows:?}");
    // Two, if the day ended meanwhile.
    assert!(rows.len() <= 2 && rows[0].detail.contains(" entries removed, until "), "{rows:?}");
}

#[test]
fn it_ends_at_the_first_entry_that_is_young_enough_and_counts_by_the_day() {
    let database = Database::new();
    let mut connection = database.connect();
    // Noon: a day before and after is another day, whatever time it is.
    let now = Micros::stored(Micros::now().get() / DAY * DAY + DAY / 2);
    write_before(&mut connection, 10, 500, now);
    write_before(&mut connection, 1, 1, now.plus_micros(2));
    write_before(&mut connection, 10, 500, now);
    let remove =
        |connection: &mut Connection, now| transaction(connection, |connection| remove_old(connection, now)).unwrap();
    assert!(!remove(&mut connection, now));
    assert_eq!(entries(&mut connection), 11, "what a clock wrote that was wrong goes when it is its turn");
    set_days(&mut connection, "1");
    assert!(!remove(&mut connection, now.plus_micros(1)), "a day, and not quite");
    assert!(!remove(&mut connection, now.plus_micros(2 * DAY)));
    assert_eq!(entries(&mut connection), 0);
    let details: Vec<String> = audited(&mut connection).into_iter().map(|row| row.detail).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(details[0].starts_with("10 entries removed, until ") && details[1].starts_with("11 entries removed"));
    write_before(&mut connection, 2_001, 1_000, now);
    assert!(remove(&mut connection, now), "there is more");
    while remove(&mut connection, now) {}
    let details: Vec<String> = audited(&mut connection).into_iter().map(|row| row.detail).collect();
    assert_eq!(details.len(), 2, "one row a day");
}

/// The clock was ahead, and was put right.
#[test]
fn entries_of_the_future_are_as_old_as_those_behind_them() {
    let database = Database::new();
    let mut connection = database.connect();
    for (count, days) in [(2_500, -400), (5, 500), (1, -400), (1, 1), (1, -400)] {
        write_old(&mut connection, count, days);
    }
    let now = Micros::now();
    let remove =
        |connection: &mut Connection| transaction(connection, |connection| remove_old(connection, now)).unwrap();
    assert!(remove(&mut connection), "there is more");
    while remove(&mut connection) {}
    assert_eq!(entries(&mut connection), 3, "those before and behind one that is young stay");
}

#[test]
fn days_outside_of_their_range_are_the_default() {
    let database = Database::new();
    let mut connection = database.connect();
    assert_eq!(settings::all(&mut connection).unwrap().settings.usage_days, 400);
    for (set, days) in [("1", 1), ("36500", 36_500), ("0", 400), ("36501", 400), ("-1", 400), ("\"x\"", 400), ("", 400)]
    {
        set_days(&mut connection, set);
        assert_eq!(settings::all(&mut connection).unwrap().settings.usage_days, days, "{set}");
    }
}
