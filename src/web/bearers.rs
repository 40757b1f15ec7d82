//! API keys that were seen within the last second: most requests need no look at the database.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::error::Error;
use super::guard::Caller;
use crate::access::Principal;
use crate::access::api_key::{self, KeyHash};
use crate::store::Store;
use crate::store::keys::{self, Key};
use crate::token::Micros;

/// What ends a key takes effect within a second, so no longer than that is one believed.
const BELIEVED: Duration = Duration::from_millis(900);
/// How many keys are remembered at most.
const REMEMBERED: usize = 4_096;
/// A key's last use is written down at most this often, in microseconds.
const LAST_USED_EVERY: i64 = 60_000_000;

/// Remembers good keys for a moment.
#[derive(Default)]
pub struct Bearers {
    seen: RwLock<HashMap<KeyHash, Seen>>,
}

struct Seen {
    caller: Caller,
    expires: Option<Micros>,
    at: Instant,
}

impl Bearers {
    /// Whose key this is, if it is a good one.
    ///
    /// # Errors
    /// Unavailable, when the database cannot be asked.
    pub async fn caller(&self, store: &Store, text: &str) -> Result<Option<Caller>, Error> {
        let Some(hash) = api_key::hash(text) else { return Ok(None) };
        let now = Micros::now();
        if let Some(seen) = self.seen.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
            && seen.at.elapsed() < BELIEVED
        {
            return Ok(Some(seen.caller.clone()).filter(|_| is_good(seen.expires, now)));
        }
        let Some(key) = store.look(move |connection| keys::find(connection, &hash)).await? else {
            self.seen.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
            return Ok(None);
        };
        if !is_good(key.expires, now) {
            return Ok(None);
        }
        if key.last_used.is_none_or(|last| now.get() - last.get() > LAST_USED_EVERY) {
            touch(store, hash, now);
        }
        let caller = Caller { principal: Principal::key(&key.name), role: key.role };
        self.remember(hash, &key, caller.clone());
        Ok(Some(caller))
    }

    fn remember(&self, hash: KeyHash, key: &Key, caller: Caller) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(hash, Seen { caller, expires: key.expires, at: Instant::now() });
    }
}

fn is_good(expires: Option<Micros>, now: Micros) -> bool {
    expires.is_none_or(|expires| now < expires)
}

/// Writes the last use down beside the request, which need not wait for it.
fn touch(store: &Store, hash: KeyHash, now: Micros) {
    let store = store.clone();
    actix_web::rt::spawn(async move {
        let written = store.write(move |connection| Ok(keys::touch(connection, &hash, now)?)).await;
        if let Err(error) = written {
            tracing::debug!(%error, "a key's last use was not written");
        }
    });
}
