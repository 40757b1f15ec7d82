//! SQLite: a file with one write lock.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use percent_encoding::{AsciiSet, CONTROLS};

use crate::store::error::Error;

/// How long a writer waits for another transaction to end.
pub(in crate::store) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a waiting writer tries again. The writer of a busy server leaves the lock free for only a millisecond at a
/// time (`writer/worker.rs`); SQLite's own busy handler sleeps for up to 100 ms and would miss it.
const LOCK_RETRY_PAUSE: Duration = Duration::from_micros(250);

/// A database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    path: PathBuf,
}

/// Identifies a file independently of its name: device and inode.
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
    /// The file at this path.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Its path, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file is, or would be made: symbolic links lead elsewhere, and what belongs to a database stands beside it.
    pub(crate) fn real_path(&self) -> PathBuf {
        if let Ok(path) = self.path.canonicalize() {
            return path;
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match (folder.unwrap_or(Path::new(".")).canonicalize(), self.path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => self.path.clone(),
        }
    }

    /// The identity of the file that is at this path now.
    ///
    /// # Errors
    /// There is no file.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        self.path.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Creates the file if there is none, readable only by its owner.
    pub(crate) fn create(&self) -> Result<(), String> {
        use std::os::unix::fs::OpenOptionsExt;
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A connection that can write. It waits for the write lock in [`begin`], not in SQLite's busy handler, and leaves
    /// copying the log to the thread for that, unless this has fallen behind by 48 MiB. A log that somebody who read for long,
    /// such as a backup, has made longer than 64 MiB is cut to that when it begins anew.
    pub(crate) fn connect(&self) -> Result<SqliteConnection, String> {
        self.with_options(
            "PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 12288; PRAGMA journal_size_limit = 67108864;",
        )
    }

    /// The file itself, by which it can be synced. It is never closed: with any descriptor of a file that a process closes,
    /// it loses all its locks on that file, also SQLite's (POSIX, "fcntl").
    pub(crate) fn open_for_good(&self) -> io::Result<&'static std::fs::File> {
        Ok(Box::leak(Box::new(OpenOptions::new().write(true).open(&self.path)?)))
    }

    /// A connection that only reads.
    pub(crate) fn connect_reader(&self) -> Result<SqliteConnection, String> {
        self.with_options("PRAGMA query_only = ON;")
    }

    /// A connection to another program's file, which it leaves as it is, whatever its journal mode.
    pub(crate) fn connect_to_import(&self) -> Result<SqliteConnection, String> {
        let escaped = self.absolute()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{escaped}?mode=ro");
        let mut connection = SqliteConnection::establish(&uri).map_err(|error| error.to_string())?;
        // The cache is for sorting.
        let options = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768;";
        connection.batch_execute(options).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// An exclusive connection, for as long as it is open.
    ///
    /// # Errors
    /// Another process uses the file.
    pub(crate) fn connect_exclusively(&self) -> Result<SqliteConnection, String> {
        let mut connection = SqliteConnection::establish(&self.absolute()?).map_err(|error| error.to_string())?;
        // SQLite applies the locking mode at the first access to the file, so it has to come first.
        let exclusive = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; ROLLBACK;";
        connection.batch_execute(exclusive).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// A connection to a file that nobody else opens, and that is thrown away if anything goes wrong: it has no log, and
    /// nothing is synced.
    pub(crate) fn connect_unsafely(&self) -> Result<SqliteConnection, String> {
        let mut connection = SqliteConnection::establish(&self.absolute()?).map_err(|error| error.to_string())?;
        connection.batch_execute(UNSAFE).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// A connection that reads a file which nobody changes meanwhile. Nothing is made beside it, and what stands there is not
    /// looked at.
    pub(crate) fn connect_immutably(&self) -> Result<SqliteConnection, String> {
        let path = percent_encoding::utf8_percent_encode(&self.absolute()?, URI_PATH).to_string();
        let uri = format!("file://{path}?mode=ro&immutable=1");
        let mut connection = SqliteConnection::establish(&uri).map_err(|error| error.to_string())?;
        // All of the file is looked at, and each row is looked up in each index.
        connection.batch_execute("PRAGMA cache_size = -131072").map_err(|error| error.to_string())?;
        Ok(connection)
    }

    fn with_options(&self, options: &str) -> Result<SqliteConnection, String> {
        let mut connection = SqliteConnection::establish(&self.absolute()?).map_err(|error| error.to_string())?;
        let result =
            retry_while_locked(|| Ok(prepare(&mut connection)?)).and_then(|()| Ok(connection.batch_execute(options)?));
        match result {
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

/// What SQLite would take for something else in a path.
const URI_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// 64 MiB of pages in memory: indexes are made by sorting.
const UNSAFE: &str = "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
                      PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536;";

/// The busy timeout comes before WAL: another process may be opening the file at the same time.
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
/// Unavailable, when the lock is not free within five seconds.
pub(crate) fn begin(connection: &mut SqliteConnection) -> Result<(), Error> {
    retry_while_locked(|| Ok(AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?))
}

/// Repeats `work` while the database is locked. This also covers a lock for which SQLite does not wait itself, because
/// waiting could deadlock: two processes that switch a new file to WAL at the same time.
fn retry_while_locked(mut work: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        match work() {
            Err(Error::Unavailable(why)) if why.contains("database is locked") && start.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(LOCK_RETRY_PAUSE);
            }
            result => return result,
        }
    }
}
