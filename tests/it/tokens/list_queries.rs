//! The store by itself: the filter that repeats the rule, and the plans of the lists.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{Connection as _, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;
use proptest::prelude::*;
use tessera::store::connection::transaction;
use tessera::store::cursor::Cursor;
use tessera::store::search::SearchLimit;
use tessera::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use tessera::store::tokens::{list, search};
use tessera::store::usage::{self, UsageFilter};
use tessera::store::{Connection, tokens};
use tessera::token::consume::state;
use tessera::token::value_prefix::ValuePrefix;
use tessera::token::{Micros, State, Token, Uid, Voided};

use crate::support::database::Database;
use crate::support::tokens::{add, token};

fn at(offset: i64) -> Micros {
    Micros::stored(1_000_000_000_000 + offset * 1_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_filter_by_state_is_the_rule(
        rows in proptest::collection::vec(
            (
                prop_oneof![Just(-1), Just(0), Just(1)],
                prop_oneof![Just(0), Just(5), Just(i32::MAX)],
                proptest::option::of(-6..3i64),
                proptest::option::of(-2..3i64),
                proptest::option::of(-2..3i64),
                proptest::bool::weighted(0.2),
            ),
            1..30,
        )
    ) {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = rows.into_iter().map(|(usage_count, lock_time, used, from, to, is_voided)| Token {
            voided: is_voided.then(|| Voided { at: at(0), by: "user:anna".into(), reason: None }),
            lock_time, last_used: used.map(at), lock_start: used.map(at), valid_from: from.map(at), valid_to: to.map(at),
            ..token(usage_count)
        }).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        for wanted in State::ALL {
            let filter = TokenFilter { state: Some(wanted), ..TokenFilter::default() };
            let found = list::page(&mut connection, &filter, at(0), &TokenSlice::newest(None, 1_000)).unwrap();
            let mut found: Vec<Uid> = found.into_iter().map(|(_, token)| token.uid).collect();
            let mut right: Vec<Uid> = made.iter().filter(|token| state(token, at(0)) == wanted).map(|token| token.uid).collect();
            found.sort();
            right.sort();
            prop_assert_eq!(found, right, "{:?}", wanted);
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What the database plans for every query that `work` makes.
fn plans(database: &Database, work: impl FnOnce(&mut Connection)) -> Vec<(String, Vec<String>)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut connection = database.connect();
    let noted = Arc::clone(&seen);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            noted.lock().unwrap().push(query.to_string());
        }
    });
    work(&mut connection);
    let mut other = database.connect();
    let seen = seen.lock().unwrap();
    let selects =
        seen.iter().filter(|query| query.starts_with("SELECT")).map(|query| query.split(" -- binds").next().unwrap());
    let plan = |query: &str| {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(&mut other).unwrap();
        (query.to_owned(), steps.into_iter().map(|step| step.detail).collect())
    };
    selects.map(plan).collect()
}

