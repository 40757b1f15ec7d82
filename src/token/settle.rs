//! The rule over a batch: the asks are answered in their order, each on what those before it left.

use std::collections::HashMap;

use serde::Serialize;

use super::consume::{consume, restarted_lock, retry_at};
use super::error::{Refusal, TokenError};
use super::record::Token;
use super::time::Micros;
use super::uid::Uid;
use crate::access::Principal;

/// Hours for which a success is given again to whoever asks with the same key.
pub(crate) const REPLAY_HOURS: i64 = 24;
/// Characters of what was asked for that the usage log keeps when there is no such token: a scanner that
/// reads the wrong codes must not fill the disk.
const UNKNOWN_CHARS: usize = 64;

/// One wish to use a token once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asks.
    pub who: Principal,
    /// Which token.
    pub what: Lookup,
    /// The same key again is the same wish again.
    pub key: Option<ReplayKey>,
}

/// An idempotency key, of 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey(pub(crate) String);

/// How a request names a token: by uid, by value, or by both, which must then agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// By its uid.
    pub uid: Option<Uid>,
    /// By exactly what its code says.
    pub value: Option<String>,
    /// By the link that its code holds, for when no token has that link as its value.
    pub link: Option<Uid>,
}

impl Lookup {
    /// The token by its uid and the one by its value are one, or there is none.
    ///
    /// # Errors
    /// A value error when uid and value are both given and name different tokens, or only one of them a token.
    pub(crate) fn agree<T: PartialEq>(&self, by_uid: Option<T>, by_value: Option<T>) -> Result<Option<T>, TokenError> {
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
    /// What its code says.
    pub(crate) value: String,
    /// Its text for people.
    pub(crate) label: Option<String>,
    /// Uses that are left.
    pub usage_count: i32,
    /// The last use.
    pub last_used: Option<Micros>,
    /// First moment at which it may be used.
    pub(crate) valid_from: Option<Micros>,
    /// Last moment at which it may be used.
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

/// What an ask is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Used once.
    Consumed(TokenSummary),
    /// Used once, when the same key asked before; nothing happened now.
    Replayed(TokenSummary),
    /// Not used.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The token, as far as there is one.
        face: Option<TokenSummary>,
        /// The first moment at which it would succeed as it stands.
        retry_at: Option<Micros>,
        /// The moment of the decision, by the clock that decided.
        at: Micros,
    },
    /// The ask contradicts itself; it is no attempt.
    Mistaken(TokenError),
}

/// What the usage log says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The token's uid, or the one asked for.
    pub(crate) token_uid: Option<Uid>,
    /// The token's value, or the beginning of what was asked for.
    pub(crate) token_value: Option<String>,
    /// Why it was refused.
    pub(crate) error_code: Option<i16>,
}

impl Answer {
    /// The log entry that `ask` leaves with this answer; a replay and a mistake leave none.
    pub(crate) fn attempt(&self, ask: &Ask) -> Option<Attempt> {
        let (face, error_code) = match self {
            Self::Consumed(face) => (Some(face), None),
            Self::Refused { refusal, face, .. } => (face.as_ref(), Some(refusal.code())),
            Self::Replayed(_) | Self::Mistaken(_) => return None,
        };
        Some(match face {
            Some(face) => {
                Attempt { token_uid: Some(face.token_uid), token_value: Some(face.value.clone()), error_code }
            }
            None => Attempt {
                token_uid: ask.what.uid,
                token_value: ask.what.value.as_ref().map(|value| value.chars().take(UNKNOWN_CHARS).collect()),
                error_code,
            },
        })
    }
}

/// A token's number in the database.
pub type TokenId = i64;

/// What a batch holds: the tokens that its asks name, locked, and the answers that were kept for its keys.
#[derive(Clone, Debug, Default)]
pub struct Held {
    tokens: HashMap<TokenId, HeldToken>,
    uids: HashMap<Uid, TokenId>,
    values: HashMap<String, TokenId>,
    replies: HashMap<(Principal, ReplayKey), TokenSummary>,
}

