//! Settles a batch: asks are answered in order, each on the state that those before it have left.

use std::collections::{HashMap, HashSet};

use super::answer::UndoData;
pub use super::answer::{Answer, Receipt, RefusedAsk, TokenSummary};
pub use super::ask::{Ask, Deed, FormerGate, Lookup, NamedUse, OwnedKey, ReplayKey};
use super::consume::{consume, restarted_lock, retry_at};
use super::error::{Refusal, TokenError};
use super::gate::GateId;
use super::problem::Problem;
use super::record::Token;
use super::time::Micros;
use super::uid::Uid;
use super::undo::LoggedUse;
use crate::access::Principal;

/// Hours for which a success is replayed for the same key.
pub(crate) const REPLAY_HOURS: i64 = 24;

/// A token's id in the database.
pub type TokenId = i64;

/// The locked tokens that the asks of a batch name, and the replies saved for their keys.
#[derive(Clone, Debug, Default)]
pub struct Held {
    tokens: HashMap<TokenId, HeldToken>,
    uids: HashMap<Uid, TokenId>,
    values: HashMap<String, TokenId>,
    replies: HashMap<OwnedKey, Reply>,
    uses: HashMap<(Principal, NamedUse), LoggedUse>,
    late_uses: HashSet<(Principal, NamedUse)>,
    new_keys: HashSet<OwnedKey>,
    locked_uids: HashSet<Uid>,
    locked_values: HashSet<String>,
}

/// For what a key was used.
#[derive(Clone, Debug)]
pub enum Reply {
    /// For a use, or its undo.
    Use {
        /// What was answered.
        receipt: Receipt,
        /// Whether that use was undone since.
        is_undone: bool,
    },
    /// For a request of another kind.
    OtherRequest,
}

#[derive(Clone, Debug)]
struct HeldToken {
    token: Token,
    changed: bool,
}

impl Held {
    /// Adds a token that was loaded and locked.
    pub fn insert(&mut self, id: TokenId, token: Token) {
        self.uids.insert(token.uid, id);
        self.values.insert(token.value.clone(), id);
        self.tokens.insert(id, HeldToken { token, changed: false });
    }

    /// Adds the reply saved for a key.
    pub fn insert_reply(&mut self, key: OwnedKey, reply: Reply) {
        self.replies.insert(key, reply);
    }

    /// Adds the use that somebody names to undo it.
    pub(crate) fn insert_use(&mut self, who: Principal, named: NamedUse, logged: LoggedUse) {
        self.uses.insert((who, named), logged);
    }

    /// The use that somebody has named to undo it.
    pub(crate) fn named_use(&self, who: &Principal, named: &NamedUse) -> Option<&LoggedUse> {
        self.uses.get(&(who.clone(), named.clone()))
    }

    /// Adds a use that was made after the tokens were looked for: its undo cannot be settled now.
    pub(crate) fn insert_late_use(&mut self, who: Principal, named: NamedUse) {
        self.late_uses.insert((who, named));
    }

    /// Adds a token that exists, but that somebody else has locked: what asks for it cannot be settled now.
    pub(crate) fn insert_locked(&mut self, uid: Uid, value: String) {
        self.locked_uids.insert(uid);
        self.locked_values.insert(value);
    }

    /// Whether `what` names a token that somebody else has locked.
    pub(crate) fn is_locked(&self, what: &Lookup) -> bool {
        let by_value = what.value.as_ref().is_some_and(|value| self.locked_values.contains(value));
        let has_value = what.value.as_ref().is_some_and(|value| self.values.contains_key(value));
        let by_uid = what.uid.or(what.link.filter(|_| !has_value));
        by_value || by_uid.is_some_and(|uid| self.locked_uids.contains(&uid))
    }

    /// Whether the token that `what` names is already here.
    pub(crate) fn has(&self, what: &Lookup) -> bool {
        what.uid.is_none_or(|uid| self.uids.contains_key(&uid))
            && what.value.as_ref().is_none_or(|value| self.values.contains_key(value))
    }

    /// Whether the token with this value is here.
    pub(crate) fn has_value(&self, value: &str) -> bool {
        self.values.contains_key(value)
    }

