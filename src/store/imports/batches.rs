//! The batches of an import, which are seen all at once.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::schema::batches;
use crate::store::tokens::row::value_in_use;
use crate::store::{audit, batches as of, tokens};
use crate::token::{BatchId, Micros, Token, Uid};

/// Begins batches with these names, each of so many tokens. An empty name is for tokens without a batch.
pub(crate) fn begin(
    connection: &mut Connection,
    named: &[(String, usize)],
    by: &Principal,
    now: Micros,
) -> Result<Vec<(String, BatchId)>, Error> {
    let mut begun = Vec::with_capacity(named.len());
    for (name, count) in named {
        let row = (
            batches::uid.eq(Uid::random().to_string()),
            batches::name.eq(name),
            batches::count.eq(i32::try_from(*count).unwrap_or(i32::MAX)),
            batches::creator.eq(by.as_str()),
            batches::created.eq(now.get()),
            batches::touched.eq(now.get()),
        );
        let id = diesel::insert_into(batches::table).values(row).returning(batches::id).get_result(connection)?;
        begun.push((name.clone(), id));
    }
    Ok(begun)
}

/// Writes a piece of their tokens. Of some of them the values look like uids and were not made just now.
///
/// # Errors
/// Refused, when a batch of theirs was given up meanwhile; a value error, when a value or a uid is in use.
pub(crate) fn add_piece(connection: &mut Connection, piece: &[Token], like_uids: &[String]) -> Result<(), Error> {
    let ids: BTreeSet<BatchId> = piece.iter().filter_map(|token| token.batch).collect();
    check_unfinished(connection, &ids.into_iter().collect::<Vec<_>>())?;
    let like_uids: Vec<&str> = like_uids.iter().map(String::as_str).collect();
    if !tokens::in_use(connection, &like_uids)?.is_empty() {
        return Err(value_in_use());
    }
    tokens::add_all(connection, piece)
}

/// Notes that they are being made.
///
/// # Errors
/// Refused, when one was given up meanwhile.
pub(crate) fn touch(connection: &mut Connection, ids: &[BatchId], now: Micros) -> Result<(), Error> {
    check_unfinished(connection, ids)?;
    for chunk in ids.chunks(MOST_KEYS) {
        let rows = batches::table.filter(batches::id.eq_any(chunk));
        diesel::update(rows).set(batches::touched.eq(now.get())).execute(connection)?;
    }
    Ok(())
}

/// Shows the tokens of all, at once.
///
/// # Errors
/// Refused, when one was given up meanwhile.
pub(crate) fn finish(
    connection: &mut Connection,
    ids: &[BatchId],
    (by, subject, detail): (&Principal, &str, &str),
    now: Micros,
) -> Result<(), Error> {
    check_unfinished(connection, ids)?;
    for chunk in ids.chunks(MOST_KEYS) {
        let rows = batches::table.filter(batches::id.eq_any(chunk));
        diesel::update(rows).set(batches::made.eq(now.get())).execute(connection)?;
    }
    audit::record(connection, by, "import", subject, detail, now)
}

/// Gives them up. Their tokens are removed by and by.
pub(crate) fn give_up(connection: &mut Connection, ids: &[BatchId], why: &str) -> Result<(), Error> {
    for chunk in ids.chunks(MOST_KEYS) {
        let rows = batches::table.filter(batches::id.eq_any(chunk)).filter(batches::made.is_null());
        diesel::update(rows).set(batches::failure.eq(why)).execute(connection)?;
    }
    Ok(())
}

/// Checks that nobody has given them up, and on PostgreSQL that nobody does before this transaction ends.
fn check_unfinished(connection: &mut Connection, ids: &[BatchId]) -> Result<(), Error> {
    let mut unfinished = 0;
    for chunk in ids.chunks(MOST_KEYS) {
        let rows = batches::table.filter(batches::id.eq_any(chunk));
        let rows = rows.filter(batches::made.is_null()).filter(batches::failure.is_null()).order(batches::id);
        let found: Vec<BatchId> = match connection {
            Connection::Sqlite(connection) => rows.select(batches::id).load(connection)?,
            Connection::Postgres(connection) => rows.select(batches::id).for_no_key_update().load(connection)?,
        };
        unfinished += found.len();
    }
    if unfinished == ids.len() { Ok(()) } else { Err(Error::Refused(of::ABANDONED_WHY.into())) }
}
