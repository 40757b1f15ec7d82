use super::*;
use crate::token::consume::consume;
use crate::token::record::UNLIMITED;
use crate::token::record::tests::token;

impl Before {
    /// The fields of a token before an action.
    pub(crate) fn of(token: &Token) -> Self {
        Self {
            label: token.label.clone(),
            valid_from: token.valid_from,
            valid_to: token.valid_to,
            usage_count: token.usage_count,
            lock_time: token.lock_time,
            used: token.used,
            voided: token.voided.clone(),
        }
    }
}

fn anna() -> Principal {
    Principal::user("anna")
}

fn at(micros: i64) -> Micros {
    Micros::stored(micros)
}

#[test]
fn each_action_changes_its_fields() {
    let before = Token { valid_to: Some(at(9)), ..token(3) };
    let apply = |action: Action| action.apply(&before, Place::numbered(7), &anna(), at(7)).unwrap();
    let range = Action::SetValidity { from: Bound::At(at(5)), to: Bound::Keep };
    assert_eq!(apply(range), Token { valid_from: Some(at(5)), ..before.clone() });
    let open = Action::SetValidity { from: Bound::Keep, to: Bound::Open };
    assert_eq!(apply(open).valid_to, None);
    assert_eq!(apply(Action::SetUses(UNLIMITED)).usage_count, UNLIMITED);
    assert_eq!(apply(Action::AddUses(-2)).usage_count, 1);
    assert_eq!(apply(Action::SetLock(60)).lock_time, 60);
    assert_eq!(apply(Action::SetLabel(Some("Locker {n:03}".into()))).label.as_deref(), Some("Locker 007"));
    assert_eq!(apply(Action::SetLabel(None)).label, None);
    assert_eq!(apply(Action::Delete), before);
    let lost = Some(Voided { at: at(7), by: "user:anna".into(), reason: Some("Lost".into()) });
    let void = Action::Void { reason: Some("Lost".into()) };
    assert_eq!(apply(void.clone()), Token { voided: lost.clone(), ..before.clone() });
    assert_eq!(apply(Action::Unvoid), before);
    let voided = Token { voided: lost, ..before.clone() };
    let again = Action::Void { reason: None };
    assert_eq!(
        again.apply(&voided, Place::numbered(1), &anna(), at(8)).unwrap(),
        voided,
        "what is voided already is left alone"
    );
    assert_eq!(Action::Unvoid.apply(&voided, Place::numbered(1), &anna(), at(8)).unwrap(), before);
    assert_eq!(void.undo(&voided, &Before::of(&before)), before);
    assert_eq!(Action::Unvoid.undo(&before, &Before::of(&voided)), voided, "by whom, when and why come back");
}

