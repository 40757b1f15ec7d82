//! Settling: how asks see each other's effects, and that a batch gives the same result as its asks one by one.

use proptest::prelude::*;

use super::*;
use crate::token::Voided;
use crate::token::record::tests::{token, uid};

const NOW: i64 = 1_000_000_000;

pub(super) fn at(seconds: i64) -> Micros {
    Micros::stored(NOW + seconds * 1_000_000)
}

pub(super) fn ask(what: Lookup, who: &str, key: Option<&str>) -> Ask {
    Ask { key: key.map(|key| owned(who, key)), ..Ask::once(Principal::key(who), what) }
}

pub(super) fn owned(who: &str, key: &str) -> OwnedKey {
    OwnedKey::of_user(&Principal::key(who), ReplayKey::new(key).unwrap())
}

pub(super) fn by_uid(uid: Uid) -> Lookup {
    Lookup { uid: Some(uid), ..Lookup::default() }
}

fn by_value(value: &str) -> Lookup {
    Lookup { value: Some(value.to_owned()), ..Lookup::default() }
}

/// Answers for tokens that nobody else has locked.
pub(super) fn settled(asks: &[Ask], held: &mut Held, now: Micros) -> Vec<Answer> {
    settle(asks, held, now).into_iter().map(|answer| answer.expect("nothing is locked")).collect()
}

pub(super) fn holding(tokens: &[Token]) -> Held {
    let mut held = Held::default();
    for (id, token) in tokens.iter().enumerate() {
        held.insert(i64::try_from(id).unwrap(), token.clone());
    }
    held
}

pub(super) fn kinds(answers: &[Answer]) -> Vec<&'static str> {
    let kind = |answer: &Answer| match answer {
        Answer::Done(..) => "consumed",
        Answer::Replayed(_) => "replayed",
        Answer::NotKept => "not kept",
        Answer::Refused(refused) => refused.refusals[0].name(),
        Answer::Mistaken(error) => error.name(),
        Answer::Forbidden(_) => "Forbidden",
    };
    answers.iter().map(kind).collect()
}

#[test]
fn repeated_asks_see_each_other() {
    let asks = vec![ask(by_uid(uid(1)), "door", None); 3];
    let mut held = holding(&[Token { uid: uid(1), ..token(2) }]);
    let answers = settled(&asks, &mut held, at(0));
    assert_eq!(kinds(&answers), ["consumed", "consumed", "TokenUsageCountExceeded"]);
    assert_eq!(held.changed().map(|(_, token)| token.usage_count).collect::<Vec<_>>(), [0]);

    let mut locked = holding(&[Token { uid: uid(1), lock_time: 60, ..token(2) }]);
    let answers = settled(&asks, &mut locked, at(0));
    assert_eq!(kinds(&answers), ["consumed", "TokenLockTimeViolation", "TokenLockTimeViolation"]);
    let Answer::Refused(RefusedAsk { summary, retry_at, .. }) = &answers[1] else { panic!("refused") };
    assert_eq!((summary.as_ref().unwrap().usage_count, *retry_at), (1, Some(at(60))));
}

#[test]
fn a_token_is_named_by_uid_value_or_link() {
    let first = Token { uid: uid(1), value: "one".into(), ..token(9) };
    let link = "https://example.org/other";
    let second = Token { uid: uid(2), value: link.into(), ..token(9) };
    let both = |uid, value: &str| Lookup { uid: Some(uid), ..by_value(value) };
    let linked = |value: &str, uid| Lookup { link: Some(uid), ..by_value(value) };
    let asks: Vec<Ask> = [
        by_uid(uid(1)),
        by_value("one"),
        both(uid(1), "one"),
        both(uid(1), link),
        both(uid(1), "nothing"),
        both(uid(3), "one"),
        both(uid(3), "nothing"),
        by_value("One"),
        linked("https://example.org/1", uid(1)),
        linked(link, uid(1)),
    ]
    .into_iter()
    .map(|what| ask(what, "door", None))
    .collect();
    let answers = settled(&asks, &mut holding(&[first, second]), at(0));
    assert_eq!(
        kinds(&answers),
        [
            "consumed",
            "consumed",
            "consumed",
            "TokenValueError",
            "TokenValueError",
            "TokenValueError",
            "TokenNotExists",
            "TokenNotExists",
            "consumed",
            "consumed",
        ]
    );
    let Answer::Done(receipt, _) = &answers[9] else { panic!("consumed") };
    assert_eq!(receipt.summary.token_uid, uid(2), "a value that is written exactly so comes before what a link means");
}

