//! The numbers of the overview, counted for all who ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::store::overview::{self, Numbers};
use crate::store::{Error, Store};
use crate::token::Micros;

/// What is counted within this time is counted anew for everybody.
const QUICK: Duration = Duration::from_millis(50);
/// Other numbers are kept for so many times the time that counting took: so it takes a fifth of one processor at most.
const KEPT: u32 = 4;

/// Numbers counted a moment ago. Those who ask while others do get one count.
#[derive(Default)]
pub(crate) struct RecentNumbers(Mutex<Option<Count>>);

struct Count {
    began: Instant,
    ended: Instant,
    midnight: Micros,
    numbers: Arc<Numbers>,
}

impl Count {
    /// Whether it is good for somebody who asked at this time.
    fn is_fresh(&self, asked: Instant, midnight: Micros) -> bool {
        let took = self.ended - self.began;
        let is_kept = took > QUICK && self.ended.elapsed() < took * KEPT;
        self.midnight == midnight && (self.began >= asked || is_kept)
    }
}

impl RecentNumbers {
    /// The numbers; today begins at `midnight`.
    ///
    /// # Errors
    /// Too slow, when even a part takes longer than it may.
    pub(crate) async fn get(&self, store: &Store, midnight: Micros) -> Result<Arc<Numbers>, Error> {
        let now = store.now();
        let count = || store.search(move |connection, limit| overview::numbers(connection, (now, midnight), limit));
        self.get_by(midnight, count).await
    }

    async fn get_by<E>(
        &self,
        midnight: Micros,
        count: impl AsyncFnOnce() -> Result<Numbers, E>,
    ) -> Result<Arc<Numbers>, E> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.is_fresh(asked, midnight)) {
            return Ok(Arc::clone(&last.numbers));
        }
        let began = Instant::now();
        let numbers = Arc::new(count().await?);
        *last = Some(Count { began, ended: Instant::now(), midnight, numbers: Arc::clone(&numbers) });
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn counts_of_three(took: Duration, midnights: [i64; 3]) -> usize {
        let (recent, counts) = (RecentNumbers::default(), AtomicUsize::new(0));
        for midnight in midnights {
            let count = async || {
                counts.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(took).await;
                Ok::<_, Infallible>(Numbers::default())
            };
            recent.get_by(Micros::stored(midnight), count).await.unwrap();
        }
        counts.into_inner()
    }

    #[actix_web::test]
    async fn what_takes_long_is_kept_for_a_while_and_what_is_quick_is_counted_anew() {
        assert_eq!(counts_of_three(Duration::ZERO, [0; 3]).await, 3);
        assert_eq!(counts_of_three(QUICK * 4, [0; 3]).await, 1);
        assert_eq!(counts_of_three(QUICK * 4, [0, 1, 1]).await, 2, "another day");
    }
}
