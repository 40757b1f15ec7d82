//! Restarting locks after the clock has jumped back.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::store::clock::{self, SERVER_MICROS};
use crate::store::connection::Connection;
use crate::store::schema::tokens;
use crate::store::usage;
use crate::token::Micros;

/// Restarts every lock that begins in the future, as the clock has jumped back: it is then closed for `lock_time`.
/// When nobody has `watched` the clock, only if the newest attempt says that it has jumped. Says whether it did.
///
/// The clock is read after what it is compared with: by one that was read before, a use that another instance has just
/// made would lie in the future, and its lock would open too early.
///
/// # Errors
/// The database's.
pub(crate) fn restart_locks(connection: &mut Connection, watched: bool) -> QueryResult<bool> {
    if !watched {
        let newest = usage::newest(connection)?;
        let now = clock::now(connection)?;
        if newest.is_none_or(|newest| newest <= now) {
            return Ok(false);
        }
    }
    restart_all(connection)?;
    Ok(true)
}

/// Restarts every lock that begins in the future. Reads all tokens, and is done when the clock has jumped back only.
///
/// # Errors
/// The database's.
fn restart_all(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            let now = Micros::now().get();
            let ahead = tokens::table.filter(tokens::lock_start.gt(now));
            diesel::update(ahead).set(tokens::lock_start.eq(now)).execute(connection).map(drop)
        }
        Connection::Postgres(connection) => {
            // The clock is read for each row, and again for one that was waited for.
            let ahead = || tokens::table.filter(sql::<Bool>("lock_start > ").sql(SERVER_MICROS));
            // In the order in which batches lock.
            ahead().order(tokens::uid).select(tokens::id).for_no_key_update().execute(connection)?;
            let restart = tokens::lock_start.eq(sql::<Nullable<BigInt>>(SERVER_MICROS));
            diesel::update(ahead()).set(restart).execute(connection).map(drop)
        }
    }
}