#[test]
fn a_key_replays_its_first_success() {
    let tokens = [Token { uid: uid(1), value: "one".into(), ..token(2) }, Token { uid: uid(2), ..token(0) }];
    let asks = [
        ask(by_uid(uid(1)), "door", Some("k")),
        ask(by_value("one"), "door", Some("k")),
        ask(by_uid(uid(2)), "door", Some("k")),
        ask(by_uid(uid(1)), "gate", Some("k")),
        ask(by_uid(uid(1)), "door", Some("other")),
        ask(by_uid(uid(1)), "door", Some("k")),
        ask(by_uid(uid(2)), "gate", Some("refused")),
        ask(by_uid(uid(2)), "gate", Some("refused")),
    ];
    let answers = settled(&asks, &mut holding(&tokens), at(0));
    assert_eq!(
        kinds(&answers),
        [
            "consumed",
            "replayed",
            "TokenValueError",
            "consumed",
            "TokenUsageCountExceeded",
            "replayed",
            "TokenUsageCountExceeded",
            "TokenUsageCountExceeded",
        ]
    );
    let (Answer::Done(first, _), Answer::Replayed(again)) = (&answers[0], &answers[5]) else { panic!() };
    assert_eq!(first, again);
    assert!(answers[5].attempt(&asks[5]).is_none() && answers[2].attempt(&asks[2]).is_none());
}

#[test]
fn what_was_answered_is_told_again_and_nothing_is_used() {
    let mut held =
        holding(&[Token { uid: uid(1), ..token(5) }, Token { uid: uid(2), value: "two".into(), ..token(5) }]);
    let what = by_uid(uid(1));
    let first = Deed::Use { what: what.clone(), uses: 2, gate: Some(7) };
    let door = |deed: Deed| Ask { deed, ..ask(what.clone(), "door", Some("k")) };
    let replay = |what: &Lookup, uses, gate| door(Deed::Replay { what: what.clone(), uses, gate });
    let before = replay(&what, 2, FormerGate::Is(Some(7)));
    assert_eq!(kinds(&settled(&[before, door(first)], &mut held, at(0))), ["not kept", "consumed"]);
    let asks = [
        replay(&what, 2, FormerGate::Is(Some(7))),
        replay(&what, 2, FormerGate::Renamed),
        replay(&what, 2, FormerGate::Is(Some(8))),
        replay(&what, 2, FormerGate::Is(None)),
        replay(&what, 1, FormerGate::Is(Some(7))),
        replay(&by_uid(uid(2)), 2, FormerGate::Renamed),
    ];
    let answers = settled(&asks, &mut held, at(1));
    assert_eq!(kinds(&answers), [&["replayed"; 2][..], &["TokenValueError"; 4]].concat());
    assert!(answers.iter().zip(&asks).all(|(answer, ask)| answer.attempt(ask).is_none()), "none of it is an attempt");
    let left: Vec<_> = held.changed().map(|(_, token)| token.usage_count).collect();
    assert_eq!(left, [3]);

    let nowhere = Deed::Use { what: what.clone(), uses: 1, gate: None };
    let other = |deed: Deed| Ask { deed, ..ask(what.clone(), "other", Some("k")) };
    let renamed = Deed::Replay { what: what.clone(), uses: 1, gate: FormerGate::Renamed };
    assert_eq!(
        kinds(&settled(&[other(nowhere), other(renamed)], &mut held, at(2))),
        ["consumed", "TokenValueError"],
        "it was at no gate"
    );
    held.insert_locked(uid(3), "three".into());
    let maybe = ask(by_uid(uid(3)), "door", Some("new"));
    let maybe = Ask { deed: Deed::Replay { what: by_uid(uid(3)), uses: 1, gate: FormerGate::Renamed }, ..maybe };
    assert_eq!(settle(&[maybe], &mut held, at(3)), [None], "whoever has locked it may be using it with this key");
}

