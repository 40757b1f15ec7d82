//! Batches: tokens that are created together.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::actions::pending::is_silent;
use super::audit;
use super::connection::Connection;
use super::cursor::Cursor;
use super::error::{Error, is_duplicate};
use super::ledger::replies;
use super::lookups::{Lane, LookUp};
use super::schema::{batches, tokens};
pub(crate) use super::tokens::unmade_values::ABANDONED_WHY;
use crate::access::Principal;
use crate::token::{BatchId, Micros, Token, TokenError, Uid};

/// How long nothing may have been written of a batch that is being made. Then whoever made it has ended.
const ABANDONED: i64 = 60 * 1_000_000;
/// Most tokens of abandoned batches that are removed in one transaction, since consumes wait for it.
const REMOVE_LIMIT: i64 = 200;

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Its id.
    pub(crate) id: BatchId,
    /// Its uid.
    pub(crate) uid: String,
    /// Its name, for people.
    pub(crate) name: String,
    /// How many tokens were ordered.
    pub(crate) count: i32,
    /// The principal that ordered it.
    pub(crate) creator: String,
    /// When it was ordered.
    pub(crate) created: Micros,
    /// When the last piece of it was written.
    pub(crate) touched: Micros,
    /// When its tokens were complete; none while they are being created.
    pub(crate) made: Option<Micros>,
    /// Why they were not created.
    pub(crate) failure: Option<String>,
}

type BatchRow = (BatchId, String, String, i32, String, i64, i64, Option<i64>, Option<String>);

fn batch((id, uid, name, count, creator, created, touched, made, failure): BatchRow) -> Batch {
    let (created, touched, made) = (Micros::stored(created), Micros::stored(touched), made.map(Micros::stored));
    Batch { id, uid, name, count, creator, created, touched, made, failure }
}

/// A batch to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewBatch {
    /// Its uid, from the form: a form sent twice makes one batch.
    pub(crate) uid: Uid,
    /// Its name, for people; empty if they do not hear of it.
    pub(crate) name: String,
    /// How many tokens.
    pub(crate) count: usize,
}

/// Stores that a batch is about to be created, and returns its uid and whether it is new. If the uid already belongs to
/// a different batch, because somebody went back to the form and changed it, the new batch gets another uid.
pub(crate) fn begin(
    connection: &mut Connection,
    new: &NewBatch,
    by: &Principal,
    now: Micros,
) -> Result<(Uid, bool), Error> {
    let count = i32::try_from(new.count).unwrap_or(i32::MAX);
    let uid = match find(connection, new.uid)? {
        Some(existing) if existing.name == new.name && existing.count == count => return Ok((new.uid, false)),
        Some(_) => Uid::random(),
        None => new.uid,
    };
    let row = (
        batches::uid.eq(uid.to_string()),
        batches::name.eq(&new.name),
        batches::count.eq(count),
        batches::creator.eq(by.as_str()),
        batches::created.eq(now.get()),
        batches::touched.eq(now.get()),
    );
    diesel::insert_into(batches::table).values(row).execute(connection).map_err(|error| {
        let is_known = is_duplicate(&error, "batches", "uid");
        // The same form was sent twice at the same time: the retry finds the batch.
        if is_known { Error::Conflict("this batch was begun a moment ago".into()) } else { error.into() }
    })?;
    Ok((uid, true))
}

/// Writes a piece of a batch's tokens, which nobody sees before [`finish`]. Returns false if a batch that began later has one
/// of their values, and will give way.
///
/// # Errors
/// Refused, when the batch was given up meanwhile; busy, when a list that began earlier has one of their values.
pub(crate) fn add_piece(connection: &mut Connection, uid: Uid, new: &[Token], now: Micros) -> Result<bool, Error> {
    let batch = unfinished(connection, uid)?;
    let values: Vec<&str> = new.iter().filter(|token| token.has_own_value()).map(|token| &*token.value).collect();
    if !super::tokens::clear_way(connection, &values, Some(batch.id), now)? {
        return Ok(false);
    }
    diesel::update(batches::table.find(batch.id)).set(batches::touched.eq(now.get())).execute(connection)?;
    let new: Vec<Token> = new.iter().map(|token| Token { batch: Some(batch.id), ..token.clone() }).collect();
    super::tokens::add_all(connection, &new).map(|()| true)
}

