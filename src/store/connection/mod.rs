//! Connections: to which database, with which options, and the transactions on them.

pub(in crate::store) mod moment;
pub(crate) mod postgres;
mod retries;
pub(crate) mod sqlite;

use std::fmt;
use std::io::ErrorKind;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::QueryResult;
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::error::Error;
pub(crate) use multi::MultiBackend;
pub(crate) use postgres::Plans;
pub(super) use postgres::{BEING_REPLACED, LEAVE_TIMEOUT, RETRY_PAUSE};
pub(super) use retries::TRIES;
pub use retries::with_retries;
pub(super) use sqlite::LOCK_TIMEOUT;

/// A connection to the database. What works alike on both databases uses it directly; everything else matches on it.
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

/// Which database: the parsed text of `--database-url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, opened by SQLite within this process.
    Sqlite(sqlite::File),
    /// A PostgreSQL server, or several of which one takes writes.
    Postgres(postgres::Server),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// SQLite would take any text for a path, so a scheme is required.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return text.parse().map(Self::Postgres);
        }
        let path = text.strip_prefix("sqlite:");
        let path = path.ok_or("write sqlite:FILE, as in sqlite:tessera.db, or postgres://USER@HOST/DATABASE")?;
        path.parse().map(Self::Sqlite)
    }
}

/// Names the database for people, without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(out, "database file {}", file.path().display()),
            Self::Postgres(server) => write!(out, "PostgreSQL database {server}"),
        }
    }
}

/// Why a database cannot be opened, as a sentence for the person who started the program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub(crate) String);

/// What to do about a database in which there is nothing yet.
pub(super) const MIGRATE_FIRST: &str = "run `tessera serve` or `tessera migrate` first";

impl DatabaseUrl {
    /// Creates the file if there is none, readable only by its owner. A PostgreSQL database is created by its
    /// administrator.
    ///
    /// # Errors
    /// The directory does not exist or cannot be written.
    pub fn create(&self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite(file) => file.create().map_err(|why| self.open_error("cannot be created", &why)),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Looks whether the file is there, and makes nothing. Whether a PostgreSQL database is, only connecting tells.
    ///
    /// # Errors
    /// It is not, or nothing is in it.
    pub(crate) fn exists(&self) -> Result<(), OpenError> {
        let Self::Sqlite(file) = self else { return Ok(()) };
        match file.path().metadata() {
            // Whatever opened it would make a database of it.
            Ok(found) if found.is_file() && found.len() == 0 => Err(self.open_error("is empty", MIGRATE_FIRST)),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError(format!(
                "There is no {self}: {MIGRATE_FIRST}, or name another database with --database-url."
            ))),
            Err(error) => Err(self.open_error("cannot be opened", &error.to_string())),
        }
    }

    /// A connection that can write.
    ///
    /// # Errors
    /// There is no such database, or it cannot be used.
    pub fn connect(&self) -> Result<Connection, OpenError> {
        let connection = match self {
            Self::Sqlite(file) => file.connect().map(Connection::Sqlite),
            Self::Postgres(server) => server.connect().map(Connection::Postgres),
        };
        connection.map_err(|why| self.open_error("cannot be opened", &why))
    }

    /// A connection of whoever uses the database alone: it does not take the lock that says that somebody uses it.
    pub(super) fn connect_beside_lock(&self) -> Result<Connection, OpenError> {
        match self {
            Self::Sqlite(_) => self.connect(),
            Self::Postgres(server) => {
                let connection = server.connect_beside_lock().map(Connection::Postgres);
                connection.map_err(|why| self.open_error("cannot be opened", &why))
            }
        }
    }

    /// An exclusive connection to a file, for as long as it is open; an ordinary one on a server.
    ///
    /// # Errors
    /// Another process uses the file.
    pub(crate) fn connect_exclusively(&self) -> Result<Connection, OpenError> {
        match self {
            Self::Sqlite(file) => {
                let connection = file.connect_exclusively().map(Connection::Sqlite);
                connection.map_err(|why| self.open_error("cannot be opened alone (stop the servers on it first)", &why))
            }
            Self::Postgres(_) => self.connect(),
        }
    }

