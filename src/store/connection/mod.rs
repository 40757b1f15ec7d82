//! Connections: which database, with which options, and who may write when.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::error::Error;
pub(crate) use multi::MultiBackend;
pub(super) use sqlite::PATIENCE;

/// A connection to the database. What both databases do alike goes through it as it is; the rest matches on it.
pub type Connection = multi::AnyConnection;

mod multi {
    #![allow(missing_docs, clippy::pedantic, reason = "the macro writes a module")]

    use diesel::{PgConnection, SqliteConnection};

    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        Sqlite(SqliteConnection),
        Postgres(PgConnection),
    }
}

/// Which database: the text of `--database-url`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, and SQLite within this process.
    Sqlite(sqlite::File),
    /// A PostgreSQL server, or several of which one takes writes.
    Postgres(postgres::Server),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// SQLite takes any text for a path, so the scheme decides here.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return text.parse().map(Self::Postgres);
        }
        let path = text.strip_prefix("sqlite:");
        let path = path.ok_or("write sqlite:FILE, as in sqlite:tessera.db, or postgres://USER@HOST/DATABASE")?;
        path.parse().map(Self::Sqlite)
    }
}

/// For people: which database it is, without a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(out, "database file {}", file.path().display()),
            Self::Postgres(server) => write!(out, "PostgreSQL database {server}"),
        }
    }
}

/// Why a database cannot be opened: a sentence for whoever started the program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub(crate) String);

impl DatabaseUrl {
    /// Makes the file, for its owner alone, if there is none. A database on a server is made by who runs the server.
    ///
    /// # Errors
    /// The directory does not exist or cannot be written.
    pub fn create(&self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite(file) => file.create().map_err(|why| self.sentence("cannot be created", &why)),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// A connection that may write.
    ///
    /// # Errors
    /// There is no such database, or it cannot be used.
    pub fn connect(&self) -> Result<Connection, OpenError> {
        let connected = match self {
            Self::Sqlite(file) => file.connect().map(Connection::Sqlite),
            Self::Postgres(server) => server.connect().map(Connection::Postgres),
        };
        connected.map_err(|why| self.sentence("cannot be opened", &why))
    }

    /// The only connection to a file, for as long as it is there; one of several on a server.
    ///
    /// # Errors
    /// Another process uses the file.
    pub(crate) fn connect_alone(&self) -> Result<Connection, OpenError> {
        match self {
            Self::Sqlite(file) => {
                let connected = file.connect_alone().map(Connection::Sqlite);
                connected.map_err(|why| self.sentence("cannot be opened alone (stop the servers on it first)", &why))
            }
            Self::Postgres(_) => self.connect(),
        }
    }

    /// The database as it is now, for a server that goes on to use it.
    ///
    /// # Errors
    /// The file is not there.
    pub(crate) fn open(&self) -> Result<Database, OpenError> {
        let identity = match self {
            Self::Sqlite(file) => Some(file.identity()).transpose(),
            Self::Postgres(_) => Ok(None),
        };
        let identity = identity.map_err(|why| self.sentence("cannot be opened", &why.to_string()))?;
        Ok(Database { url: self.clone(), identity, losses: Arc::default() })
    }

    /// What of the database's own settings breaks the promise, as a sentence for the log.
    ///
    /// # Errors
    /// It cannot be asked.
    pub(crate) fn danger(&self, connection: &mut Connection) -> Result<Option<String>, Error> {
        let Connection::Postgres(connection) = connection else { return Ok(None) };
        for name in ["fsync", "full_page_writes"] {
            if postgres::setting(connection, name)? == "off" {
                let why = "a power cut can lose uses, and tokens could be used again";
                return Ok(Some(format!("The {self} runs with {name} = off: {why}.")));
            }
        }
        let language = postgres::setting(connection, "lc_messages")?;
        let is_known = ["", "C", "POSIX"].contains(&language.as_str()) || language.starts_with("en");
        Ok((!is_known).then(|| {
            format!(
                "The {self} tells errors in {language}, so that deadlocks are not tried again: GRANT SET ON PARAMETER \
                 lc_messages to this role."
            )
        }))
    }

    /// One readable line about the database.
    pub(crate) fn sentence(&self, what: &str, why: &str) -> OpenError {
        OpenError(format!("The {self} {what}: {}.", why.trim().trim_end_matches('.')))
    }
}

/// A database in use. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    url: DatabaseUrl,
    /// The file that was opened at the start, and no other one that came into its place.
    identity: Option<sqlite::Identity>,
    /// How often a connection was lost: one that is older than the last loss is not used again.
    losses: Arc<AtomicU64>,
}