/// A page costs what it shows, and not what lies before it: every query walks an index, and none sorts.
#[test]
fn pages_walk_an_index() {
    // PostgreSQL plans by what a table holds; the time of the last page, below, is its test.
    only_on_sqlite!();
    let database = Database::new();
    let all = TokenFilter::default();
    let made = TokenFilter { created_from: Some(at(0)), created_to: Some(at(9)), ..TokenFilter::default() };
    let (number, text) = (Cursor::number(5, 5), serde_json::from_str::<Cursor>(r#"{"key": "x", "id": 5}"#).unwrap());
    for (sort, filter, place, index) in [
        (Sort::Created, &all, &number, "tokens_created"),
        (Sort::Created, &made, &number, "tokens_created"),
        (Sort::Label, &all, &text, "tokens_label"),
        (Sort::ValidTo, &all, &number, "tokens_valid_to"),
    ] {
        for descending in [true, false] {
            let part = TokenSlice { sort, descending, after: Some(place.clone()), limit: 101 };
            let plans = plans(&database, |connection| drop(list::page(connection, filter, at(0), &part).unwrap()));
            assert_eq!(plans.len(), 2, "what is alike, and what is behind");
            for (query, plan) in plans {
                let (batches, plan): (Vec<_>, Vec<_>) = plan
                    .iter()
                    .partition(|step| ["batches", "SUBQUERY", "BLOOM"].iter().any(|word| step.contains(word)));
                assert!(
                    plan.len() == 1 && plan[0].starts_with("SEARCH") && plan[0].contains(index),
                    "{query}: {plan:?}"
                );
                assert!(batches.iter().any(|step| step.contains("batches_unmade")), "{query}: {batches:?}");
            }
        }
    }
    let part = TokenSlice { sort: Sort::Value, descending: false, after: Some(text), limit: 101 };
    let limit = SearchLimit::new(Duration::from_mins(1));
    let of_values = plans(&database, |connection| drop(search::page(connection, &all, at(0), part, &limit).unwrap()));
    let by_value: Vec<_> = of_values.iter().filter(|(query, _)| query.contains("ORDER BY tokens.value")).collect();
    assert!(!by_value.is_empty());
    for (query, plan) in by_value {
        let is_sorted = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!is_sorted && plan.iter().any(|step| step.contains("tokens_value")), "{query}: {plan:?}");
    }
    let token = token(1);
    add(&mut database.connect(), &token);
    for (token_uid, indexes) in
        [(Some(token.uid), &["tokens_uid", "usage_unknown", "KEY", "KEY", "KEY"][..]), (None, &["PRIMARY KEY"])]
    {
        let filter = UsageFilter { token_uid, ..UsageFilter::default() };
        let (after, limit) = (Some(Cursor::number(5, 5)), SearchLimit::new(Duration::from_mins(1)));
        let plans =
            plans(&database, |connection| drop(usage::page(connection, &filter, after.as_ref(), 101, &limit).unwrap()));
        assert_eq!(plans.len(), indexes.len());
        for ((query, plan), index) in plans.iter().zip(indexes) {
            let is_read_whole = |step: &String| step.starts_with("SCAN") && !step.starts_with("SCAN chain");
            assert!(plan.iter().any(|step| step.contains(index)), "{query}: {plan:?}");
            assert!(!plan.iter().any(is_read_whole), "{query}: {plan:?}");
        }
    }
}

/// What an index leads to is collected from it alone.
#[test]
fn labels_values_and_ends_are_looked_up() {
    only_on_sqlite!();
    let database = Database::new();
    let any = TokenFilter::default;
    for (sort, filter, indexes) in [
        (Sort::Created, TokenFilter { label: Some("x".into()), ..any() }, &["tokens_label (<expr>=?)"][..]),
        (
            Sort::Label,
            TokenFilter { value_prefix: Some(ValuePrefix::new("T-")), ..any() },
            &["tokens_value (value>? AND value<?)"],
        ),
        (
            Sort::Created,
            TokenFilter { value_prefix: Some(ValuePrefix::new("1f")), ..any() },
            &["tokens_value (value>? AND value<?)", "tokens_uid (uid>? AND uid<?)"],
        ),
        (Sort::ValidTo, TokenFilter { valid_at: Some(at(0)), ..any() }, &["tokens_valid_to (<expr>>?)"]),
    ] {
        let limit = SearchLimit::new(Duration::from_mins(1));
        let slice = TokenSlice { sort, descending: false, after: None, limit: 101 };
        let plans =
            plans(&database, |connection| drop(search::page(connection, &filter, at(0), slice, &limit).unwrap()));
        for index in indexes {
            let found = plans.iter().find(|(_, plan)| plan.len() == 1 && plan[0].ends_with(index));
            assert!(found.is_some_and(|(_, plan)| plan[0].starts_with("SEARCH")), "{index}: {plans:?}");
        }
    }
}

/// With a hundred thousand tokens, the last page is found in the time of the first: an `OFFSET` would be some
/// hundred times slower, so ten times is far from noise.
#[test]
fn the_last_page_is_as_quick_as_the_first() {
    let database = Database::new();
    let mut connection = database.connect();
    let created = Micros::now();
    let made: Vec<Token> = (0..100_000).map(|_| Token { created, ..token(1) }).collect();
    transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
    let mut page = |after| {
        let since = std::time::Instant::now();
        let rows =
            list::page(&mut connection, &TokenFilter::default(), at(0), &TokenSlice::newest(after, 100)).unwrap();
        (since.elapsed(), rows)
    };
    // They were made at one moment, so that only their numbers order them.
    let last_place = Cursor::number(made[0].created.get(), 101);
    let (mut first, mut last) = (Duration::MAX, Duration::MAX);
    for _ in 0..20 {
        first = first.min(page(None).0);
        let (took, rows) = page(Some(last_place.clone()));
        assert_eq!(rows.len(), 100);
        last = last.min(took);
    }
    assert!(last < first * 10, "first {first:?}, last {last:?}");
}
