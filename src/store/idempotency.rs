//! Idempotency keys of requests other than uses: the first success of each is kept, and given again for a day. A key is taken
//! in the transaction that writes the work down, and its answer counts from the one that completes it.

use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::actions::{pending, perform};
use super::batches;
use super::connection::Connection;
use super::error::Error;
use super::ledger::replies::replayed_since;
use super::schema::replies;
use crate::token::settle::{OwnedKey, ReplayKey};
use crate::token::{KeyedRequest, Micros, Problem, TokenError, Uid};

/// What was answered: just now, or to the first request with the same key.
#[derive(Debug)]
pub(crate) enum Kept<T> {
    /// It was done now.
    Now(T),
    /// It was done before.
    Before(T),
}

impl<T> Kept<T> {
    /// With what is made of the answer.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Kept<U> {
        match self {
            Self::Now(answer) => Kept::Now(make(answer)),
            Self::Before(answer) => Kept::Before(make(answer)),
        }
    }
}

/// A request with a key whose work is done in several transactions.
#[derive(Clone, Debug)]
pub(crate) struct KeyedWork {
    request: KeyedRequest,
    /// In JSON.
    answer: String,
}

impl KeyedWork {
    /// The request, if it has a key, and what will be answered when its work is done.
    ///
    /// # Errors
    /// A fault, when that is no JSON.
    pub(crate) fn new<T: Serialize>(request: Option<KeyedRequest>, answer: &T) -> Result<Option<Self>, Error> {
        request.map(|request| Ok(Self { request, answer: to_json(answer)? })).transpose()
    }
}

/// Does `work` in this transaction, unless it was done before for the same request with the same key.
///
/// # Errors
/// Those of `work`, whose key is then free; a value error when the key was used for another request; that it is in progress.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    connection: &mut Connection,
    request: Option<&KeyedRequest>,
    now: Micros,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<Kept<T>, Error> {
    let Some(request) = request else { return work(connection).map(Kept::Now) };
    if let Some(answer) = find(connection, request, now)? {
        return Ok(Kept::Before(answer));
    }
    let answer = work(connection)?;
    // Only now: work can wait for a token that somebody has locked, and a batch of uses with the key must not wait with it.
    if take(connection, request, (&to_json(&answer)?, None), now)? {
        return Ok(Kept::Now(answer));
    }
    Err(Error::Conflict("the same request was done a moment ago".into()))
}

/// Takes the key of work that is being written down in this transaction: a batch or an action with this uid.
///
/// # Errors
/// A value error when the key was used for another request; that it is in progress, or was done a moment ago.
pub(crate) fn begin(
    connection: &mut Connection,
    keyed: Option<&KeyedWork>,
    work: Uid,
    now: Micros,
) -> Result<(), Error> {
    let Some(KeyedWork { request, answer }) = keyed else { return Ok(()) };
    if take(connection, request, (answer, Some(work)), now)? {
        return Ok(());
    }
    // Where it was done a moment ago, whoever asks again gets the answer.
    let row = row(connection, &request.key, false)?;
    row.map(|row| row.answer(request)).transpose()?;
    Err(Error::KeyInProgress)
}

/// The answer to the first request with this key, if it is there.
///
/// # Errors
/// A value error when the key was used for another request; that it is in progress.
pub(crate) fn find<T: DeserializeOwned>(
    connection: &mut Connection,
    request: &KeyedRequest,
    now: Micros,
) -> Result<Option<T>, Error> {
    let row = row(connection, &request.key, false)?.filter(|row| row.created > replayed_since(now));
    let Some(row) = row else { return Ok(None) };
    if let Some(work) = row.work
        && !is_under_way(connection, work, now)?
    {
        return Ok(None);
    }
    row.answer(request)?.map(|answer| from_json(&answer)).transpose()
}

