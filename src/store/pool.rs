//! Connections that are used again, and made anew after any of them was lost.

use diesel::r2d2::ManageConnection;

use super::connection::{Connection, Database};
use super::error::Error;

/// Makes the pool's connections.
#[derive(Debug)]
pub(super) struct Manager(pub(super) Database);

/// A connection of the pool.
pub(super) struct PooledConnection {
    connection: Connection,
    database: Database,
    /// How many connections had been lost when this one was made.
    losses: u64,
    /// Something failed on it that may have left it in any state.
    is_broken: bool,
}

impl PooledConnection {
    pub(super) fn run<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        // Broken until proven otherwise: a panic may leave the connection in the middle of a transaction.
        self.is_broken = true;
        let result = work(&mut self.connection);
        if matches!(result, Err(Error::Lost(_) | Error::Unknown(_))) {
            self.database.record_loss();
        }
        self.is_broken = matches!(result, Err(Error::Unavailable(_) | Error::Failed(_)));
        result
    }
}

impl Manager {
    /// A connection for searches.
    pub(super) fn connect_to_search(&self) -> Result<PooledConnection, Error> {
        self.connection(Database::connect_to_search)
    }

    fn connection(&self, connect: fn(&Database) -> Result<Connection, Error>) -> Result<PooledConnection, Error> {
        let losses = self.0.losses();
        let connection = connect(&self.0)?;
        Ok(PooledConnection { connection, database: self.0.clone(), losses, is_broken: false })
    }
}

impl ManageConnection for Manager {
    type Connection = PooledConnection;
    type Error = Error;

    fn connect(&self) -> Result<PooledConnection, Error> {
        self.connection(Database::connect_for_pool)
    }

    /// Does not ask the server: that would cost a round trip before each use.
    fn is_valid(&self, pooled: &mut PooledConnection) -> Result<(), Error> {
        if self.has_broken(pooled) { Err(Error::Lost("another one was".into())) } else { Ok(()) }
    }

    fn has_broken(&self, pooled: &mut PooledConnection) -> bool {
        pooled.is_broken || pooled.losses != self.0.losses()
    }
}

/// Logs a warning for each failed attempt to connect. Replacing a connection after a loss is not worth one.
#[derive(Debug)]
pub(super) struct LogErrors;

impl diesel::r2d2::HandleError<Error> for LogErrors {
    fn handle_error(&self, error: Error) {
        if !matches!(error, Error::Lost(_)) {
            tracing::warn!(%error, "no connection");
        }
    }
}
