//! Values that look like a uid and are another token's: cone.tokens has allowed them, and printed codes hold them.
//!
//! No text may be the value of two tokens. Of values an index holds that; but a token without a value of its own has its uid
//! for one, which stands in another column.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::schema::tokens;
use crate::token::Uid;

/// Which of these values tokens have that are not deleted. On PostgreSQL nobody else asks until the transaction ends about
/// those that look like a uid, so that they stay free for who got to know it.
pub(crate) fn in_use(connection: &mut Connection, values: &[&str]) -> QueryResult<BTreeSet<String>> {
    let uids: Vec<&str> = values.iter().copied().filter(|value| value.parse::<Uid>().is_ok()).collect();
    if let Connection::Postgres(connection) = connection {
        reserve(connection, &uids)?;
    }
    let existing = || tokens::table.filter(tokens::deleted_at.is_null());
    let mut in_use = BTreeSet::new();
    for chunk in values.chunks(MOST_KEYS) {
        let rows = existing().filter(tokens::value.eq_any(chunk.to_vec()));
        in_use.extend(rows.select(tokens::value.assume_not_null()).load::<String>(connection)?);
    }
    for chunk in uids.chunks(MOST_KEYS) {
        let rows = existing().filter(tokens::uid.eq_any(chunk.to_vec())).filter(tokens::value.is_null());
        in_use.extend(rows.select(tokens::uid).load::<String>(connection)?);
    }
    Ok(in_use)
}

/// Locks texts in one order, as a row that is not there cannot be locked.
fn reserve(connection: &mut PgConnection, uids: &[&str]) -> QueryResult<()> {
    if uids.is_empty() {
        return Ok(());
    }
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(uid, 0)) \
        FROM (SELECT DISTINCT uid FROM unnest($1) AS uid ORDER BY uid) AS uids";
    diesel::sql_query(lock).bind::<Array<Text>, _>(uids).execute(connection).map(drop)
}
