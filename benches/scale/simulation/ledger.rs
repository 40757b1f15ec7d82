//! What a database has committed: tokens, and replies by idempotency key. Uses are settled by Tessera's own rule.
//!
//! A transaction holds its tokens as they were when it locked them, and keeps them when its commit is on disk: what is lost
//! before has changed nothing, and a token that two held at once would be used too often.

use std::collections::HashMap;

use tessera::access::Principal;
use tessera::token::settle::{Answer, Ask, Deed, Held, Lookup, OwnedKey, Receipt, ReplayKey, Reply, TokenId, settle};
use tessera::token::{Micros, Token, Uid};

use super::agenda::Time;

/// A token's number, and that of a use, which is its idempotency key.
pub type TokenNumber = u32;
pub type UseNumber = u32;

/// What came of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// It was done before, and the answer was lost.
    Replayed,
    Refused,
    /// The rule had no answer, which cannot be: locked tokens are left out before.
    Missing,
}

/// What a use changes in a token.
#[derive(Clone, Copy)]
struct Kept {
    left: i32,
    used: i64,
    last_used: Option<Micros>,
    lock_start: Option<Micros>,
}

/// A use that is to be settled.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub number: UseNumber,
    pub token: TokenNumber,
    pub uid: Uid,
    /// How many uses the token was made with.
    pub made_with: i32,
}

#[derive(Default)]
pub struct Ledger {
    tokens: HashMap<TokenNumber, Kept>,
    replies: HashMap<UseNumber, Receipt>,
}

impl Ledger {
    /// Loads what uses ask for. Their tokens are locked until it is kept.
    pub fn hold(&self, wanted: &[Wanted]) -> Held {
        let mut held = Held::default();
        for this in wanted {
            held.insert(TokenId::from(this.token), self.token(this));
            if let (Some(key), Some(receipt)) = (key(this.number), self.replies.get(&this.number)) {
                held.insert_reply(key, Reply::Use { receipt: receipt.clone(), is_undone: false });
            }
        }
        held
    }

    /// Settles uses in order on what was held for them, and keeps the result.
    pub fn keep(&mut self, wanted: &[Wanted], held: &mut Held, now: Time) -> Vec<Verdict> {
        let ask = |this: &Wanted| {
            let what = Lookup { uid: Some(this.uid), ..Lookup::default() };
            Ask { who: doors(), deed: Deed::Use { what, uses: 1, gate: None }, key: key(this.number), entry: this.uid }
        };
        let asks: Vec<Ask> = wanted.iter().map(ask).collect();
        let answers = settle(&asks, held, moment(now));
        for this in wanted {
            if let Some(Token { usage_count: left, used, last_used, lock_start, .. }) = held.token(this.token.into()) {
                let kept = Kept { left: *left, used: *used, last_used: *last_used, lock_start: *lock_start };
                self.tokens.insert(this.token, kept);
            }
        }
        wanted.iter().zip(answers).map(|(this, answer)| self.verdict(this, answer)).collect()
    }

    fn verdict(&mut self, this: &Wanted, answer: Option<Answer>) -> Verdict {
        match answer {
            Some(Answer::Done(receipt, _)) => {
                self.replies.insert(this.number, receipt);
                Verdict::Done
            }
            Some(Answer::Replayed(_)) => Verdict::Replayed,
            Some(Answer::Refused(_)) => Verdict::Refused,
            _ => Verdict::Missing,
        }
    }

    fn token(&self, this: &Wanted) -> Token {
        let new = Kept { left: this.made_with, used: 0, last_used: None, lock_start: None };
        let kept = self.tokens.get(&this.token).copied().unwrap_or(new);
        Token {
            uid: this.uid,
            value: this.uid.to_string(),
            label: None,
            valid_from: None,
            valid_to: None,
            usage_count: kept.left,
            lock_time: 0,
            last_used: kept.last_used,
            lock_start: kept.lock_start,
            creator: String::new(),
            created: Micros::EPOCH,
            modified: Micros::EPOCH,
            used: kept.used,
            last_entry: None,
            batch: None,
            voided: None,
        }
    }

    /// Whoever has an answer does not ask again: Tessera keeps it for a day, the simulation would run out of memory.
    pub fn forget(&mut self, number: UseNumber) {
        self.replies.remove(&number);
    }

    /// How often each token was used, and how many uses it has left.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenNumber, i64, i32)> {
        self.tokens.iter().map(|(number, kept)| (*number, kept.used, kept.left))
    }
}

/// The principal of all doors, and the idempotency key of a use.
fn doors() -> Principal {
    Principal::key("doors")
}

fn key(number: UseNumber) -> Option<OwnedKey> {
    Some(OwnedKey::of_user(&doors(), ReplayKey::new(number.to_string()).ok()?))
}

/// A moment of the simulation as a database would tell it.
fn moment(now: Time) -> Micros {
    Micros::stored(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}
