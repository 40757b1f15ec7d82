//! Kept answers: the first success of each idempotency key.

use diesel::prelude::*;

use super::connection::Connection;
use super::schema::replies;
use crate::access::Principal;
use crate::token::settle::{Face, REPLAY_HOURS, ReplayKey};
use crate::token::{Micros, Uid};

/// A row of `replies`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = replies)]
pub struct ReplyRow {
    principal: String,
    key: String,
    created: i64,
    token_uid: String,
    value: String,
    label: Option<String>,
    usage_count: i32,
    last_used: Option<i64>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
}

impl ReplyRow {
    /// The row that keeps `face` for `who`'s `key`.
    pub fn new(who: &Principal, key: &ReplayKey, face: &Face, now: Micros) -> Self {
        Self {
            principal: who.to_string(),
            key: key.0.clone(),
            created: now.get(),
            token_uid: face.token_uid.to_string(),
            value: face.value.clone(),
            label: face.label.clone(),
            usage_count: face.usage_count,
            last_used: face.last_used.map(Micros::get),
            valid_from: face.valid_from.map(Micros::get),
            valid_to: face.valid_to.map(Micros::get),
        }
    }

    fn face(self) -> QueryResult<Face> {
        let uid = self.token_uid.parse::<Uid>();
        Ok(Face {
            token_uid: uid.map_err(|error| diesel::result::Error::DeserializationError(error.into()))?,
            value: self.value,
            label: self.label,
            usage_count: self.usage_count,
            last_used: self.last_used.map(Micros::stored),
            valid_from: self.valid_from.map(Micros::stored),
            valid_to: self.valid_to.map(Micros::stored),
        })
    }
}

fn oldest(now: Micros) -> i64 {
    now.get() - REPLAY_HOURS * 3_600 * 1_000_000
}

/// What was kept for `who`'s `key` within the last day.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, who: &Principal, key: &ReplayKey, now: Micros) -> QueryResult<Option<Face>> {
    let row = replies::table
        .filter(replies::principal.eq(who.as_str()))
        .filter(replies::key.eq(&key.0))
        .filter(replies::created.gt(oldest(now)))
        .select(ReplyRow::as_select())
        .get_result(connection)
        .optional()?;
    row.map(ReplyRow::face).transpose()
}

/// Removes what is older than a day.
///
/// # Errors
/// The database's.
pub fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<()> {
    diesel::delete(replies::table.filter(replies::created.le(oldest(now)))).execute(connection)?;
    Ok(())
}
