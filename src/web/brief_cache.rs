//! A cache whose entries live for a second: most requests then need no look at the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// What ends a key, a session or a role takes effect within a second on every instance, so an entry lives for less.
const LIFETIME: Duration = Duration::from_millis(900);
/// Most entries; when there are more, all are dropped.
const ENTRIES: usize = 4_096;

/// Values that were asked for within the last second, by their key.
pub(crate) struct BriefCache<K, V>(RwLock<Entries<K, V>>);

struct Entries<K, V> {
    by_key: HashMap<K, (Instant, V)>,
    /// What is being asked for. The others who want it wait for the one who asks.
    asking: HashMap<K, Arc<Mutex<()>>>,
    /// How often something was forgotten: what was asked for before that may have been true only until then.
    forgotten: u64,
}

impl<K, V> Default for BriefCache<K, V> {
    fn default() -> Self {
        Self(RwLock::new(Entries { by_key: HashMap::new(), asking: HashMap::new(), forgotten: 0 }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> BriefCache<K, V> {
    /// The value of a key: the cached one, or what `ask` finds. Of those who ask at once, one does, and the others get what
    /// it finds. What is not there is asked for again each time, as it may be there by now.
    pub(crate) async fn get<E>(
        &self,
        key: &K,
        ask: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        if let Some(value) = self.entries().fresh(key) {
            return Ok(Some(value));
        }
        let turn = Arc::clone(self.entries_mut().asking.entry(key.clone()).or_default());
        if let Ok(_turn) = turn.try_lock() {
            let _asking = Asking { cache: self, key };
            return self.ask(key, ask).await;
        }
        drop(turn.lock().await);
        if let Some(value) = self.entries().fresh(key) {
            return Ok(Some(value));
        }
        self.ask(key, ask).await
    }

    async fn ask<E>(&self, key: &K, ask: impl Future<Output = Result<Option<V>, E>>) -> Result<Option<V>, E> {
        let forgotten = self.entries().forgotten;
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

impl<K: Eq + Hash, V: Clone> Entries<K, V> {
    fn fresh(&self, key: &K) -> Option<V> {
        self.by_key.get(key).filter(|(at, _)| at.elapsed() < LIFETIME).map(|(_, value)| value.clone())
    }
}

/// One who asks, until it is done or gives up: then the next one asks.
struct Asking<'a, K: Clone + Eq + Hash, V: Clone> {
    cache: &'a BriefCache<K, V>,
    key: &'a K,
}

impl<K: Clone + Eq + Hash, V: Clone> Drop for Asking<'_, K, V> {
    fn drop(&mut self) {
        self.cache.entries_mut().asking.remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
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
    async fn of_many_who_ask_at_once_one_does() {
        let (cache, asked) = (BriefCache::default(), AtomicUsize::new(0));
        let (answer, pending) = oneshot::channel::<u8>();
        let pending = pending.shared();
        let get = || {
            cache.get(&1, async {
                asked.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Some(pending.clone().await.unwrap()))
            })
        };
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(get())).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // The one who asks goes, and others take its place.
        drop(waiting.remove(0));
        answer.send(7).unwrap();
        assert!(join_all(waiting).await.into_iter().all(|found| found == Ok(Some(7))));
        assert!(asked.load(Ordering::Relaxed) < 5, "{asked:?}");
    }

    #[actix_web::test]
    async fn what_was_not_there_is_looked_for_by_each() {
        let (cache, asked) = (BriefCache::<u8, u8>::default(), AtomicUsize::new(0));
        let get = |found| {
            let asked = &asked;
            cache.get(&1, async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(found)
            })
        };
        let (first, second) = futures_util::join!(get(None), get(Some(7)));
        assert_eq!((first, second, asked.load(Ordering::Relaxed)), (Ok(None), Ok(Some(7)), 2), "it was made meanwhile");
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
