//! The database: the only place that knows SQL.
//!
//! Each file holds one noun's rows and queries, as functions on a connection. A request reaches them through one of:
//! [`Store::consume`], through the single writer; [`Store::write`], through the writer on SQLite and through the pool
//! on PostgreSQL; [`Store::look_up`], for what belongs to a key, together with others on PostgreSQL; [`Store::read_inline`],
//! for one or two rows; [`Store::read`], for lists.

pub mod accounts;
pub mod actions;
pub(crate) mod advisory_lock;
pub mod audit;
pub mod backup;
pub mod batches;
mod checkpoint;
pub(crate) mod clock;
mod condition;
pub(crate) mod cone;
pub mod connection;
pub(crate) mod consume_counter;
pub mod copy;
pub mod cursor;
pub(crate) mod error;
pub mod gates;
mod halves;
pub(crate) mod idempotency;
pub(crate) mod imports;
mod in_use;
pub mod index;
pub mod ledger;
pub(crate) mod lookups;
pub mod migrations;
pub(crate) mod overview;
mod pool;
pub mod printing;
/// The tables, described once for both databases, as `diesel.toml` says. `migrations/` explains the columns.
#[allow(missing_docs, reason = "the macro writes structs for columns, which the migrations describe")]
pub mod schema;
pub mod search;
pub mod settings;
pub mod tokens;
pub mod usage;
pub mod whole;
pub mod writer;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::r2d2::Pool;
use thread_local::ThreadLocal;
use tokio::sync::Semaphore;

use crate::token::Micros;
use crate::token::settle::{Answer, Ask};
use checkpoint::Checkpointer;
use clock::Clock;
pub use connection::{Connection, DatabaseUrl, OpenError};
use connection::{Database, transaction, with_retries};
use consume_counter::ConsumeCounter;
pub use error::Error;
use lookups::{LookUp, Lookups};
use pool::{LogErrors, Manager, PooledConnection};
use search::{SearchLimit, SearchPool};
use writer::Writer;

/// Connections in the pool. SQLite uses it for lists, PostgreSQL for everything except consumes.
const POOL_SQLITE: u32 = 4;
const POOL_POSTGRES: u32 = 8;
/// How long a request waits for one of them.
const POOL_TIMEOUT: Duration = Duration::from_secs(4);
/// Tokens written in one transaction.
const PIECE_SQLITE: usize = 200;
const PIECE_POSTGRES: usize = 10_000;
/// Tokens changed in one transaction.
const CHANGE_SQLITE: usize = 200;
const CHANGE_POSTGRES: usize = 250;
/// Time limit for consumes and look-ups of single rows: a database that hangs, or a network that drops packets, never
/// answers. After a consume that timed out, nobody knows whether it was done.
const QUICK_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for slow work: lists, and writes of a hundred thousand tokens.
const SLOW_TIMEOUT: Duration = Duration::from_mins(1);

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
    /// One permit per connection of the pool. The semaphore serves waiting requests in order; waiting for the pool
    /// itself would block a thread, and later requests could overtake.
    permits: Arc<Semaphore>,
    searches: SearchPool,
    /// On PostgreSQL.
    lookups: Option<Lookups>,
    /// On SQLite.
    _checkpointer: Option<Checkpointer>,
    /// A thread has none while it is looking something up: a panic leaves it nowhere, and another is made.
    inline_connections: ThreadLocal<Cell<Option<Connection>>>,
    consumes: ConsumeCounter,
    writes: AtomicU64,
}

impl Store {
    /// Opens a database whose schema is this version's.
    ///
    /// # Errors
    /// The database cannot be opened, or the operating system gives no thread.
    pub fn start(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::start_with(url, writer::BATCH)
    }

    /// Like [`Store::start`], with at most `batch` consumes in one transaction.
    pub(crate) fn start_with(url: &DatabaseUrl, batch: usize) -> Result<Self, OpenError> {
        let (database, clock) = (url.open()?, Clock::default());
        let file = database.open_file_for_good();
        let file = file.map_err(|error| url.open_error("cannot be written", &error.to_string()))?;
        let connection = database.connect().and_then(|mut connection| {
            clock.sync(&mut connection)?;
            Ok(connection)
        });
        let connection = connection.map_err(|error| url.open_error("cannot be used", &error.to_string()))?;
        let writer = Writer::start(database.clone(), clock.clone(), connection, batch);
        let writer = writer.map_err(|error| no_thread(&error))?;
        let lookups = (!database.has_one_lock())
            .then(|| Lookups::start(&database))
            .transpose()
            .map_err(|error| no_thread(&error))?;
        let searches = SearchPool::default();
        let checkpointer = file.map(|file| Checkpointer::start(database.clone(), file, Arc::clone(searches.gate())));
        let checkpointer = checkpointer.transpose().map_err(|error| no_thread(&error))?;
        let size = if database.has_one_lock() { POOL_SQLITE } else { POOL_POSTGRES };
        let pool = Pool::builder().max_size(size).min_idle(Some(0)).connection_timeout(POOL_TIMEOUT);
        let pool = pool.error_handler(Box::new(LogErrors)).build_unchecked(Manager(database.clone()));
        let permits = Arc::new(Semaphore::new(size as usize));
        Ok(Self {
            inner: Arc::new(Inner {
                database,
                clock,
                writer,
                pool,
                permits,
                searches,
                lookups,
                _checkpointer: checkpointer,
                inline_connections: ThreadLocal::new(),
                consumes: ConsumeCounter::default(),
                writes: AtomicU64::new(0),
            }),
        })
    }

