//! What rows become, without a database.

use chrono_tz::Tz;

use super::*;
use crate::token::Micros;
use crate::token::cone::cells::{Cell, integer, text, uid};
use crate::token::cone::findings::Decisions;

fn mapping(zone: Tz) -> Mapping {
    let now = Micros::read("2026-11-30T12:00", zone).unwrap();
    Mapping { zone, now, by: "shell:anna".into(), kept_since: Micros::EPOCH }
}

#[allow(clippy::unnecessary_wraps, reason = "a column may be NULL")]
fn cell(text: &str) -> Cell {
    Some(format!("t{text}").into_bytes())
}

fn hyphenated(n: u128) -> String {
    Uid::numbered(n).to_string()
}

/// A token with a value, made on a day of January.
fn row(n: u128, value: Option<&str>) -> TokenCells {
    TokenCells {
        uid: cell(&hyphenated(n).replace('-', "")),
        value: value.and_then(cell),
        usage_count: Some(b"i3".to_vec()),
        lock_time: Some(b"i0".to_vec()),
        creator: cell("anna"),
        created: cell("2026-01-02 03:04:05.678901"),
        modified: cell("2026-01-02 03:04:05"),
        ..TokenCells::default()
    }
}

/// The values of tokens in their order, and what was found.
fn values(rows: &[TokenCells]) -> (Vec<String>, Vec<(Kind, u64)>) {
    let mut inspection = Inspection::new(mapping(Tz::UTC));
    for row in rows {
        inspection.token(row);
    }
    inspection.end_tokens();
    let (findings, mut plan) = inspection.end();
    let values = rows.iter().map(|row| plan.token(row).unwrap().token.value).collect();
    (values, findings.iter().map(|(kind, found)| (kind, found.count)).collect())
}

#[test]
fn a_column_is_what_it_should_be_or_says_what_it_is() {
    assert_eq!(text(&None), Ok(None));
    assert_eq!(text(&cell("Straße")), Ok(Some("Straße")));
    assert_eq!(text(&cell("")), Ok(Some("")));
    assert_eq!(integer(&Some(b"i-7".to_vec())), Ok(Some(-7)));
    assert_eq!(uid(&cell("0000000000000000000000000000000A")).unwrap(), Some(Uid::numbered(10)));
    for (wrong, says) in [
        (text(&Some(b"i7".to_vec())).unwrap_err(), "the number 7"),
        (text(&Some(b"bxyz".to_vec())).unwrap_err(), "bytes"),
        (text(&Some(b"t\xff".to_vec())).unwrap_err(), "the text \"\u{fffd}\" that is not UTF-8"),
        (integer(&Some(b"r7.5".to_vec())).unwrap_err(), "the number 7.5"),
        (integer(&Some(b"i99999999999999999999".to_vec())).unwrap_err(), "the number 99999999999999999999"),
        (uid(&cell("{0}")).unwrap_err(), "\"{0}\", which is no UUID"),
    ] {
        assert_eq!(wrong.0, says);
    }
}

#[test]
fn of_equal_values_the_oldest_keeps_it() {
    let rows = ["A", "A-2", "A", "A", "A-2", "a"];
    let rows: Vec<TokenCells> = (1..).zip(rows).map(|(n, value)| row(n, Some(value))).collect();
    let (values, found) = values(&rows);
    assert_eq!(values, ["A", "A-2", "A-3", "A-4", "A-2-2", "a"]);
    assert_eq!(found, [(Kind::SameValue, 3)]);
}

#[test]
fn a_uid_is_a_value_of_one_token() {
    let (one, two) = (hyphenated(1), hyphenated(2));
    for (second, third, right) in [
        // It is nobody else's.
        (None, Some("x"), [two.as_str(), &one, "x"]),
        // Token 2 has it as its value too, and was made earlier; or has another value; or none, and gets it only here.
        (Some(two.as_str()), Some(two.as_str()), [&two, &one, &format!("{two}-2")]),
        (Some("B"), Some(two.as_str()), ["B", &one, &two]),
        (None, Some(two.as_str()), [&format!("{two}-2"), &one, &two]),
        (Some(&two.to_uppercase()), Some(&two.to_uppercase()), [&two, &one, &format!("{two}-2")]),
    ] {
        let rows = [row(2, second), row(1, None), row(3, third)];
        assert_eq!(values(&rows).0, right.map(str::to_owned), "{second:?} {third:?}");
    }
    // Made earlier, it keeps what is another's uid; and so does the first of two.
    let rows = [row(3, Some(&two)), row(2, Some(&two)), row(4, Some(&two))];
    assert_eq!(values(&rows).0, [two.clone(), format!("{two}-2"), format!("{two}-3")]);
}

#[test]
fn what_refuses_depends_on_what_was_decided() {
    let all = Decisions { adjust: true, suffix_duplicates: true, refuse_foreign_uuids: false };
    for (kind, by_default, with_all) in [
        (Kind::Unreadable, true, true),
        (Kind::SameUid, true, true),
        (Kind::UnusableValue, true, true),
        (Kind::SameValue, true, false),
        (Kind::WhiteSpace, true, false),
        (Kind::TurnedBounds, true, false),
        (Kind::SkippedTime, true, false),
        (Kind::ForeignUuid, false, false),
        (Kind::Future, false, false),
        (Kind::NoLog, false, false),
    ] {
        assert_eq!((kind.refuses(Decisions::default()), kind.refuses(all)), (by_default, with_all), "{kind:?}");
    }
    assert!(Kind::ForeignUuid.refuses(Decisions { refuse_foreign_uuids: true, ..all }));
}

/// A token is as its row says, and its lock runs from its last use.
#[test]
fn a_token_locks_as_before() {
    let cells =
        TokenCells { last_used: cell("2026-07-01 12:00:00.5"), lock_time: Some(b"i60".to_vec()), ..row(1, None) };
    let mut inspection = Inspection::new(mapping(Tz::Europe__Vienna));
    inspection.token(&cells);
    inspection.end_tokens();
    let entry = |n: u128, code: Option<&str>| EntryCells {
        uid: cell(&hyphenated(n)),
        token_uid: cell(&hyphenated(1)),
        timestamp: cell("2026-07-01 12:00:00.5"),
        error_code: code.map(|code| format!("i{code}").into_bytes()),
        ..EntryCells::default()
    };
    let entries = [entry(10, None), entry(11, Some("3")), entry(12, None)];
    for entry in &entries {
        inspection.entry(entry);
    }
    let (_, mut plan) = inspection.end();
    let moved = plan.token(&cells).unwrap();
    let used = Micros::read("2026-07-01T10:00:00.5Z", Tz::UTC).unwrap();
    let token = &moved.token;
    assert_eq!((moved.id, token.last_used, token.lock_start, token.lock_time), (1, Some(used), Some(used), 60));
    assert_eq!((token.used, token.last_entry), (2, Some(3)));
    let moved = entries.map(|entry| plan.entry(&entry).unwrap());
    assert_eq!(moved.each_ref().map(|entry| (entry.id, entry.previous)), [(1, None), (2, Some(1)), (3, Some(2))]);
    assert_eq!(moved.each_ref().map(|entry| (entry.taken, entry.lock_before)), [(1, None), (0, None), (1, Some(used))]);
}
