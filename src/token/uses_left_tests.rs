use proptest::prelude::*;

use super::*;
use crate::access::Principal;
use crate::token::action::{Action, Before, Place};
use crate::token::consume::consume;
use crate::token::gate::GateRules;
use crate::token::record::Token;
use crate::token::record::tests::{token, uid};
use crate::token::time::Micros;
use crate::token::undo::LockAfterUndo;

/// The time of a step.
fn moment(n: usize) -> Micros {
    Micros::stored(1 + i64::try_from(n).unwrap())
}

/// What is done to a token. Uses and changes are named by their place among all steps.
#[derive(Clone, Debug)]
enum Step {
    Use(i32),
    UndoUse(usize),
    Change(Action),
    /// Of the latest change that stands: an earlier one is left as it is.
    UndoChange,
    Delete,
}

struct Used {
    step: usize,
    logged: LoggedUse,
    is_undone: bool,
}

struct Changed {
    step: usize,
    action: Action,
    before: Before,
    /// When the token was changed last before that, or a change undone.
    modified: Micros,
}

/// A token with its log and what its changes have noted, as the database has them.
struct Play {
    token: Token,
    uses: Vec<Used>,
    changes: Vec<Changed>,
    /// The steps that were done: those of changes that were undone are gone.
    story: Vec<(usize, Step)>,
    first: i32,
}

impl Play {
    fn of(count: i32) -> Self {
        Self { token: token(count), uses: Vec::new(), changes: Vec::new(), story: Vec::new(), first: count }
    }

    fn play(&mut self, n: usize, step: &Step) {
        match step {
            Step::Use(uses) => self.use_it(n, *uses),
            Step::UndoUse(which) => self.undo_use(n, *which),
            Step::Change(action) => self.change(n, action),
            Step::Delete => self.change(n, &Action::Delete),
            Step::UndoChange => self.undo_change(n),
        }
    }

    fn use_it(&mut self, n: usize, uses: i32) {
        let at = moment(n);
        if self.is_deleted() {
            return;
        }
        let Ok(after) = consume(&self.token, uses, at) else { return };
        let taken = if after.usage_count == self.token.usage_count { 0 } else { uses };
        let logged = LoggedUse {
            uid: uid(1),
            token_uid: uid(0),
            by: Principal::key("door"),
            at,
            uses,
            taken,
            gate: None,
            rules: GateRules::default(),
            undone_by: None,
            lock: LockAfterUndo::Stays,
        };
        self.token = after;
        self.uses.push(Used { step: n, logged, is_undone: false });
        self.story.push((n, Step::Use(uses)));
    }

    fn undo_use(&mut self, n: usize, which: usize) {
        if self.is_deleted() {
            return;
        }
        let Some(used) = self.uses.iter_mut().find(|used| used.step == which && !used.is_undone) else { return };
        used.is_undone = true;
        self.token = used.logged.give_back(&self.token).0;
        let later = self.changes.iter_mut().filter(|changed| changed.modified > used.logged.at);
        later.for_each(|changed| changed.before.used -= used.logged.untaken());
        self.story.push((n, Step::UndoUse(which)));
    }

    fn change(&mut self, n: usize, action: &Action) {
        if self.is_deleted() {
            return;
        }
        let Ok(after) = action.apply(&self.token, Place::numbered(1), &Principal::user("anna"), Micros::EPOCH) else {
            return;
        };
        let (before, modified) = (Before::of(&self.token), self.token.modified);
        self.changes.push(Changed { step: n, action: action.clone(), before, modified });
        self.token = Token { modified: moment(n), ..after };
        self.story.push((n, Step::Change(action.clone())));
    }

