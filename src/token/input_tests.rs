//! The limits of the contract, each at its boundary, and the meanings of "empty".

use super::*;
use crate::token::record::tests::{token, uid};

const DEFAULTS: Defaults = Defaults { usage_count: 1, lock_time: 0 };

fn fields(pairs: &[(&str, &str)]) -> RawFields {
    let mut raw = RawFields::default();
    for (name, text) in pairs {
        let field = match *name {
            "value" => &mut raw.value,
            "label" => &mut raw.label,
            "valid_from" => &mut raw.valid_from,
            "valid_to" => &mut raw.valid_to,
            "usage_count" => &mut raw.usage_count,
            "lock_time" => &mut raw.lock_time,
            "add_uses" => &mut raw.add_uses,
            other => panic!("{other}"),
        };
        *field = Some((*text).to_owned());
    }
    raw
}

fn new(pairs: &[(&str, &str)]) -> Result<Token, TokenError> {
    let origin = Origin { uid: uid(0xA1), creator: "user:anna".into(), created: Micros::EPOCH };
    Ok(fields(pairs).new_token(origin, DEFAULTS, Tz::Europe__Vienna)?)
}

fn changed(pairs: &[(&str, &str)], token: &Token) -> Result<Token, TokenError> {
    Ok(fields(pairs).change(Tz::Europe__Vienna)?.apply(token)?)
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, TokenError>, param: &str) {
    let error = result.expect_err(param);
    assert_eq!((error.name(), error.param()), ("TokenValueError", Some(param)), "{error}");
    assert!(error.to_string().ends_with('.') && !error.to_string().ends_with(".."), "{error}");
}

#[test]
fn empty_and_absent_in_a_new_token() {
    let empty =
        [("value", ""), ("label", ""), ("valid_from", ""), ("valid_to", ""), ("usage_count", ""), ("lock_time", "")];
    for made in [new(&[]).unwrap(), new(&empty).unwrap()] {
        assert_eq!(made.value, uid(0xA1).to_string());
        assert_eq!((made.label, made.valid_from, made.valid_to), (None, None, None));
        assert_eq!((made.usage_count, made.lock_time), (1, 0));
    }
}

#[test]
fn limits_of_a_new_token() {
    let ok = |name: &'static str, text: &str| assert!(new(&[(name, text)]).is_ok(), "{name}={text}");
    let refused = |name: &'static str, text: &str| check_refused(new(&[(name, text)]), name);

    ok("value", "x");
    ok("value", "a b");
    ok("value", &"x".repeat(1_000));
    refused("value", &"x".repeat(1_001));
    ok("value", &"ä".repeat(600));
    refused("value", &"ä".repeat(601));
    ok("value", &"😀".repeat(300));
    refused("value", &"😀".repeat(301));
    for bad in [" x", "x ", "\u{a0}x", " ", "a\tb", "a\nb", "a\0b", "a\u{7f}b", "a\u{85}b"] {
        refused("value", bad);
    }
    ok("value", &uid(0xA1).to_string());
    let capitals = uid(0xA1).to_string().to_uppercase();
    assert_eq!(new(&[("value", &capitals)]).unwrap().value, uid(0xA1).to_string(), "as a look-up says it");
    refused("value", &uid(0xB2).to_string());
    refused("value", &uid(0xB2).to_string().to_uppercase());

    ok("label", &"ä".repeat(200));
    refused("label", &"ä".repeat(201));
    refused("label", "a\nb");
    ok("label", " padded ");

    for count in ["-1", "0", "2147483647", "+7", " 7 "] {
        ok("usage_count", count);
    }
    for count in
        ["-2", "2147483648", "-2147483649", "1.0", "1.5", "1e3", "one", " ", "1_000", "٣", "99999999999999999999"]
    {
        refused("usage_count", count);
    }
    ok("lock_time", "0");
    ok("lock_time", "2147483647");
    for lock in ["-1", "2147483648", "0.5", "1 s"] {
        refused("lock_time", lock);
    }
    refused("valid_from", "1969-12-31T00:00Z");
    refused("valid_to", "10000-01-01");
    refused("valid_from", "2026-03-29T02:30");
    refused("valid_to", "0");
}

#[test]
fn a_range_must_end_after_it_begins() {
    let range = |from, to| new(&[("valid_from", from), ("valid_to", to)]);
    assert!(range("2026-09-22T10:00", "2026-09-22T10:00:00.000001").is_ok());
    check_refused(range("2026-09-22T10:00", "2026-09-22T10:00"), "valid_to");
    check_refused(range("2026-09-22T10:00", "2026-09-22T09:00"), "valid_to");
    assert!(range("2026-09-22", "2026-09-22").is_ok(), "one day");
    let open = Token { valid_from: Some(Micros::read("2026-09-22", Tz::UTC).unwrap()), ..token(1) };
    check_refused(changed(&[("valid_to", "2026-09-21")], &open), "valid_to");
    let ends = Token { valid_to: open.valid_from, ..token(1) };
    check_refused(changed(&[("valid_from", "2026-09-23")], &ends), "valid_from");
    check_refused(changed(&[("valid_from", "2026-09-23"), ("valid_to", "2026-09-21")], &ends), "valid_to");
    assert!(changed(&[("valid_from", ""), ("valid_to", "2026-09-21")], &open).is_ok());
}

#[test]
fn absent_fields_stay_unchanged() {
    let before = Token { label: Some("Anna".into()), lock_time: 5, ..token(3) };
    assert_eq!(changed(&[], &before), Ok(before.clone()));
    let after = changed(&[("label", ""), ("value", ""), ("lock_time", "7")], &before).unwrap();
    assert_eq!(after, Token { label: None, value: before.uid.to_string(), lock_time: 7, ..before.clone() });
    check_refused(changed(&[("usage_count", "")], &before), "usage_count");
    check_refused(changed(&[("lock_time", "")], &before), "lock_time");
    check_refused(changed(&[("value", &uid(9).to_string())], &before), "value");
}

#[test]
fn uses_are_added_to_those_left() {
    let add = |left, added: &str| changed(&[("add_uses", added)], &token(left)).map(|token| token.usage_count);
    assert_eq!(add(3, "4"), Ok(7));
    assert_eq!(add(3, "-3"), Ok(0));
    assert_eq!(add(0, "0"), Ok(0));
    check_refused(add(3, "-4"), "add_uses");
    check_refused(add(i32::MAX, "1"), "add_uses");
    check_refused(add(UNLIMITED, "1"), "add_uses");
    check_refused(add(3, ""), "add_uses");
    check_refused(add(3, "1.5"), "add_uses");
    check_refused(changed(&[("add_uses", "1"), ("usage_count", "5")], &token(1)), "add_uses");
}

#[test]
fn every_mistake_is_reported() {
    let origin = Origin { uid: uid(0xA1), creator: "user:anna".into(), created: Micros::EPOCH };
    let wrong = [("value", " x"), ("label", "a\tb"), ("valid_from", "soon"), ("usage_count", "-2"), ("lock_time", "x")];
    let mistakes = fields(&wrong).new_token(origin, DEFAULTS, Tz::UTC).unwrap_err();
    let params: Vec<_> = mistakes.all().iter().filter_map(TokenError::param).collect();
    assert_eq!(params, ["valid_from", "lock_time", "value", "label", "usage_count"]);
}
