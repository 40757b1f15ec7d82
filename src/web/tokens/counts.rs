//! How many tokens a filter finds, counted a moment ago: counting reads them all, and a page only its own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Store;
use crate::store::tokens::list::TokenFilter;
use crate::store::tokens::search;
use crate::token::Micros;
use crate::web::error::Error;

/// How long a count is good enough.
const AGE: Duration = Duration::from_secs(5);
/// How many filters' counts are remembered.
const REMEMBERED: usize = 256;
/// The tokens of a filter are counted up to this number.
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
        let count = store.search(move |connection, limit| {
            if is_all {
                return Ok(match search::count_all(connection, limit)? {
                    (count, true) => Count::Exactly(count),
                    (count, false) => Count::MoreThan(count),
                });
            }
            Ok(match search::count(connection, &filter_to_count, now, COUNTED + 1, limit)? {
                (count, true) if count <= COUNTED => Count::Exactly(count),
                (count, _) => Count::MoreThan(count.min(COUNTED)),
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

    /// Forgets every count, so that a change shows at once on this instance; on others, counts stay for a few seconds.
    pub(crate) fn forget(&self) {
        self.counts().clear();
    }

    /// A count that is fresh enough. Of the requests that find an old one, the first counts anew and the others use the old
    /// one: sixty that count a million tokens at once would delay all others.
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
