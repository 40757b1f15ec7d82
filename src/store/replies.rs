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

/// Hours after which a reply is removed: longer than it is given, so that a clock that is wrong for a moment costs none.
const KEPT_HOURS: i64 = 2 * REPLAY_HOURS;
/// Most replies removed at once, as consumes wait for it.
const REMOVED: i64 = 5_000;

fn hours_before(now: Micros, hours: i64) -> i64 {
    now.get() - hours * 3_600 * 1_000_000
}

/// What was kept for `who`'s `key` within the last day.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, who: &Principal, key: &ReplayKey, now: Micros) -> QueryResult<Option<Face>> {
    let row = replies::table
        .filter(replies::principal.eq(who.as_str()))
        .filter(replies::key.eq(&key.0))
        .filter(replies::created.gt(hours_before(now, REPLAY_HOURS)))
        .select(ReplyRow::as_select())
        .get_result(connection)
        .optional()?;
    row.map(ReplyRow::face).transpose()
}

/// Removes some of what has expired, and says whether there may be more.
///
/// # Errors
/// The database's.
pub fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    let old = replies::table.filter(replies::created.le(hours_before(now, KEPT_HOURS)));
    let upto = old.order(replies::created).offset(REMOVED - 1).limit(1).select(replies::created);
    let upto: Option<i64> = upto.get_result(connection).optional()?;
    let last = upto.unwrap_or_else(|| hours_before(now, KEPT_HOURS));
    diesel::delete(replies::table.filter(replies::created.le(last))).execute(connection)?;
    Ok(upto.is_some())
}
