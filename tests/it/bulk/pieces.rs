//! Actions that are carried out piece by piece: what others do to their tokens meanwhile, and what becomes of it.

use diesel::connection::SimpleConnection;
use tessera::access::Principal;
use tessera::store::actions::past::{self, PastAction};
use tessera::store::actions::pending::carry_out;
use tessera::store::actions::perform::{self, Planned};
use tessera::store::actions::{ActionPlan, ActionRequest, undo};
use tessera::store::connection::{transaction, with_retries};
use tessera::store::tokens::selection::Selection;
use tessera::store::tokens::{delete, void};
use tessera::store::{Connection, Error, actions, ledger, tokens};
use tessera::token::action::{Action, UndoSkip};
use tessera::token::input::Change;
use tessera::token::settle::{Ask, Lookup, settle};
use tessera::token::{Micros, Token, TokenError, Uid};

use super::limit;
use crate::support::database::{Database, number};
use crate::support::tokens::token;

fn anna() -> Principal {
    Principal::user("anna")
}

fn label(text: &str) -> Change {
    Change { label: Some(Some(text.into())), ..Change::default() }
}

/// Tokens, and an action on all of them that is under way.
struct Table {
    database: Database,
    connection: Connection,
    uids: Vec<Uid>,
    id: i64,
    request: ActionRequest,
}

impl Table {
    /// Nothing is written down yet.
    fn of(count: usize, action: Action) -> Self {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = (0..count).map(|_| token(3)).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        let uids: Vec<Uid> = made.iter().map(|token| token.uid).collect();
        let request =
            ActionRequest { uid: Uid::random(), selection: Selection::Uids(uids.clone()), action, digest: None };
        Self { database, connection, uids, id: 0, request }
    }

    /// All is written down.
    fn staged(count: usize, action: Action) -> (Self, ActionPlan, Uid) {
        let mut table = Self::of(count, action);
        let (plan, planned) = table.plan();
        table.request.digest = Some(plan.digest.clone());
        table.id = table.begin(&plan);
        let first = planned[0].uid;
        for piece in planned.chunks(2) {
            assert!(table.stage(piece).unwrap());
        }
        (table, plan, first)
    }

    /// Decides another action on the same tokens, and returns the one before.
    fn decide_next(&mut self, action: Action) -> (i64, Uid) {
        let before = (self.id, self.request.uid);
        self.request = ActionRequest { uid: Uid::random(), action, digest: None, ..self.request.clone() };
        let (plan, planned) = self.plan();
        self.id = self.begin(&plan);
        assert!(self.stage(&planned).unwrap());
        assert!(self.decide(&plan, planned[0].uid));
        before
    }

    /// Goes back to an action.
    fn go_to(&mut self, (id, uid): (i64, Uid)) {
        (self.id, self.request.uid) = (id, uid);
    }

    /// It is decided, and none of its tokens is changed.
    fn decided(count: usize, action: Action) -> Self {
        let (mut table, plan, first) = Self::staged(count, action);
        assert!(table.decide(&plan, first));
        table
    }

    fn plan(&mut self) -> (ActionPlan, Vec<Planned>) {
        perform::plan_tokens(&mut self.connection, &self.request, &anna(), (Micros::now(), &limit())).unwrap()
    }

    fn begin(&mut self, plan: &ActionPlan) -> i64 {
        let request = self.request.clone();
        self.write(|connection| perform::begin(connection, &request, plan, &anna(), Micros::now())).unwrap().unwrap()
    }

    fn stage(&mut self, piece: &[Planned]) -> Result<bool, Error> {
        let (request, id) = (self.request.clone(), self.id);
        self.write(|connection| perform::stage(connection, id, &request, piece, Micros::now()))
    }

    fn decide(&mut self, plan: &ActionPlan, first: Uid) -> bool {
        let (request, id) = (self.request.clone(), self.id);
        let decide = |connection: &mut Connection| {
            perform::decide(connection, id, &request, (plan, first), &anna(), Micros::now())
        };
        self.write(decide).unwrap()
    }

