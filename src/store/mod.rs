//! The database: the only place that knows SQL.
//!
//! A noun's file holds its rows and queries, as functions on a connection. How a request gets its work done:
//! [`Store::consume`] and [`Store::write`] through the one writer, [`Store::look`] for a row or two, [`Store::read`]
//! for lists.

pub mod attempts;
pub mod audit;
pub mod connection;
pub mod deleted;
pub mod error;
pub mod keys;
pub mod ledger;
pub mod migrations;
pub mod replies;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod token_list;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod writer;

use std::cell::RefCell;
use std::sync::Arc;

use diesel::r2d2::{ConnectionManager, Pool};
use thread_local::ThreadLocal;

use connection::DatabaseFile;
pub use connection::{Connection, DatabaseUrl, OpenError};
pub use error::Error;
use writer::Writer;

use crate::token::settle::{Answer, Ask};

/// A database in use. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    file: DatabaseFile,
    writer: Writer,
    readers: Pool<ConnectionManager<Connection>>,
    near: ThreadLocal<RefCell<Connection>>,
}

impl Store {
    /// Starts to use a database whose schema is this version's.
    ///
    /// # Errors
    /// It cannot be opened, or the machine gives no thread.
    pub fn start(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let (file, readers) = (url.file()?, url.readers()?);
        let writer = Writer::start(file.clone());
        let writer = writer.map_err(|error| OpenError(format!("No thread can be started: {error}.")))?;
        Ok(Self { inner: Arc::new(Inner { file, writer, readers, near: ThreadLocal::new() }) })
    }

    /// Has `ask` answered within a transaction that would survive a power cut.
    ///
    /// # Errors
    /// Unavailable, or failed: then nothing of it was kept.
    pub async fn consume(&self, ask: Ask) -> Result<Answer, Error> {
        self.inner.writer.consume(ask).await
    }

    /// Has `work` done in a transaction of its own.
    ///
    /// # Errors
    /// `work`'s own, unavailable, or failed: then nothing of it was kept.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.writer.write(work).await
    }

    /// Looks up a row or two, on a connection of this thread: a point read takes microseconds, fewer than
    /// it takes to hand it to another thread.
    ///
    /// # Errors
    /// `work`'s own, or unavailable.
    #[allow(clippy::unused_async, reason = "PostgreSQL has to be awaited")]
    pub async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.file.check()?;
        let near = self.inner.near.get_or_try(|| self.inner.file.connect_reader().map(RefCell::new))?;
        let mut connection = near.try_borrow_mut().map_err(|_| Error::Failed("a look within a look".into()))?;
        work(&mut connection)
    }

    /// Reads what takes its time, on a thread where it may.
    ///
    /// # Errors
    /// `work`'s own, or unavailable.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.file.check()?;
        let readers = self.inner.readers.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut *readers.get()?)).await;
        done.unwrap_or_else(|error| Err(Error::Failed(error.to_string())))
    }
}
