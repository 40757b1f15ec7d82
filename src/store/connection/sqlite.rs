//! SQLite: a file, and its one write lock.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::store::error::Error;

/// How long a writer waits for another one's transaction.
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(5);

/// How often a writer looks whether its turn has come: often, as the writer of a busy server leaves a gap of only a
/// millisecond (see `writer/desk.rs`), which SQLite's own waiting, with naps of up to 100 ms, would miss.
const LOOK_AGAIN: Duration = Duration::from_micros(250);

/// A database's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    path: PathBuf,
}

/// Which file it is, whatever its name: device and inode.
pub(crate) type Identity = (u64, u64);

impl FromStr for File {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') {
            return Err(
                "a file is wanted, as in sqlite:tessera.db; tokens in memory would not outlive the process".into()
            );
        }
        Ok(Self { path: path.into() })
    }
}

impl File {
    /// Where it is, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file stands there now.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        self.path.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Makes the file, for its owner alone, if there is none.
    ///
    /// # Errors
    /// The system's, as a text.
    pub(crate) fn create(&self) -> Result<(), String> {
        use std::os::unix::fs::OpenOptionsExt;
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A connection that may write, and waits for its turn in [`begin`], not within SQLite.
    ///
    /// # Errors
    /// The reason.
    pub(crate) fn connect(&self) -> Result<SqliteConnection, String> {
        self.with_options("PRAGMA busy_timeout = 0;")
    }

    /// A connection that only reads.
    ///
    /// # Errors
    /// The reason.
    pub(crate) fn connect_reader(&self) -> Result<SqliteConnection, String> {
        self.with_options("PRAGMA query_only = ON;")
    }

    /// The only connection there is, for as long as it is there.
    ///
    /// # Errors
    /// Another process uses the file.
    pub(crate) fn connect_alone(&self) -> Result<SqliteConnection, String> {
        let mut connection = SqliteConnection::establish(&self.absolute()?).map_err(|error| error.to_string())?;
        // SQLite heeds it at the first look into a file, so nothing comes before.
        let alone = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; ROLLBACK;";
        connection.batch_execute(alone).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    fn with_options(&self, options: &str) -> Result<SqliteConnection, String> {
        let mut connection = SqliteConnection::establish(&self.absolute()?).map_err(|error| error.to_string())?;
        let ready = patiently(|| Ok(prepare(&mut connection)?)).and_then(|()| Ok(connection.batch_execute(options)?));
        match ready {
            Ok(()) => Ok(connection),
            Err(Error::Unavailable(why) | Error::Failed(why)) => Err(why),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The absolute path: SQLite would read a relative one that begins with `file:` as a URI.
    fn absolute(&self) -> Result<String, String> {
        let path = self.path.canonicalize().map_err(|error| error.to_string())?;
        path.to_str().map(str::to_owned).ok_or_else(|| "its path is not UTF-8".to_owned())
    }
}

/// Before WAL is asked for, SQLite must know to wait: another process may be opening the file, too.
const OPTIONS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON;";

fn prepare(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(OPTIONS)?;
    let mode = diesel::dsl::sql::<Text>("(SELECT journal_mode FROM pragma_journal_mode)");
    let mode: String = diesel::select(mode).get_result(connection)?;
    if mode == "wal" {
        return Ok(());
    }
    let why = format!("its journal mode is {mode} and cannot be made WAL (is it on a network drive?)");
    Err(diesel::result::Error::QueryBuilderError(why.into()))
}

/// Begins a transaction that holds the write lock.
///
/// # Errors
/// Unavailable, when the lock is not to be had in five seconds.
pub(crate) fn begin(connection: &mut SqliteConnection) -> Result<(), Error> {
    patiently(|| Ok(AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?))
}

/// Does `work` again for as long as it fails at a lock: also at one for which SQLite itself does not wait, as when two
/// processes make a new file's journal WAL at once, and each would wait for the other.
fn patiently(mut work: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let since = Instant::now();
    loop {
        match work() {
            Err(Error::Unavailable(why)) if why.contains("database is locked") && since.elapsed() < PATIENCE => {
                std::thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}