impl Database {
    /// Whether every write of every process waits for one lock, as on a file.
    pub(crate) fn has_one_lock(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    /// Holds that the file still stands under its name. SQLite would go on with one that was removed or replaced, and
    /// what it acknowledges then is lost with the process.
    ///
    /// # Errors
    /// Unavailable, until the file is put back or the process is started anew.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.url {
            DatabaseUrl::Sqlite(file) if file.identity().ok() != self.identity => {
                let path = file.path().display();
                Err(Error::Unavailable(format!("{path} was removed or replaced while it was in use; restart Tessera")))
            }
            _ => Ok(()),
        }
    }

    /// The writer's connection.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) fn connect(&self) -> Result<Connection, Error> {
        let connected = match &self.url {
            DatabaseUrl::Postgres(server) => server.connect_to_consume().map(Connection::Postgres),
            DatabaseUrl::Sqlite(file) => file.connect().map(Connection::Sqlite),
        };
        connected.map_err(Error::Unavailable)
    }

    /// A connection of the pool: for reading, and on PostgreSQL for other writes.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) fn connect_for_pool(&self) -> Result<Connection, Error> {
        let connected = match &self.url {
            DatabaseUrl::Sqlite(file) => file.connect_reader().map(Connection::Sqlite),
            DatabaseUrl::Postgres(server) => server.connect_to_serve().map(Connection::Postgres),
        };
        connected.map_err(Error::Unavailable)
    }

    /// How often a connection was lost.
    pub(crate) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// A connection was lost, so the others are likely to be, too: all of them are made anew.
    pub(crate) fn lost(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
    }
}

/// The function that tells where in its first text the second one stands, 0 for nowhere. Not LIKE, in which `_` and `%`
/// mean something else than themselves, and which takes quadratic time for a text that is nearly found everywhere.
pub(crate) fn position(connection: &Connection) -> &'static str {
    match connection {
        Connection::Sqlite(_) => "instr",
        Connection::Postgres(_) => "strpos",
    }
}

/// Runs `work` in a transaction. On SQLite it holds the write lock from its beginning, so that nothing it reads can
/// change before it writes; on PostgreSQL `work` locks what it goes by. On an error nothing of it is kept.
///
/// # Errors
/// `work`'s own; again, when another transaction came between; unavailable, when the lock is not to be had in five
/// seconds or the commit fails.
pub fn transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    match connection {
        Connection::Sqlite(connection) => sqlite::begin(connection)?,
        Connection::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection)?,
    }
    match work(connection) {
        Ok(done) => commit(connection).map(|()| done),
        Err(error) => {
            // If this fails, too, the connection is not used again; the reason is what counts.
            let _ = <Connection as TransactionManager<Connection>>::rollback_transaction(connection);
            Err(error)
        }
    }
}

fn commit(connection: &mut Connection) -> Result<(), Error> {
    let is_remote = matches!(connection, Connection::Postgres(_));
    match <Connection as TransactionManager<Connection>>::commit_transaction(connection) {
        Ok(()) => Ok(()),
        Err(error) => {
            // The reason is the commit's; whoever broke a connection so does not use it again.
            let error = match error {
                Diesel::RollbackErrorOnCommit { commit_error, .. } => *commit_error,
                error => error,
            };
            let is_lost = matches!(error, Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, _));
            if is_remote && is_lost {
                return Err(Error::Unknown("the connection was lost during the commit".into()));
            }
            Err(error.into())
        }
    }
}

/// How often a transaction is tried that others come between.
pub(super) const TRIES: u32 = 8;

/// Makes `attempt` anew for as long as others come between, a bounded number of times.
///
/// # Errors
/// The transaction's; unavailable instead of again.
pub fn with_retries<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = Duration::from_millis(1);
    for _ in 1..TRIES {
        match attempt() {
            // Those who met shall not meet again, so each waits for a time of its own.
            Err(Error::Again(_)) => std::thread::sleep(pause.mul_f64(rand::random_range(0.5..1.5))),
            done => return done,
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
    attempt().map_err(|error| match error {
        Error::Again(why) => Error::Unavailable(format!("others came between again and again: {why}")),
        error => error,
    })
}
