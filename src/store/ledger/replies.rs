//! Kept answers: the first success of each idempotency key.

use diesel::prelude::*;

use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::{Array, Text};
use diesel::upsert::excluded;

use crate::access::Principal;
use crate::store::clock;
use crate::store::connection::Connection;
use crate::store::schema::replies;
use crate::token::settle::{Ask, REPLAY_HOURS, ReplayKey, TokenSummary};
use crate::token::{Micros, Uid};

/// A row of `replies`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = replies)]
pub(crate) struct ReplyRow {
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
    pub(crate) fn new(who: &Principal, key: &ReplayKey, face: &TokenSummary, now: Micros) -> Self {
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

    fn face(self) -> QueryResult<TokenSummary> {
        let uid = self.token_uid.parse::<Uid>();
        Ok(TokenSummary {
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

/// Replies that were kept since this moment are given again.
fn kept_since(now: Micros) -> i64 {
    hours_before(now, REPLAY_HOURS)
}

/// What was kept for `who`'s `key` within the last day.
///
/// # Errors
/// The database's.
pub fn find(
    connection: &mut Connection,
    who: &Principal,
    key: &ReplayKey,
    now: Micros,
) -> QueryResult<Option<TokenSummary>> {
    let row = replies::table
        .filter(replies::principal.eq(who.as_str()))
        .filter(replies::key.eq(&key.0))
        .filter(replies::created.gt(kept_since(now)))
        .select(ReplyRow::as_select())
        .get_result(connection)
        .optional()?;
    row.map(ReplyRow::face).transpose()
}

/// What was kept for the keys of `asks` within the last day.
///
/// # Errors
/// The database's.
pub(crate) fn find_all(
    connection: &mut PgConnection,
    asks: &[Ask],
) -> QueryResult<Vec<(Principal, ReplayKey, TokenSummary)>> {
    let keyed: Vec<(&Principal, &ReplayKey)> =
        asks.iter().filter_map(|ask| Some((&ask.who, ask.key.as_ref()?))).collect();
    if keyed.is_empty() {
        return Ok(Vec::new());
    }
    let principals: Vec<&str> = keyed.iter().map(|(who, _)| who.as_str()).collect();
    let keys: Vec<&str> = keyed.iter().map(|(_, key)| key.0.as_str()).collect();
    let asked = diesel::dsl::sql::<diesel::sql_types::Bool>("(principal, key) IN (SELECT * FROM unnest(")
        .bind::<Array<Text>, _>(principals)
        .sql(", ")
        .bind::<Array<Text>, _>(keys)
        .sql("))");
    let fresh = diesel::dsl::sql::<diesel::sql_types::Bool>("created > ")
        .sql(clock::SERVER_MICROS)
        .sql(&format!(" - {}::bigint", REPLAY_HOURS * 3_600 * 1_000_000));
    let rows: Vec<ReplyRow> =
        replies::table.filter(asked).filter(fresh).select(ReplyRow::as_select()).load(connection)?;
    let reply = |row: ReplyRow| {
        let asked = keyed.iter().find(|(who, key)| who.as_str() == row.principal && key.0 == row.key);
        let (who, key) = asked.ok_or(Diesel::NotFound)?;
        Ok(((*who).clone(), (*key).clone(), row.face()?))
    };
    rows.into_iter().map(reply).collect()
}

/// Keeps replies. A row of the same key is replaced if it is from more than a day ago.
///
/// # Errors
/// A serialization failure, when another instance has just kept a reply for one of the keys: for another token, since
/// the same token's lock would have kept it from that. The database's.
pub(crate) fn keep(connection: &mut PgConnection, mut rows: Vec<ReplyRow>, now: Micros) -> QueryResult<()> {
    use diesel::query_dsl::methods::FilterDsl;
    // In one order, so that two instances do not wait for each other.
    rows.sort_by(|a, b| (&a.principal, &a.key).cmp(&(&b.principal, &b.key)));
    let wanted = rows.len();
    let insert = diesel::insert_into(replies::table).values(rows);
    let upsert = insert.on_conflict((replies::principal, replies::key)).do_update().set((
        replies::created.eq(excluded(replies::created)),
        replies::token_uid.eq(excluded(replies::token_uid)),
        replies::value.eq(excluded(replies::value)),
        replies::label.eq(excluded(replies::label)),
        replies::usage_count.eq(excluded(replies::usage_count)),
        replies::last_used.eq(excluded(replies::last_used)),
        replies::valid_from.eq(excluded(replies::valid_from)),
        replies::valid_to.eq(excluded(replies::valid_to)),
    ));
    if upsert.filter(replies::created.le(kept_since(now))).execute(connection)? == wanted {
        return Ok(());
    }
    let why = "an idempotency key was used for two tokens at once".to_owned();
    Err(Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(why)))
}

/// Removes some of what has expired, and says whether there may be more.
///
/// # Errors
/// The database's.
pub(crate) fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    let old = replies::table.filter(replies::created.le(hours_before(now, KEPT_HOURS)));
    let upto = old.order(replies::created).offset(REMOVED - 1).limit(1).select(replies::created);
    let upto: Option<i64> = upto.get_result(connection).optional()?;
    let last = upto.unwrap_or_else(|| hours_before(now, KEPT_HOURS));
    diesel::delete(replies::table.filter(replies::created.le(last))).execute(connection)?;
    Ok(upto.is_some())
}