    fn write<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        transaction(&mut self.connection, work)
    }

    /// Carries out one piece of two tokens.
    fn piece(&mut self) -> bool {
        let id = self.id;
        self.write(|connection| carry_out(connection, id, 2, Micros::now())).unwrap()
    }

    fn finish(&mut self) {
        while !self.piece() {}
    }

    fn past(&mut self) -> Option<PastAction> {
        past::find(&mut self.connection, self.request.uid).unwrap()
    }

    fn undo(&mut self) -> PastAction {
        let uid = self.request.uid;
        self.write(|connection| undo::undo(connection, uid, &anna(), Micros::now())).unwrap()
    }

    fn decide_undo(&mut self) {
        let uid = self.request.uid;
        self.write(|connection| undo::decide(connection, uid, &anna(), Micros::now())).unwrap();
    }

    fn kept(&mut self) -> Vec<(Uid, UndoSkip)> {
        let action = self.past().unwrap();
        let kept = past::tokens_of(&mut self.connection, &action, true, 100).unwrap();
        kept.into_iter().map(|(token, why)| (token.uid, why.unwrap())).collect()
    }

    fn change(&mut self, n: usize, change: &Change) -> Result<(), Error> {
        let uid = self.uids[n];
        self.write(|connection| tokens::change(connection, uid, change, Micros::now()))
    }

    fn delete(&mut self, n: usize) -> Result<usize, Error> {
        let uid = self.uids[n];
        self.write(|connection| tokens::delete(connection, &[uid], &anna(), Micros::now()))
    }

    fn consume(&mut self, n: usize) {
        let what = Lookup { uid: Some(self.uids[n]), ..Lookup::default() };
        let asks = [Ask::once(anna(), what)];
        self.write(|connection| {
            let (mut held, now) = ledger::hold(connection, &asks)?;
            let answers = settle(&asks, &mut held, now);
            Ok(ledger::keep(connection, &held, &asks, &answers, now)?)
        })
        .unwrap();
    }

    fn token(&mut self, n: usize) -> Option<Token> {
        tokens::by_uid(&mut self.connection, self.uids[n]).unwrap().map(|(_, token)| token)
    }

    fn locks(&mut self) -> Vec<i32> {
        (0..self.uids.len()).map(|n| self.token(n).map_or(-9, |token| token.lock_time)).collect()
    }

    fn count(&mut self, query: &str) -> i64 {
        number(&mut self.connection, query)
    }
}

#[test]
fn an_action_is_carried_out_two_by_two_and_undone_so() {
    let mut table = Table::decided(5, Action::SetLock(60));
    assert_eq!(table.locks(), [0; 5], "it is only decided");
    assert!(!table.piece());
    assert_eq!(table.locks().iter().filter(|lock| **lock == 60).count(), 2);
    assert_eq!(table.past().unwrap().progress, Some(2));
    table.finish();
    assert_eq!((table.locks(), table.past().unwrap().progress), (vec![60; 5], None));
    table.decide_undo();
    assert!(!table.piece());
    assert_eq!(table.locks().iter().filter(|lock| **lock == 0).count(), 2);
    table.finish();
    let past = table.past().unwrap();
    assert_eq!((table.locks(), past.progress, past.undone.is_some()), (vec![0; 5], None, true));
    assert!(table.piece(), "there is nothing more to do");
    assert_eq!(table.count("SELECT COUNT(*) FROM audit WHERE action LIKE 'bulk %'"), 2);
}

#[test]
fn what_is_not_decided_is_seen_by_nobody_and_given_up_when_a_token_changes() {
    type Deed = fn(&mut Table);
    let deeds: [(Deed, &str); 4] = [
        (|table| table.change(1, &label("meanwhile")).unwrap(), "an edit"),
        (|table| assert_eq!(table.delete(1).unwrap(), 1), "a deletion"),
        (
            |table| {
                let uid = table.uids[1];
                table.write(|connection| void::void(connection, uid, None, &anna(), Micros::now())).unwrap();
            },
            "voiding",
        ),
        (
            |table| {
                let request = ActionRequest::one(table.uids[1], Action::SetUses(9));
                table.write(|connection| actions::perform(connection, &request, &anna(), Micros::now())).unwrap();
            },
            "a click",
        ),
    ];
    for (deed, name) in deeds {
        let (mut table, plan, first) = Table::staged(5, Action::SetLock(60));
        assert!(table.past().is_none(), "{name}");
        deed(&mut table);
        assert!(!table.decide(&plan, first), "{name}");
        assert!(table.piece(), "there is nothing to do");
        assert!(table.locks().iter().all(|lock| *lock <= 0), "{name}");
        while table.write(|connection| perform::remove_abandoned(connection, Micros::now())).unwrap() {}
        let own = format!("SELECT COUNT(*) FROM action_tokens WHERE action = {}", table.id);
        assert_eq!(table.count(&own), 0, "{name}");
    }
}

