//! What can go wrong between a request and its database.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::token::TokenError;
use crate::token::input::Mistakes;

/// Why the store did not do what it was asked. Cloned to everyone whose transaction failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token, or what was said of it, does not allow it. Nothing was changed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A rule about users and keys does not allow it. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The database or the queue cannot take it now; asking again later may work. Nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A fault of ours. Nothing was changed.
    #[error("the database refused a statement: {0}")]
    Failed(String),
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Token(mistakes.into())
    }
}

/// What SQLite says when the disk or another process, and not the statement, is the reason.
const PASSING: [&str; 7] = [
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
    "file is not a database",
];

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        let passing = match &error {
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => true,
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, _) => PASSING.iter().any(|known| text.contains(known)),
            _ => false,
        };
        if passing { Self::Unavailable(text) } else { Self::Failed(text) }
    }
}

impl From<diesel::r2d2::PoolError> for Error {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The unique column that a statement ran against, as `table.column`, if that was its fault.
pub fn taken(error: &Diesel, column: &str) -> bool {
    matches!(error, Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info) if info.message().contains(column))
}
