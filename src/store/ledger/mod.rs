//! The seam between consuming and a database: lock and load what a batch names, and store what settling left.

mod sqlite;

use diesel::QueryResult;

use crate::token::Micros;
use crate::token::settle::{Answer, Ask, Held};

/// What a database does for a consume, within one transaction: hold, (settle), keep.
pub trait Ledger {
    /// Locks and loads the tokens that `asks` name and the replies kept for their keys; then reads the clock.
    ///
    /// # Errors
    /// The database's.
    fn hold(&mut self, asks: &[Ask]) -> QueryResult<(Held, Micros)>;

    /// Stores the changed tokens, one usage entry for each attempt, and the successes of asks with a key.
    ///
    /// # Errors
    /// The database's.
    fn keep(&mut self, held: &Held, asks: &[Ask], answers: &[Answer], now: Micros) -> QueryResult<()>;

    /// Restarts every lock that begins in the future, as the clock has jumped back: it is then closed for `lock_time`.
    /// When nobody has `watched` the clock, only if the newest attempt says that it has jumped. Says whether it did.
    ///
    /// # Errors
    /// The database's.
    fn restart_locks(&mut self, now: Micros, watched: bool) -> QueryResult<bool>;

    /// Removes some of the replies that have expired, and says whether there may be more.
    ///
    /// # Errors
    /// The database's.
    fn tidy(&mut self) -> QueryResult<bool>;
}