#[test]
fn a_key_replays_after_its_token_was_deleted() {
    let summary = TokenSummary::from(&Token { uid: uid(1), value: "one".into(), ..token(1) });
    let receipt = Receipt { summary, usage_uid: uid(7), uses: 1, gate: None };
    let mut held = Held::default();
    held.insert_reply(owned("door", "k"), Reply::Use { receipt, is_undone: false });
    let asks = [by_uid(uid(1)), by_value("one"), by_uid(uid(2)), by_value("two")];
    let asks = asks.map(|what| ask(what, "door", Some("k")));
    let answers = settled(&asks, &mut held, at(0));
    assert_eq!(kinds(&answers), ["replayed", "replayed", "TokenValueError", "TokenValueError"]);
}

#[test]
fn a_key_of_another_request_is_refused() {
    let one = Token { uid: uid(1), ..token(2) };
    let mut held = holding(std::slice::from_ref(&one));
    held.insert_reply(owned("door", "k"), Reply::OtherRequest);
    let undo = Deed::Undo { which: NamedUse::Entry(uid(9)), anybody: false };
    let asks = [
        ask(by_uid(uid(1)), "door", Some("k")),
        Ask::new(Principal::key("door"), undo, Some(owned("door", "k"))),
        ask(by_uid(uid(1)), "gate", Some("k")),
    ];
    let answers = settled(&asks, &mut held, at(0));
    let reused = Answer::Mistaken(TokenError::value(ReplayKey::HEADER, Problem::KeyReused));
    assert_eq!(answers[..2], [reused.clone(), reused]);
    assert!(matches!(answers[2], Answer::Done(..)));
}

#[test]
fn a_voided_token_is_refused_but_a_saved_reply_is_replayed() {
    let one = Token { uid: uid(1), ..token(2) };
    let key = ask(by_uid(uid(1)), "door", Some("k"));
    let mut held = holding(std::slice::from_ref(&one));
    let first = settled(std::slice::from_ref(&key), &mut held, at(0));
    let Answer::Done(receipt, _) = &first[0] else { panic!("consumed") };
    let reply = Reply::Use { receipt: receipt.clone(), is_undone: false };
    let voided = Voided { at: at(1), by: "user:anna".into(), reason: Some("Lost".into()) };
    let mut held = holding(&[Token { voided: Some(voided), ..one }]);
    held.insert_reply(key.key.clone().unwrap(), reply);
    let asks = [key, ask(by_uid(uid(1)), "door", Some("other")), ask(by_uid(uid(1)), "gate", None)];
    let answers = settled(&asks, &mut held, at(2));
    assert_eq!(kinds(&answers), ["replayed", "TokenVoided", "TokenVoided"]);
    let Answer::Refused(RefusedAsk { summary, retry_at, .. }) = &answers[1] else { panic!("refused") };
    assert_eq!((summary.as_ref().unwrap().usage_count, *retry_at), (2, None));
    assert_eq!(answers[1].attempt(&asks[1]).unwrap().error_code, Some(7));
    assert_eq!(held.changed().count(), 0);
}

#[test]
fn every_attempt_makes_a_usage_entry() {
    let tokens = [Token { uid: uid(1), value: "one".into(), ..token(1) }];
    let asks = [
        ask(by_value("one"), "door", None),
        ask(by_uid(uid(1)), "door", None),
        ask(by_uid(uid(7)), "door", None),
        ask(by_value(&"ä".repeat(100)), "door", None),
    ];
    let answers = settled(&asks, &mut holding(&tokens), at(0));
    let entries: Vec<_> = answers.iter().zip(&asks).map(|(answer, ask)| answer.attempt(ask).unwrap()).collect();
    let entries: Vec<_> =
        entries.iter().map(|entry| (entry.token_uid, entry.token_value.as_deref(), entry.error_code)).collect();
    let entry = |token_uid, token_value, error_code| (token_uid, token_value, error_code);
    assert_eq!(entries[0], entry(Some(uid(1)), Some("one"), None));
    assert_eq!(entries[1], entry(Some(uid(1)), Some("one"), Some(2)));
    assert_eq!(entries[2], entry(Some(uid(7)), None, Some(1)));
    assert_eq!(entries[3], entry(None, Some(&"ä".repeat(64)), Some(1)));
}

