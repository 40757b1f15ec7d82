//! How many tokens a filter finds, counted a moment ago: counting reads them all, and a page only its own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Store;
use crate::store::tokens::list;
use crate::store::tokens::list::TokenFilter;
use crate::token::Micros;
use crate::web::error::Error;

/// How long a count is good enough.
const AGE: Duration = Duration::from_secs(5);
/// How many filters' counts are remembered.
const REMEMBERED: usize = 256;
/// A filter's tokens are counted no further than this: whoever finds more looks for something narrower.
const COUNTED: i64 = 10_000;

/// Counts by filter.
#[derive(Default)]
pub(crate) struct TokenCounts(Mutex<HashMap<TokenFilter, (Instant, Count)>>);

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// So many.
    Exactly(i64),
    /// More than so many.
    MoreThan(i64),
}

impl TokenCounts {
    /// How many tokens `filter` finds. All of them are counted exactly.
    pub(crate) async fn count(&self, store: &Store, filter: &TokenFilter, now: Micros) -> Result<Count, Error> {
        if let Some(count) = self.cached(filter) {
            return Ok(count);
        }
        let (filter_to_count, is_all) = (filter.clone(), *filter == TokenFilter::default());
        let count = store.read(move |connection| {
            if is_all {
                return Ok(Count::Exactly(list::count_all(connection)?));
            }
            Ok(match list::count(connection, &filter_to_count, now, COUNTED + 1)? {
                count if count > COUNTED => Count::MoreThan(COUNTED),
                count => Count::Exactly(count),
            })
        });
        let count = count.await?;
        let mut counts = self.counts();
        if counts.len() >= REMEMBERED {
            counts.clear();
        }
        counts.insert(filter.clone(), (Instant::now(), count));
        Ok(count)
    }

    /// Forgets every count: whoever has just changed something here must not be told what was before. Elsewhere a count
    /// stays for its few seconds.
    pub(crate) fn forget(&self) {
        self.counts().clear();
    }

    /// A count that is good enough. Of those who find one too old, the first counts anew, and the others take it
    /// meanwhile: sixty at once that count a million tokens would keep everybody waiting.
    fn cached(&self, filter: &TokenFilter) -> Option<Count> {
        let mut counts = self.counts();
        let (at, count) = counts.get_mut(filter)?;
        if at.elapsed() < AGE {
            return Some(*count);
        }
        *at = Instant::now();
        None
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<TokenFilter, (Instant, Count)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
