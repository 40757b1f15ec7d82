use chrono_tz::Tz;

use super::*;
use crate::token::record::tests::{token, uid};

fn reader(may_void: bool) -> LineReader {
    LineReader {
        zone: Tz::Europe__Vienna,
        defaults: Defaults { usage_count: 1, lock_time: 0 },
        by: "user:anna".into(),
        now: Micros::stored(1_000_000),
        may_void,
        public_url: Some("https://example.org/t".parse().unwrap()),
    }
}

fn cells(pairs: &[(Field, &str)]) -> Cells {
    let mut cells = Cells::default();
    for (field, text) in pairs {
        cells.set(*field, (*text).to_owned());
    }
    cells
}

fn moment(text: &str) -> Micros {
    Micros::read(text, Tz::UTC).unwrap()
}

#[test]
fn a_line_becomes_a_token() {
    let line = cells(&[
        (Field::Value, "A 17"),
        (Field::Label, "Locker 17"),
        (Field::ValidFrom, "30.11.2026 8:15"),
        (Field::ValidTo, "2026-12-01T08:00:00.123456Z"),
        (Field::UsageCount, "Unlimited"),
        (Field::LockTime, ""),
        (Field::Batch, "Summer"),
        (Field::Voided, "yes"),
        (Field::VoidReason, "Lost"),
    ]);
    let (made, batch) = reader(true).new_token(&line, uid(7)).unwrap();
    assert_eq!((made.uid, made.value.as_str(), made.label.as_deref()), (uid(7), "A 17", Some("Locker 17")));
    assert_eq!(
        (made.valid_from, made.valid_to),
        (Some(moment("2026-11-30T07:15:00Z")), Some(moment("2026-12-01T08:00:00.123456Z")))
    );
    assert_eq!((made.usage_count, made.lock_time, batch.as_deref()), (-1, 0, Some("Summer")));
    let voided = made.voided.unwrap();
    assert_eq!(
        (voided.at, voided.by.as_str(), voided.reason.as_deref()),
        (Micros::stored(1_000_000), "user:anna", Some("Lost"))
    );
}

#[test]
fn a_line_without_anything_special_has_the_defaults() {
    let (made, batch) = reader(false).new_token(&cells(&[(Field::Label, "A")]), uid(7)).unwrap();
    assert_eq!((made.value, made.usage_count, made.lock_time, batch), (uid(7).to_string(), 1, 0, None));
    let own = cells(&[(Field::Uid, &uid(9).to_string().to_uppercase()), (Field::Voided, "no")]);
    assert_eq!(reader(false).new_token(&own, uid(7)).unwrap().0.uid, uid(9));
}

#[test]
fn everything_that_is_wrong_with_a_line_is_told_with_its_column() {
    let line = cells(&[
        (Field::Uid, "17"),
        (Field::Value, " A"),
        (Field::ValidFrom, "11/30/2026"),
        (Field::ValidTo, "46356.92"),
        (Field::UsageCount, "many"),
        (Field::LockTime, "-1"),
        (Field::Batch, "a\nb"),
        (Field::Voided, "perhaps"),
        (Field::VoidReason, "a\nb"),
    ]);
    let errors: Vec<CellError> = reader(true).new_token(&line, uid(7)).unwrap_err();
    let of = |field| {
        let found: Vec<String> =
            errors.iter().filter(|error| error.field == Some(field)).map(|error| error.message.clone()).collect();
        assert_eq!(found.len(), 1, "{field:?}: {errors:?}");
        found[0].clone()
    };
    assert!(of(Field::Uid).contains("is not a uid"));
    assert!(of(Field::ValidFrom).contains("could be either"));
    assert!(of(Field::ValidTo).contains("format the column as a date"));
    assert!(of(Field::UsageCount).contains("not a whole number"));
    assert!(of(Field::Batch).contains("line breaks"));
    assert!(of(Field::Voided).contains("Or write yes or no"));
    assert!(of(Field::VoidReason).contains("line breaks or control characters"));
}

