//! Brings what leads to tokens (`store/index`) up to them, piece by piece, beside everything else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Background;
use crate::store::index::refresh::{has_work, refresh};

/// How often it looks for work. What is not indexed yet is found as well, a little slower.
const IDLE: Duration = Duration::from_millis(500);

/// Works until the server ends.
pub(crate) fn spawn(background: &Arc<Background>) {
    let background = Arc::clone(background);
    tokio::spawn(async move {
        loop {
            let pause = work(&background).await.unwrap_or(IDLE);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = background.shutdown.begun() => return,
            }
        }
    });
}

/// A pause beside others takes so many times as long as the piece before: on SQLite all others wait for that, and those who
/// make or change many tokens take turns with it.
const PAUSE_FACTOR: u32 = 3;

/// Does a piece if there is one, and returns how long to pause then.
async fn work(background: &Background) -> Option<Duration> {
    let store = &background.store;
    let (consumes, writes) = (store.consumes().total(), store.writes());
    // Asked first, as a transaction that writes would hold up others for nothing.
    let has_work = store.read(|connection| Ok(has_work(connection)?)).await;
    let start = Instant::now();
    let more = match has_work {
        Ok(false) => return None,
        Ok(true) => store.write(refresh).await,
        Err(error) => Err(error),
    };
    // While the database is away, the writer says so.
    let more = more.inspect_err(|error| tracing::debug!(%error, "tokens were not indexed")).ok()?;
    let is_alone = store.consumes().total() == consumes && store.writes() == writes + 1;
    more.then(|| if is_alone { Duration::ZERO } else { start.elapsed() * PAUSE_FACTOR })
}