    fn undo_change(&mut self, n: usize) {
        let Some(Changed { step, action, before, modified }) = self.changes.pop() else { return };
        let charge = action.charge(&self.token, &before);
        self.token = Token { modified: moment(n), ..action.undo(&self.token, &before) };
        self.story.retain(|(done, _)| *done != step);
        let Some(charge) = charge else { return };
        let stands = |used: &&mut Used| used.logged.at >= modified && !used.is_undone;
        let since: Vec<&mut Used> = self.uses.iter_mut().rev().filter(stands).collect();
        let taken = charge.of_each(since.iter().map(|used| used.logged.uses));
        since.into_iter().zip(taken).for_each(|(used, taken)| used.logged.taken = taken);
    }

    fn is_deleted(&self) -> bool {
        self.changes.last().is_some_and(|changed| changed.action == Action::Delete)
    }

    /// What the token has left if what was undone is left out of its story; none where it has had less than nothing: then
    /// uses were made that it would not have had.
    fn retold(&self) -> Option<i32> {
        let mut left = self.first;
        let mut taken = Vec::new();
        for (n, step) in &self.story {
            match step {
                Step::Use(uses) => {
                    let lost = if left == UNLIMITED { 0 } else { *uses };
                    if left != UNLIMITED && left < lost {
                        return None;
                    }
                    left -= lost;
                    taken.push((*n, lost));
                }
                Step::UndoUse(which) if left != UNLIMITED => left += taken.iter().find(|(n, _)| n == which)?.1,
                Step::Change(Action::SetUses(uses)) => left = *uses,
                Step::Change(Action::AddUses(uses)) => left += uses,
                _ => {}
            }
        }
        Some(left)
    }
}

/// Reads a story: `U3` uses 3 times, `X1` undoes the use that was step 1, `S100` sets and `P5` adds uses, `D` deletes, and
/// `A` undoes the latest of these changes.
fn read(story: &str) -> Vec<Step> {
    let step = |word: &str| match word.split_at(1) {
        ("U", uses) => Step::Use(uses.parse().unwrap()),
        ("X", which) => Step::UndoUse(which.parse().unwrap()),
        ("S", uses) => Step::Change(Action::SetUses(uses.parse().unwrap())),
        ("P", uses) => Step::Change(Action::AddUses(uses.parse().unwrap())),
        ("D", _) => Step::Delete,
        ("A", _) => Step::UndoChange,
        _ => panic!("{word}"),
    };
    story.split(' ').map(step).collect()
}

