//! Actions on many tokens, and their undoing, on the store: what is done to each, and what is left as it is.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tessera::access::Principal;
use tessera::store::actions::past::PastAction;
use tessera::store::actions::{ActionPlan, ActionRequest, ActionResult, past, undo};
use tessera::store::connection::{transaction, with_retries};
use tessera::store::tokens::list::{TokenFilter, TokenSlice};
use tessera::store::tokens::selection::{Selection, SelectionDigest};
use tessera::store::tokens::{delete, search};
use tessera::store::{Connection, Error, Store, actions, ledger, tokens};
use tessera::token::action::{Action, Bound, UndoSkip};
use tessera::token::input::Change;
use tessera::token::settle::{Ask, Lookup, settle};
use tessera::token::{Micros, State, Token, UNLIMITED, Uid};

use super::limit;
use crate::support::database::Database;
use crate::support::tokens::token;

const ALL: Selection = Selection::Filter(TokenFilter {
    q: None,
    state: None,
    created_from: None,
    created_to: None,
    batch: None,
    print_run: None,
    printed: None,
    soon: None,
    voided: None,
    label: None,
    value_prefix: None,
    valid_at: None,
});

fn anna() -> Principal {
    Principal::user("anna")
}

type IsDone = fn(&Token) -> bool;

struct Table {
    database: Database,
    connection: Connection,
    uids: Vec<Uid>,
}

impl Table {
    /// With tokens of that many uses.
    fn of(counts: &[i32]) -> Self {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = counts.iter().map(|count| token(*count)).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        Self { database, connection, uids: made.iter().map(|token| token.uid).collect() }
    }

    fn plan(&mut self, selection: &Selection, action: &Action) -> ActionPlan {
        actions::plan(&mut self.connection, selection, action, &anna(), (Micros::now(), &limit())).unwrap()
    }

    fn perform(&mut self, wanted: &ActionRequest) -> Result<ActionResult, Error> {
        transaction(&mut self.connection, |connection| actions::perform(connection, wanted, &anna(), Micros::now()))
    }

    #[track_caller]
    fn done(&mut self, selection: Selection, action: Action) -> Uid {
        let wanted = ActionRequest { uid: Uid::random(), selection, action, digest: None };
        let ActionResult::Done(uid) = self.perform(&wanted).unwrap() else { panic!("not done") };
        uid
    }

    fn undo(&mut self, uid: Uid) -> PastAction {
        transaction(&mut self.connection, |connection| undo::undo(connection, uid, &anna(), Micros::now())).unwrap()
    }

    fn token(&mut self, n: usize) -> Option<Token> {
        tokens::by_uid(&mut self.connection, self.uids[n]).unwrap().map(|(_, token)| token)
    }

    fn uses(&mut self) -> Vec<i32> {
        (0..self.uids.len()).map(|n| self.token(n).map_or(-9, |token| token.usage_count)).collect()
    }

    fn change(&mut self, n: usize, change: &Change) {
        let uid = self.uids[n];
        transaction(&mut self.connection, |connection| tokens::change(connection, uid, change, Micros::now())).unwrap();
    }

    fn kept(&mut self, action: &PastAction) -> Vec<(Uid, UndoSkip)> {
        let kept = past::tokens_of(&mut self.connection, action, true, 100).unwrap();
        kept.into_iter().map(|(token, why)| (token.uid, why.unwrap())).collect()
    }
}

#[test]
fn a_plan_says_what_would_be_changed_and_what_is_refused() {
    let mut table = Table::of(&[3, 1, UNLIMITED, 0]);
    let plan = table.plan(&ALL, &Action::AddUses(-2));
    assert_eq!((plan.selected, plan.changed, plan.same), (4, 1, 0));
    assert_eq!(plan.refused.iter().map(|refused| refused.count).collect::<Vec<_>>(), [2, 1], "too few, and unlimited");
    assert_eq!(plan.examples[0].1.usage_count, 1);
    let plan = table.plan(&ALL, &Action::SetUses(1));
    assert_eq!((plan.changed, plan.same, plan.refused_count()), (3, 1, 0));
    assert_eq!(table.uses(), [3, 1, UNLIMITED, 0], "a plan changes nothing");
    let some = Selection::Uids(vec![table.uids[0], table.uids[0], Uid::random()]);
    assert_eq!(table.plan(&some, &Action::Delete).selected, 1, "what is not there is not selected");
}

