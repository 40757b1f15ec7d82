//! Restarts locks after the clock has jumped back.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::store::clock::{self, SERVER_MICROS};
use crate::store::connection::Connection;
use crate::store::schema::tokens;
use crate::store::usage;
use crate::token::Micros;

/// Restarts every lock that begins in the future, because the clock has jumped back: such a token is then locked for
/// its full `lock_time` from now. When the clock was not `watched`, it does so only if the newest usage entry shows a
/// jump. Returns whether it did.
///
/// The clock is read after the entry that it is compared with. If it were read before, a use that another instance has
/// just recorded would seem to lie in the future, and its lock would be restarted at an earlier time and open too
/// early.
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

/// Restarts every lock that begins in the future. Reads all tokens, so it runs only after the clock has jumped back.
fn restart_all(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            let now = Micros::now().get();
            let ahead = tokens::table.filter(tokens::lock_start.gt(now));
            diesel::update(ahead).set(tokens::lock_start.eq(now)).execute(connection).map(drop)
        }
        Connection::Postgres(connection) => {
            // The clock is read for each row, and again for a row whose lock was waited for.
            let ahead = || tokens::table.filter(sql::<Bool>("lock_start > ").sql(SERVER_MICROS));
            // In the order in which consumes lock.
            ahead().order(tokens::uid).select(tokens::id).for_no_key_update().execute(connection)?;
            let restart = tokens::lock_start.eq(sql::<Nullable<BigInt>>(SERVER_MICROS));
            diesel::update(ahead()).set(restart).execute(connection).map(drop)
        }
    }
}
