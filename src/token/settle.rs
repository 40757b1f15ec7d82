//! Settles a batch: asks are answered in order, each on the state that those before it have left.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::consume::{consume, restarted_lock, retry_at};
use super::error::{Refusal, TokenError};
use super::record::Token;
use super::time::Micros;
use super::uid::Uid;
use crate::access::Principal;

/// Hours for which a success is replayed for the same key.
pub(crate) const REPLAY_HOURS: i64 = 24;
/// Characters that the usage log stores of a value that no token has: a scanner that reads the wrong codes must not
/// fill the disk.
const UNKNOWN_CHARS: usize = 64;

/// A request to use a token once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asks.
    pub who: Principal,
    /// Which token.
    pub what: Lookup,
    /// The idempotency key: the same key means the same request.
    pub key: Option<ReplayKey>,
}

/// An idempotency key, of 1 to 255 characters, none of them NUL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey(String);

impl ReplayKey {
    /// Most characters.
    const MAX_CHARS: usize = 255;

    /// The only way to a key. PostgreSQL stores no NUL, and a key that it refuses would fail the batch it is in.
    ///
    /// # Errors
    /// A value error of `nonce`: the text is empty, too long, or has a NUL.
    pub fn new(text: impl Into<String>) -> Result<Self, TokenError> {
        let text = text.into();
        if !(1..=Self::MAX_CHARS).contains(&text.chars().count()) || text.contains('\0') {
            return Err(TokenError::value("nonce", "An idempotency key has 1 to 255 characters, none of them NUL"));
        }
        Ok(Self(text))
    }

    /// Its text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a request names a token: by uid, by value, or by both, which then must name the same token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// By its uid.
    pub uid: Option<Uid>,
    /// By its exact value.
    pub value: Option<String>,
    /// By the link in its code, if no token has that link as its value.
    pub link: Option<Uid>,
}

impl Lookup {
    /// Combines the tokens found by uid and by value.
    ///
    /// # Errors
    /// A value error when uid and value are both given, but do not name the same token.
    pub(crate) fn reconcile<T: PartialEq>(
        &self,
        by_uid: Option<T>,
        by_value: Option<T>,
    ) -> Result<Option<T>, TokenError> {
        match (self.uid, &self.value) {
            (Some(_), Some(_)) if by_uid != by_value => {
                Err(TokenError::value("value", "value and token_uid do not name the same token"))
            }
            (Some(_), _) => Ok(by_uid),
            (None, _) => Ok(by_value),
        }
    }
}

/// What the bearer of a token may see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenSummary {
    /// Its uid.
    pub token_uid: Uid,
    /// Its value.
    pub(crate) value: String,
    /// Its text for people.
    pub(crate) label: Option<String>,
    /// The uses left.
    pub usage_count: i32,
    /// The last use.
    pub last_used: Option<Micros>,
    /// The first moment at which it may be used.
    pub(crate) valid_from: Option<Micros>,
    /// The last moment at which it may be used.
    pub(crate) valid_to: Option<Micros>,
}

impl From<&Token> for TokenSummary {
    fn from(token: &Token) -> Self {
        Self {
            token_uid: token.uid,
            value: token.value.clone(),
            label: token.label.clone(),
            usage_count: token.usage_count,
            last_used: token.last_used,
            valid_from: token.valid_from,
            valid_to: token.valid_to,
        }
    }
}

/// The answer to an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The token was used once.
    Consumed(TokenSummary),
    /// The token was used earlier, for the same key. Nothing happened now.
    Replayed(TokenSummary),
    /// The token was not used.
    Refused {
        /// The reason.
        refusal: Refusal,
        /// The token, if there is one.
        summary: Option<TokenSummary>,
        /// The first moment at which the consume would succeed if nothing else changed.
        retry_at: Option<Micros>,
        /// The moment of the decision, by the database's clock.
        at: Micros,
    },
    /// The ask contradicts itself. It does not count as an attempt.
    Mistaken(TokenError),
}

/// The content of a usage entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The token's uid, or the one in the request.
    pub(crate) token_uid: Option<Uid>,
    /// The token's value, or the beginning of the one in the request.
    pub(crate) token_value: Option<String>,
    /// The refusal's code.
    pub(crate) error_code: Option<i16>,
}

