//! Renders pages, and reads photos, on threads of the lowest priority, so that printing ten thousand labels delays no
//! consume.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::throttle::{Measure, Throttle, cpu_time};
use crate::store::Error;
use crate::store::consume_counter::ConsumeCounter;
use crate::store::search::lower_priority;

/// Tasks that may wait for a thread. Beyond that, requests are refused.
const QUEUE_LENGTH: usize = 64;

/// Up to this many labels are rendered on the quick thread; more are rendered on the long one.
pub(crate) const QUICK_LABELS: usize = 1_000;

/// The greatest niceness (POSIX, `nice`).
const LOWEST_PRIORITY: i32 = 19;

type Task = Box<dyn FnOnce() + Send>;

/// Three threads: one for small tasks, which need not wait for the next, which renders thousands of labels; and one for
/// photos, which wait for no sheet, nor sheets for them. They start when they are first needed.
pub(crate) struct RenderPool {
    consumes: ConsumeCounter,
    quick: RenderThread,
    long: RenderThread,
    photos: RenderThread,
}

/// Whether somebody still waits for a task.
#[derive(Clone)]
struct IsWanted(Arc<AtomicBool>);

impl IsWanted {
    /// False when the request has been dropped.
    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A task that is being run.
pub(crate) struct RenderTask {
    wanted: IsWanted,
    throttle: Throttle,
    start: Duration,
}

impl RenderTask {
    /// Gives way to consumes, then returns whether to continue: not if the request has been dropped.
    pub(crate) fn should_continue(&mut self) -> bool {
        thread::sleep(self.due());
        self.throttle.restart();
        self.wanted.get()
    }

    /// How much work was done, pauses not counted.
    pub(crate) fn worked(&self) -> Duration {
        cpu_time().saturating_sub(self.start)
    }

    /// How long to give way for the work since the last pause; for callers that pause in their own way.
    pub(crate) fn due(&self) -> Duration {
        self.throttle.pause_due()
    }
}

/// Cancels the task when the request is dropped.
struct CancelOnDrop(IsWanted);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

impl RenderPool {
    /// An idle pool that will give way to `consumes`.
    pub(crate) fn new(consumes: &ConsumeCounter) -> Self {
        let (quick, long, photos) = Default::default();
        Self { consumes: consumes.clone(), quick, long, photos }
    }

    /// Runs `work`, which renders this many labels, when its turn comes, unless the request has been dropped by then.
    ///
    /// # Errors
    /// Busy when too many tasks wait; failed when `work` panics or the thread cannot be started.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        labels: usize,
        work: impl FnOnce(&mut RenderTask) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.run_on(if labels <= QUICK_LABELS { &self.quick } else { &self.long }, work).await
    }

    /// Runs `work`, which reads a photo, unless the request has been dropped.
    ///
    /// # Errors
    /// Like [`Self::run`].
    pub(crate) async fn run_photo<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut RenderTask) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.run_on(&self.photos, work).await
    }

    async fn run_on<T: Send + 'static>(
        &self,
        thread: &RenderThread,
        work: impl FnOnce(&mut RenderTask) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        let cancel_on_drop = CancelOnDrop(IsWanted(Arc::new(AtomicBool::new(true))));
        let (wanted, consumes) = (cancel_on_drop.0.clone(), self.consumes.clone());
        thread.send(Box::new(move || {
            if wanted.get() {
                let throttle = Throttle::new(&consumes, Measure::CpuTime);
                let _ = sender.send(work(&mut RenderTask { wanted, throttle, start: cpu_time() }));
            }
        }))?;
        receiver.await.map_err(|_| Error::Failed("the page was not made".into()))
    }
}

/// A thread and its queue.
#[derive(Default)]
struct RenderThread(OnceLock<Option<SyncSender<Task>>>);

impl RenderThread {
    fn send(&self, work: Task) -> Result<(), Error> {
        let sender =
            self.0.get_or_init(start).as_ref().ok_or_else(|| Error::Failed("no thread for printing".into()))?;
        sender.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy("Other sheets are being made; try again in a second."),
            TrySendError::Disconnected(_) => Error::Failed("the thread for printing has ended".into()),
        })
    }
}

fn start() -> Option<SyncSender<Task>> {
    let (sender, receiver) = sync_channel(QUEUE_LENGTH);
    let thread = thread::Builder::new().name("render".into()).spawn(move || run_tasks(&receiver));
    thread.inspect_err(|error| tracing::error!(%error, "no thread can be started for printing")).ok().map(|_| sender)
}

fn run_tasks(receiver: &Receiver<Task>) {
    lower_priority(LOWEST_PRIORITY);
    for work in receiver {
        // A panic must not prevent the next page.
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("making a page panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn dropped_requests_are_skipped_and_a_panic_does_not_end_the_thread() {
        let pool = RenderPool::new(&ConsumeCounter::default());
        let (release, held) = std::sync::mpsc::channel::<()>();
        let first = pool.run(1, move |_| held.recv());
        let gone = pool.run(1, |_| unreachable!("whoever asked has gone"));
        let (first, ()) = futures_util::join!(first, async move {
            drop(tokio::time::timeout(std::time::Duration::from_millis(20), gone).await);
            release.send(()).unwrap();
        });
        assert!(first.is_ok());
        assert!(pool.run(1, |_| -> u8 { std::panic::resume_unwind(Box::new(())) }).await.is_err());
        assert_eq!(pool.run(1, |_| 7).await.ok(), Some(7));
    }

    #[actix_web::test]
    async fn photos_and_sheets_do_not_wait_for_each_other() {
        let pool = RenderPool::new(&ConsumeCounter::default());
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (photo, ()) = futures_util::join!(pool.run_photo(move |_| held.recv()), async {
            assert_eq!(pool.run(1, |_| 7).await.ok(), Some(7));
            release.send(()).unwrap();
        });
        assert!(photo.is_ok());
    }

    #[cfg(target_os = "linux")]
    #[actix_web::test]
    async fn only_the_render_thread_has_a_low_priority() {
        let pool = RenderPool::new(&ConsumeCounter::default());
        let nice = || rustix::process::getpriority_process(None).unwrap();
        assert_eq!(pool.run(1, move |_| nice()).await.ok(), Some(19));
        assert!(nice() < 19);
    }
}