#[test]
fn a_list_to_delete_stays_while_its_tokens_are_edited_and_is_given_up_when_one_is_deleted() {
    let list = || {
        let mut table = Table::of(5, Action::Delete);
        let (plan, planned) = table.plan();
        table.id = table.begin(&plan);
        for piece in planned.chunks(2) {
            assert!(table.stage(piece).unwrap());
        }
        (table, plan, planned[0].uid)
    };
    let (mut table, plan, first) = list();
    assert!(table.past().is_none(), "nobody sees it");
    table.change(1, &label("meanwhile")).unwrap();
    let click = ActionRequest::one(table.uids[1], Action::SetUses(9));
    table.write(|connection| actions::perform(connection, &click, &anna(), Micros::now())).unwrap();
    assert!(table.decide(&plan, first));
    table.finish();
    assert_eq!(table.locks(), [-9; 5]);
    assert!(table.undo().undone.is_some());
    let token = table.token(1).unwrap();
    assert_eq!((token.label.as_deref(), token.usage_count), (Some("meanwhile"), 9), "it comes back as it was last");
    table.write(|connection| undo::undo(connection, click.uid, &anna(), Micros::now())).unwrap();
    assert_eq!(table.token(1).unwrap().usage_count, 3, "what was done before can be undone after it");

    let (mut table, plan, first) = list();
    table.delete(1).unwrap();
    assert!(!table.decide(&plan, first));
    assert!(table.piece(), "there is nothing to do");
    assert_eq!(table.locks(), [0, -9, 0, 0, 0]);
}

#[test]
fn a_use_is_no_change_that_gives_up_an_action() {
    let (mut table, plan, first) = Table::staged(3, Action::SetUses(7));
    table.consume(0);
    assert!(table.decide(&plan, first));
    table.consume(1);
    table.finish();
    for n in 0..3 {
        assert_eq!(table.token(n).unwrap().usage_count, 7);
    }
    table.consume(2);
    table.undo();
    let left: Vec<i32> = (0..3).map(|n| table.token(n).unwrap().usage_count).collect();
    assert_eq!(left, [2, 2, 2], "no use is given back");
}

#[test]
fn a_selection_that_changed_before_it_was_written_down_is_not_decided() {
    let mut table = Table::of(4, Action::SetLock(60));
    let (plan, planned) = table.plan();
    table.request.digest = Some(plan.digest.clone());
    table.id = table.begin(&plan);
    assert!(table.stage(&planned[..2]).unwrap());
    table.change(3, &label("meanwhile")).unwrap();
    assert!(!table.stage(&planned[2..]).unwrap());

    let mut table = Table::of(4, Action::Delete);
    let (plan, planned) = table.plan();
    table.id = table.begin(&plan);
    table.delete(3).unwrap();
    let gone = table.uids[3];
    assert!(matches!(table.stage(&planned), Err(Error::Token(TokenError::Unknown(uid))) if uid == gone));
}

#[test]
fn whoever_changes_a_token_of_a_decided_action_does_so_after_it() {
    let mut table = Table::decided(6, Action::SetLock(60));
    table.change(0, &label("later")).unwrap();
    table.change(1, &Change { lock_time: Some(5), ..Change::default() }).unwrap();
    table.delete(2).unwrap();
    let uid = table.uids[3];
    table.write(|connection| void::void(connection, uid, Some("Lost"), &anna(), Micros::now())).unwrap();
    let click = ActionRequest::one(table.uids[4], Action::SetLock(9));
    table.write(|connection| actions::perform(connection, &click, &anna(), Micros::now())).unwrap();
    assert_eq!(table.locks(), [60, 5, -9, 60, 9, 0], "each of these is changed by now, in the order of decisions");
    table.finish();
    assert_eq!(table.locks(), [60, 5, -9, 60, 9, 60], "and not once more");
    let write = |connection: &mut Connection| undo::undo(connection, click.uid, &anna(), Micros::now());
    assert!(table.write(write).unwrap().undone.is_some());
    assert_eq!(table.locks()[4], 60, "what the click changed was what the action had left");
    table.undo();
    let (uids, kept) = (table.uids.clone(), table.kept());
    let expected = [
        (uids[0], UndoSkip::Changed),
        (uids[1], UndoSkip::Changed),
        (uids[2], UndoSkip::Deleted),
        (uids[3], UndoSkip::Changed),
    ];
    assert_eq!(kept, expected);
    assert_eq!(table.locks(), [60, 5, -9, 60, 0, 0]);
}