#[test]
fn actions_that_break_a_limit_are_refused() {
    let of = |action: Action, token: &Token| action.apply(token, Place::numbered(1), &anna(), at(7)).is_err();
    assert!(of(Action::AddUses(-4), &token(3)));
    assert!(of(Action::AddUses(1), &token(UNLIMITED)));
    assert!(of(Action::AddUses(1), &token(i32::MAX)));
    assert!(of(Action::SetUses(-2), &token(3)));
    assert!(of(Action::SetLock(-1), &token(3)));
    let ends = Token { valid_to: Some(at(9)), ..token(1) };
    assert!(of(Action::SetValidity { from: Bound::At(at(9)), to: Bound::Keep }, &ends));
    assert!(of(Action::SetLabel(Some("x".repeat(201))), &token(1)));
    for bad in [
        Action::SetLabel(Some("{n:4}".into())),
        Action::SetLabel(Some("x".repeat(201))),
        Action::SetLabel(Some(format!("{}{{n:03}}", "x".repeat(198)))),
        Action::SetValidity { from: Bound::At(at(9)), to: Bound::At(at(9)) },
        Action::SetValidity { from: Bound::Keep, to: Bound::Keep },
        Action::AddUses(0),
        Action::Void { reason: Some("x".repeat(201)) },
        Action::Void { reason: Some("a\0".into()) },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    assert_eq!(Action::SetUses(0).check(), Ok(()));
    assert_eq!(Action::SetLabel(Some(format!("{}{{n}}", "ä".repeat(199)))).check(), Ok(()));
}

/// Applies the action to a token with `before` uses, consumes some, and undoes the action.
#[track_caller]
fn check_uses(before: i32, action: &Action, consumed: i32, undone: i32) {
    let first = token(before);
    let done = action.apply(&first, Place::numbered(1), &anna(), at(7)).unwrap();
    let kept = Before::of(&first);
    let mut now = done;
    for n in 0..consumed {
        now = consume(&now, 1, at(n.into())).unwrap();
    }
    assert_eq!(action.undo(&now, &kept).usage_count, undone, "{before} {action:?} {consumed}");
}

#[test]
fn an_undo_does_not_return_consumed_uses() {
    check_uses(3, &Action::SetUses(10), 0, 3);
    check_uses(3, &Action::SetUses(10), 2, 1);
    check_uses(3, &Action::SetUses(10), 5, 0);
    check_uses(10, &Action::SetUses(3), 3, 7);
    check_uses(3, &Action::SetUses(UNLIMITED), 2, 1);
    check_uses(UNLIMITED, &Action::SetUses(2), 2, UNLIMITED);
    check_uses(3, &Action::AddUses(1), 1, 2);
    check_uses(3, &Action::AddUses(-2), 1, 2);
    check_uses(0, &Action::AddUses(1), 1, 0);
}

#[test]
fn an_undo_restores_only_changed_fields() {
    let first = Token { label: Some("a".into()), valid_from: Some(at(1)), lock_time: 5, ..token(3) };
    for action in [
        Action::SetValidity { from: Bound::Open, to: Bound::At(at(9)) },
        Action::SetLock(60),
        Action::SetLabel(None),
        Action::Delete,
        Action::Unvoid,
    ] {
        let done = action.apply(&first, Place::numbered(1), &anna(), at(7)).unwrap();
        let used = consume(&done, 1, at(2)).unwrap();
        let undone = action.undo(&used, &Before::of(&first));
        let used = Token { last_used: Some(at(2)), lock_start: Some(at(2)), usage_count: 2, used: 1, ..first.clone() };
        assert_eq!(undone, used);
    }
}

#[test]
fn actions_survive_json() {
    for action in [
        Action::SetValidity { from: Bound::Keep, to: Bound::At(at(1_500_000)) },
        Action::SetValidity { from: Bound::Open, to: Bound::Open },
        Action::SetUses(UNLIMITED),
        Action::AddUses(-1),
        Action::SetLock(60),
        Action::SetLabel(Some("\"{n}\" 😀".into())),
        Action::SetLabel(None),
        Action::Delete,
        Action::Void { reason: None },
        Action::Void { reason: Some("Lost".into()) },
        Action::Unvoid,
    ] {
        let text = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action, "{text}");
    }
}

#[test]
fn what_was_used_since_uses_were_said_stays_used() {
    let line = Token { usage_count: 7, ..token(2) };
    let of = |count, used| Target::new(&line, Some((count, used)));
    let at = |left: i32, used: i64| Token { usage_count: left, used, ..token(left) };
    assert_eq!(of(7, 3).apply(&at(2, 3)).usage_count, 7);
    assert_eq!(of(7, 3).apply(&at(1, 4)).usage_count, 6);
    assert_eq!(of(1, 3).apply(&at(0, 9)).usage_count, 0, "never below");
    assert_eq!(of(7, 3).apply(&at(2, 2)).usage_count, 8, "an undone use comes back");
    assert_eq!(of(UNLIMITED, 3).apply(&at(1, 4)).usage_count, UNLIMITED);
    assert_eq!(of(i32::MAX, 3).apply(&at(1, 0)).usage_count, i32::MAX);
    assert_eq!(Target::new(&line, None).apply(&at(1, 4)).usage_count, 1);
}
