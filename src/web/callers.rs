//! Keys and sessions that were seen within the last second: most requests need no look at the database for them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::error::Error;
use crate::access::api_key;
use crate::access::session::{self, SessionHash};
use crate::access::{Principal, Role};
use crate::store::{Store, keys, sessions};
use crate::token::Micros;

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name in the log.
    pub principal: Principal,
    /// What the caller may do.
    pub role: Role,
    /// What the caller showed.
    pub via: Via,
}

/// By what a caller is known.
#[derive(Clone, Debug)]
pub enum Via {
    /// An API key.
    Key,
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
    pub fn name(&self) -> &str {
        match self {
            Self::Key => "",
            Self::Session { name, .. } => name,
        }
    }
}

/// What ends a key, a session or a role takes effect within a second, so no longer than that is one believed.
pub(super) const BELIEVED: Duration = Duration::from_millis(900);
/// How many are remembered at most, of keys and of sessions.
const REMEMBERED: usize = 4_096;
/// A last use is written down at most this often, in microseconds.
const LAST_USED_EVERY: i64 = 60_000_000;

/// Remembers callers for a moment.
#[derive(Default)]
pub struct Callers {
    keys: Seen,
    sessions: Seen,
}

/// Callers by the hash of what they showed.
#[derive(Default)]
struct Seen(RwLock<Remembered>);

#[derive(Default)]
struct Remembered {
    known: HashMap<[u8; 32], Known>,
    /// When all were forgotten last: what was asked for before may have been true only until then.
    forgotten: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    caller: Caller,
    expires: Option<Micros>,
    at: Instant,
}

impl Seen {
    fn get(&self, hash: &[u8; 32]) -> Option<Known> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        seen.known.get(hash).filter(|known| known.at.elapsed() < BELIEVED).cloned()
    }

    fn set(&self, hash: [u8; 32], at: Instant, known: Option<(Caller, Option<Micros>)>) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.known.len() >= REMEMBERED {
            seen.known.clear();
        }
        let is_fresh = seen.forgotten.is_none_or(|forgotten| at > forgotten);
        match known.filter(|_| is_fresh) {
            Some((caller, expires)) => seen.known.insert(hash, Known { caller, expires, at }),
            None => seen.known.remove(&hash),
        };
    }

    fn forget_all(&self) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.known.clear();
        seen.forgotten = Some(Instant::now());
    }
}

impl Callers {
    /// Whose key this is, if it is a good one.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn by_key(&self, store: &Store, text: &str) -> Result<Option<Caller>, Error> {
        let Some(hash) = api_key::hash(text) else { return Ok(None) };
        let now = store.now();
        let is_good = |expires: Option<Micros>| expires.is_none_or(|expires| now < expires);
        if let Some(known) = self.keys.get(&hash) {
            return Ok(Some(known.caller).filter(|_| is_good(known.expires)));
        }
        // What is found was true at this moment, however long the finding takes.
        let at = Instant::now();
        let found = store.look(move |connection| keys::find(connection, &hash)).await?;
        let Some(key) = found.filter(|key| is_good(key.expires)) else {
            self.keys.set(hash, at, None);
            return Ok(None);
        };
        if is_old(key.last_used, now) {
            aside(store, move |connection| Ok(keys::touch(connection, &hash, now)?));
        }
        let caller = Caller { principal: Principal::key(&key.name), role: key.role, via: Via::Key };
        self.keys.set(hash, at, Some((caller.clone(), key.expires)));
        Ok(Some(caller))
    }

    /// Whose session this is, if it has not ended.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn by_session(&self, store: &Store, id: &str) -> Result<Option<Caller>, Error> {
        let hash = session::hash(id);
        if let Some(known) = self.sessions.get(&hash) {
            return Ok(Some(known.caller));
        }
        let now = store.now();
        let at = Instant::now();
        let found = store.look(move |connection| sessions::find(connection, &hash, now)).await?;
        let Some(signed_in) = found else {
            self.sessions.set(hash, at, None);
            return Ok(None);
        };
        if is_old(Some(signed_in.last_seen), now) {
            aside(store, move |connection| Ok(sessions::touch(connection, &hash, now)?));
        }
        let via = Via::Session { hash, user_id: signed_in.user_id, name: signed_in.name.into() };
        let caller = Caller { principal: Principal::user(via.name()), role: signed_in.role, via };
        self.sessions.set(hash, at, Some((caller.clone(), None)));
        Ok(Some(caller))
    }

    /// Forgets a session that has just ended; elsewhere it is believed for less than a second.
    pub fn forget(&self, hash: &SessionHash) {
        self.sessions.set(*hash, Instant::now(), None);
    }

    /// Forgets every session, after some have ended.
    pub fn forget_sessions(&self) {
        self.sessions.forget_all();
    }

    /// Forgets every key, after one was revoked.
    pub fn forget_keys(&self) {
        self.keys.forget_all();
    }
}

fn is_old(last: Option<Micros>, now: Micros) -> bool {
    last.is_none_or(|last| now.get() - last.get() > LAST_USED_EVERY)
}

/// Writes something down beside the request, which need not wait for it.
fn aside(
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
