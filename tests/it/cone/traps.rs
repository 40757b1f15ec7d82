//! What cannot stay as it is: refused, or adjusted so that each code does what it did.

use serde_json::json;

use super::fixture::{Cone, Row, hex, hyphenated, quote, row};
use crate::support::app::send;
use crate::support::database::number;
use crate::support::process::{Place, Server};

/// The uid of the token that a value names, if there is one.
async fn named(server: &Server, key: &str, value: &str) -> Option<String> {
    let answer = send(server.get(key, "/query_token").query(&[("value", value)])).await;
    answer.check_success().body["token"]["uid"].as_str().map(str::to_owned)
}

#[actix_web::test]
async fn values_of_several_tokens_are_refused_or_get_a_number() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        let made = |day: u128, value: &str| Row {
            value: quote(value),
            created: quote(&format!("2026-01-{day:02} 00:00:00.000000")),
            ..row(day)
        };
        for (day, value) in [(5, "A"), (3, "A"), (9, "A"), (4, "A-2"), (7, "a"), (8, "A-2")] {
            cone.add(&made(day, value));
        }
        let said = cone.refuses(&place, &["--adjust"], "tokens whose value another one has");
        assert!(said.contains("Tokens whose value another one has: 3 (refused without --duplicates suffix)"), "{said}");
        assert!(said.contains(&format!("{}  \"A\" would become \"A-3\"", hyphenated(5))), "{said}");
        cone.refuses(&place, &["--dry-run"], "whose value another one has");
        let said = cone.imports(&place, &["--duplicates", "suffix"]);
        assert!(said.contains("(renamed)"), "{said}");
        let (server, key) = (place.serve(), place.key("viewer"));
        for (value, uid) in [("A", 3), ("A-2", 4), ("A-3", 5), ("A-4", 9), ("A-2-2", 8), ("a", 7)] {
            assert_eq!(named(&server, &key, value).await, Some(hyphenated(uid)), "{value}");
        }
    }
}

#[actix_web::test]
async fn values_that_are_other_uids_go_on_working() {
    let (mut cone, place) = (Cone::file(), Place::new());
    let valued = |uid: u128, value: &str| Row { value: quote(value), ..row(uid) };
    let upper = hyphenated(0xabc_def0).to_uppercase();
    cone.add(&valued(1, &hyphenated(77)));
    cone.add(&valued(2, &upper));
    cone.add(&valued(3, "own"));
    cone.add(&valued(4, &hyphenated(3)));
    cone.add(&valued(5, &hyphenated(5).to_uppercase()));
    cone.add(&valued(6, &hex(6)));
    cone.refuses(&place, &["--foreign-uuids", "refuse"], "values that look like a UUID and are not the token's own");
    let said = cone.imports(&place, &["--foreign-uuids", "keep"]);
    assert!(said.contains("Values that look like a UUID and are not the token's own: 3 (kept)"), "{said}");
    let (server, key) = (place.serve(), place.key("manager"));
    for (value, uid) in [
        (hyphenated(77), Some(1)),
        (upper.clone(), Some(2)),
        (upper.to_lowercase(), Some(2)),
        (hyphenated(3), Some(4)),
        ("own".to_owned(), Some(3)),
        (hyphenated(5), Some(5)),
        (hyphenated(1), None),
        (hex(6), Some(6)),
    ] {
        assert_eq!(named(&server, &key, &value).await, uid.map(hyphenated), "{value}");
    }
    let used = send(server.post(&key, "/consume_token").form(&[("value", &hyphenated(3))])).await;
    assert_eq!(used.check_success().body["token_uid"], json!(hyphenated(4)));
}

/// A value that is the uid of a token whose value is that uid: two tokens have one value.
#[actix_web::test]
async fn a_value_that_means_another_token_is_a_duplicate() {
    let valued = |uid: u128, value: String, day: u128| Row {
        value,
        created: quote(&format!("2026-01-{day:02} 00:00:00.000000")),
        ..row(uid)
    };
    let uid = hyphenated(2);
    // Which of the two was made first, and whether the other one has the value itself.
    for (first_day, second, kept, renamed) in
        [(1, quote(&uid), 1, 2), (9, quote(&uid), 2, 1), (9, "NULL".to_owned(), 1, 2), (1, "''".to_owned(), 1, 2)]
    {
        let (mut cone, place) = (Cone::file(), Place::new());
        cone.add(&valued(1, quote(&uid), first_day));
        cone.add(&valued(2, second, 5));
        cone.refuses(&place, &[], "whose value another one has");
        cone.imports(&place, &["--duplicates", "suffix"]);
        let (server, key) = (place.serve(), place.key("viewer"));
        assert_eq!(named(&server, &key, &uid).await, Some(hyphenated(kept)));
        assert_eq!(named(&server, &key, &format!("{uid}-2")).await, Some(hyphenated(renamed)));
    }
}