#[test]
fn in_whatever_order_uses_and_changes_are_undone() {
    for (first, story, left) in [
        // A use from before the change, undone before it and after it.
        (20, "U3 S100 X0 A", "17 100 103 20"),
        (20, "U3 S100 A X0", "17 100 17 20"),
        (20, "U3 S0 X0 A", "17 0 3 20"),
        (20, "U3 S0 A X0", "17 0 17 20"),
        (20, "U3 S-1 X0 A", "17 -1 -1 20"),
        (20, "U3 S-1 A X0", "17 -1 17 20"),
        (20, "U3 P5 X0 A", "17 22 25 20"),
        (20, "U3 P-5 X0 A", "17 12 15 20"),
        // A use since the change.
        (20, "S100 U3 A", "100 97 17"),
        (20, "S100 U3 X1 A", "100 97 100 20"),
        (20, "S100 U3 A X1", "100 97 17 20"),
        (20, "S-1 U3 A", "-1 -1 17"),
        (20, "S-1 U3 X1 A", "-1 -1 -1 20"),
        (20, "S-1 U3 A X1", "-1 -1 17 20"),
        // Before the change they were unlimited.
        (-1, "U3 S50 X0", "-1 50 50"),
        (-1, "U3 S50 X0 A", "-1 50 50 -1"),
        (-1, "S50 U3 A X1", "50 47 -1 -1"),
        (-1, "S50 U3 A S20 X1", "50 47 -1 20 20"),
        (-1, "U3 S50 S100 X0 A A", "-1 50 100 100 50 -1"),
        // Several uses, some of which stay.
        (20, "U3 S100 U4 X0 A", "17 100 96 99 16"),
        (20, "U3 S100 U4 X0 A X2", "17 100 96 99 16 20"),
        (20, "U3 S-1 U4 U5 X2 A X3", "17 -1 -1 -1 -1 12 17"),
        (20, "U1 U2 S100 X1 X0 A", "19 17 100 102 103 20"),
        // Several changes.
        (20, "U3 S100 S50 X0 A A", "17 100 50 53 103 20"),
        (20, "S-1 S50 U3 A A X2", "-1 50 47 -1 17 20"),
        (20, "S50 S-1 U3 A X2 A", "50 -1 -1 47 50 20"),
        (20, "S-1 U3 S50 A A X1", "-1 -1 50 -1 17 20"),
        (20, "S-1 U3 S50 A X1 A", "-1 -1 50 -1 -1 20"),
        (-1, "U3 S50 S60 A S100 X0 A A", "-1 50 60 50 100 100 50 -1"),
        (20, "S100 U3 A S200 X1 A", "100 97 17 200 203 20"),
        (20, "S-1 U3 A S100 X1 A", "-1 -1 17 100 103 20"),
        // It was away between.
        (20, "U3 S100 D X0 A X0 A", "17 100 100 100 100 103 20"),
        (20, "S-1 U3 D A A X1", "-1 -1 -1 -1 17 20"),
        // More was used than it would have had: what it did not have does not come back.
        (20, "P5 U25 A X1", "25 0 0 20"),
        (20, "P5 U10 U10 U5 A X3 X2 X1", "25 15 5 0 0 0 10 20"),
        (20, "P5 U25 A S100 X1 A", "25 0 0 100 120 20"),
        (20, "S100 P-95 P20 U25 A A X3", "100 5 25 0 0 75 100"),
        (20, "S100 P-95 P20 U25 A X3", "100 5 25 0 0 5"),
        (2, "S-1 U5 A X1", "-1 -1 0 2"),
    ] {
        let mut play = Play::of(first);
        let mut seen = Vec::new();
        for (n, step) in read(story).iter().enumerate() {
            play.play(n, step);
            seen.push(play.token.usage_count.to_string());
        }
        assert_eq!(seen.join(" "), left, "{first}: {story}");
    }
}

#[test]
fn limits_hold() {
    let left = |count, then, now| UsesLeft::without_change(count, then, now).count;
    assert_eq!(left(i32::MAX, 3, 0), i32::MAX);
    assert_eq!(left(0, i64::MIN, i64::MAX), 0);
    assert_eq!(left(5, 0, i64::MAX), 0);
    assert_eq!(Charge::AllBut(i64::MAX).of_each([3, i32::MAX]), [0, 0]);
    assert_eq!(Charge::AllBut(4).of_each([3, 3, 3]), [0, 2, 3]);
    assert_eq!(Charge::Nothing.of_each([3, 3]), [0, 0]);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4i32).prop_map(Step::Use),
        4 => (0..24usize).prop_map(Step::UndoUse),
        2 => prop_oneof![Just(UNLIMITED), 0..40i32].prop_map(|uses| Step::Change(Action::SetUses(uses))),
        1 => prop_oneof![-5..0i32, 1..9i32].prop_map(|uses| Step::Change(Action::AddUses(uses))),
        4 => Just(Step::UndoChange),
        1 => Just(Step::Delete),
    ]
}

proptest! {
    /// While it was never used more often than it might have been without what was undone.
    #[test]
    fn a_token_has_what_it_would_have_had(
        first in prop_oneof![Just(UNLIMITED), 5..30i32],
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let mut play = Play::of(first);
        for (n, step) in steps.iter().enumerate() {
            play.play(n, step);
            let Some(left) = play.retold() else { return Ok(()) };
            prop_assert_eq!(play.token.usage_count, left, "{:?}", &steps[..=n]);
        }
    }
}