/// Shows the tokens of a batch, all at once.
///
/// # Errors
/// Refused, when the batch was given up meanwhile.
pub(crate) fn finish(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<(), Error> {
    let batch = unfinished(connection, uid)?;
    diesel::update(batches::table.find(batch.id)).set(batches::made.eq(now.get())).execute(connection)?;
    replies::complete(connection, &batch.uid)?;
    if batch.name.is_empty() {
        return Ok(());
    }
    audit::record(connection, by, "batch add", &batch.uid, &format!("{} tokens: {}", batch.count, batch.name), now)
}

/// Whether a batch with this uid is being made, by somebody who has not ended.
pub(super) fn is_being_made(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<bool> {
    let unmade = batches::table.filter(batches::uid.eq(uid.to_string())).filter(batches::made.is_null());
    let touched = unmade.filter(batches::failure.is_null()).select(batches::touched);
    let touched = touched.get_result::<i64>(connection).optional()?;
    Ok(touched.is_some_and(|touched| !is_silent(touched, now)))
}

/// The batch, locked on PostgreSQL, so that nobody gives it up before this transaction ends.
fn unfinished(connection: &mut Connection, uid: Uid) -> Result<Batch, Error> {
    let row = batches::table.filter(batches::uid.eq(uid.to_string())).filter(batches::made.is_null());
    let row = row.filter(batches::failure.is_null());
    if let Connection::Postgres(connection) = connection {
        row.clone().select(batches::id).for_no_key_update().execute(connection)?;
    }
    let row = row.select(batches::all_columns).get_result::<BatchRow>(connection).optional()?;
    row.map(batch).ok_or_else(|| Error::Refused(ABANDONED_WHY.into()))
}

/// Stores why a batch was not created. Its tokens are removed by and by.
pub(crate) fn fail(connection: &mut Connection, uid: Uid, why: &str) -> Result<(), Error> {
    let row = batches::table.filter(batches::uid.eq(uid.to_string())).filter(batches::made.is_null());
    diesel::update(row).set(batches::failure.eq(why)).execute(connection)?;
    Ok(())
}

/// Gives up batches whose server has ended, removes some tokens of those that were given up, and returns whether there may
/// be more.
pub fn remove_abandoned(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let silent = batches::table.filter(batches::made.is_null()).filter(batches::failure.is_null());
    let silent = silent.filter(batches::touched.lt(now.get() - ABANDONED));
    diesel::update(silent).set(batches::failure.eq(ABANDONED_WHY)).execute(connection)?;
    let given_up = batches::table.filter(batches::made.is_null()).filter(batches::failure.is_not_null());
    let given_up: Vec<BatchId> = given_up.select(batches::id).load(connection)?;
    let of = tokens::table.filter(tokens::batch.eq_any(given_up)).filter(tokens::deleted_at.is_null());
    let ids: Vec<i64> = of.select(tokens::id).limit(REMOVE_LIMIT).load(connection)?;
    diesel::delete(tokens::table.filter(tokens::id.eq_any(&ids))).execute(connection)?;
    Ok(i64::try_from(ids.len()).unwrap_or(REMOVE_LIMIT) == REMOVE_LIMIT)
}

/// How many tokens there are that nobody sees, as their batches are not made.
pub(crate) fn count_unseen(connection: &mut Connection) -> QueryResult<i64> {
    let unmade: Vec<BatchId> = batches::table.filter(batches::made.is_null()).select(batches::id).load(connection)?;
    let of = tokens::table.filter(tokens::batch.eq_any(unmade)).filter(tokens::deleted_at.is_null());
    of.count().get_result(connection)
}

/// The batch with this uid, even if it is still being created.
pub(crate) fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<Batch>> {
    let row = batches::table.filter(batches::uid.eq(uid.to_string())).select(batches::all_columns);
    Ok(row.get_result::<BatchRow>(connection).optional()?.map(batch))
}

/// The batch with this id, if people hear of it.
fn by_id(connection: &mut Connection, id: BatchId) -> QueryResult<Option<Batch>> {
    let row = batches::table.find(id).filter(batches::name.ne("")).select(batches::all_columns);
    Ok(row.get_result::<BatchRow>(connection).optional()?.map(batch))
}

/// What people call the batch with this id, if they hear of it.
pub(in crate::store) fn name(connection: &mut Connection, id: BatchId) -> QueryResult<Option<String>> {
    Ok(by_id(connection, id)?.map(|batch| batch.name))
}

/// The batches of these tokens, as far as people hear of them.
pub(in crate::store) fn of_tokens<'a>(
    connection: &mut Connection,
    tokens: impl Iterator<Item = &'a Token>,
) -> QueryResult<HashMap<BatchId, Batch>> {
    let mut ids: Vec<BatchId> = tokens.filter_map(|token| token.batch).collect();
    ids.sort_unstable();
    ids.dedup();
    by_ids(connection, &ids)
}

/// Those of these batches that people hear of.
fn by_ids(connection: &mut Connection, ids: &[BatchId]) -> QueryResult<HashMap<BatchId, Batch>> {
    match (connection, ids) {
        (_, []) => Ok(HashMap::new()),
        (Connection::Postgres(connection), _) => {
            let rows = batches::table.filter(batches::id.eq_any(ids)).filter(batches::name.ne(""));
            let rows = rows.select(batches::all_columns).load::<BatchRow>(connection)?;
            Ok(rows.into_iter().map(batch).map(|batch| (batch.id, batch)).collect())
        }
        // Not by a list of them, which SQLite would prepare anew each time.
        (sqlite, _) => {
            let found = ids.iter().map(|id| by_id(sqlite, *id)).collect::<QueryResult<Vec<_>>>()?;
            Ok(found.into_iter().flatten().map(|batch| (batch.id, batch)).collect())
        }
    }
}

/// The batches whose tokens nobody sees, as they are being made.
pub(in crate::store) fn unmade(connection: &mut Connection) -> QueryResult<Vec<BatchId>> {
    batches::table.filter(batches::made.is_null()).select(batches::id).load(connection)
}

/// The complete batches with this name, which several may have: up to two.
pub(crate) fn named(connection: &mut Connection, name: &str) -> QueryResult<Vec<Batch>> {
    let named = batches::table.filter(batches::made.is_not_null()).filter(batches::name.ne(""));
    let named = named.filter(batches::name.eq(name));
    let rows = named.order(batches::id).limit(2).select(batches::all_columns).load::<BatchRow>(connection)?;
    Ok(rows.into_iter().map(batch).collect())
}

/// Complete batches, newest first, each with its cursor; only those after the cursor `after`, if given.
pub(crate) fn page(
    connection: &mut Connection,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<(Cursor, Batch)>> {
    let complete = batches::table.filter(batches::made.is_not_null()).filter(batches::name.ne(""));
    let mut query = complete.order(batches::id.desc()).limit(limit).select(batches::all_columns).into_boxed();
    if let Some(after) = after {
        query = query.filter(batches::id.lt(after.id()));
    }
    let with_cursor = |batch: Batch| (Cursor::number(batch.created.get(), batch.id), batch);
    Ok(query.load::<BatchRow>(connection)?.into_iter().map(batch).map(with_cursor).collect())
}

/// The newest complete batches, up to this many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NewestBatches(pub(crate) i64);

impl LookUp for NewestBatches {
    type Found = Vec<Batch>;
    const LANE: Lane = Lane::Pages;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        let newest =
            keys.iter().map(|key| Ok(page(connection, None, key.0)?.into_iter().map(|(_, batch)| batch).collect()));
        newest.collect()
    }
}

/// Those of these batches that people hear of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BatchesOf(Vec<BatchId>);

impl BatchesOf {
    /// The batches of these tokens.
    pub(crate) fn tokens(tokens: &[Token]) -> Self {
        let mut ids: Vec<BatchId> = tokens.iter().filter_map(|token| token.batch).collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

impl LookUp for BatchesOf {
    type Found = Arc<HashMap<BatchId, Batch>>;
    const LANE: Lane = Lane::Pages;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        keys.iter().map(|key| Ok(Arc::new(by_ids(connection, &key.0)?))).collect()
    }
}

/// How many of a batch's tokens are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchCounts {
    /// Tokens that are not deleted.
    pub(crate) there: i64,
    /// Of these, those used at least once.
    pub(crate) used: i64,
    /// Of these, those without any uses left.
    pub(crate) used_up: i64,
    /// Of these, the voided ones.
    pub(crate) voided: i64,
}

/// Counts the tokens of batches, by batch id. Reads all of their tokens.
pub(crate) fn count_tokens(connection: &mut Connection, ids: &[BatchId]) -> QueryResult<Vec<(BatchId, BatchCounts)>> {
    use diesel::dsl::{count_star, sql};
    use diesel::sql_types::BigInt;
    let existing = tokens::table.filter(tokens::batch.eq_any(ids.to_vec())).filter(tokens::deleted_at.is_null());
    let rows: Vec<(Option<BatchId>, i64, i64, i64, i64)> = existing
        .group_by(tokens::batch)
        .select((
            tokens::batch,
            count_star(),
            sql::<BigInt>("COUNT(CASE WHEN used <> 0 THEN 1 END)"),
            sql::<BigInt>("COUNT(CASE WHEN usage_count = 0 THEN 1 END)"),
            sql::<BigInt>("COUNT(voided_at)"),
        ))
        .load(connection)?;
    let counts = |(id, there, used, used_up, voided): (Option<BatchId>, i64, i64, i64, i64)| {
        (id.unwrap_or_default(), BatchCounts { there, used, used_up, voided })
    };
    Ok(rows.into_iter().map(counts).collect())
}

/// Renames a batch, unless somebody else has given it another name than `known`, as far as that is known. Returns false then.
///
/// # Errors
/// Unknown when there is no such batch.
pub(crate) fn rename(
    connection: &mut Connection,
    uid: Uid,
    (known, name): (Option<&str>, &str),
    by: &Principal,
    now: Micros,
) -> Result<bool, Error> {
    let is_as_known =
        batches::name.eq(known.unwrap_or(name)).or(batches::name.eq(name)).or(known.is_none().into_sql::<Bool>());
    let row = diesel::update(batches::table.filter(batches::uid.eq(uid.to_string())).filter(is_as_known));
    if known != Some(name) && row.set(batches::name.eq(name)).execute(connection)? > 0 {
        audit::record(connection, by, "batch rename", &uid.to_string(), name, now)?;
        return Ok(true);
    }
    find(connection, uid)?.map(|_| known == Some(name)).ok_or_else(|| TokenError::Unknown(uid).into())
}