/// Takes a key that nobody has, whose time is over, or whose work is gone, and returns whether it did.
fn take(
    connection: &mut Connection,
    request: &KeyedRequest,
    (answer, work): (&str, Option<Uid>),
    now: Micros,
) -> Result<bool, Error> {
    let (owner, key) = id(&request.key);
    let columns = || {
        (
            replies::created.eq(now.get()),
            replies::request.eq(&request.digest),
            replies::answer.eq(answer),
            replies::work.eq(work.map(|work| work.to_string())),
        )
    };
    let new = ((replies::owner.eq(owner), replies::key.eq(key)), columns());
    // Waits for another request that is just taking the key.
    let inserted = match connection {
        Connection::Sqlite(connection) => {
            diesel::insert_into(replies::table).values(new).on_conflict_do_nothing().execute(connection)?
        }
        Connection::Postgres(connection) => {
            diesel::insert_into(replies::table).values(new).on_conflict_do_nothing().execute(connection)?
        }
    };
    if inserted > 0 {
        return Ok(true);
    }
    // It is not there if it was removed meanwhile as too old.
    let Some(row) = row(connection, &request.key, true)? else {
        return Err(Error::Conflict("an old idempotency key was removed just now".into()));
    };
    let is_free = match row.work {
        Some(theirs) if work == Some(theirs) => true,
        Some(theirs) => give_up_if_gone(connection, theirs, now)?,
        None => false,
    };
    if !is_free && row.created > replayed_since(now) {
        return Ok(false);
    }
    let cleared = (
        (replies::token_uid.eq(None::<String>), replies::value.eq(None::<String>), replies::label.eq(None::<String>)),
        (replies::usage_count.eq(None::<i32>), replies::last_used.eq(None::<i64>)),
        (replies::valid_from.eq(None::<i64>), replies::valid_to.eq(None::<i64>)),
        (replies::usage_uid.eq(None::<String>), replies::gate.eq(None::<i64>), replies::uses.eq(None::<i32>)),
    );
    diesel::update(replies::table.find(id(&request.key))).set((columns(), cleared)).execute(connection)?;
    Ok(true)
}

/// What is kept of a key.
struct Row {
    created: i64,
    digest: Option<String>,
    answer: Option<String>,
    work: Option<Uid>,
}

impl Row {
    /// The answer to `request`.
    fn answer(self, request: &KeyedRequest) -> Result<Option<String>, Error> {
        if self.digest.as_ref() != Some(&request.digest) {
            return Err(TokenError::value(ReplayKey::HEADER, Problem::KeyReused).into());
        }
        if self.work.is_some() {
            return Err(Error::KeyInProgress);
        }
        Ok(self.answer)
    }
}

fn row(connection: &mut Connection, key: &OwnedKey, lock: bool) -> Result<Option<Row>, Error> {
    type Columns = (i64, Option<String>, Option<String>, Option<String>);
    let row = replies::table.find(id(key));
    let columns = (replies::created, replies::request, replies::answer, replies::work);
    let row: Option<Columns> = match connection {
        Connection::Postgres(connection) if lock => {
            row.select(columns).for_no_key_update().get_result(connection).optional()?
        }
        connection => row.select(columns).get_result(connection).optional()?,
    };
    let Some((created, digest, answer, work)) = row else { return Ok(None) };
    let work = work.map(|work| work.parse()).transpose()?;
    Ok(Some(Row { created, digest, answer, work }))
}

/// Whether a batch is being made, or an action is decided or being written down.
fn is_under_way(connection: &mut Connection, work: Uid, now: Micros) -> Result<bool, Error> {
    Ok(batches::is_being_made(connection, work, now)? || pending::is_under_way(connection, work, now)?)
}

/// Whether work is gone. What its server has left behind is given up, so that it cannot go on beside the next try.
fn give_up_if_gone(connection: &mut Connection, work: Uid, now: Micros) -> Result<bool, Error> {
    if is_under_way(connection, work, now)? {
        return Ok(false);
    }
    batches::fail(connection, work, batches::ABANDONED_WHY)?;
    perform::is_being_staged(connection, work, now)?;
    Ok(true)
}

fn to_json<T: Serialize>(answer: &T) -> Result<String, Error> {
    serde_json::to_string(answer).map_err(|error| Error::Failed(error.to_string()))
}

fn from_json<T: DeserializeOwned>(answer: &str) -> Result<T, Error> {
    serde_json::from_str(answer).map_err(|error| Error::Failed(format!("a kept answer cannot be read: {error}")))
}

fn id(key: &OwnedKey) -> (&str, &str) {
    (key.owner.as_str(), key.key.as_str())
}
