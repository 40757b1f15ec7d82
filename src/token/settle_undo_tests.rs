//! Settling undos.

use super::tests::{ask, at, by_uid, holding, kinds, owned, settled};
use super::*;
use crate::token::gate::GateRules;
use crate::token::record::tests::{token, uid};
use crate::token::undo::LockAfterUndo;

/// An undo of the use with the uid 9, of the token with the uid 1.
fn undo(key: Option<&str>) -> Ask {
    let deed = Deed::Undo { which: NamedUse::Entry(uid(9)), anybody: false };
    Ask::new(Principal::key("door"), deed, key.map(|key| owned("door", key)))
}

fn logged() -> LoggedUse {
    LoggedUse {
        uid: uid(9),
        token_uid: uid(1),
        by: Principal::key("door"),
        at: at(0),
        uses: 1,
        taken: 1,
        gate: None,
        rules: GateRules::default(),
        undone_by: None,
        lock: LockAfterUndo::RunsFrom(None),
    }
}

fn holding_use(logged: LoggedUse) -> Held {
    let mut held = holding(&[Token { uid: uid(1), used: 1, ..token(1) }]);
    held.insert_use(Principal::key("door"), NamedUse::Entry(uid(9)), logged);
    held
}

#[test]
fn an_undo_that_is_asked_twice_in_a_batch_is_done_once_and_replayed_for_its_key() {
    let mut held = holding_use(logged());
    // The key with which the use was made.
    let summary = TokenSummary::from(&Token { uid: uid(1), ..token(1) });
    let receipt = Receipt { summary, usage_uid: uid(9), uses: 1, gate: None };
    held.insert_reply(owned("door", "use"), Reply::Use { receipt, is_undone: false });
    let again = ask(by_uid(uid(1)), "door", Some("use"));
    let asks = [again.clone(), undo(Some("k")), undo(Some("k")), undo(Some("other")), undo(None), again];
    let answers = settled(&asks, &mut held, at(1));
    assert_eq!(
        kinds(&answers),
        ["replayed", "consumed", "replayed", "TokenValueError", "TokenValueError", "TokenValueError"]
    );
    let (Answer::Done(first, _), Answer::Replayed(again)) = (&answers[1], &answers[2]) else { panic!() };
    assert_eq!(first, again);
    assert!(matches!(&answers[4], Answer::Mistaken(error) if error.to_string().contains("already undone")));
    assert_eq!(held.changed().map(|(_, token)| token.usage_count).collect::<Vec<_>>(), [2]);

    // In the next batch.
    let mut held = holding_use(LoggedUse { undone_by: Some(first.usage_uid), ..logged() });
    let reply = Reply::Use { receipt: first.clone(), is_undone: false };
    held.insert_reply(owned("door", "k"), reply);
    assert_eq!(settled(&[undo(Some("k"))], &mut held, at(1)), [Answer::Replayed(first.clone())]);
}

#[test]
fn an_undo_waits_for_what_another_server_does_meanwhile() {
    // The use was committed after the tokens were looked for.
    let mut late = Held::default();
    late.insert_late_use(Principal::key("door"), NamedUse::Entry(uid(9)));
    assert_eq!(settle(&[undo(Some("k"))], &mut late, at(1)), [None]);

    // It was undone, maybe for this key, after the replies were loaded.
    let mut undone = Held::default();
    undone.insert_locked(uid(1), "one".into());
    let logged = LoggedUse { undone_by: Some(uid(8)), ..logged() };
    undone.insert_use(Principal::key("door"), NamedUse::Entry(uid(9)), logged.clone());
    assert_eq!(settle(&[undo(Some("k")), undo(None)], &mut undone, at(1)), [None, None]);
    let answers = settled(&[undo(None)], &mut holding_use(logged), at(1));
    assert_eq!(kinds(&answers), ["TokenValueError"]);
}