    /// The id of the token with this uid, if it is here.
    pub(crate) fn id_of(&self, uid: Uid) -> Option<TokenId> {
        self.uids.get(&uid).copied()
    }

    /// The token with this id, if it is here.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(&id).map(|held| &held.token)
    }

    #[cfg(test)]
    fn changed(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        self.tokens.iter().filter(|(_, held)| held.changed).map(|(id, held)| (*id, &held.token))
    }

    fn is_changed(&self, uid: Uid) -> bool {
        self.id_of(uid).and_then(|id| self.tokens.get(&id)).is_some_and(|held| held.changed)
    }

    fn find(&self, what: &Lookup) -> Result<Option<TokenId>, TokenError> {
        let by_value = what.value.as_ref().and_then(|value| self.values.get(value).copied());
        let by_link = what.link.and_then(|uid| self.uids.get(&uid).copied());
        what.reconcile(what.uid.and_then(|uid| self.uids.get(&uid).copied()), by_value.or(by_link))
    }

    /// Lets the asks that come after an undo see it: undos of the same use, and the key with which it was made.
    fn set_undone(&mut self, use_uid: Uid, undone_by: Uid) {
        for logged in self.uses.values_mut().filter(|logged| logged.uid == use_uid) {
            logged.undone_by = Some(undone_by);
        }
        for reply in self.replies.values_mut() {
            if let Reply::Use { receipt, is_undone } = reply
                && receipt.usage_uid == use_uid
            {
                *is_undone = true;
            }
        }
    }

    /// Whether a saved reply is for the token that `what` names: by its uid, and by the value that it had then or has now.
    /// A client that lost the first answer must still be able to get it, whatever became of the token.
    fn is_for(&self, reply: &TokenSummary, what: &Lookup) -> bool {
        let is_its = |uid: &Uid| *uid == reply.token_uid;
        let by_value = |value: &String| {
            let now = self.values.get(value).and_then(|id| self.tokens.get(id)).map(|held| held.token.uid);
            *value == reply.value || now.or(what.link).as_ref().is_some_and(is_its)
        };
        what.uid.as_ref().is_none_or(is_its) && what.value.as_ref().is_none_or(by_value)
    }

    /// Uses the token, or refuses.
    fn consume(&mut self, id: Option<TokenId>, ask: &Ask, (uses, gate): (i32, Option<GateId>), at: Micros) -> Answer {
        let usage_uid = ask.entry.at(at);
        let refused =
            |refusals, summary, retry_at| Answer::Refused(RefusedAsk { refusals, summary, retry_at, at, usage_uid });
        let Some(held) = id.and_then(|id| self.tokens.get_mut(&id)) else {
            return refused(vec![Refusal::NotExists], None, None);
        };
        match consume(&held.token, uses, at) {
            Ok(after) => {
                let taken = if after.usage_count == held.token.usage_count { 0 } else { uses };
                let undo = UndoData { taken, lock_before: held.token.lock_start, undoes: None };
                *held = HeldToken { token: after, changed: true };
                Answer::Done(Receipt { summary: TokenSummary::from(&held.token), usage_uid, uses, gate }, undo)
            }
            Err(refusals) => {
                if let Some(start) = restarted_lock(&held.token, at) {
                    held.token.lock_start = Some(start);
                    held.changed = true;
                }
                refused(refusals, Some(TokenSummary::from(&held.token)), retry_at(&held.token, uses, at))
            }
        }
    }
}

/// Answers every ask in order, and leaves in `held` what has to be stored. An ask for a token that somebody else has locked
/// has no answer now; nor has an undo of a use that was made in the same batch or since its tokens were looked for, or of a
/// token that another ask in it has changed.
pub fn settle(asks: &[Ask], held: &mut Held, now: Micros) -> Vec<Option<Answer>> {
    asks.iter().map(|ask| settle_one(ask, held, now)).collect()
}