#[actix_web::test]
async fn white_space_is_cut_and_other_values_are_refused() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        cone.add(&Row { value: quote("  A 1\u{a0}\n"), ..row(1) });
        cone.add(&Row { value: quote(" \t "), ..row(2) });
        let said = cone.refuses(&place, &["--dry-run"], "values with white space at their ends");
        assert!(said.contains("Values with white space at their ends: 2 (refused without --adjust)"), "{said}");
        assert!(said.contains("becomes \"A 1\"") && said.contains("becomes the uid"), "{said}");
        for (value, words) in [
            ("a\nb", "line breaks or control characters"),
            (&"x".repeat(1_001), "at most 1,000 characters"),
            ("\u{85}x\u{7f}", "control"),
        ] {
            cone.add(&Row { value: quote(value), ..row(3) });
            let said = cone.refuses(&place, &["--adjust"], "values that are too long or have control characters");
            assert!(said.contains(words), "{said}");
            cone.sql(&format!("DELETE FROM tokens WHERE uid = '{}'", hex(3)));
        }
        cone.imports(&place, &["--adjust"]);
        let (server, key) = (place.serve(), place.key("viewer"));
        for code in ["  A 1\u{a0}\n", "A 1"] {
            assert_eq!(named(&server, &key, code).await, Some(hyphenated(1)), "the code that is printed works");
        }
        assert_eq!(named(&server, &key, &hyphenated(2)).await, Some(hyphenated(2)));
    }
}

/// A value that is the same once white space is cut is a second one.
#[test]
fn what_is_cut_may_be_anothers() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&Row { value: quote("A"), ..row(1) });
    cone.add(&Row { value: quote("A "), ..row(2) });
    cone.refuses(&place, &["--adjust"], "whose value another one has");
    cone.refuses(&place, &["--duplicates", "suffix"], "white space");
    cone.imports(&place, &["--duplicates", "suffix", "--adjust"]);
    let query = "SELECT count(*) FROM tokens WHERE value IN ('A', 'A-2')";
    assert_eq!(number(&mut place.connection(), query), 2);
    let long = "x".repeat(1_000);
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&Row { value: quote(&long), ..row(1) });
    cone.add(&Row { value: quote(&long), ..row(2) });
    cone.refuses(&place, &["--duplicates", "suffix"], "values that are too long");
}

#[actix_web::test]
async fn bounds_that_are_turned_round_never_let_anybody_in() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        let bounds = |uid: u128, from: &str, to: &str| Row { valid_from: quote(from), valid_to: quote(to), ..row(uid) };
        cone.add(&bounds(1, "2099-01-01 00:00:00.000000", "2020-01-01 00:00:00.000000"));
        cone.add(&bounds(2, "2020-01-01 00:00:00.000000", "2020-01-01 00:00:00.000000"));
        cone.add(&bounds(3, "2020-01-01 00:00:00.000000", "2099-01-01 00:00:00.000000"));
        let said = cone.refuses(&place, &[], "tokens that end before they begin");
        assert!(said.contains("Tokens that end before they begin: 2"), "{said}");
        let said = cone.imports(&place, &["--adjust"]);
        assert!(said.contains("(adjusted)") && said.contains("it is voided"), "{said}");
        let (server, key) = (place.serve(), place.key("manager"));
        for uid in [1, 2] {
            let answer = send(server.post(&key, &format!("/{}/consume_token", hyphenated(uid)))).await;
            answer.check_failure("TokenVoided");
            let token = send(server.get(&key, "/query_token").query(&[("token_uid", &hyphenated(uid))])).await;
            let reason = token.body["token"]["void_reason"].as_str().unwrap().to_owned();
            assert!(reason.starts_with("Never valid in cone.tokens: from "), "{reason}");
        }
        let in_order = "SELECT count(*) FROM tokens WHERE valid_from < valid_to";
        assert_eq!(number(&mut place.connection(), in_order), 3);
        send(server.post(&key, &format!("/{}/consume_token", hyphenated(3)))).await.check_success();
    }
}

