//! The database: the only place that knows SQL.
//!
//! A noun's file holds its rows and queries, as functions on a connection. How a request gets its work done:
//! [`Store::consume`] through the one writer, [`Store::write`] through it on SQLite and beside it on PostgreSQL,
//! [`Store::look`] for a row or two, [`Store::read`] for lists.

pub mod accounts;
pub mod actions;
pub(crate) mod advisory_lock;
pub mod audit;
pub(crate) mod batches;
pub(crate) mod clock;
pub mod connection;
pub(crate) mod consume_counter;
pub mod copy;
pub mod cursor;
pub(crate) mod error;
pub mod ledger;
pub mod migrations;
pub mod printing;
/// The tables, one description for both databases, as `diesel.toml` says. What a column means stands in `migrations/`.
#[allow(missing_docs, reason = "the macro writes structs for columns, which the migrations describe")]
pub mod schema;
pub mod settings;
pub mod tokens;
pub mod usage;
pub mod writer;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ManageConnection, Pool};
use thread_local::ThreadLocal;
use tokio::sync::Semaphore;

use crate::store::connection::{Database, transaction, with_retries};
use crate::store::consume_counter::ConsumeCounter;
use clock::Clock;
pub use connection::{Connection, DatabaseUrl, OpenError};
pub use error::Error;
use writer::Writer;

use crate::token::Micros;
use crate::token::settle::{Answer, Ask};

/// Connections of the pool: for lists on SQLite, for everything but consuming on PostgreSQL.
const POOL_SQLITE: u32 = 4;
const POOL_POSTGRES: u32 = 8;
/// How long anybody waits for one of them.
const POOL_PATIENCE: Duration = Duration::from_secs(4);
/// A database that stands still without a word, or a network that swallows what it is sent, answers nobody: whoever
/// consumes or looks a row up is told after this long. Nobody knows then whether a consume was done.
const SILENCE: Duration = Duration::from_secs(10);
/// The same for what may take its time: lists, and writes of a hundred thousand tokens.
const LONG_SILENCE: Duration = Duration::from_mins(1);

/// A database in use. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    clock: Clock,
    writer: Writer,
    pool: Pool<Manager>,
    /// As many as the pool has connections. Who waits here is served in turn; who waits for the pool holds a thread, and
    /// may be overtaken for as long as others come.
    free: Arc<Semaphore>,
    near: ThreadLocal<RefCell<Connection>>,
    consumes: ConsumeCounter,
}

impl Store {
    /// Starts to use a database whose schema is this version's.
    ///
    /// # Errors
    /// It cannot be opened, or the machine gives no thread.
    pub fn start(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::start_with(url, writer::BATCH)
    }

    /// As [`Store::start`], with at most `batch` consumes in one transaction.
    ///
    /// # Errors
    /// As [`Store::start`].
    pub(crate) fn start_with(url: &DatabaseUrl, batch: usize) -> Result<Self, OpenError> {
        let (database, clock) = (url.open()?, Clock::default());
        let connection = database.connect().and_then(|mut connection| {
            clock.ask(&mut connection)?;
            Ok(connection)
        });
        let connection = connection.map_err(|error| url.sentence("cannot be used", &error.to_string()))?;
        let writer = Writer::start(database.clone(), clock.clone(), connection, batch);
        let writer = writer.map_err(|error| OpenError(format!("No thread can be started: {error}.")))?;
        let size = if database.has_one_lock() { POOL_SQLITE } else { POOL_POSTGRES };
        let pool = Pool::builder().max_size(size).min_idle(Some(0)).connection_timeout(POOL_PATIENCE);
        let pool = pool.error_handler(Box::new(ToLog)).build_unchecked(Manager(database.clone()));
        let free = Arc::new(Semaphore::new(size as usize));
        Ok(Self {
            inner: Arc::new(Inner {
                database,
                clock,
                writer,
                pool,
                free,
                near: ThreadLocal::new(),
                consumes: ConsumeCounter::default(),
            }),
        })
    }

    /// What the database's clock says, without asking it.
    pub fn now(&self) -> Micros {
        self.inner.clock.now()
    }

    /// What is counted so that long work gives way to it.
    pub(crate) fn consumes(&self) -> &ConsumeCounter {
        &self.inner.consumes
    }