fn settle_one(ask: &Ask, held: &mut Held, now: Micros) -> Option<Answer> {
    let first = ask.key.as_ref().and_then(|key| held.replies.get(key)).cloned();
    let answer = match &ask.deed {
        Deed::Use { what, uses, gate } => settle_use(ask, what, (*uses, *gate), first, held, now)?,
        Deed::Replay { what, uses, gate } => match first {
            Some(first) => replay(first, what, (*uses, *gate), held),
            // Whoever has locked it may just be using it with this key.
            None if held.is_locked(what) => return None,
            None => Answer::NotKept,
        },
        Deed::Undo { which, anybody } => settle_undo(ask, which, *anybody, first, held, now)?,
    };
    if let (Some(key), Answer::Done(receipt, _)) = (&ask.key, &answer) {
        held.new_keys.insert(key.clone());
        held.replies.insert(key.clone(), Reply::Use { receipt: receipt.clone(), is_undone: false });
    }
    Some(answer)
}

fn wrong_key(problem: Problem) -> Answer {
    Answer::Mistaken(TokenError::value(ReplayKey::HEADER, problem))
}

/// What was answered for a key, if the same is asked again.
fn replay(first: Reply, what: &Lookup, (uses, gate): (i32, FormerGate), held: &Held) -> Answer {
    let Reply::Use { receipt, is_undone } = first else { return wrong_key(Problem::KeyReused) };
    if receipt.uses < 0 || !held.is_for(&receipt.summary, what) {
        return wrong_key(Problem::KeyReused);
    }
    if is_undone {
        return wrong_key(Problem::KeyUndone);
    }
    if receipt.uses != uses || !gate.is(receipt.gate) {
        return wrong_key(Problem::KeyReused);
    }
    Answer::Replayed(receipt)
}

fn settle_use(
    ask: &Ask,
    what: &Lookup,
    (uses, gate): (i32, Option<GateId>),
    first: Option<Reply>,
    held: &mut Held,
    now: Micros,
) -> Option<Answer> {
    if let Some(first) = first {
        // Before the token is looked for: it may have been edited or deleted since.
        return Some(replay(first, what, (uses, FormerGate::Is(gate)), held));
    }
    if held.is_locked(what) {
        return None;
    }
    Some(match held.find(what) {
        Err(mistake) => Answer::Mistaken(mistake),
        Ok(id) => held.consume(id, ask, (uses, gate), now),
    })
}

fn settle_undo(
    ask: &Ask,
    which: &NamedUse,
    anybody: bool,
    first: Option<Reply>,
    held: &mut Held,
    now: Micros,
) -> Option<Answer> {
    if let NamedUse::Key(key) = which
        && held.new_keys.contains(key)
    {
        return None;
    }
    if held.late_uses.contains(&(ask.who.clone(), which.clone())) {
        return None;
    }
    let logged = held.named_use(&ask.who, which);
    if let Some(first) = first {
        return Some(match first {
            Reply::Use { receipt, .. } if logged.is_some_and(|logged| logged.undone_by == Some(receipt.usage_uid)) => {
                Answer::Replayed(receipt)
            }
            _ => wrong_key(Problem::KeyReused),
        });
    }
    let Some(logged) = logged else {
        return Some(Answer::Mistaken(TokenError::value(which.param(), Problem::NoSuchUse)));
    };
    // Before it is looked whether the use was undone: whoever has locked its token may have done so for this key, after
    // the replies were loaded.
    if held.locked_uids.contains(&logged.token_uid) {
        return None;
    }
    if let Err(answer) = logged.check(&ask.who, anybody, which, now) {
        return Some(*answer);
    }
    if held.is_changed(logged.token_uid) {
        return None;
    }
    let logged = logged.clone();
    let Some(token) = held.id_of(logged.token_uid).and_then(|id| held.tokens.get_mut(&id)) else {
        return Some(Answer::Mistaken(TokenError::Unknown(logged.token_uid)));
    };
    let (after, undo) = logged.give_back(&token.token);
    *token = HeldToken { token: after, changed: true };
    let (summary, usage_uid) = (TokenSummary::from(&token.token), ask.entry.at(now));
    held.set_undone(logged.uid, usage_uid);
    Some(Answer::Done(Receipt { summary, usage_uid, uses: -logged.uses, gate: logged.gate }, undo))
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "settle_undo_tests.rs"]
mod undo_tests;