#[derive(Clone, Debug)]
struct HeldToken {
    token: Token,
    changed: bool,
}

impl Held {
    /// Holds a token that was loaded and locked.
    pub fn insert(&mut self, id: TokenId, token: Token) {
        self.uids.insert(token.uid, id);
        self.values.insert(token.value.clone(), id);
        self.tokens.insert(id, HeldToken { token, changed: false });
    }

    /// Holds the answer that was kept for a key.
    pub(crate) fn insert_reply(&mut self, who: Principal, key: ReplayKey, face: TokenSummary) {
        self.replies.insert((who, key), face);
    }

    /// Whether the token that `what` names is held already.
    pub(crate) fn has(&self, what: &Lookup) -> bool {
        what.uid.is_none_or(|uid| self.uids.contains_key(&uid))
            && what.value.as_ref().is_none_or(|value| self.values.contains_key(value))
    }

    /// The number of the token of that uid, if it is held.
    pub(crate) fn number(&self, uid: Uid) -> Option<TokenId> {
        self.uids.get(&uid).copied()
    }

    /// The tokens that settling changed.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        self.tokens.iter().filter(|(_, held)| held.changed).map(|(id, held)| (*id, &held.token))
    }

    fn find(&self, what: &Lookup) -> Result<Option<TokenId>, TokenError> {
        let by_value = what.value.as_ref().and_then(|value| self.values.get(value).copied());
        let by_link = what.link.and_then(|uid| self.uids.get(&uid).copied());
        what.agree(what.uid.and_then(|uid| self.uids.get(&uid).copied()), by_value.or(by_link))
    }

    /// Uses the token once, or says why not.
    fn consume(&mut self, id: TokenId, now: Micros) -> Answer {
        let Some(held) = self.tokens.get_mut(&id) else {
            return Answer::Refused { refusal: Refusal::NotExists, face: None, retry_at: None, at: now };
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
                let face = Some(TokenSummary::from(&held.token));
                Answer::Refused { refusal, face, retry_at: retry_at(&held.token, now), at: now }
            }
        }
    }
}

/// Answers every ask, in their order, and leaves in `held` what is to be kept.
pub fn settle(asks: &[Ask], held: &mut Held, now: Micros) -> Vec<Answer> {
    asks.iter().map(|ask| settle_one(ask, held, now)).collect()
}

fn settle_one(ask: &Ask, held: &mut Held, now: Micros) -> Answer {
    let found = match held.find(&ask.what) {
        Ok(found) => found,
        Err(mistake) => return Answer::Mistaken(mistake),
    };
    let kept = ask.key.clone().map(|key| (ask.who.clone(), key));
    if let Some(first) = kept.as_ref().and_then(|kept| held.replies.get(kept)) {
        return replay(first, found.and_then(|id| held.tokens.get(&id)), &ask.what);
    }
    let answer = match found {
        Some(id) => held.consume(id, now),
        None => Answer::Refused { refusal: Refusal::NotExists, face: None, retry_at: None, at: now },
    };
    if let (Some(kept), Answer::Consumed(face)) = (kept, &answer) {
        held.replies.insert(kept, face.clone());
    }
    answer
}

/// The first success again, if it was for the token that is asked for now. A token that was deleted meanwhile is
/// known by what its face said: whoever lost the first answer must be able to learn it.
fn replay(first: &TokenSummary, found: Option<&HeldToken>, what: &Lookup) -> Answer {
    let same = match found {
        Some(held) => held.token.uid == first.token_uid,
        None => match (what.uid.or(what.link), &what.value) {
            (Some(uid), _) => uid == first.token_uid,
            (None, value) => value.as_ref() == Some(&first.value),
        },
    };
    if same {
        Answer::Replayed(first.clone())
    } else {
        Answer::Mistaken(TokenError::value("nonce", "This idempotency key was used for another token"))
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