    /// Has `ask` answered within a transaction that would survive a power cut.
    ///
    /// # Errors
    /// Unavailable, or failed: then nothing of it was pooled. Unknown: then it may have been.
    pub async fn consume(&self, ask: Ask) -> Result<Answer, Error> {
        self.inner.consumes.count();
        in_time(SILENCE, self.inner.writer.consume(ask), Error::Unknown).await
    }

    /// Has `work` done in a transaction of its own; again, when another one comes between.
    ///
    /// # Errors
    /// `work`'s own, unavailable, or failed: then nothing of it was pooled. Unknown: then it may have been.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if self.inner.database.has_one_lock() {
            return self.inner.writer.write(work).await;
        }
        let work = move |pooled: &mut PooledConnection| {
            with_retries(|| pooled.have(|connection| transaction(connection, &work)))
        };
        in_time(LONG_SILENCE, self.on_pool(work), Error::Unknown).await
    }

    /// Looks up a row or two: on SQLite on a connection of this thread, as a point read takes microseconds, fewer than
    /// it takes to hand it to another thread.
    ///
    /// # Errors
    /// `work`'s own, or unavailable.
    pub async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if !self.inner.database.has_one_lock() {
            return in_time(SILENCE, self.on_pool(|pooled| pooled.have(work)), Error::Unavailable).await;
        }
        self.inner.database.check()?;
        let near = self.inner.near.get_or_try(|| self.inner.database.connect_for_pool().map(RefCell::new))?;
        let mut connection = near.try_borrow_mut().map_err(|_| Error::Failed("a look within a look".into()))?;
        work(&mut connection)
    }

    /// Reads what takes its time, on a thread where it may.
    ///
    /// # Errors
    /// `work`'s own, or unavailable.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.database.check()?;
        in_time(LONG_SILENCE, self.on_pool(|pooled| pooled.have(work)), Error::Unavailable).await
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PooledConnection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Unavailable("all connections are in use".into());
        let free = Arc::clone(&self.inner.free).acquire_owned();
        let free = tokio::time::timeout(POOL_PATIENCE, free).await.map_err(|_| busy())?;
        let pool = self.inner.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Given back by the work, which goes on when nobody waits for it any more.
            let _free = free;
            work(&mut *pool.get()?)
        });
        let done = done.await;
        done.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))
    }
}

async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Error>>,
    silent: impl FnOnce(String) -> Error,
) -> Result<T, Error> {
    let why = || format!("it has been silent for {} seconds", patience.as_secs());
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(silent(why())))
}

/// Makes the pool's connections.
#[derive(Debug)]
struct Manager(Database);

/// A connection of the pool.
struct PooledConnection {
    connection: Connection,
    database: Database,
    /// How many had been lost when this one was made.
    losses: u64,
    /// Something failed on it that may have left it in any state.
    is_spent: bool,
}

impl PooledConnection {
    fn have<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        // Until it is known to be in order, as a panic may leave it in the middle of a transaction.
        self.is_spent = true;
        let done = work(&mut self.connection);
        if matches!(done, Err(Error::Lost(_) | Error::Unknown(_))) {
            self.database.lost();
        }
        self.is_spent = matches!(done, Err(Error::Unavailable(_) | Error::Failed(_)));
        done
    }
}

impl ManageConnection for Manager {
    type Connection = PooledConnection;
    type Error = Error;

    fn connect(&self) -> Result<PooledConnection, Error> {
        let losses = self.0.losses();
        let connection = self.0.connect_for_pool()?;
        Ok(PooledConnection { connection, database: self.0.clone(), losses, is_spent: false })
    }

    /// Asks nobody: that would be a way to the server and back before each use.
    fn is_valid(&self, pooled: &mut PooledConnection) -> Result<(), Error> {
        if self.has_broken(pooled) { Err(Error::Lost("another one was".into())) } else { Ok(()) }
    }

    fn has_broken(&self, pooled: &mut PooledConnection) -> bool {
        pooled.is_spent || pooled.losses != self.0.losses()
    }
}

/// A database that is away is a warning a try; that a connection is replaced after it was is none.
#[derive(Debug)]
struct ToLog;

impl diesel::r2d2::HandleError<Error> for ToLog {
    fn handle_error(&self, error: Error) {
        if !matches!(error, Error::Lost(_)) {
            tracing::warn!(%error, "no connection");
        }
    }
}
