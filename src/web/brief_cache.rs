//! A cache whose entries live for a second: most requests then need no look at the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// What ends a key, a session or a role takes effect within a second on every instance, so an entry lives for less.
const LIFETIME: Duration = Duration::from_millis(900);
/// Most entries; when there are more, all are dropped.
const ENTRIES: usize = 4_096;

/// Values that were asked for within the last second, by their key.
pub(crate) struct BriefCache<K, V>(RwLock<Entries<K, V>>);

struct Entries<K, V> {
    by_key: HashMap<K, (Instant, V)>,
    /// How often something was forgotten: what was asked for before that may have been true only until then.
    forgotten: u64,
}

impl<K, V> Default for BriefCache<K, V> {
    fn default() -> Self {
        Self(RwLock::new(Entries { by_key: HashMap::new(), forgotten: 0 }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> BriefCache<K, V> {
    /// The value of a key: the cached one, or what `ask` finds. What is not there is asked for again each time.
    pub(crate) async fn get<E>(
        &self,
        key: &K,
        ask: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        let forgotten = {
            let entries = self.entries();
            match entries.by_key.get(key) {
                Some((at, value)) if at.elapsed() < LIFETIME => return Ok(Some(value.clone())),
                _ => entries.forgotten,
            }
        };
        // What is found was true at this moment, however long the finding takes.
        let at = Instant::now();
        let found = ask.await?;
        let mut entries = self.entries_mut();
        if entries.by_key.len() >= ENTRIES {
            entries.by_key.clear();
        }
        match &found {
            Some(value) if entries.forgotten == forgotten => {
                entries.by_key.insert(key.clone(), (at, value.clone()));
            }
            _ => {
                entries.by_key.remove(key);
            }
        }
        Ok(found)
    }

    /// Forgets the value of a key, which has just changed.
    pub(crate) fn forget(&self, key: &K) {
        let mut entries = self.entries_mut();
        entries.by_key.remove(key);
        entries.forgotten += 1;
    }

    /// Forgets everything, after some of it has changed.
    pub(crate) fn forget_all(&self) {
        let mut entries = self.entries_mut();
        entries.by_key.clear();
        entries.forgotten += 1;
    }

    /// An entry is whole between any two lines that could panic, so a poisoned lock is still good.
    fn entries(&self) -> RwLockReadGuard<'_, Entries<K, V>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries_mut(&self) -> RwLockWriteGuard<'_, Entries<K, V>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    async fn get(cache: &BriefCache<u8, u8>, found: Option<u8>) -> Option<u8> {
        cache.get(&1, async { Ok::<_, Infallible>(found) }).await.unwrap()
    }

    #[actix_web::test]
    async fn a_value_is_asked_for_once_until_it_is_forgotten() {
        let cache = BriefCache::default();
        assert_eq!(get(&cache, None).await, None);
        assert_eq!(get(&cache, Some(7)).await, Some(7));
        assert_eq!(get(&cache, Some(8)).await, Some(7));
        cache.forget(&1);
        assert_eq!(get(&cache, Some(8)).await, Some(8));
        cache.forget_all();
        assert_eq!(get(&cache, Some(9)).await, Some(9));
    }

    #[actix_web::test]
    async fn what_is_forgotten_while_it_is_being_asked_for_is_not_kept() {
        let ways: [fn(&BriefCache<u8, u8>); 2] = [|cache| cache.forget(&1), BriefCache::forget_all];
        for forget in ways {
            let cache = BriefCache::default();
            let (answer, pending) = oneshot::channel::<Option<u8>>();
            let mut slow = Box::pin(cache.get(&1, pending));
            assert!(slow.as_mut().now_or_never().is_none(), "the first question is under way");
            forget(&cache);
            answer.send(Some(7)).unwrap();
            assert_eq!(slow.await, Ok(Some(7)), "whoever asked before gets what was true then");
            assert_eq!(get(&cache, Some(8)).await, Some(8), "whoever asks afterwards does not");
        }
    }
}
