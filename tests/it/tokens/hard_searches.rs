//! Searches that an index does not like: for what thousands share, for a single character, for a thousand words; among tokens
//! whose ids are far apart.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use tessera::store::connection::transaction;
use tessera::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use tessera::store::tokens::search;
use tessera::store::{Connection, tokens};
use tessera::token::{State, Token};

use super::agreement::{ORDERS, agree, at, index, unlimited};
use crate::support::database::{Database, number, on_postgres};
use crate::support::tokens::token;

fn found_by(q: &str) -> TokenFilter {
    TokenFilter { q: Some(q.to_owned()), ..TokenFilter::default() }
}

/// The next token has this id.
fn go_on_at(connection: &mut Connection, id: i64) {
    match connection {
        Connection::Sqlite(connection) => {
            // It follows the greatest one, so that this is moved.
            let last = id - 1;
            connection.batch_execute(&format!(
                "UPDATE tokens SET id = {last} WHERE id = (SELECT max(id) FROM tokens);
                 INSERT INTO index_queue (token, text) VALUES ({last}, 1)"
            ))
        }
        Connection::Postgres(connection) => {
            connection.batch_execute(&format!("ALTER TABLE tokens ALTER COLUMN id RESTART WITH {id}"))
        }
    }
    .unwrap();
}

/// PostgreSQL is asked for ranges of 8,192 and of 131,072 ids: some tokens stand at the ends of such, and between them are
/// many without any.
#[test]
fn tokens_whose_ids_are_far_apart_are_found_in_all_orders() {
    let database = Database::new();
    let mut connection = database.connect();
    for (group, first) in [1, 8_150, 131_000, 139_200, 262_100, 4_000_000, 20_000_000].into_iter().enumerate() {
        if group > 0 {
            go_on_at(&mut connection, first);
        }
        let label = |n: i64| match (group, n % 3) {
            (5, 0) => "Far away".to_owned(),
            (_, 0) => format!("Common {n}"),
            _ => format!("Common group{group}"),
        };
        let nth =
            |n: i64| Token { created: at(first + n / 2), label: Some(label(n)), ..token(if n == 7 { 0 } else { 3 }) };
        let made: Vec<Token> = (0..150).map(nth).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    }
    index(&mut connection);
    let used_up = TokenFilter { state: Some(State::UsedUp), ..TokenFilter::default() };
    let both = TokenFilter { state: Some(State::UsedUp), ..found_by("common") };
    let filters = ["common", "common group1", "group6", "away", "common 148", "nowhere", "g", "up"].map(found_by);
    agree(&mut connection, &filters, &ORDERS);
    agree(&mut connection, &[used_up, both], &ORDERS);
}

#[test]
fn what_thousands_share_and_odd_words_are_found() {
    let database = Database::new();
    let mut connection = database.connect();
    let long = "long ".repeat(180);
    let label = |n: i64| match n {
        17 => Some("100% wool".to_owned()),
        18 => Some("a_b".to_owned()),
        19 => Some("🎟️ 🎟️ party".to_owned()),
        20 => Some((0..200).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")),
        _ => Some("One label for all".to_owned()),
    };
    let nth = |n: i64| Token { created: at(n / 100), value: format!("{long}{n:05}"), label: label(n), ..token(3) };
    let made: Vec<Token> = (0..6_000).map(nth).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    let thousand = |of: usize| (0..1_000).map(|word| format!("w{}", word % of)).collect::<Vec<_>>().join(" ");
    let (same, other) = (thousand(200), thousand(1_000));
    let words = [
        "label",
        "one long",
        "04711",
        "long 0471",
        "o",
        "%",
        "1",
        "_",
        "a_",
        "🎟",
        "🎟️ party",
        "%%%",
        "wool 100%",
        "% w",
        "\"long 047\"",
        "\"for all\" l",
    ];
    let filters: Vec<TokenFilter> = words.into_iter().chain([same.as_str(), &other, &long]).map(found_by).collect();
    agree(&mut connection, &filters, &[(Sort::Label, false)]);
    index(&mut connection);
    agree(&mut connection, &filters, &[(Sort::Created, true), (Sort::Label, true), (Sort::Value, false)]);
}

/// All that the index of grams knows.
fn known(connection: &mut Connection) -> String {
    let known = match connection {
        Connection::Sqlite(_) => {
            "(SELECT group_concat(gram || ':' || zone || ':' || hex(tokens), ';') FROM \
             (SELECT * FROM token_grams ORDER BY block, gram, zone))"
        }
        Connection::Postgres(_) => {
            "(SELECT string_agg(token || ':' || CAST(grams AS TEXT), ';' ORDER BY token) FROM token_grams)"
        }
    };
    diesel::select(diesel::dsl::sql::<Text>(known)).get_result(connection).unwrap()
}

#[test]
fn an_index_that_followed_changes_is_as_one_that_is_made_anew() {
    let database = Database::new();
    let mut connection = database.connect();
    let made: Vec<Token> = (0..2_000).map(|n| Token { label: Some(format!("Locker {n}")), ..token(3) }).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    index(&mut connection);
    for change in [
        "label = 'Umbrella ' || id WHERE id % 7 = 0",
        "value = 'Žluťoučký ' || id, label = NULL WHERE id % 40 = 1",
        "label = 'Locker' WHERE id BETWEEN 300 AND 900",
    ] {
        connection.batch_execute(&format!("UPDATE tokens SET modified = modified + 1, {change}")).unwrap();
        index(&mut connection);
    }
    let followed = known(&mut connection);
    let anew = "DELETE FROM token_grams; INSERT INTO index_queue (token, text) SELECT id, 1 FROM tokens";
    connection.batch_execute(anew).unwrap();
    index(&mut connection);
    assert!(followed == known(&mut connection), "what tokens no longer have is forgotten");
    assert!(!followed.is_empty());
}

/// PostgreSQL has no statistics of a table that was filled a moment ago. Then it may read a whole index for a few ids, if the
/// index has them at the end of its keys.
#[test]
fn without_statistics_what_is_read_by_ids_is_read_by_the_key() {
    if !on_postgres() {
        return;
    }
    let database = Database::new();
    let mut connection = database.connect();
    let made: Vec<Token> =
        (0..30_000).map(|n| Token { created: at(n), label: Some(format!("Ticket {n}")), ..token(3) }).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    index(&mut connection);
    let expired = TokenFilter { state: Some(State::Expired), created_from: Some(at(10)), ..TokenFilter::default() };
    for sort in [Sort::Created, Sort::Label, Sort::Value] {
        let slice = TokenSlice { sort, descending: false, after: None, limit: 50 };
        search::page(&mut connection, &expired, at(0), slice, &unlimited()).unwrap();
    }
    search::count(&mut connection, &expired, at(0), 10_000, &unlimited()).unwrap();
    diesel::sql_query("SELECT pg_stat_force_next_flush()").execute(&mut connection).unwrap();
    let read = number(
        &mut connection,
        "SELECT COALESCE(sum(idx_tup_read), 0)::bigint AS number FROM pg_stat_user_indexes \
         WHERE relname = 'tokens' AND indexrelname NOT IN ('tokens_pkey', 'tokens_uid')",
    );
    // Some pieces of walks, of 5,000 each. A whole index for each zone would be 3,500,000.
    assert!(read < 100_000, "{read} entries of other indexes were read");
}
