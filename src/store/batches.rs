//! Batches: tokens that were made together.

use diesel::prelude::*;

use super::audit;
use super::connection::Connection;
use super::cursor::Cursor;
use super::error::{Error, taken};
use super::schema::{batches, tokens};
use crate::access::Principal;
use crate::token::{BatchId, Micros, Token, TokenError, Uid};

/// Tokens that are written at a time, between two words on how far it is.
const STEP: usize = 2_000;

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Its number.
    pub(crate) id: BatchId,
    /// Its uid.
    pub(crate) uid: String,
    /// What people call it.
    pub(crate) name: String,
    /// How many tokens were asked for.
    pub(crate) count: i32,
    /// The principal that asked.
    pub(crate) creator: String,
    /// When.
    pub(crate) created: Micros,
    /// When its tokens were there; none while they are being made.
    pub(crate) made: Option<Micros>,
    /// Why they were not made.
    pub(crate) failure: Option<String>,
}

type Row = (BatchId, String, String, i32, String, i64, Option<i64>, Option<String>);

fn batch((id, uid, name, count, creator, created, made, failure): Row) -> Batch {
    let (created, made) = (Micros::stored(created), made.map(Micros::stored));
    Batch { id, uid, name, count, creator, created, made, failure }
}

/// A batch that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewBatch {
    /// Its uid: a form that is sent twice is one batch.
    pub(crate) uid: Uid,
    /// What people call it.
    pub(crate) name: String,
    /// How many tokens.
    pub(crate) count: usize,
}

/// Notes that a batch is about to be made, and says under which uid, and whether it was not known yet. A form that was
/// changed after it had made one (by going back to it) makes another.
///
/// # Errors
/// The database's.
pub(crate) fn begin(
    connection: &mut Connection,
    new: &NewBatch,
    by: &Principal,
    now: Micros,
) -> Result<(Uid, bool), Error> {
    let count = i32::try_from(new.count).unwrap_or(i32::MAX);
    let uid = match find(connection, new.uid)? {
        Some(known) if known.name == new.name && known.count == count => return Ok((new.uid, false)),
        Some(_) => Uid::random(),
        None => new.uid,
    };
    let row = (
        batches::uid.eq(uid.to_string()),
        batches::name.eq(&new.name),
        batches::count.eq(count),
        batches::creator.eq(by.as_str()),
        batches::created.eq(now.get()),
    );
    diesel::insert_into(batches::table).values(row).execute(connection).map_err(|error| {
        let is_known = taken(&error, "batches", "uid");
        // The same form, sent twice at once: the next look finds it.
        if is_known { Error::Again("this batch was begun a moment ago".into()) } else { error.into() }
    })?;
    Ok((uid, true))
}

/// Makes the tokens of a batch that was begun, in this transaction, telling `progress` how many are written.
///
/// # Errors
/// The database's.
pub(crate) fn make(
    connection: &mut Connection,
    uid: Uid,
    new: &[Token],
    progress: impl Fn(usize),
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let Some(batch) = find(connection, uid)? else { return Err(TokenError::Unknown(uid).into()) };
    for (step, part) in new.chunks(STEP).enumerate() {
        let part: Vec<Token> = part.iter().map(|token| Token { batch: Some(batch.id), ..token.clone() }).collect();
        super::tokens::add_all(connection, &part)?;
        progress(step * STEP + part.len());
    }
    diesel::update(batches::table.find(batch.id)).set(batches::made.eq(now.get())).execute(connection)?;
    audit::record(connection, by, "batch add", &batch.uid, &format!("{} tokens: {}", new.len(), batch.name), now)
}

/// Notes why a batch was not made.
///
/// # Errors
/// The database's.
pub(crate) fn fail(connection: &mut Connection, uid: Uid, why: &str) -> Result<(), Error> {
    let row = batches::table.filter(batches::uid.eq(uid.to_string())).filter(batches::made.is_null());
    diesel::update(row).set(batches::failure.eq(why)).execute(connection)?;
    Ok(())
}

/// The batch of that uid, also one that is being made.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<Batch>> {
    let row = batches::table.filter(batches::uid.eq(uid.to_string())).select(batches::all_columns);
    Ok(row.get_result::<Row>(connection).optional()?.map(batch))
}

/// The batch of that number.
///
/// # Errors
/// The database's.
pub(crate) fn numbered(connection: &mut Connection, id: BatchId) -> QueryResult<Option<Batch>> {
    let row = batches::table.find(id).select(batches::all_columns);
    Ok(row.get_result::<Row>(connection).optional()?.map(batch))
}

/// Batches whose tokens are there, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, Batch)>> {
    let made = batches::table.filter(batches::made.is_not_null());
    let mut query = made.order(batches::id.desc()).limit(limit).select(batches::all_columns).into_boxed();
    if let Some(after) = after {
        query = query.filter(batches::id.lt(after.id()));
    }
    let placed = |batch: Batch| (Cursor::number(batch.created.get(), batch.id), batch);
    Ok(query.load::<Row>(connection)?.into_iter().map(batch).map(placed).collect())
}

/// How a batch's tokens stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchCounts {
    /// Tokens that are not deleted.
    pub(crate) there: i64,
    /// Of these, how many were used at least once.
    pub(crate) used: i64,
    /// Of these, how many have no uses left.
    pub(crate) used_up: i64,
    /// Of these, how many are voided.
    pub(crate) voided: i64,
}

/// How the tokens of batches stand, by the batch's number. Reads all of their tokens.
///
/// # Errors
/// The database's.
pub(crate) fn standing(connection: &mut Connection, ids: &[BatchId]) -> QueryResult<Vec<(BatchId, BatchCounts)>> {
    use diesel::dsl::{count_star, sql};
    use diesel::sql_types::BigInt;
    let there = tokens::table.filter(tokens::batch.eq_any(ids.to_vec())).filter(tokens::deleted_at.is_null());
    let rows: Vec<(Option<BatchId>, i64, i64, i64, i64)> = there
        .group_by(tokens::batch)
        .select((
            tokens::batch,
            count_star(),
            sql::<BigInt>("COUNT(last_used)"),
            sql::<BigInt>("COUNT(CASE WHEN usage_count = 0 THEN 1 END)"),
            sql::<BigInt>("COUNT(voided_at)"),
        ))
        .load(connection)?;
    let of = |(id, there, used, used_up, voided): (Option<BatchId>, i64, i64, i64, i64)| {
        (id.unwrap_or_default(), BatchCounts { there, used, used_up, voided })
    };
    Ok(rows.into_iter().map(of).collect())
}

/// Gives a batch another name.
///
/// # Errors
/// No such batch.
pub(crate) fn rename(connection: &mut Connection, uid: Uid, name: &str) -> Result<(), Error> {
    let row = diesel::update(batches::table.filter(batches::uid.eq(uid.to_string())));
    match row.set(batches::name.eq(name)).execute(connection)? {
        0 => Err(TokenError::Unknown(uid).into()),
        _ => Ok(()),
    }
}