#[test]
fn whoever_changes_a_token_of_an_undoing_does_so_after_it() {
    let mut table = Table::decided(4, Action::SetLock(60));
    table.finish();
    table.decide_undo();
    table.change(3, &label("later")).unwrap();
    assert_eq!(table.locks(), [60, 60, 60, 0], "it was undone first");
    table.delete(2).unwrap();
    table.finish();
    assert_eq!(table.locks(), [0, 0, -9, 0]);
    assert!(table.kept().is_empty(), "{:?}", table.kept());
    assert_eq!(table.token(3).unwrap().label.as_deref(), Some("later"));
}

/// Whoever carries out what was decided later does first what was decided before: the order of decisions holds, whichever
/// server is quicker, and whatever was left behind.
#[test]
fn what_was_decided_later_comes_later_whoever_is_quicker() {
    let mut table = Table::decided(5, Action::SetLock(60));
    table.finish();
    let first = table.decide_next(Action::SetLock(9));
    let second = (table.id, table.request.uid);
    table.go_to(first);
    table.decide_undo();
    table.finish();
    assert_eq!(table.locks(), [9; 5], "the later change was done first");
    assert!(table.past().unwrap().undone.is_none(), "so that there was nothing to undo");
    table.go_to(second);
    table.finish();
    assert!(table.undo().undone.is_some());
    assert_eq!(table.locks(), [60; 5]);
    table.go_to(first);
    assert!(table.undo().undone.is_some(), "one after the other goes back step by step");
    assert_eq!(table.locks(), [0; 5]);
}

#[test]
fn two_undoings_under_way_are_done_in_their_order() {
    let mut table = Table::decided(5, Action::SetLock(60));
    table.finish();
    let first = table.decide_next(Action::SetLock(9));
    let second = (table.id, table.request.uid);
    table.finish();
    table.decide_undo();
    table.piece();
    table.go_to(first);
    table.decide_undo();
    table.finish();
    assert_eq!(table.locks(), [0; 5]);
    assert!(table.past().unwrap().undone.is_some() && table.kept().is_empty());
    table.go_to(second);
    table.finish();
    assert!(table.past().unwrap().undone.is_some() && table.kept().is_empty());
    assert_eq!(table.locks(), [0; 5]);
}

#[test]
fn of_two_that_are_written_down_at_once_the_first_is_decided() {
    let (mut table, plan, first) = Table::staged(4, Action::SetLock(60));
    let earlier = (table.id, table.request.clone());
    table.request = ActionRequest { uid: Uid::random(), action: Action::SetLock(9), digest: None, ..earlier.1.clone() };
    let (later, planned) = table.plan();
    table.id = table.begin(&later);
    assert!(!table.stage(&planned[..2]).unwrap(), "it gives way");
    (table.id, table.request) = earlier;
    assert!(table.decide(&plan, first));
    table.finish();
    assert_eq!(table.locks(), [60; 4]);
    let again = table.request.clone();
    let begin = |c: &mut Connection| perform::begin(c, &again, &plan, &anna(), Micros::now());
    assert!(table.write(begin).unwrap().is_none(), "the same form is one action");
}

#[test]
fn what_a_server_was_writing_down_when_it_was_killed_is_in_nobodys_way() {
    let (mut table, ..) = Table::staged(4, Action::SetLock(60));
    let crash = "UPDATE actions SET touched = touched - 6000000";
    table.connection.batch_execute(crash).unwrap();
    table.request = ActionRequest { uid: Uid::random(), action: Action::Delete, digest: None, ..table.request.clone() };
    let (plan, planned) = table.plan();
    let left = table.id;
    table.id = table.begin(&plan);
    assert!(table.stage(&planned).unwrap(), "nobody has gone on with the other for six seconds");
    assert!(table.decide(&plan, planned[0].uid));
    table.finish();
    assert_eq!(table.locks(), [-9; 4]);
    let known = format!("SELECT COUNT(*) FROM actions WHERE id = {left} AND pending = 'abandoned'");
    assert_eq!(table.count(&known), 1);
}