    /// Opens the database for a server. From now on, only the file that is there now is accepted.
    ///
    /// # Errors
    /// The file does not exist.
    pub(crate) fn open(&self) -> Result<Database, OpenError> {
        let identity = match self {
            Self::Sqlite(file) => Some(file.identity()).transpose(),
            Self::Postgres(_) => Ok(None),
        };
        let identity = identity.map_err(|why| self.open_error("cannot be opened", &why.to_string()))?;
        Ok(Database { url: self.clone(), identity, losses: Arc::default(), is_outdated: Arc::default() })
    }

    /// A warning for the log, as a sentence, if the database server's settings endanger consumes.
    ///
    /// The database does not answer.
    pub(crate) fn setting_warning(&self, connection: &mut Connection) -> Result<Option<String>, Error> {
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

    /// An error about the database as one readable line.
    pub(crate) fn open_error(&self, what: &str, why: &str) -> OpenError {
        OpenError(format!("The {self} {what}: {}.", why.trim().trim_end_matches('.')))
    }
}

/// A database in use. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    url: DatabaseUrl,
    /// The file that was opened at the start: a file that later replaces it is not accepted.
    identity: Option<sqlite::Identity>,
    /// How often a connection was lost. A connection older than the last loss is not used again.
    losses: Arc<AtomicU64>,
    /// A newer version has migrated it.
    is_outdated: Arc<AtomicBool>,
}

impl Database {
    /// Whether one lock serialises all writes of all processes, as on SQLite.
    pub(crate) fn has_one_lock(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    /// Checks that the file has not been removed or replaced. SQLite would keep using the old file, and whatever it
    /// acknowledges would be lost when the process ends.
    ///
    /// # Errors
    /// Unavailable, until the file is put back or the process is restarted; for good, when a newer version has migrated the
    /// database.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_outdated.load(Ordering::Relaxed) {
            let why = "a newer version of Tessera has migrated it; stop this one, and use that";
            return Err(Error::Unavailable(why.into()));
        }
        match &self.url {
            DatabaseUrl::Sqlite(file) if file.identity().ok() != self.identity => {
                let path = file.path().display();
                Err(Error::Unavailable(format!("{path} was removed or replaced while it was in use; restart Tessera")))
            }
            _ => Ok(()),
        }
    }

    /// Ends the use of a database that a newer version has migrated.
    pub(crate) fn set_outdated(&self) {
        if !self.is_outdated.swap(true, Ordering::Relaxed) {
            tracing::error!("a newer version of Tessera has migrated the database; this one changes nothing any more");
        }
    }

    /// The writer's connection.
    pub(crate) fn connect(&self) -> Result<Connection, Error> {
        let connection = match &self.url {
            DatabaseUrl::Postgres(server) => server.connect_to_consume().map(Connection::Postgres),
            DatabaseUrl::Sqlite(file) => file.connect().map(Connection::Sqlite),
        };
        connection.map_err(Error::Unavailable)
    }

    /// SQLite's file, which stays open for as long as the process lives.
    pub(super) fn open_file_for_good(&self) -> std::io::Result<Option<&'static std::fs::File>> {
        match &self.url {
            DatabaseUrl::Sqlite(file) => file.open_for_good().map(Some),
            DatabaseUrl::Postgres(_) => Ok(None),
        }
    }

    /// A connection for rows that are looked up by their keys.
    pub(super) fn connect_to_look_up(&self) -> Result<Connection, Error> {
        match &self.url {
            DatabaseUrl::Postgres(server) => {
                server.connect_to_look_up().map(Connection::Postgres).map_err(Error::Unavailable)
            }
            DatabaseUrl::Sqlite(_) => self.connect_for_pool(),
        }
    }

    /// A connection for the pool: for reads, and on PostgreSQL also for writes other than consumes.
    pub(crate) fn connect_for_pool(&self) -> Result<Connection, Error> {
        let connection = match &self.url {
            DatabaseUrl::Sqlite(file) => file.connect_reader().map(Connection::Sqlite),
            DatabaseUrl::Postgres(server) => server.connect_to_serve().map(Connection::Postgres),
        };
        connection.map_err(Error::Unavailable)
    }

    /// A connection for searches: for reads that can take seconds.
    pub(crate) fn connect_to_search(&self) -> Result<Connection, Error> {
        let connection = match &self.url {
            DatabaseUrl::Sqlite(file) => file.connect_reader().map(Connection::Sqlite),
            DatabaseUrl::Postgres(server) => server.connect_to_search().map(Connection::Postgres),
        };
        connection.map_err(Error::Unavailable)
    }

    /// How often a connection was lost.
    pub(crate) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// Records a lost connection. The others are likely to be lost too, so all of them are made anew.
    pub(crate) fn record_loss(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
    }
}

