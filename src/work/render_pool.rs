//! Where pages are made: on threads of their own that come after everything else, so that printing ten thousand labels
//! holds up no consume.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::throttle::{Measure, Throttle};
use crate::store::Error;
use crate::store::consume_counter::ConsumeCounter;

/// Jobs that wait on a thread; whoever comes then is told to try again.
const WAITING: usize = 64;

/// Labels that are made while others wait for a page; more are made on the other thread.
pub(crate) const QUICK_LABELS: usize = 1_000;

type Task = Box<dyn FnOnce() + Send>;

/// The threads: one for a few pages, so that they need not wait for the other, which makes thousands. They start when
/// something is to be made.
pub(crate) struct RenderPool {
    consumes: ConsumeCounter,
    quick: Line,
    long: Line,
}

/// Whether somebody still waits for what is made.
#[derive(Clone)]
struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// False when whoever asked has gone.
    fn is_still(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Work that is done.
pub(crate) struct RenderTask {
    wanted: Wanted,
    throttle: Throttle,
}

impl RenderTask {
    /// Gives way to consumes, and then says whether to go on: not when whoever asked has gone.
    pub(crate) fn should_continue(&mut self) -> bool {
        thread::sleep(self.due());
        self.throttle.restart();
        self.wanted.is_still()
    }

    /// How long to give way for what was done since it last did, for whoever waits elsewhere.
    pub(crate) fn due(&self) -> Duration {
        self.throttle.due()
    }
}

/// Takes it back when the request is dropped.
struct Asking(Wanted);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

impl RenderPool {
    /// With nothing to be made, that gives way to these.
    pub(crate) fn new(consumes: &ConsumeCounter) -> Self {
        Self { consumes: consumes.clone(), quick: Line::default(), long: Line::default() }
    }

    /// Has `work` done, for so many labels, in its turn. It is left out when nobody waits for it any more.
    ///
    /// # Errors
    /// Unavailable, when too much waits already; a fault, when `work` panics or the machine gives no thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        labels: usize,
        work: impl FnOnce(&mut RenderTask) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let line = if labels <= QUICK_LABELS { &self.quick } else { &self.long };
        let (done, made) = oneshot::channel();
        let asking = Asking(Wanted(Arc::new(AtomicBool::new(true))));
        let (wanted, consumes) = (asking.0.clone(), self.consumes.clone());
        line.take(Box::new(move || {
            if wanted.is_still() {
                let throttle = Throttle::new(&consumes, Measure::Processor);
                let _ = done.send(work(&mut RenderTask { wanted, throttle }));
            }
        }))?;
        made.await.map_err(|_| Error::Failed("the page was not made".into()))
    }
}

/// A thread and what waits for it.
#[derive(Default)]
struct Line(OnceLock<Option<SyncSender<Task>>>);

impl Line {
    fn take(&self, work: Task) -> Result<(), Error> {
        let sender =
            self.0.get_or_init(start).as_ref().ok_or_else(|| Error::Failed("no thread for printing".into()))?;
        sender.try_send(work).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::Unavailable("too many sheets wait to be made".into()),
            TrySendError::Disconnected(_) => Error::Failed("the thread for printing has ended".into()),
        })
    }
}

fn start() -> Option<SyncSender<Task>> {
    let (sender, receiver) = sync_channel(WAITING);
    let thread = thread::Builder::new().name("render".into()).spawn(move || work_off(&receiver));
    thread.inspect_err(|error| tracing::error!(%error, "no thread can be started for printing")).ok().map(|_| sender)
}

fn work_off(receiver: &Receiver<Task>) {
    step_back();
    for work in receiver {
        // The next page must be made all the same.
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("making a page panicked");
        }
    }
}

/// Has this thread run when no other wants to. On Linux a thread has a niceness of its own, which POSIX does not want; elsewhere it
/// would be the whole process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::warn!(%error, "printing may hold up consumes: its thread cannot be given a low priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn what_nobody_waits_for_any_more_is_not_made_and_a_panic_ends_nothing() {
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

    #[cfg(target_os = "linux")]
    #[actix_web::test]
    async fn the_thread_steps_back_and_the_others_do_not() {
        let pool = RenderPool::new(&ConsumeCounter::default());
        let nice = || rustix::process::getpriority_process(None).unwrap();
        assert_eq!(pool.run(1, move |_| nice()).await.ok(), Some(19));
        assert!(nice() < 19);
    }
}