#[test]
fn each_kind_of_action_is_done_and_undone() {
    let at = |seconds: i64| Micros::stored(seconds * 1_000_000);
    let kinds: [(Action, IsDone); 6] = [
        (Action::SetValidity { from: Bound::At(at(5)), to: Bound::At(at(9)) }, |token| {
            token.valid_from == Some(Micros::stored(5_000_000)) && token.valid_to.is_some()
        }),
        (Action::SetUses(UNLIMITED), |token| token.usage_count == UNLIMITED),
        (Action::AddUses(2), |token| token.usage_count == 5),
        (Action::SetLock(60), |token| token.lock_time == 60),
        (Action::SetLabel(Some("Größe {n:02} 😀".into())), |token| token.label.as_deref() == Some("Größe 02 😀")),
        (Action::SetLabel(None), |token| token.label.is_none()),
    ];
    for (action, is_done) in kinds {
        let mut table = Table::of(&[3, 3]);
        table.change(1, &Change { label: Some(Some("before".into())), ..Change::default() });
        let before = table.token(1).unwrap();
        let uid = table.done(ALL, action.clone());
        let after = table.token(1).unwrap();
        assert!(is_done(&after), "{action:?} {after:?}");
        assert!(after.modified > before.modified);
        let undone = table.undo(uid);
        assert_eq!(undone.undone.as_ref().map(|(_, by)| by.as_str()), Some("user:anna"));
        let again = table.token(1).unwrap();
        assert_eq!(Token { modified: before.modified, ..again }, before, "{action:?}");
    }
}

