//! What a thread looks things up with: a connection of its own.

use super::look_up::LookUp;
use crate::store::connection::{Connection, Database, is_broken};
use crate::store::error::Error;
use crate::store::halves::in_halves;

/// How a lane connects.
pub(super) type Connect = fn(&Database) -> Result<Connection, Error>;

/// The connection of a thread, which is made when it is needed.
pub(super) struct Reader {
    database: Database,
    connect: Connect,
    own: Option<Own>,
}

struct Own {
    connection: Connection,
    /// How many connections had been lost when this one was made.
    losses: u64,
}

impl Reader {
    pub(super) fn new(database: Database, connect: Connect) -> Self {
        Self { database, connect, own: None }
    }

    /// Finds what belongs to each key, in their order.
    pub(super) fn find<L: LookUp>(&mut self, keys: &[L]) -> Vec<Result<L::Found, Error>> {
        in_halves(keys, &mut |keys| match self.find_once(keys) {
            // A connection can be lost while nobody looks. A new one is made, once: nothing was changed.
            Err(Error::Lost(_)) => self.find_once(keys),
            found => found,
        })
    }

    fn find_once<L: LookUp>(&mut self, keys: &[L]) -> Result<Vec<L::Found>, Error> {
        let losses = self.database.losses();
        // After a panic it is nowhere, since it may be in any state.
        let mut own = match self.own.take().filter(|own| own.losses == losses) {
            Some(own) => own,
            None => Own { connection: (self.connect)(&self.database)?, losses },
        };
        let found = L::find(&mut own.connection, keys);
        if matches!(found, Err(Error::Lost(_) | Error::Unknown(_))) {
            self.database.record_loss();
        }
        let is_over = match &found {
            Err(Error::Lost(_) | Error::Unknown(_) | Error::Unavailable(_)) => true,
            Err(_) => is_broken(&mut own.connection),
            Ok(_) => false,
        };
        if !is_over {
            self.own = Some(own);
        }
        found
    }
}
