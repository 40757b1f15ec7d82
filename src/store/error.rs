//! What can go wrong between a request and its database.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::token::TokenError;
use crate::token::input::Mistakes;

/// Why the store did not do what it was asked to. It is cloned for every request of a failed transaction.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token or the input does not allow it. Nothing was changed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A rule about something other than tokens, such as users and keys, does not allow it. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// Another transaction got in between; trying again is likely to work. Nothing was changed.
    #[error("another change came between: {0}")]
    Conflict(String),
    /// The database went away or timed out in the middle: whether this was done is unknown.
    #[error("the database went away meanwhile: {0}")]
    Unknown(String),
    /// The database or the queue cannot take it now; trying again later may work. Nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Something other than the database has too much to do, as the sentence says; trying again later may work. Nothing
    /// was changed.
    #[error("{0}")]
    Busy(&'static str),
    /// The connection is gone, and older connections are likely to be gone too. Nothing was committed.
    #[error("the connection to the database was lost: {0}")]
    Lost(String),
    /// Somebody has printed as many labels as one may in a day. Nothing was changed.
    #[error("at most {most} labels a day, and {printed} were printed")]
    OverQuota {
        /// Labels that one may print in a day.
        most: i64,
        /// Labels that were printed, or are about to be.
        printed: i64,
        /// Seconds until some of these are a day old.
        seconds: i64,
    },
    /// A search read for as long as it may, and had not ended.
    #[error("the search takes too long")]
    TooSlow,
    /// The first request with this idempotency key is not done yet. Nothing was changed.
    #[error("a request with this idempotency key is in progress")]
    KeyInProgress,
    /// A bug in Tessera. Nothing was changed.
    #[error("the database refused a statement: {0}")]
    Failed(String),
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Token(mistakes.into())
    }
}

/// Messages of SQLite and PostgreSQL that blame the disk, another process or the network, and not the statement.
const UNAVAILABLE: &[&str] = &[
    "canceling statement due to",
    "No space left on device",
    "out of memory",
    "out of shared memory",
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
    "file is not a database",
];

/// Messages of libpq and PostgreSQL that mean the connection is gone, or of no more use.
const LOST: &[&str] = &[
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "connection to server",
    "could not receive data from server",
    "could not send data to server",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    // Another version has migrated since this connection's statements were prepared.
    "cached plan must not change result type",
];

const DEADLOCK: &str = "deadlock detected";

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        match &error {
            Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Conflict(one_line(&text)),
            // diesel has no kind for 40P01.
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, _) if text.contains(DEADLOCK) => {
                Self::Conflict(one_line(&text))
            }
            // A server that takes no writes is a standby; a new connection may reach the primary.
            Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | Diesel::BrokenTransactionManager => Self::Lost(first_line(&text)),
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, _)
                if LOST.iter().any(|message| text.contains(message)) =>
            {
                Self::Lost(first_line(&text))
            }
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, _)
                if UNAVAILABLE.iter().any(|message| text.contains(message)) =>
            {
                Self::Unavailable(one_line(&text))
            }
            _ => Self::Failed(one_line(&text)),
        }
    }
}

/// All of a message.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a message says first: libpq goes on with what may have been the cause.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

impl From<diesel::r2d2::PoolError> for Error {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(one_line(&error.to_string()))
    }
}

/// Whether a statement failed because this column must be unique. SQLite names the column; PostgreSQL names the index,
/// which is called `{table}_{column}`.
pub(crate) fn is_duplicate(error: &Diesel, table: &str, column: &str) -> bool {
    let Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else { return false };
    match info.constraint_name() {
        Some(index) => index == format!("{table}_{column}"),
        None => info.message().ends_with(&format!("{table}.{column}")),
    }
}
