//! What is asked of a token: to be used, or that a use is undone.

use super::error::TokenError;
use super::gate::GateId;
use super::problem::Problem;
use super::uid::Uid;
use crate::access::{KeyOwner, Principal};

/// A request to use a token, or to undo a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asks.
    pub who: Principal,
    /// What is to be done.
    pub deed: Deed,
    /// The idempotency key: the same key means the same request.
    pub key: Option<OwnedKey>,
    /// Random, and all but the time of the uid of the entry in the usage log.
    pub entry: Uid,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To use a token.
    Use {
        /// Which.
        what: Lookup,
        /// How often, at once: 1 or more.
        uses: i32,
        /// At which gate.
        gate: Option<GateId>,
    },
    /// To hear again what was answered to such a use with the same key, which the gate would not allow now.
    Replay {
        /// Which token.
        what: Lookup,
        /// How often it was used.
        uses: i32,
        /// At which gate.
        gate: FormerGate,
    },
    /// To undo a use.
    Undo {
        /// Which.
        which: NamedUse,
        /// Whether it may be somebody else's.
        anybody: bool,
    },
}

/// The gate of a use that was made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormerGate {
    /// This one, or none.
    Is(Option<GateId>),
    /// One whose name no gate has any more.
    Renamed,
}

impl FormerGate {
    /// Whether a use was made there, as far as is known.
    pub(super) fn is(self, gate: Option<GateId>) -> bool {
        match self {
            Self::Is(this) => this == gate,
            Self::Renamed => gate.is_some(),
        }
    }
}

impl Ask {
    /// To use a token once.
    pub fn once(who: Principal, what: Lookup) -> Self {
        Self::new(who, Deed::Use { what, uses: 1, gate: None }, None)
    }

    /// A request with its own entry in the log.
    pub fn new(who: Principal, deed: Deed, key: Option<OwnedKey>) -> Self {
        Self { who, deed, key, entry: Uid::random() }
    }

    /// The same with an idempotency key of the user who asks.
    #[must_use]
    pub fn with_key(self, key: ReplayKey) -> Self {
        Self { key: Some(OwnedKey::of_user(&self.who, key)), ..self }
    }

    /// The token that is to be used, or was.
    pub(crate) fn lookup(&self) -> Option<&Lookup> {
        match &self.deed {
            Deed::Use { what, .. } | Deed::Replay { what, .. } => Some(what),
            Deed::Undo { .. } => None,
        }
    }

    /// The use that is to be undone.
    pub(crate) fn undone_use(&self) -> Option<&NamedUse> {
        match &self.deed {
            Deed::Undo { which, .. } => Some(which),
            Deed::Use { .. } | Deed::Replay { .. } => None,
        }
    }
}

/// How a request names a use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NamedUse {
    /// By the idempotency key with which whoever asks has made it.
    Key(OwnedKey),
    /// By the uid of its entry in the usage log.
    Entry(Uid),
}

impl NamedUse {
    /// The parameter that names it.
    pub(crate) fn param(&self) -> &'static str {
        match self {
            Self::Key(_) => "nonce",
            Self::Entry(_) => "usage_uid",
        }
    }
}

/// An idempotency key and whose it is: others may use the same text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedKey {
    /// Whose it is.
    pub owner: KeyOwner,
    /// Its text.
    pub key: ReplayKey,
}

impl OwnedKey {
    /// A user's.
    pub fn of_user(user: &Principal, key: ReplayKey) -> Self {
        Self { owner: user.into(), key }
    }
}

/// An idempotency key, of 1 to 255 characters, none of them NUL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey(String);

impl ReplayKey {
    /// The header that has it, as errors call it.
    pub(crate) const HEADER: &'static str = "Idempotency-Key";
    /// Most characters.
    const MAX_CHARS: usize = 255;

    /// The only way to a key. PostgreSQL stores no NUL, and a key that it refuses would fail the batch it is in.
    ///
    /// # Errors
    /// A value error of `nonce`: the text is empty, too long, or has a NUL.
    pub fn new(text: impl Into<String>) -> Result<Self, TokenError> {
        let text = text.into();
        let problem = match text.chars().count() {
            0 => Some(Problem::Empty),
            length if length > Self::MAX_CHARS => Some(Problem::too_long(Self::MAX_CHARS)),
            _ => text.contains('\0').then_some(Problem::ControlCharacters),
        };
        problem.map_or(Ok(Self(text)), |problem| Err(TokenError::value("nonce", problem)))
    }

    /// Its text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a request names a token: by uid, by value, or by both, which then must name the same token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
                Err(TokenError::value("value", Problem::Contradicts { with: "token_uid".into() }))
            }
            (Some(_), _) => Ok(by_uid),
            (None, _) => Ok(by_value),
        }
    }
}