impl Answer {
    /// The usage entry for `ask` with this answer; none for a replay or a mistake.
    pub(crate) fn attempt(&self, ask: &Ask) -> Option<Attempt> {
        let (summary, error_code) = match self {
            Self::Consumed(summary) => (Some(summary), None),
            Self::Refused { refusal, summary, .. } => (summary.as_ref(), Some(refusal.code())),
            Self::Replayed(_) | Self::Mistaken(_) => return None,
        };
        Some(match summary {
            Some(summary) => {
                Attempt { token_uid: Some(summary.token_uid), token_value: Some(summary.value.clone()), error_code }
            }
            None => Attempt {
                token_uid: ask.what.uid,
                token_value: ask.what.value.as_ref().map(|value| value.chars().take(UNKNOWN_CHARS).collect()),
                error_code,
            },
        })
    }
}

/// A token's id in the database.
pub type TokenId = i64;

/// The locked tokens that the asks of a batch name, and the replies saved for their keys.
#[derive(Clone, Debug, Default)]
pub struct Held {
    tokens: HashMap<TokenId, HeldToken>,
    uids: HashMap<Uid, TokenId>,
    values: HashMap<String, TokenId>,
    replies: HashMap<(Principal, ReplayKey), TokenSummary>,
    locked_uids: HashSet<Uid>,
    locked_values: HashSet<String>,
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
    pub(crate) fn insert_reply(&mut self, who: Principal, key: ReplayKey, summary: TokenSummary) {
        self.replies.insert((who, key), summary);
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

    /// The id of the token with this uid, if it is here.
    pub(crate) fn id_of(&self, uid: Uid) -> Option<TokenId> {
        self.uids.get(&uid).copied()
    }

    /// The tokens that settling has changed.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        self.tokens.iter().filter(|(_, held)| held.changed).map(|(id, held)| (*id, &held.token))
    }

    fn find(&self, what: &Lookup) -> Result<Option<TokenId>, TokenError> {
        let by_value = what.value.as_ref().and_then(|value| self.values.get(value).copied());
        let by_link = what.link.and_then(|uid| self.uids.get(&uid).copied());
        what.reconcile(what.uid.and_then(|uid| self.uids.get(&uid).copied()), by_value.or(by_link))
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

    /// Uses the token once, or refuses.
    fn consume(&mut self, id: TokenId, now: Micros) -> Answer {
        let Some(held) = self.tokens.get_mut(&id) else {
            return Answer::Refused { refusal: Refusal::NotExists, summary: None, retry_at: None, at: now };
        };
        match consume(&held.token, now) {
            Ok(used) => {
                *held = HeldToken { token: used, changed: true };
                Answer::Consumed(TokenSummary::from(&held.token))
            }
            Err(refusal) => {
                if let Some(start) = restarted_lock(&held.token, now) {
                    held.token.lock_start = Some(start);
                    held.changed = true;
                }
                let summary = Some(TokenSummary::from(&held.token));
                Answer::Refused { refusal, summary, retry_at: retry_at(&held.token, now), at: now }
            }
        }
    }
}

/// Answers every ask in order, and leaves in `held` what has to be stored. An ask for a token that somebody else has locked
/// has no answer now.
pub fn settle(asks: &[Ask], held: &mut Held, now: Micros) -> Vec<Option<Answer>> {
    asks.iter().map(|ask| settle_one(ask, held, now)).collect()
}

fn settle_one(ask: &Ask, held: &mut Held, now: Micros) -> Option<Answer> {
    let reply_key = ask.key.clone().map(|key| (ask.who.clone(), key));
    let first = reply_key.as_ref().and_then(|reply_key| held.replies.get(reply_key));
    // Before the token is looked for: it may have been edited or deleted since.
    if let Some(first) = first.filter(|first| held.is_for(first, &ask.what)) {
        return Some(Answer::Replayed(first.clone()));
    }
    if held.is_locked(&ask.what) {
        return None;
    }
    let answer = match held.find(&ask.what) {
        Err(mistake) => return Some(Answer::Mistaken(mistake)),
        Ok(_) if first.is_some() => {
            let mistake = TokenError::value("nonce", "This idempotency key was used for another token");
            return Some(Answer::Mistaken(mistake));
        }
        Ok(Some(id)) => held.consume(id, now),
        Ok(None) => Answer::Refused { refusal: Refusal::NotExists, summary: None, retry_at: None, at: now },
    };
    if let (Some(reply_key), Answer::Consumed(summary)) = (reply_key, &answer) {
        held.replies.insert(reply_key, summary.clone());
    }
    Some(answer)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
