//! Group commit: one thread takes all waiting consumes, settles them in one transaction, and answers after the commit.
//!
//! A commit waits for the disk. A hundred consumes that share a commit wait for it once.

mod queue;
mod worker;

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::clock::Clock;
use super::connection::{Connection, Database, transaction};
use super::error::Error;
use crate::token::settle::{Answer, Ask};
pub use queue::QUEUE;
use queue::{Job, Queue, Queued, Shared, Waiting};
use worker::Worker;

/// Most consumes in one transaction.
pub(crate) const BATCH: usize = 256;

/// The one thread of this process that writes. Dropping it waits until everything queued is done.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread with its first connection, and at most `batch` consumes in one transaction.
    pub(crate) fn start(
        database: Database,
        clock: Clock,
        connection: Connection,
        batch: usize,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            shared: Arc::clone(&shared),
            connection: Some(connection),
            database,
            clock,
            batch: batch.max(1),
            is_unreachable: false,
        };
        let thread = std::thread::Builder::new().name("tessera-writer".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Answers `ask`. When it returns `Ok`, the transaction is on disk and survives a power cut.
    ///
    /// # Errors
    /// The queue is full, or the transaction failed: then nothing was changed.
    pub(crate) async fn consume(&self, ask: Ask) -> Result<Answer, Error> {
        let (answer, receiver) = oneshot::channel();
        self.enqueue(|queue| (queue.unanswered(), &mut queue.asks), Waiting { ask, answer })?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the batch panicked".into())))
    }

    /// Runs `work` in a transaction of its own, between two batches.
    ///
    /// # Errors
    /// The queue is full, or `work` or its transaction failed: then nothing was changed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| transaction(connection, work));
            let status = result.as_ref().map(|_| ()).map_err(Error::clone);
            // The receiver is gone if the client has disconnected; the work is done all the same.
            let _ = done.send(result);
            status
        });
        self.enqueue(|queue| (0, &mut queue.jobs), job)?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the write panicked".into())))
    }

    /// Adds to the queue that `select` returns, with the number of items that wait elsewhere and count as well.
    fn enqueue<T>(
        &self,
        select: impl Fn(&mut Queue) -> (usize, &mut VecDeque<Queued<T>>),
        item: T,
    ) -> Result<(), Error> {
        let mut queue = self.shared.queue();
        let (others, items) = select(&mut queue);
        if others + items.len() >= QUEUE {
            return Err(Error::Unavailable("too many requests wait to be written".into()));
        }
        items.push_back(Queued { item, since: Instant::now() });
        drop(queue);
        self.shared.arrived.notify_one();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
