//! Keys and sessions that were seen within the last second: most requests need not ask the database for them.

use std::net::IpAddr;
use std::sync::Arc;

use super::brief_cache::BriefCache;
use super::error::Error;
use crate::access::api_key::{self, KeyHash};
use crate::access::rate::Rate;
use crate::access::session::{self, SessionHash};
use crate::access::{KeyOwner, Principal, Role};
use crate::store::Store;
use crate::store::accounts::keys::{self, KeyOf};
use crate::store::accounts::sessions::{self, SessionOf};
use crate::token::Micros;
use crate::token::gate::GateId;
use crate::token::settle::{OwnedKey, ReplayKey};
use crate::work::rate_limits::RateLimits;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The name in the log.
    pub(crate) principal: Principal,
    /// What the caller may do.
    pub(crate) role: Role,
    /// The gate at which a key uses tokens, if it is tied to one.
    pub(crate) gate: Option<GateId>,
    /// How the caller is known: by a session or by a key.
    pub(crate) via: Via,
}

/// By what a caller is known.
#[derive(Clone, Debug)]
pub(crate) enum Via {
    /// An API key.
    Key {
        /// The hash of its text.
        hash: KeyHash,
        /// Its uid.
        uid: Arc<str>,
        /// How many requests a second it may send, if there is a limit.
        rate: Option<Rate>,
    },
    /// A session.
    Session {
        /// The hash of its id.
        hash: SessionHash,
        /// The user's number.
        user_id: i64,
        /// The user's name.
        name: Arc<str>,
    },
}

impl Via {
    /// The name of a signed-in user.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Key { .. } => "",
            Self::Session { name, .. } => name,
        }
    }

    /// The hash of the key or the session: another device of the same user has another.
    pub(crate) fn hash(&self) -> [u8; 32] {
        match self {
            Self::Key { hash, .. } | Self::Session { hash, .. } => *hash,
        }
    }
}

impl Caller {
    /// An idempotency key that this caller sends.
    pub(crate) fn own(&self, key: ReplayKey) -> OwnedKey {
        match &self.via {
            Via::Key { uid, .. } => OwnedKey { owner: KeyOwner::api_key(uid), key },
            Via::Session { .. } => OwnedKey::of_user(&self.principal, key),
        }
    }
}

/// A last use is written down at most this often, in microseconds.
const LAST_USED_EVERY: i64 = 60_000_000;

/// Callers that were seen within the last second, by the hash of their key or session.
#[derive(Default)]
pub(crate) struct Callers {
    keys: BriefCache<KeyHash, (Caller, Option<Micros>)>,
    sessions: BriefCache<SessionHash, Caller>,
    /// What keys with a limit may still send.
    pub(crate) rate_limits: RateLimits,
}

impl Callers {
    /// Whose key this is, if it is valid. `address` is asked for only now and then.
    pub(crate) async fn by_key(
        &self,
        store: &Store,
        text: &str,
        address: impl FnOnce() -> Option<IpAddr>,
    ) -> Result<Option<Caller>, Error> {
        let Some(hash) = api_key::hash(text) else { return Ok(None) };
        self.key(store, hash, address).await
    }

    async fn key(
        &self,
        store: &Store,
        hash: KeyHash,
        address: impl FnOnce() -> Option<IpAddr>,
    ) -> Result<Option<Caller>, Error> {
        let now = store.now();
        let is_valid = |expires: Option<Micros>| expires.is_none_or(|expires| now < expires);
        let ask = async {
            let found = store.look_up(KeyOf(hash)).await?;
            let Some(key) = found.filter(|key| is_valid(key.expires)) else { return Ok(None) };
            if is_old(key.last_used, now) {
                let address = address().map(|address| address.to_string());
                write_later(store, move |connection| Ok(keys::touch(connection, &hash, address.as_deref(), now)?));
            }
            let via = Via::Key { hash, uid: key.uid.into(), rate: key.rate };
            let caller = Caller { principal: Principal::key(&key.name), role: key.role, gate: key.gate, via };
            Ok::<_, Error>(Some((caller, key.expires)))
        };
        let found = self.keys.get(&hash, ask).await?;
        Ok(found.filter(|(_, expires)| is_valid(*expires)).map(|(caller, _)| caller))
    }

    /// Whose session this is, if it has not ended.
    pub(crate) async fn by_session(&self, store: &Store, id: &str) -> Result<Option<Caller>, Error> {
        self.session(store, session::hash(id)).await
    }

    async fn session(&self, store: &Store, hash: SessionHash) -> Result<Option<Caller>, Error> {
        let ask = async {
            let now = store.now();
            let found = store.look_up(SessionOf(hash, now)).await?;
            let Some(signed_in) = found else { return Ok(None) };
            if is_old(Some(signed_in.last_seen), now) {
                write_later(store, move |connection| Ok(sessions::touch(connection, &hash, now)?));
            }
            let via = Via::Session { hash, user_id: signed_in.user_id, name: signed_in.name.into() };
            Ok::<_, Error>(Some(Caller {
                principal: Principal::user(via.name()),
                role: signed_in.role,
                gate: None,
                via,
            }))
        };
        self.sessions.get(&hash, ask).await
    }

    /// Looks a caller up again, unless that was done within the last second: whoever sends a body slowly, or waits long,
    /// must not act with a key or a session that ended meanwhile. A change of a user's role ends the user's sessions.
    ///
    /// # Errors
    /// Unauthorized when the key or the session has ended.
    pub(crate) async fn recheck(&self, store: &Store, caller: &Caller) -> Result<(), Error> {
        let now_known = match caller.via {
            Via::Key { hash, .. } => self.key(store, hash, || None).await?,
            Via::Session { hash, .. } => self.session(store, hash).await?,
        };
        now_known.map(drop).ok_or(Error::Unauthorized("Bearer error=\"invalid_token\""))
    }

    /// Forgets a session that has just ended; elsewhere it is believed for less than a second.
    pub(crate) fn forget(&self, hash: &SessionHash) {
        self.sessions.forget(hash);
    }

    /// Forgets every session, after some have ended.
    pub(crate) fn forget_sessions(&self) {
        self.sessions.forget_all();
    }

    /// Forgets every key, after one was revoked.
    pub(crate) fn forget_keys(&self) {
        self.keys.forget_all();
    }
}

/// Whether a last use is to be written. One that is still to come was written while the clock was ahead.
fn is_old(last: Option<Micros>, now: Micros) -> bool {
    last.is_none_or(|last| (now.get() - last.get()).abs() > LAST_USED_EVERY)
}

/// Writes to the database without making the request wait.
fn write_later(
    store: &Store,
    work: impl Fn(&mut crate::store::Connection) -> Result<(), crate::store::Error> + Send + 'static,
) {
    let store = store.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = store.write(work).await {
            tracing::debug!(%error, "a last use was not written");
        }
    });
}