/// Rows looked up by their keys in one statement: SQLite takes at most 32,766 parameters.
pub(in crate::store) const MOST_KEYS: usize = 1_000;

/// Tells the database, until the transaction ends, that rows are looked up by their keys. PostgreSQL's statistics may be
/// older than the rows: then it takes a large table for a small one, and reads much of it for each look-up.
pub(in crate::store) fn look_up_by_keys(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(connection) => connection.batch_execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; \
             SET LOCAL enable_mergejoin = off",
        ),
    }
}

/// Runs reads that walk an index in its order. PostgreSQL's statistics say that next to no token matches a filter which
/// nobody matched when they were made, and then it would rather read all tokens and sort what is left.
pub(in crate::store) fn in_order<T>(
    connection: &mut Connection,
    reads: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    if let Connection::Sqlite(_) = connection {
        return reads(connection);
    }
    diesel::Connection::transaction(connection, |connection| {
        connection.batch_execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off",
        )?;
        reads(connection)
    })
}

/// Runs reads that have to fit together: on SQLite they see one moment. On PostgreSQL each statement sees its own anyway
/// (`READ COMMITTED`), so that a transaction would only be two statements more.
pub(in crate::store) fn in_one_snapshot<T>(
    connection: &mut Connection,
    reads: impl FnOnce(&mut Connection) -> QueryResult<T>,
) -> QueryResult<T> {
    match connection {
        Connection::Postgres(_) => reads(connection),
        Connection::Sqlite(_) => diesel::Connection::transaction(connection, reads),
    }
}

/// The SQL function that returns the position of one text in another, 0 if absent. Not `LIKE`, in which `_` and `%` are
/// wildcards, and which takes quadratic time for a text that almost matches everywhere.
pub(crate) fn position(connection: &Connection) -> &'static str {
    match connection {
        Connection::Sqlite(_) => "instr",
        Connection::Postgres(_) => "strpos",
    }
}

/// Runs `work` in a transaction, and rolls back if it fails. On SQLite the transaction holds the write lock from the
/// start, so nothing it reads can change before it writes; on PostgreSQL `work` locks the rows that it depends on.
///
/// # Errors
/// The error of `work`; a conflict, when another transaction got in between; unavailable, when the lock is not free within
/// five seconds or the commit fails.
pub fn transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    transaction_with(Plans::Usual, connection, work)
}

/// Runs `work` as [`transaction`] does.
pub(crate) fn transaction_with<T>(
    plans: Plans,
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    match connection {
        Connection::Sqlite(connection) => sqlite::begin(connection)?,
        Connection::Postgres(connection) => postgres::begin(connection, plans)?,
    }
    match work(connection) {
        Ok(value) => commit(connection).map(|()| value),
        Err(error) => {
            // If the rollback fails too, the connection is not used again; the first error is what matters.
            let _ = <Connection as TransactionManager<Connection>>::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// Whether a transaction on this connection was not rolled back in order.
pub(crate) fn is_broken(connection: &mut Connection) -> bool {
    <Connection as TransactionManager<Connection>>::is_broken_transaction_manager(connection)
}

fn commit(connection: &mut Connection) -> Result<(), Error> {
    let is_remote = matches!(connection, Connection::Postgres(_));
    match <Connection as TransactionManager<Connection>>::commit_transaction(connection) {
        Ok(()) => Ok(()),
        Err(error) => {
            // The commit's error is the reason. The caller does not use a connection again on which this happened.
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
