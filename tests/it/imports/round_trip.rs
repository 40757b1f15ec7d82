//! What goes out comes in again the same.

use std::fs;

use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tessera::store::connection::transaction;
use tessera::store::{Connection, tokens};
use tessera::token::{Micros, Token, Uid, Voided};

use crate::support::database::number;
use crate::support::process::Place;
use crate::support::tokens::token;

/// Batches that there are; the names of two want care in a file.
const BATCHES: [&str; 3] = ["Summer", "a, \"b\"; c", "=1+1 😀"];
/// The columns that come in again.
const COLUMNS: usize = 10;

fn text() -> impl Strategy<Value = Option<String>> {
    let odd =
        prop::sample::select(vec!["=1+1", "1.23E+15", "04-Mar", "#NAME?", "007", "\"", ";", ",", "a\"b,c;d|e", "null"]);
    let any = "[ -~äöüß€😀א،\u{301}]{1,30}".prop_map(|text| text.trim().to_owned());
    let some = prop_oneof![any, odd.prop_map(str::to_owned)].prop_filter("not empty", |text| !text.is_empty());
    prop::option::of(some)
}

fn moment() -> impl Strategy<Value = Option<Micros>> {
    prop::option::of((0..=Micros::LAST.get()).prop_map(Micros::stored))
}

fn any_token() -> impl Strategy<Value = (Token, Option<usize>)> {
    let range = (moment(), moment()).prop_map(|(from, to)| match (from, to) {
        (Some(from), Some(to)) if from == to => (Some(from), None),
        (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
        open => open,
    });
    let voided = prop::option::of((0..=Micros::LAST.get(), text()));
    let uses = prop_oneof![Just(-1), Just(0), Just(i32::MAX), 1..100];
    (text(), text(), range, uses, 0..=i32::MAX, voided, prop::option::of(0..BATCHES.len())).prop_map(
        |(value, label, (valid_from, valid_to), usage_count, lock_time, voided, batch)| {
            let plain = token(usage_count);
            let voided = voided.map(|(at, reason)| Voided { at: Micros::stored(at), by: "user:b".into(), reason });
            // One in eight is as cone.tokens has left it.
            let value = if lock_time % 8 == 0 { Some(Uid::random().to_string()) } else { value };
            let value = value.unwrap_or_else(|| plain.uid.to_string());
            (Token { value, label, valid_from, valid_to, lock_time, voided, ..plain }, batch)
        },
    )
}

fn fill(connection: &mut Connection, made: &[(Token, Option<usize>)]) {
    let mut values = std::collections::HashSet::new();
    let mut ids = Vec::new();
    for name in BATCHES {
        let name = name.replace('\'', "''");
        let insert = format!(
            "INSERT INTO batches (uid, name, count, creator, created, touched, made) \
             VALUES ('{}', '{name}', 1, 'user:anna', 1, 1, 1)",
            Uid::random()
        );
        connection.batch_execute(&insert).unwrap();
        ids.push(number(connection, "SELECT MAX(id) FROM batches"));
    }
    let made: Vec<Token> =
        made.iter().map(|(token, batch)| Token { batch: batch.map(|n| ids[n]), ..token.clone() }).collect();
    let different: Vec<Token> = made.into_iter().filter(|token| values.insert(token.value.clone())).collect();
    transaction(connection, |connection| tokens::add_all(connection, &different)).unwrap();
}

/// What of an export comes in again, line by line.
fn importable(place: &Place, format: &str) -> Vec<String> {
    let exported = place.works(&["export", "--format", format]);
    if format == "jsonl" {
        let object = |line: &str| {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            let names =
                ["uid", "value", "label", "valid_from", "valid_to", "usage_count", "lock_time", "batch", "voided"];
            names.iter().chain(&["void_reason"]).map(|name| object[*name].to_string()).collect::<Vec<_>>().join(" ")
        };
        return exported.lines().map(object).collect();
    }
    let mut reader = csv::Reader::from_reader(exported.as_bytes());
    let row = |row: csv::StringRecord| row.iter().take(COLUMNS).collect::<Vec<_>>().join("\u{1f}");
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn goes_out_and_comes_in(made: &[(Token, Option<usize>)], format: &str) {
    let (here, there) = (Place::new(), Place::new());
    for place in [&here, &there] {
        place.works(&["migrate"]);
    }
    fill(&mut here.connection(), made);
    let file = here.path(&format!("tokens.{format}"));
    here.works(&["export", "--format", format, "--output", file.to_str().unwrap()]);
    there.works(&["import", file.to_str().unwrap()]);
    assert_eq!(importable(&there, format), importable(&here, format), "{}", fs::read_to_string(&file).unwrap());
    // And as changes of what is there, it changes nothing.
    let said = there.works(&["import", file.to_str().unwrap(), "--change", "uid"]);
    assert!(said.starts_with("0 tokens changed."), "{said}");
}

#[test]
fn what_goes_out_comes_in_again_the_same() {
    let cases = if std::env::var_os("TESSERA_TEST_LONG").is_some() { 100 } else { 6 };
    let mut runner =
        TestRunner::new(Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() });
    let any = (prop::collection::vec(any_token(), 1..40), prop::sample::select(vec!["csv", "jsonl"]));
    let checked = runner.run(&any, |(made, format)| {
        goes_out_and_comes_in(&made, format);
        Ok(())
    });
    checked.unwrap();
}