#[test]
fn a_reason_without_voiding_and_voiding_without_permission_are_refused() {
    let line = cells(&[(Field::VoidReason, "Lost")]);
    assert!(reader(true).new_token(&line, uid(7)).unwrap_err()[0].message.contains("is not voided"));
    let line = cells(&[(Field::Voided, "2026-01-01")]);
    assert!(reader(false).new_token(&line, uid(7)).unwrap_err()[0].message.contains("Only an admin"));
}

#[test]
fn a_change_sets_what_the_line_says_and_nothing_else() {
    let before = Token { label: Some("A".into()), lock_time: 5, used: 3, ..token(7) };
    let target = reader(false).change(&cells(&[(Field::Label, "B")]), &before, None).unwrap();
    // A use in the meantime stays.
    let used = Token { usage_count: 6, used: 4, ..before.clone() };
    assert_eq!(target.apply(&used), Token { label: Some("B".into()), ..used.clone() });
    let line = cells(&[(Field::Label, ""), (Field::UsageCount, "9"), (Field::ValidFrom, "")]);
    let target = reader(false).change(&line, &before, None).unwrap();
    // Of the nine, one was used since.
    assert_eq!(target.apply(&used), Token { label: None, usage_count: 8, ..used });
}

#[test]
fn values_of_others_are_refused_unless_they_come_from_an_export() {
    let other = uid(9).to_string();
    let refused =
        |pairs: &[(Field, &str)]| reader(true).new_token(&cells(pairs), uid(7)).unwrap_err()[0].message.clone();
    assert!(refused(&[(Field::Value, &other)]).contains("must be the token's own ID"));
    assert!(refused(&[(Field::Value, &format!("https://example.org/t/{other}"))]).contains("address of another token"));
    let exported = cells(&[(Field::Uid, &uid(8).to_string()), (Field::Value, &other)]);
    assert_eq!(reader(true).new_token(&exported, uid(7)).unwrap().0.value, other);
}

#[test]
fn a_change_refuses_what_an_import_cannot_change() {
    let before = token(7);
    let refused = |pairs: &[(Field, &str)]| {
        reader(true).change(&cells(pairs), &before, Some("Summer")).unwrap_err()[0].message.clone()
    };
    assert!(refused(&[(Field::Value, "other")]).contains("change values"));
    assert!(refused(&[(Field::Uid, &uid(9).to_string())]).contains("The token with this value has the ID"));
    assert!(refused(&[(Field::Batch, "Winter")]).contains("the batch \"Summer\""));
    assert!(refused(&[(Field::UsageCount, "")]).contains("must not be empty"));
    let same = cells(&[(Field::Value, "value"), (Field::Batch, "Summer"), (Field::UsageCount, "7")]);
    let target = reader(false).change(&same, &before, Some("Summer")).unwrap();
    assert_eq!(target.apply(&before), before);
}

#[test]
fn voided_tokens_are_changed_by_whoever_may_void() {
    let voided = Voided { at: Micros::stored(5), by: "user:berta".into(), reason: Some("Lost".into()) };
    let before = Token { voided: Some(voided.clone()), ..token(7) };
    let label = cells(&[(Field::Label, "B")]);
    assert!(reader(false).change(&label, &before, None).unwrap_err()[0].message.contains("can change voided tokens"));
    assert_eq!(reader(true).change(&label, &before, None).unwrap().apply(&before).voided, Some(voided.clone()));
    // As it was exported, it stays as it is.
    let same = cells(&[(Field::Voided, &voided.at.to_string()), (Field::VoidReason, "Lost")]);
    assert_eq!(reader(false).change(&same, &before, None).unwrap().apply(&before), before);
    let restored = cells(&[(Field::Voided, ""), (Field::VoidReason, "")]);
    assert_eq!(reader(true).change(&restored, &before, None).unwrap().apply(&before).voided, None);
    assert!(reader(false).change(&restored, &before, None).is_err());
}