#[test]
fn a_search_finds_a_label_that_an_action_gave() {
    let mut table = Table::of(&[1, 1, 1]);
    table.done(ALL, Action::SetLabel(Some("ΣΊΣΥΦΟΣ {n}".into())));
    let filter = TokenFilter { q: Some("σίσυφος 2".into()), ..TokenFilter::default() };
    let newest = TokenSlice::newest(None, 10);
    let found = search::page(&mut table.connection, &filter, Micros::now(), newest, &limit()).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_selection_that_is_not_what_it_was_changes_nothing() {
    let mut table = Table::of(&[3, 3, 3]);
    let two = Selection::Filter(TokenFilter { state: Some(State::Active), ..TokenFilter::default() });
    let digest = table.plan(&two, &Action::SetLock(5)).digest;
    let wanted = ActionRequest { uid: Uid::random(), selection: two, action: Action::SetLock(5), digest: Some(digest) };
    table.change(0, &Change { usage_count: Some(0), ..Change::default() });
    let ActionResult::Stale(plan) = table.perform(&wanted).unwrap() else { panic!("it was done") };
    assert_eq!(plan.selected, 2, "the new count");
    assert_eq!(table.token(1).unwrap().lock_time, 0);

    let wanted = ActionRequest { digest: Some(plan.digest), ..wanted };
    for _ in 0..2 {
        assert!(
            matches!(table.perform(&wanted).unwrap(), ActionResult::Done(uid) if uid == wanted.uid),
            "sent twice, done once"
        );
    }
    assert_eq!(table.token(1).unwrap().lock_time, 5);
    let nothing = ActionRequest { uid: Uid::random(), digest: None, ..wanted };
    assert!(matches!(table.perform(&nothing).unwrap(), ActionResult::Nothing(plan) if plan.same == 2));
    let made_up = ActionRequest {
        uid: Uid::random(),
        digest: Some(SelectionDigest::read("x")),
        action: Action::SetLock(6),
        ..nothing
    };
    assert!(matches!(table.perform(&made_up).unwrap(), ActionResult::Stale(_)));
}

#[test]
fn an_undo_leaves_what_was_changed_later_and_names_it() {
    let mut table = Table::of(&[3, 3, 3]);
    let uid = table.done(ALL, Action::SetLock(60));
    table.change(0, &Change { label: Some(Some("later".into())), ..Change::default() });
    let gone = table.uids[1];
    let delete = |connection: &mut Connection| tokens::delete(connection, &[gone], &anna(), Micros::now());
    transaction(&mut table.connection, delete).unwrap();
    let undone = table.undo(uid);
    assert_eq!(table.kept(&undone), [(table.uids[0], UndoSkip::Changed), (table.uids[1], UndoSkip::Deleted)]);
    assert_eq!(table.token(0).unwrap().lock_time, 60);
    assert_eq!(table.token(2).unwrap().lock_time, 0);
    let again = table.undo(uid);
    assert_eq!(again.undone, undone.undone, "it is undone once");
}

#[test]
fn an_undo_that_could_undo_nothing_can_be_tried_again() {
    let mut table = Table::of(&[3, 3]);
    let (first, second) = (table.done(ALL, Action::SetLock(60)), table.done(ALL, Action::SetUses(9)));
    let undone = table.undo(first);
    assert_eq!((undone.undone.is_none(), table.kept(&undone).len()), (true, 2));
    assert!(table.undo(second).undone.is_some());
    assert!(table.undo(first).undone.is_some(), "one after the other goes back step by step");
    let token = table.token(0).unwrap();
    assert_eq!((token.lock_time, token.usage_count), (0, 3));
}

#[test]
fn undoing_goes_back_over_a_deletion_and_leaves_what_came_between() {
    let mut table = Table::of(&[3, 3]);
    let first = table.done(ALL, Action::SetLock(60));
    table.change(1, &Change { label: Some(Some("between".into())), ..Change::default() });
    let deletion = table.done(ALL, Action::Delete);
    assert!(table.undo(deletion).undone.is_some());
    let undone = table.undo(first);
    assert_eq!(table.kept(&undone), [(table.uids[1], UndoSkip::Changed)]);
    assert_eq!((table.token(0).unwrap().lock_time, table.token(1).unwrap().lock_time), (0, 60));
}

#[test]
fn a_deletion_is_undone_but_for_values_that_were_given_again() {
    let mut table = Table::of(&[3, 3, 3, 3]);
    table.change(0, &Change { value: Some(Some("A-1".into())), ..Change::default() });
    let uid = table.done(ALL, Action::Delete);
    assert_eq!(table.uses(), [-9, -9, -9, -9]);
    for value in ["A-1".to_owned(), table.uids[3].to_string()] {
        let other = Token { value, ..token(1) };
        transaction(&mut table.connection, |connection| tokens::add(connection, &other)).unwrap();
    }
    let back = table.uids[1];
    let restore = |connection: &mut Connection| delete::restore(connection, back, &anna(), Micros::now());
    transaction(&mut table.connection, restore).unwrap();
    let undone = table.undo(uid);
    let [first, second, _, last] = table.uids[..] else { unreachable!() };
    let taken = UndoSkip::ValueTaken;
    assert_eq!(table.kept(&undone), [(first, taken), (second, UndoSkip::Restored), (last, taken)]);
    assert_eq!(table.uses(), [-9, 3, 3, -9]);
}

/// Neither the log, of which old entries are removed, nor a clock knows how often a token was used since then.
#[test]
fn what_was_consumed_while_uses_were_unlimited_is_gone_whatever_became_of_log_and_clock() {
    let mut table = Table::of(&[3, 3]);
    let ahead = Micros::now().plus_seconds(3_600);
    let wanted = ActionRequest { uid: Uid::random(), selection: ALL, action: Action::SetUses(UNLIMITED), digest: None };
    let perform = |connection: &mut Connection| actions::perform(connection, &wanted, &anna(), ahead);
    assert!(matches!(transaction(&mut table.connection, perform).unwrap(), ActionResult::Done(_)));
    let door = |uid| Ask::once(anna(), Lookup { uid: Some(uid), ..Lookup::default() });
    let asks = [door(table.uids[0]), door(table.uids[0]), door(table.uids[1])];
    let consume = |connection: &mut Connection| {
        let (mut held, now) = ledger::hold(connection, &asks)?;
        let answers = settle(&asks, &mut held, now);
        Ok(ledger::keep(connection, &held, &asks, &answers, now)?)
    };
    transaction(&mut table.connection, consume).unwrap();
    table.connection.batch_execute("DELETE FROM usage").unwrap();
    table.undo(wanted.uid);
    assert_eq!(table.uses(), [1, 2]);
}

#[test]
fn what_was_restored_and_changed_after_an_action_is_not_taken_for_what_the_action_left() {
    let mut table = Table::of(&[3]);
    let (uid, ahead) = (table.uids[0], Micros::now().plus_seconds(60));
    let wanted = ActionRequest::one(uid, Action::SetLock(60));
    let jump_back = |connection: &mut Connection| {
        actions::perform(connection, &wanted, &anna(), ahead)?;
        let before = ahead.plus_micros(-1);
        tokens::delete(connection, &[uid], &anna(), before)?;
        delete::restore(connection, uid, &anna(), before)?;
        let change = Change { lock_time: Some(5), ..Change::default() };
        tokens::change(connection, uid, &change, before)
    };
    transaction(&mut table.connection, jump_back).unwrap();
    let undone = table.undo(wanted.uid);
    assert_eq!(table.kept(&undone), [(uid, UndoSkip::Changed)]);
    assert_eq!(table.token(0).unwrap().lock_time, 5);
}

#[test]
fn two_actions_at_once_are_one_after_the_other() {
    let table = Table::of(&[3; 50]);
    let digest =
        actions::plan(&mut table.database.connect(), &ALL, &Action::SetLock(1), &anna(), (Micros::now(), &limit()))
            .unwrap()
            .digest;
    let perform = |seconds: i32| {
        let wanted = ActionRequest {
            uid: Uid::random(),
            selection: ALL,
            action: Action::SetLock(seconds),
            digest: Some(digest.clone()),
        };
        let mut connection = table.database.connect();
        with_retries(|| {
            transaction(&mut connection, |connection| actions::perform(connection, &wanted, &anna(), Micros::now()))
        })
    };
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=4).map(|seconds| scope.spawn(move || perform(seconds))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, ActionResult::Done(_))).count(), 1, "{outcomes:?}");
}

#[test]
fn what_cannot_be_undone_any_more_is_forgotten() {
    let mut table = Table::of(&[3, 3]);
    let (old, older) = (table.done(ALL, Action::SetLock(1)), table.done(ALL, Action::SetLock(2)));
    let young = table.done(ALL, Action::SetLock(3));
    let month = 30 * 24 * 3_600 * 1_000_000_i64;
    for uid in [old, older] {
        let age = format!("UPDATE actions SET timestamp = timestamp - {month} WHERE uid = '{uid}'");
        table.connection.batch_execute(&age).unwrap();
    }
    let refused = transaction(&mut table.connection, |connection| undo::undo(connection, old, &anna(), Micros::now()));
    assert!(matches!(refused, Err(Error::Refused(why)) if why.contains("30 days")));
    // A server does so by itself.
    let _store = Store::start(&table.database.url).unwrap();
    let mut known = |uid| {
        let done = past::find(&mut table.connection, uid).unwrap().unwrap();
        past::tokens_of(&mut table.connection, &done, false, 10).unwrap().len()
    };
    let since = Instant::now();
    while known(old) + known(older) > 0 {
        assert!(since.elapsed() < Duration::from_secs(20), "nothing was forgotten");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(known(young), 2);
}
