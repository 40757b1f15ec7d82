//! Voiding many tokens in the store, and undoing it.

use tessera::access::Principal;
use tessera::store::actions::{ActionRequest, ActionResult, past, undo};
use tessera::store::connection::transaction;
use tessera::store::tokens::list::TokenFilter;
use tessera::store::tokens::selection::Selection;
use tessera::store::tokens::void;
use tessera::store::{Connection, actions, tokens};
use tessera::token::action::{Action, UndoSkip};
use tessera::token::{Micros, Token, Uid, Voided};

use super::limit;
use crate::support::database::Database;
use crate::support::tokens::token;

struct Table {
    _database: Database,
    connection: Connection,
    uids: Vec<Uid>,
}

fn anna() -> Principal {
    Principal::user("anna")
}

impl Table {
    fn of(count: usize) -> Self {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = (0..count).map(|_| token(3)).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        Self { _database: database, connection, uids: made.iter().map(|token| token.uid).collect() }
    }

    #[track_caller]
    fn perform(&mut self, action: Action) -> ActionResult {
        let selection = Selection::Filter(TokenFilter::default());
        let wanted = ActionRequest { uid: Uid::random(), selection, action, digest: None };
        let perform = |connection: &mut Connection| actions::perform(connection, &wanted, &anna(), Micros::now());
        transaction(&mut self.connection, perform).unwrap()
    }

    #[track_caller]
    fn done(&mut self, action: Action) -> Uid {
        let ActionResult::Done(uid) = self.perform(action) else { panic!("not done") };
        uid
    }

    fn undo(&mut self, uid: Uid) -> Vec<(Uid, UndoSkip)> {
        let by = Principal::user("ben");
        let done = transaction(&mut self.connection, |connection| undo::undo(connection, uid, &by, Micros::now()));
        let kept = past::tokens_of(&mut self.connection, &done.unwrap(), true, 10).unwrap();
        kept.into_iter().map(|(token, why)| (token.uid, why.unwrap())).collect()
    }

    fn void(&mut self, n: usize, reason: &str) {
        let (uid, by) = (self.uids[n], Principal::key("door"));
        let void = |connection: &mut Connection| void::void(connection, uid, Some(reason), &by, Micros::now());
        transaction(&mut self.connection, void).unwrap();
    }

    fn voided(&mut self) -> Vec<Option<Voided>> {
        let uids = self.uids.clone();
        uids.iter().map(|uid| tokens::by_uid(&mut self.connection, *uid).unwrap().unwrap().1.voided).collect()
    }

    fn reasons(&mut self) -> Vec<Option<String>> {
        self.voided().into_iter().map(|voided| voided.map(|voided| voided.reason.unwrap_or_default())).collect()
    }
}

#[test]
fn many_are_voided_and_an_undo_restores_only_these() {
    let mut table = Table::of(3);
    table.void(1, "Stolen");
    let plan = actions::plan(
        &mut table.connection,
        &Selection::Filter(TokenFilter::default()),
        &Action::Void { reason: None },
        &anna(),
        (Micros::now(), &limit()),
    );
    let plan = plan.unwrap();
    assert_eq!((plan.selected, plan.changed, plan.same, plan.refused_count()), (3, 2, 1, 0));
    let lost = Some("Lost".to_owned());
    let action = table.done(Action::Void { reason: lost.clone() });
    assert_eq!(table.reasons(), [lost.clone(), Some("Stolen".into()), lost.clone()], "who was voided already stays so");
    assert_eq!(table.voided()[0].as_ref().unwrap().by, "user:anna");
    assert!(matches!(table.perform(Action::Void { reason: None }), ActionResult::Nothing(plan) if plan.same == 3));
    assert_eq!(table.undo(action), []);
    assert_eq!(table.reasons(), [None, Some("Stolen".into()), None]);
}

#[test]
fn an_undone_restoration_brings_back_by_whom_when_and_why() {
    let mut table = Table::of(3);
    table.void(0, "Misprinted");
    table.void(2, "Lost");
    let before = table.voided();
    let action = table.done(Action::Unvoid);
    assert_eq!(table.voided(), [None, None, None]);
    assert!(matches!(table.perform(Action::Unvoid), ActionResult::Nothing(plan) if plan.same == 3));
    table.void(2, "Lost again");
    assert_eq!(table.undo(action), [(table.uids[2], UndoSkip::Changed)]);
    let after = table.voided();
    assert_eq!((&after[..2], after[2].as_ref().unwrap().reason.as_deref()), (&before[..2], Some("Lost again")));
}

#[test]
fn one_undo_after_the_other_goes_back_over_voiding() {
    let mut table = Table::of(2);
    let lock = table.done(Action::SetLock(60));
    let void = table.done(Action::Void { reason: None });
    let unvoid = table.done(Action::Unvoid);
    assert_eq!(table.undo(lock).len(), 2, "what was voided and restored since then was changed");
    for action in [unvoid, void, lock] {
        assert_eq!(table.undo(action), []);
    }
    let token = tokens::by_uid(&mut table.connection, table.uids[0]).unwrap().unwrap().1;
    assert_eq!((token.lock_time, token.voided), (0, None));
}
