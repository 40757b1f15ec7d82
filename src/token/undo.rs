//! Undoing a use: may it be, and how does it change the token?

use super::answer::{Answer, UndoData};
use super::ask::NamedUse;
use super::error::TokenError;
use super::gate::{GateId, GateRules};
use super::problem::Problem;
use super::record::{Token, UNLIMITED};
use super::time::Micros;
use super::uid::Uid;
use crate::access::Principal;

/// A use that is to be undone, as the log has it.
#[derive(Clone, Debug)]
pub(crate) struct LoggedUse {
    /// The entry's uid.
    pub(crate) uid: Uid,
    /// The token's.
    pub(crate) token_uid: Uid,
    /// Who used it.
    pub(crate) by: Principal,
    /// When.
    pub(crate) at: Micros,
    /// How many uses.
    pub(crate) uses: i32,
    /// How many of them the token lost.
    pub(crate) taken: i32,
    /// At which gate.
    pub(crate) gate: Option<GateId>,
    /// What that gate allows.
    pub(crate) rules: GateRules,
    /// The entry by which it was undone already.
    pub(crate) undone_by: Option<Uid>,
    /// What becomes of the lock.
    pub(crate) lock: LockAfterUndo,
}

/// What becomes of a token's lock when a use is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockAfterUndo {
    /// It stays: a later use has set it.
    Stays,
    /// It runs from this moment, as before the use.
    RunsFrom(Option<Micros>),
}

impl LoggedUse {
    /// Holds that `who`, or `anybody`, may undo it at `now`.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(crate) fn check(
        &self,
        who: &Principal,
        anybody: bool,
        named: &NamedUse,
        now: Micros,
    ) -> Result<(), Box<Answer>> {
        let mistaken = |problem| Err(Box::new(Answer::Mistaken(TokenError::value(named.param(), problem))));
        let forbidden = |why| Err(Box::new(Answer::Forbidden(why)));
        if !anybody && self.by != *who {
            return forbidden("You can undo only your own uses, unless your role can edit tokens.");
        }
        if self.undone_by.is_some() {
            return mistaken(Problem::AlreadyUndone);
        }
        let Some(seconds) = self.rules.undo_seconds else {
            return forbidden("Uses at this gate cannot be undone.");
        };
        // A clock that has jumped back makes a use lie ahead: it can be undone for as long before as after.
        if self.at > now.plus_seconds(seconds) {
            let seconds_ago = -self.at.seconds_after(now);
            return mistaken(Problem::TooLateToUndo { seconds_ago, max_seconds: seconds });
        }
        if now > self.at.plus_seconds(seconds) {
            let seconds_ago = now.seconds_after(self.at);
            return mistaken(Problem::TooLateToUndo { seconds_ago, max_seconds: seconds });
        }
        Ok(())
    }

    /// The token with what this use took, as if it had not been made; and what the log keeps of that. `last_used` stays: it
    /// never moves back.
    pub(crate) fn give_back(&self, token: &Token) -> (Token, UndoData) {
        let mut after = token.clone();
        let given_back = if token.usage_count == UNLIMITED { 0 } else { self.taken };
        after.usage_count = after.usage_count.saturating_add(given_back);
        after.used = (after.used - i64::from(self.uses)).max(0);
        if let LockAfterUndo::RunsFrom(before) = self.lock {
            after.lock_start = before;
        }
        let undo = UndoData { taken: -given_back, lock_before: token.lock_start, undoes: Some(self.uid) };
        (after, undo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::record::tests::{token, uid};

    fn at(seconds: i64) -> Micros {
        Micros::stored(1_000_000_000 + seconds * 1_000_000)
    }

    fn logged(uses: i32) -> LoggedUse {
        LoggedUse {
            uid: uid(9),
            token_uid: uid(1),
            by: Principal::key("door"),
            at: at(0),
            uses,
            taken: uses,
            gate: None,
            rules: GateRules::default(),
            undone_by: None,
            lock: LockAfterUndo::RunsFrom(None),
        }
    }

    #[test]
    fn who_may_undo_and_until_when() {
        let (door, other) = (Principal::key("door"), Principal::key("other"));
        let named = NamedUse::Entry(uid(9));
        let check = |logged: &LoggedUse, who: &Principal, anybody, now| {
            logged.check(who, anybody, &named, now).err().map(|answer| *answer)
        };
        assert_eq!(check(&logged(1), &door, false, at(60)), None);
        assert_eq!(check(&logged(1), &door, false, at(-60)), None, "the clock has jumped back");
        assert!(matches!(check(&logged(1), &door, false, at(-61)), Some(Answer::Mistaken(_))), "by too much");
        assert!(matches!(check(&logged(1), &door, false, at(61)), Some(Answer::Mistaken(_))), "too late");
        assert!(matches!(check(&logged(1), &other, false, at(1)), Some(Answer::Forbidden(_))), "somebody else's");
        assert_eq!(check(&logged(1), &other, true, at(1)), None);
        let undone = LoggedUse { undone_by: Some(uid(3)), ..logged(1) };
        assert!(matches!(check(&undone, &door, true, at(1)), Some(Answer::Mistaken(_))), "twice");
        let rules = |undo_seconds| GateRules { undo_seconds, ..GateRules::default() };
        let strict = LoggedUse { rules: rules(None), ..logged(1) };
        assert!(matches!(check(&strict, &door, true, at(1)), Some(Answer::Forbidden(_))));
        let long = LoggedUse { rules: rules(Some(600)), ..logged(1) };
        assert_eq!(check(&long, &door, false, at(600)), None);
    }

    #[test]
    fn what_was_used_comes_back() {
        let used = Token { used: 3, last_used: Some(at(0)), lock_start: Some(at(0)), ..token(2) };
        let (after, undo) = logged(3).give_back(&used);
        assert_eq!((after.usage_count, after.used, after.last_used, after.lock_start), (5, 0, Some(at(0)), None));
        assert_eq!((undo.taken, undo.undoes, undo.lock_before), (-3, Some(uid(9)), Some(at(0))));
        let later = LoggedUse { lock: LockAfterUndo::Stays, ..logged(1) };
        assert_eq!(later.give_back(&used).0.lock_start, Some(at(0)), "a later use has set the lock");
        let (unlimited, undo) = logged(3).give_back(&Token { usage_count: UNLIMITED, ..used.clone() });
        assert_eq!((unlimited.usage_count, undo.taken), (UNLIMITED, 0));
        let was_unlimited = LoggedUse { taken: 0, ..logged(3) };
        assert_eq!(was_unlimited.give_back(&used).0.usage_count, 2, "it took none, whatever the token is now");
        assert_eq!(logged(3).give_back(&Token { usage_count: i32::MAX, ..used }).0.usage_count, i32::MAX);
    }
}
