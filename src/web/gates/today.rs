//! What was used today at each gate, counted for all who ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::sleep_until;

use crate::store::Store;
use crate::store::gates::Gate;
use crate::store::usage::{Quarters, quarters_at_gates};
use crate::token::Micros;
use crate::web::error::Error;

/// Between two counts there are so many times the time that the last one took: each phone at each door asks after each of
/// its scans, and a count reads all entries of the day. So counting takes a fifth of one processor at most.
const PAUSES: u32 = 4;
/// The longest pause: nobody waits longer than this for a count to begin.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Counts of today. Those who ask while others do get one count, which began after they had asked: it has what they used.
#[derive(Default)]
pub(crate) struct GatesToday(Mutex<Option<Count>>);

/// Every gate by name, and its quarters.
type Counted = Arc<Vec<(Gate, Quarters)>>;

struct Count {
    began: Instant,
    midnight: Micros,
    pause_until: Instant,
    counted: Counted,
}

impl GatesToday {
    /// Every gate by name, and what was used and refused there since midnight, in each quarter of an hour that has any.
    ///
    /// # Errors
    /// Too slow, when counting takes longer than it may.
    pub(crate) async fn count(&self, store: &Store, midnight: Micros) -> Result<Counted, Error> {
        let count = async || {
            store
                .search(move |connection, limit| quarters_at_gates(connection, midnight, limit))
                .await
                .map_err(Error::from)
        };
        self.count_by(midnight, count).await
    }

    async fn count_by<E>(
        &self,
        midnight: Micros,
        count: impl AsyncFnOnce() -> Result<Vec<(Gate, Quarters)>, E>,
    ) -> Result<Counted, E> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some(last) = last.as_ref() {
            if last.midnight == midnight && last.began >= asked {
                return Ok(Arc::clone(&last.counted));
            }
            sleep_until(last.pause_until.into()).await;
        }
        let began = Instant::now();
        let counted = Arc::new(count().await?);
        let pause = (began.elapsed() * PAUSES).min(LONGEST_PAUSE);
        *last = Some(Count { began, midnight, pause_until: Instant::now() + pause, counted: Arc::clone(&counted) });
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const DAY: Micros = Micros::EPOCH;

    #[actix_web::test]
    async fn those_who_ask_meanwhile_share_the_next_count() {
        let (today, counts) = (GatesToday::default(), AtomicUsize::new(0));
        let ask = || {
            today.count_by(DAY, async || {
                counts.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok::<_, Infallible>(Vec::new())
            })
        };
        join_all((0..50).map(|_| ask())).await;
        assert_eq!(counts.load(Ordering::Relaxed), 2, "the first one's began before the others had asked");
        let later = join_all((0..50).map(|n| async move {
            tokio::time::sleep(Duration::from_millis(n)).await;
            ask().await
        }));
        later.await;
        let counts = counts.load(Ordering::Relaxed);
        assert!((3..12).contains(&counts), "{counts} counts, with pauses of 80 ms between them");
    }

    #[actix_web::test]
    async fn what_began_before_one_asked_or_on_another_day_is_counted_again() {
        let (today, counts) = (GatesToday::default(), AtomicUsize::new(0));
        let ask = |day| {
            today.count_by(day, async || {
                counts.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Vec::new())
            })
        };
        ask(DAY).await.unwrap();
        ask(DAY).await.unwrap();
        futures_util::join!(async { ask(DAY).await.unwrap() }, async { ask(DAY.plus_micros(1)).await.unwrap() });
        assert_eq!(counts.load(Ordering::Relaxed), 4);
    }

    #[actix_web::test]
    async fn a_count_that_fails_is_tried_again_by_the_next() {
        let today = GatesToday::default();
        assert_eq!(today.count_by(DAY, async || Err("the database is away")).await.err(), Some("the database is away"));
        assert!(today.count_by(DAY, async || Ok::<_, &str>(Vec::new())).await.is_ok());
    }
}