prop_compose! {
    fn any_token(n: u128)(
        usage_count in -1..4i32,
        lock_time in prop_oneof![Just(0), Just(5)],
        used in proptest::option::of(-10..10i64),
        valid_from in proptest::option::of(-3..2i64),
        valid_to in proptest::option::of(-1..3i64),
    ) -> Token {
        let used = used.map(at);
        Token {
            uid: uid(n), value: format!("v{n}"), lock_time, last_used: used, lock_start: used,
            valid_from: valid_from.map(at), valid_to: valid_to.map(at), ..token(usage_count)
        }
    }
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let uids = || proptest::option::of(0..4u128);
    let key = proptest::option::of(prop_oneof![Just("a"), Just("b")]);
    let uses = prop_oneof![4 => Just(1), 1 => 2..4i32];
    (uids(), uids(), uids(), prop_oneof![Just("door"), Just("gate")], key, uses).prop_map(
        |(by_uid, by_value, link, who, key, uses)| {
            let by_uid = by_uid.or(if by_value.is_none() { Some(0) } else { None });
            let value = by_value.map(|n| format!("v{n}"));
            let what = Lookup { uid: by_uid.map(uid), link: value.as_ref().and(link).map(uid), value };
            Ask { deed: Deed::Use { what: what.clone(), uses, gate: None }, ..ask(what, who, key) }
        },
    )
}

proptest! {
    #[test]
    fn a_batch_equals_its_asks_one_by_one(
        tokens in (any_token(0), any_token(1), any_token(2)).prop_map(|(a, b, c)| [a, b, c]),
        asks in proptest::collection::vec(any_ask(), 0..40),
    ) {
        let mut together = holding(&tokens);
        let answers = settled(&asks, &mut together, at(0));

        // Each ask alone, on what the ones before it left in the database.
        let mut rows = tokens.to_vec();
        let mut replies: Vec<(OwnedKey, Reply)> = Vec::new();
        for (ask, answer) in asks.iter().zip(&answers) {
            let mut alone = holding(&rows);
            for (key, reply) in &replies {
                alone.insert_reply(key.clone(), reply.clone());
            }
            let single = settled(std::slice::from_ref(ask), &mut alone, at(0)).remove(0);
            prop_assert_eq!(&single, answer);
            for (id, token) in alone.changed() {
                rows[usize::try_from(id).unwrap()] = token.clone();
            }
            if let (Answer::Done(receipt, _), Some(key)) = (&single, &ask.key) {
                let reply = Reply::Use { receipt: receipt.clone(), is_undone: false };
                replies.push((key.clone(), reply));
            }
        }
        for (id, token) in together.changed() {
            prop_assert_eq!(&rows[usize::try_from(id).unwrap()], token);
        }

        // The promise itself: exactly the uses that were granted are missing.
        for (before, after) in tokens.iter().zip(&rows).filter(|(before, _)| before.usage_count >= 0) {
            let given = answers.iter().map(|answer| match answer {
                Answer::Done(receipt, _) if receipt.summary.token_uid == before.uid => i64::from(receipt.uses),
                _ => 0,
            });
            prop_assert_eq!(i64::from(before.usage_count) - i64::from(after.usage_count), given.sum::<i64>());
            prop_assert!(after.usage_count >= 0);
        }
    }
}

#[test]
fn what_somebody_else_has_locked_has_no_answer_and_delays_no_other() {
    let named = |number, value: &str| Token { uid: uid(number), value: value.into(), ..token(1) };
    let (free, taken) = (named(1, "free"), named(2, "taken"));
    let mut held = holding(std::slice::from_ref(&free));
    held.insert_locked(taken.uid, taken.value.clone());
    let by_link = |value: &str, uid| Lookup { link: Some(uid), ..by_value(value) };
    let both = Lookup { uid: Some(free.uid), ..by_value(&taken.value) };
    let asks = [
        by_uid(taken.uid),
        by_value(&taken.value),
        by_link("https://tickets/x", taken.uid),
        both,
        by_link(&free.value, taken.uid),
        by_value("unknown"),
    ];
    let asks = asks.map(|what| Ask::once(Principal::key("door"), what));
    let answers = settle(&asks, &mut held, at(0));
    assert_eq!(answers.iter().filter(|answer| answer.is_none()).count(), 4);
    assert!(matches!(answers[4], Some(Answer::Done(..))), "its value comes before its link");
    assert!(matches!(answers[5], Some(Answer::Refused(_))));
    assert_eq!(held.changed().count(), 1);
}
