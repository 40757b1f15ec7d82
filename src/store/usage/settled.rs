//! Up to which entry the log is whole. On PostgreSQL an entry is numbered before its transaction is committed, so that one
//! with a lower number can appear behind one with a higher. Whoever follows the log must not pass it.

use std::collections::BTreeSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::store::connection::Connection;
use crate::store::index::uses;
use crate::token::EntryId;

/// Whoever has drawn a number holds the sequence until its transaction ends, also when that is prepared only.
const DRAWING: &str = "SELECT DISTINCT virtualtransaction AS id FROM pg_locks WHERE locktype = 'relation' \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND relation = 'usage_id_seq'::regclass AND mode = 'RowExclusiveLock' AND granted";

#[derive(QueryableByName)]
struct Drawing {
    #[diesel(sql_type = Text)]
    id: String,
}

/// What an entry waits for until the log is whole up to it.
pub(crate) struct Watch {
    /// The highest number that was given.
    pub(crate) newest: EntryId,
    /// The transactions that may have drawn it or one before it, and have not ended.
    pub(crate) awaited: BTreeSet<String>,
}

/// Begins to watch. On SQLite entries are numbered in the order of commits.
pub(crate) fn watch(connection: &mut Connection) -> QueryResult<Watch> {
    if let Connection::Sqlite(_) = connection {
        return Ok(Watch { newest: uses::highest(connection)?, awaited: BTreeSet::new() });
    }
    // A sequence that has given no number yet says that its last one is 1.
    let newest =
        sql::<BigInt>("(SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM usage_id_seq)");
    let newest: EntryId = diesel::select(newest).get_result(connection)?;
    // Looked up behind the number: whoever has drawn one holds the sequence since before.
    Ok(Watch { newest, awaited: drawing(connection)? })
}

/// Those of some transactions that have not ended.
pub(crate) fn unsettled(connection: &mut Connection, awaited: &BTreeSet<String>) -> QueryResult<BTreeSet<String>> {
    Ok(drawing(connection)?.intersection(awaited).cloned().collect())
}

fn drawing(connection: &mut Connection) -> QueryResult<BTreeSet<String>> {
    let found: Vec<Drawing> = diesel::sql_query(DRAWING).load(connection)?;
    Ok(found.into_iter().map(|drawing| drawing.id).collect())
}