/// In Vienna the hour from 02:00 on 29 March 2026 does not exist, and that on 25 October 2026 exists twice.
#[test]
fn times_that_clocks_skip_become_what_they_meant() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        cone.add(&Row { valid_from: quote("2026-03-29 02:30:00.000000"), ..row(1) });
        cone.add(&Row { valid_to: quote("2026-03-29 02:30:00.000000"), ..row(2) });
        cone.add(&Row { valid_to: quote("2026-10-25 02:30:00.000000"), ..row(3) });
        cone.add(&Row { valid_from: quote("2026-03-29 01:59:59.999999"), ..row(4) });
        cone.add(&Row { valid_from: quote("2026-03-29 03:00:00"), ..row(5) });
        let said = cone.refuses(&place, &[], "times that no clock in the zone has shown");
        assert!(said.contains("Times that no clock in the zone has shown: 2"), "{said}");
        assert!(
            said.contains("valid_to 2026-03-29 02:30:00.000000 becomes 2026-03-29T00:59:59.999999Z")
                || said.contains("valid_to 2026-03-29 02:30:00 becomes 2026-03-29T00:59:59.999999Z"),
            "{said}"
        );
        cone.imports(&place, &["--adjust"]);
        let mut connection = place.connection();
        let mut of =
            |id: i64, column: &str| number(&mut connection, &format!("SELECT {column} FROM tokens WHERE id = {id}"));
        let put_forward = 1_774_746_000_000_000;
        assert_eq!((of(1, "valid_from"), of(2, "valid_to")), (put_forward, put_forward - 1));
        assert_eq!(of(3, "valid_to"), 1_792_888_200_000_000, "the first of the two");
        assert_eq!((of(4, "valid_from"), of(5, "valid_from")), (put_forward - 1, put_forward));
        // Elsewhere that hour exists.
        let elsewhere = Place::new();
        let other = ["import-cone", &cone.url, "--source-timezone", "UTC"];
        assert!(elsewhere.run(&other).status.success());
    }
}

#[test]
fn numbers_and_times_out_of_range() {
    let (mut cone, place) = (Cone::file(), Place::new());
    let large = || "99999999999".to_owned();
    cone.add(&Row { usage_count: large(), lock_time: large(), ..row(1) });
    cone.add(&Row { usage_count: "-7".into(), lock_time: "-60".into(), ..row(2) });
    let far = |from: &str, to: &str, uid| Row { valid_from: quote(from), valid_to: quote(to), ..row(uid) };
    cone.add(&far("0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999", 3));
    cone.add(&far("1950-01-01 00:00:00.000000", "1960-01-01 00:00:00.000000", 4));
    cone.add(&Row { valid_to: quote("1969-12-31 23:00:00.000000"), ..row(5) });
    let said = cone.refuses(&place, &["--dry-run"], "numbers above 2147483647");
    for words in [
        "Numbers above 2147483647: 2",
        "Times before 1970 or after 9999: 4",
        "Tokens with a number of uses below -1: 1",
        "Tokens without a lock time, or with a negative one: 1",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    cone.imports(&place, &["--adjust"]);
    let mut connection = place.connection();
    let mut holds = |id: i64, what: &str| {
        let query = format!("SELECT count(*) FROM tokens WHERE id = {id} AND voided_at IS NULL AND {what}");
        assert_eq!(number(&mut connection, &query), 1, "{id}: {what}");
    };
    holds(1, "usage_count = 2147483647 AND lock_time = 2147483647");
    holds(2, "usage_count = -1 AND lock_time = 0");
    holds(3, "valid_from = 0 AND valid_to = 253402297199999999");
    holds(4, "valid_from IS NULL AND valid_to = 0");
    holds(5, "valid_to = 0");
}

#[test]
fn a_zone_that_is_wrong_shows_in_times_to_come() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&Row { last_used: super::fixture::clock(-60), valid_to: quote("2999-01-01 00:00:00"), ..row(1) });
    cone.log(&super::fixture::Use { uid: 5, token: 1, at: "2001-01-01 00:00:00", code: Some(9) });
    let said = cone.imports(&place, &["--dry-run"]);
    assert!(!said.contains("still to come"), "{said}");
    assert!(
        said.contains("Log entries that will be removed: 1 (for information; the settings keep the log for 400 days)"),
        "{said}"
    );
    assert!(said.contains("Log entries with an unknown error code: 1"), "{said}");
    let west = place.works(&["import-cone", &cone.url, "--source-timezone", "America/Los_Angeles", "--dry-run"]);
    assert!(
        west.contains("Times of the past that are still to come: 1 (for information; is the time zone right?)"),
        "{west}"
    );
}

/// Each kind is counted, and the first ten are named.
#[test]
fn the_first_ten_of_each_kind_are_named() {
    let (mut cone, place) = (Cone::file(), Place::new());
    for uid in 1..=13 {
        cone.add(&Row { value: quote(&format!("{uid} ")), ..row(uid) });
    }
    let said = cone.refuses(&place, &["--dry-run"], "white space");
    assert!(said.contains("Values with white space at their ends: 13") && said.contains("    and 3 more\n"), "{said}");
    assert!(said.contains(&hyphenated(10)) && !said.contains(&hyphenated(11)), "{said}");
}