    /// The database's time, without asking the database.
    pub fn now(&self) -> Micros {
        self.inner.clock.now()
    }

    /// Whether the database is on a server, where other machines may use it, too.
    pub(crate) fn is_on_server(&self) -> bool {
        !self.inner.database.has_one_lock()
    }

    /// Counts consumes, so that long work can give way to them.
    pub(crate) fn consumes(&self) -> &ConsumeCounter {
        &self.inner.consumes
    }

    /// How many other writes this process was asked for.
    pub(crate) fn writes(&self) -> u64 {
        self.inner.writes.load(Ordering::Relaxed)
    }

    /// Answers `ask`. When it returns `Ok`, the transaction is on disk and survives a power cut.
    ///
    /// # Errors
    /// Unavailable or failed: nothing was changed. Unknown: the consume may have been done.
    pub async fn consume(&self, ask: Ask) -> Result<Answer, Error> {
        self.inner.consumes.count();
        with_timeout(QUICK_TIMEOUT, self.inner.writer.consume(ask), Error::Unknown).await
    }

    /// Runs `work` in a transaction of its own, and again if it conflicts with another transaction.
    ///
    /// # Errors
    /// The error of `work`. Unavailable or failed: nothing was changed. Unknown: the change may have been made.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.writes.fetch_add(1, Ordering::Relaxed);
        if self.inner.database.has_one_lock() {
            return self.inner.writer.write(work).await;
        }
        self.inner.database.check()?;
        let work = move |pooled: &mut PooledConnection| {
            with_retries(|| pooled.run(|connection| transaction(connection, &work)))
        };
        with_timeout(SLOW_TIMEOUT, self.on_pool(work), Error::Unknown).await
    }

    /// Finds what belongs to a key. On PostgreSQL, look-ups that arrive together are answered together; on SQLite it runs as
    /// [`Store::read_inline`] does.
    ///
    /// # Errors
    /// The error of the look-up; unavailable, when too many wait.
    pub(crate) async fn look_up<L: LookUp>(&self, key: L) -> Result<L::Found, Error> {
        if let Some(lookups) = &self.inner.lookups {
            return with_timeout(QUICK_TIMEOUT, lookups.find(key), Error::Unavailable).await;
        }
        let find = move |connection: &mut Connection| L::find(connection, &[key]);
        self.read_inline(find).await?.pop().ok_or_else(|| Error::Failed("a look-up has no answer".into()))
    }

    /// Looks up one or two rows. On SQLite it runs on the calling thread, with a connection of that thread: a point
    /// read takes microseconds, less than handing it to another thread.
    pub async fn read_inline<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if !self.inner.database.has_one_lock() {
            return with_timeout(QUICK_TIMEOUT, self.on_pool(|pooled| pooled.run(work)), Error::Unavailable).await;
        }
        self.inner.database.check()?;
        let own = self.inner.inline_connections.get_or_default();
        let connection = own.take().map_or_else(|| self.inner.database.connect_for_pool(), Ok);
        let mut connection = connection?;
        let result = work(&mut connection);
        own.set(Some(connection));
        result
    }

    /// How many tokens are written in one transaction while many are made. On SQLite everybody's consumes wait for it, so that
    /// it takes a few milliseconds; on PostgreSQL nobody does.
    pub(crate) fn piece_length(&self) -> usize {
        if self.inner.database.has_one_lock() { PIECE_SQLITE } else { PIECE_POSTGRES }
    }

    /// How many tokens are changed in one transaction while many are: on SQLite everybody's consumes wait for it, on
    /// PostgreSQL those of its tokens.
    pub(crate) fn change_length(&self) -> usize {
        if self.inner.database.has_one_lock() { CHANGE_SQLITE } else { CHANGE_POSTGRES }
    }

    /// Runs a read that can take seconds, and that ends when it takes too long or the caller is dropped.
    ///
    /// # Errors
    /// The error of `work`; unavailable, when too many searches wait.
    pub async fn search<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &SearchLimit) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.database.check()?;
        with_timeout(SLOW_TIMEOUT, self.inner.searches.run(&self.inner.database, work), Error::Unavailable).await
    }

    /// Runs a read of a bounded number of rows, on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.database.check()?;
        with_timeout(SLOW_TIMEOUT, self.on_pool(|pooled| pooled.run(work)), Error::Unavailable).await
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PooledConnection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Unavailable("all connections are in use".into());
        let permit = Arc::clone(&self.inner.permits).acquire_owned();
        let permit = tokio::time::timeout(POOL_TIMEOUT, permit).await.map_err(|_| busy())?;
        let pool = self.inner.pool.clone();
        let result = tokio::task::spawn_blocking(move || {
            // The permit is released when the work ends, which is later than the request if the client has gone.
            let _permit = permit;
            work(&mut *pool.get()?)
        });
        let result = result.await;
        result.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))
    }
}

fn no_thread(error: &std::io::Error) -> OpenError {
    OpenError(format!("No thread can be started: {error}."))
}

async fn with_timeout<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
    error: impl FnOnce(String) -> Error,
) -> Result<T, Error> {
    let why = || format!("it has been silent for {} seconds", limit.as_secs());
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(error(why())))
}