/// Right after tokens were made PostgreSQL has no statistics of them, and may take any index that ends with the id for one
/// that leads to a few ids: a change of 100,000 tokens took a minute.
#[test]
fn tokens_that_were_just_made_are_changed_by_their_keys() {
    only_on_postgres!();
    let mut table = Table::of(20_000, Action::SetLock(60));
    let (plan, planned) = table.plan();
    table.id = table.begin(&plan);
    let read = |table: &mut Table| {
        table.connection.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
        table.count(
            "SELECT CAST(SUM(idx_tup_read) AS BIGINT) FROM pg_stat_user_indexes WHERE relname = 'tokens' \
             AND indexrelname NOT IN ('tokens_pkey', 'tokens_uid')",
        )
    };
    let before = read(&mut table);
    for piece in planned.chunks(250).take(4) {
        assert!(table.stage(piece).unwrap());
    }
    let more = read(&mut table) - before;
    assert!(more < 100, "{more} of 1,000 tokens were found by other indexes");
}

#[test]
fn a_deletion_under_way_is_a_deletion_for_everybody_who_changes() {
    let mut table = Table::decided(4, Action::Delete);
    table.consume(3);
    assert!(table.token(3).is_some(), "it can be used until it is gone");
    let unknown = |result: Result<(), Error>| matches!(result, Err(Error::Token(TokenError::Unknown(_))));
    assert!(unknown(table.change(3, &label("too late"))));
    assert!(unknown(table.delete(2).map(drop)));
    table.finish();
    assert_eq!(table.locks(), [-9; 4]);
    table.decide_undo();
    let uid = table.uids[3];
    let restored = table.write(|connection| delete::restore(connection, uid, &anna(), Micros::now()));
    assert!(unknown(restored), "the undoing restores it");
    table.finish();
    assert_eq!(table.locks(), [0; 4]);
    assert!(table.kept().is_empty());
}

#[test]
fn what_a_use_has_made_impossible_is_refused_when_its_turn_comes() {
    let mut table = Table::decided(4, Action::AddUses(-2));
    for _ in 0..2 {
        table.consume(1);
    }
    table.finish();
    let left: Vec<i32> = (0..4).map(|n| table.token(n).unwrap().usage_count).collect();
    assert_eq!(left, [1, 1, 1, 1]);
    let past = table.past().unwrap();
    let known = format!("SELECT count * 10 + refused FROM actions WHERE id = {}", table.id);
    assert_eq!(table.count(&known), 31, "three are changed, one is refused");
    assert_eq!(past::tokens_of(&mut table.connection, &past, false, 10).unwrap().len(), 3);
    table.undo();
    let left: Vec<i32> = (0..4).map(|n| table.token(n).unwrap().usage_count).collect();
    assert_eq!(left, [3, 1, 3, 3]);
}

#[test]
fn servers_that_carry_out_the_same_action_do_each_token_once() {
    let mut table = Table::decided(60, Action::AddUses(1));
    for is_undone in [false, true] {
        if is_undone {
            table.decide_undo();
        }
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (database, id) = (&table.database, table.id);
                scope.spawn(move || {
                    let mut connection = database.connect();
                    let mut piece = || {
                        let work = |connection: &mut Connection| carry_out(connection, id, 3, Micros::now());
                        with_retries(|| transaction(&mut connection, work)).unwrap()
                    };
                    while !piece() {}
                });
            }
        });
        let expected = if is_undone { 3 } else { 4 };
        for n in 0..60 {
            assert_eq!(table.token(n).unwrap().usage_count, expected);
        }
        assert_eq!(table.past().unwrap().progress, None);
        assert_eq!(table.count(&format!("SELECT handled FROM actions WHERE id = {}", table.id)), 60);
    }
    assert!(table.kept().is_empty());
}

#[test]
fn what_a_newer_version_is_doing_to_a_token_is_left_to_it() {
    let mut table = Table::decided(2, Action::SetLock(60));
    let unknown = format!("UPDATE actions SET what = '{{\"set_colour\": 7}}' WHERE id = {}", table.id);
    table.connection.batch_execute(&unknown).unwrap();
    assert!(matches!(table.change(0, &label("now")), Err(Error::Unavailable(why)) if why.contains("another version")));
    assert!(table.piece(), "nothing that this one could do");
    assert_eq!(table.locks(), [0, 0]);
}
