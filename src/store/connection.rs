//! Connections: which database, with which options, and who may write when.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::Text;

use super::Error;

/// A connection to the database.
pub type Connection = SqliteConnection;

/// How long a writer waits for another process's transaction.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks whether its turn has come: often, as the writer of a busy server leaves a gap of only a
/// millisecond (see `writer.rs`), which SQLite's own waiting, with naps of up to 100 ms, would miss.
const LOOK_AGAIN: Duration = Duration::from_micros(250);
/// Connections of the pool for lists.
const READERS: u32 = 4;

/// Which database: the text of `--database-url`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// SQLite takes any text for a path, so the scheme decides here.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return Err("PostgreSQL is not supported by this version; use sqlite:FILE".into());
        }
        let path = text.strip_prefix("sqlite:").ok_or("write sqlite:FILE, as in sqlite:tessera.db")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') {
            return Err(
                "a file is wanted, as in sqlite:tessera.db; tokens in memory would not outlive the process".into()
            );
        }
        Ok(Self { path: path.into() })
    }
}

/// Why a database cannot be opened: a sentence for whoever started the program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

impl DatabaseUrl {
    /// The database's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file, for its owner alone, if there is none.
    ///
    /// # Errors
    /// The directory does not exist or cannot be written.
    pub fn create(&self) -> Result<(), OpenError> {
        use std::os::unix::fs::OpenOptionsExt;
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.sentence("cannot be created", &error.to_string())),
        }
    }

    /// A connection that may write.
    ///
    /// # Errors
    /// There is no such file, it is no database, or it cannot be read.
    pub fn connect(&self) -> Result<Connection, OpenError> {
        let mut connection = self.open()?;
        let ready = connection.batch_execute(WRITER);
        ready.map_err(|error| self.sentence("cannot be used", &error.to_string()))?;
        Ok(connection)
    }

    /// The pool of connections that only read.
    ///
    /// # Errors
    /// The file is gone, or its path is not UTF-8.
    pub fn readers(&self) -> Result<Pool<ConnectionManager<Connection>>, OpenError> {
        let manager = ConnectionManager::new(self.absolute()?);
        let pool = Pool::builder().max_size(READERS).min_idle(Some(0)).test_on_check_out(false);
        let pool = pool.connection_timeout(PATIENCE).connection_customizer(Box::new(Reader));
        Ok(pool.build_unchecked(manager))
    }

    fn open(&self) -> Result<Connection, OpenError> {
        use diesel::Connection as _;
        let opened = Connection::establish(&self.absolute()?);
        let mut connection = opened.map_err(|error| self.sentence("cannot be opened", &error.to_string()))?;
        prepare(&mut connection).map_err(|error| self.sentence("cannot be used", &error.to_string()))?;
        Ok(connection)
    }

    /// The absolute path: SQLite would read a relative one that begins with `file:` as a URI.
    fn absolute(&self) -> Result<String, OpenError> {
        let path = self.path.canonicalize().map_err(|error| self.sentence("cannot be opened", &error.to_string()))?;
        let text = path.to_str().ok_or_else(|| self.sentence("cannot be opened", "its path is not UTF-8"))?;
        Ok(text.to_owned())
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// It is not there.
    pub fn file(&self) -> Result<DatabaseFile, OpenError> {
        let identity = self.identity().map_err(|error| self.sentence("cannot be opened", &error.to_string()))?;
        Ok(DatabaseFile { url: self.clone(), identity })
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        self.path.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// One readable line about the file.
    pub fn sentence(&self, what: &str, why: &str) -> OpenError {
        OpenError(format!("The database file {} {what}: {}.", self.path.display(), why.trim_end_matches('.')))
    }
}

/// The file that was opened at the start, and no other one that came into its place.
#[derive(Clone, Debug)]
pub struct DatabaseFile {
    url: DatabaseUrl,
    identity: (u64, u64),
}

impl DatabaseFile {
    /// Holds that the file still stands under its name. SQLite would go on with one that was removed or replaced, and
    /// what it acknowledges then is lost with the process.
    ///
    /// # Errors
    /// Unavailable, until the file is put back or the process is started anew.
    pub fn check(&self) -> Result<(), Error> {
        if self.url.identity().is_ok_and(|identity| identity == self.identity) {
            return Ok(());
        }
        let path = self.url.path.display();
        Err(Error::Unavailable(format!("{path} was removed or replaced while it was in use; restart Tessera")))
    }

    /// A connection that may write.
    ///
    /// # Errors
    /// Unavailable.
    pub fn connect(&self) -> Result<Connection, Error> {
        self.url.connect().map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// A connection that only reads.
    ///
    /// # Errors
    /// Unavailable.
    pub fn connect_reader(&self) -> Result<Connection, Error> {
        let mut connection = self.url.open().map_err(|error| Error::Unavailable(error.to_string()))?;
        connection.batch_execute(READER)?;
        Ok(connection)
    }
}

/// Before WAL is asked for, SQLite must know to wait: another process may be opening the file, too.
const OPTIONS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;";
/// A writer waits for its turn in [`begin`], not within SQLite.
const WRITER: &str = "PRAGMA busy_timeout = 0;";
const READER: &str = "PRAGMA query_only = ON;";

fn prepare(connection: &mut Connection) -> QueryResult<()> {
    connection.batch_execute(OPTIONS)?;
    let mode = diesel::dsl::sql::<Text>("(SELECT journal_mode FROM pragma_journal_mode)");
    let mode: String = diesel::select(mode).get_result(connection)?;
    if mode == "wal" {
        return Ok(());
    }
    let why = format!("its journal mode is {mode} and cannot be made WAL (is it on a network drive?)");
    Err(diesel::result::Error::QueryBuilderError(why.into()))
}

#[derive(Debug)]
struct Reader;

impl CustomizeConnection<Connection, diesel::r2d2::Error> for Reader {
    fn on_acquire(&self, connection: &mut Connection) -> Result<(), diesel::r2d2::Error> {
        let ready = prepare(connection).and_then(|()| connection.batch_execute(READER));
        ready.map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Runs `work` in a transaction that holds the write lock from its beginning, so that nothing it reads can change
/// before it writes. On an error nothing of it is kept.
///
/// # Errors
/// `work`'s own; or unavailable, when the lock is not to be had in five seconds or the commit fails.
pub fn exclusively<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    begin(connection)?;
    match work(connection) {
        Ok(done) => match AnsiTransactionManager::commit_transaction(connection) {
            Ok(()) => Ok(done),
            // The reason is the commit's; whoever broke a connection so does not use it again.
            Err(diesel::result::Error::RollbackErrorOnCommit { commit_error, .. }) => Err((*commit_error).into()),
            Err(error) => Err(error.into()),
        },
        Err(error) => {
            // If this fails, too, the connection is not used again; the reason is what counts.
            let _ = AnsiTransactionManager::rollback_transaction(connection);
            Err(error)
        }
    }
}

fn begin(connection: &mut Connection) -> Result<(), Error> {
    let since = Instant::now();
    loop {
        match AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE").map_err(Error::from) {
            Err(Error::Unavailable(why)) if why.contains("database is locked") && since.elapsed() < PATIENCE => {
                std::thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}
