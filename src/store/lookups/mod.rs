//! Look-ups on PostgreSQL: what arrives while others are being looked up waits, and is then looked up in one statement.
//!
//! A statement costs a round trip, and two wake-ups at either end. Sixty look-ups that share one pay that once.

mod look_up;
mod queue;
mod reader;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

use super::connection::Database;
use super::error::Error;
pub(crate) use look_up::{Lane, LookUp};
use queue::Shared;
use reader::{Connect, Reader};

/// Threads of a lane, each with a connection: while one waits for the database, the other one takes what has come.
const THREADS: usize = 2;

/// The threads that look things up. They end some time after this is dropped.
pub(super) struct Lookups {
    keys: Arc<Shared>,
    pages: Arc<Shared>,
}

impl Lookups {
    /// Starts the threads. They connect when they are first needed.
    pub(super) fn start(database: &Database) -> io::Result<Self> {
        let keys = start_lane(database, "look-up", Database::connect_to_look_up)?;
        let pages = start_lane(database, "page", Database::connect_for_pool);
        match pages {
            Ok(pages) => Ok(Self { keys, pages }),
            Err(error) => {
                keys.close();
                Err(error)
            }
        }
    }

    /// What belongs to a key.
    ///
    /// # Errors
    /// Unavailable, when too many wait; the error of the look-up.
    pub(super) async fn find<L: LookUp>(&self, key: L) -> Result<L::Found, Error> {
        let (sender, receiver) = oneshot::channel();
        let lane = match L::LANE {
            Lane::Keys => &self.keys,
            Lane::Pages => &self.pages,
        };
        lane.push(key, sender)?;
        receiver.await.unwrap_or_else(|_| Err(Error::Failed("the look-up panicked".into())))
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        self.keys.close();
        self.pages.close();
    }
}

fn start_lane(database: &Database, name: &str, connect: Connect) -> io::Result<Arc<Shared>> {
    let shared = Arc::new(Shared::default());
    for _ in 0..THREADS {
        let (reader, queue) = (Reader::new(database.clone(), connect), Arc::clone(&shared));
        let thread = thread::Builder::new().name(name.into()).spawn(move || run(&queue, reader));
        thread.inspect_err(|_| shared.close())?;
    }
    Ok(shared)
}

/// Answers group by group until there will be no more. After a panic, whoever waited for that group gets an error.
fn run(queue: &Shared, mut reader: Reader) {
    while let Some(group) = queue.take() {
        let _ = catch_unwind(AssertUnwindSafe(|| group.answer(&mut reader)));
    }
}
