//! Saved replies: the first success of each idempotency key.

use diesel::prelude::*;

use diesel::dsl::AsSelect;
use diesel::expression::Expression;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::upsert::excluded;

use crate::access::KeyOwner;
use crate::store::clock;
use crate::store::condition::condition;
use crate::store::connection::Connection;
use crate::store::schema::replies;
use crate::token::gate::GateId;
use crate::token::settle::{Ask, OwnedKey, REPLAY_HOURS, Receipt, Reply, TokenSummary};
use crate::token::{Micros, Uid};

/// A row of `replies`, as far as it is about a use: the rest of it is `idempotency.rs`'s.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = replies)]
pub(crate) struct ReplyRow {
    owner: String,
    key: String,
    created: i64,
    token_uid: Option<String>,
    value: Option<String>,
    label: Option<String>,
    usage_count: Option<i32>,
    last_used: Option<i64>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_uid: Option<String>,
    gate: Option<GateId>,
    uses: Option<i32>,
}

/// No EXISTS: PostgreSQL may read all undone uses for that, where it thinks that they are few.
const IS_UNDONE: &str = "(SELECT usage.undoes FROM usage WHERE usage.undoes = replies.usage_uid) IS NOT NULL";

condition!(
    /// Whether the use that a reply is about was undone.
    IsUndone,
    IS_UNDONE
);

impl ReplyRow {
    /// The row that saves `receipt` as the reply to `key`.
    pub(crate) fn new(key: &OwnedKey, receipt: &Receipt, now: Micros) -> Self {
        let summary = &receipt.summary;
        Self {
            owner: key.owner.as_str().to_owned(),
            key: key.key.as_str().to_owned(),
            created: now.get(),
            token_uid: Some(summary.token_uid.to_string()),
            value: Some(summary.value.clone()),
            label: summary.label.clone(),
            usage_count: Some(summary.usage_count),
            last_used: summary.last_used.map(Micros::get),
            valid_from: summary.valid_from.map(Micros::get),
            valid_to: summary.valid_to.map(Micros::get),
            usage_uid: Some(receipt.usage_uid.to_string()),
            gate: receipt.gate,
            uses: Some(receipt.uses),
        }
    }

    fn reply(self, is_undone: bool) -> QueryResult<Reply> {
        let uid = |text: String| text.parse::<Uid>().map_err(|error| Diesel::DeserializationError(error.into()));
        let (Some(token_uid), Some(value), Some(usage_count), Some(usage_uid), Some(uses)) =
            (self.token_uid, self.value, self.usage_count, self.usage_uid, self.uses)
        else {
            return Ok(Reply::OtherRequest);
        };
        let summary = TokenSummary {
            token_uid: uid(token_uid)?,
            value,
            label: self.label,
            usage_count,
            last_used: self.last_used.map(Micros::stored),
            valid_from: self.valid_from.map(Micros::stored),
            valid_to: self.valid_to.map(Micros::stored),
        };
        let receipt = Receipt { summary, usage_uid: uid(usage_uid)?, uses, gate: self.gate };
        Ok(Reply::Use { receipt, is_undone })
    }
}

/// Hours after which a reply is removed. Longer than it is replayed, so that a clock that is wrong for a moment loses
/// none.
const REMOVE_AFTER_HOURS: i64 = 2 * REPLAY_HOURS;
/// Most replies removed in one transaction, since consumes wait for it.
const REMOVE_LIMIT: i64 = 500;

fn hours_before(now: Micros, hours: i64) -> i64 {
    now.get() - hours * 3_600 * 1_000_000
}

/// Replies created after this moment are replayed.
pub(in crate::store) fn replayed_since(now: Micros) -> i64 {
    hours_before(now, REPLAY_HOURS)
}

/// The reply saved for `key` within the last [`REPLAY_HOURS`].
pub fn find(connection: &mut Connection, key: &OwnedKey, now: Micros) -> QueryResult<Option<Reply>> {
    let row = replies::table
        .filter(replies::owner.eq(key.owner.as_str()))
        .filter(replies::key.eq(key.key.as_str()))
        .filter(replies::created.gt(replayed_since(now)))
        .select((ReplyRow::as_select(), IsUndone))
        .get_result(connection)
        .optional()?;
    row.map(|(row, is_undone): (ReplyRow, bool)| row.reply(is_undone)).transpose()
}

/// The replies saved for the keys of `asks` within the last [`REPLAY_HOURS`].
pub(crate) fn find_all(connection: &mut PgConnection, asks: &[Ask]) -> QueryResult<Vec<(OwnedKey, Reply)>> {
    let with_key: Vec<&OwnedKey> = asks.iter().filter_map(|ask| ask.key.as_ref()).collect();
    if with_key.is_empty() {
        return Ok(Vec::new());
    }
    let find = FindQuery {
        columns: ReplyRow::as_select(),
        owners: with_key.iter().map(|key| key.owner.as_str()).collect(),
        keys: with_key.iter().map(|key| key.key.as_str()).collect(),
        replayed: REPLAY_HOURS * 3_600 * 1_000_000,
    };
    let rows: Vec<(ReplyRow, bool)> = find.load(connection)?;
    let reply = |(row, is_undone): (ReplyRow, bool)| {
        let key = with_key.iter().find(|key| key.owner.as_str() == row.owner && key.key.as_str() == row.key);
        Ok(((*key.ok_or(Diesel::NotFound)?).clone(), row.reply(is_undone)?))
    };
    rows.into_iter().map(reply).collect()
}

/// Finds replies on PostgreSQL, each by itself, so that there is one plan for tables of any size.
struct FindQuery<'a> {
    columns: AsSelect<ReplyRow, Pg>,
    owners: Vec<&'a str>,
    keys: Vec<&'a str>,
    /// Microseconds.
    replayed: i64,
}

impl QueryFragment<Pg> for FindQuery<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH found AS MATERIALIZED (SELECT reply.* FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.owners)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.keys)?;
        out.push_sql(
            ") AS asked (owner, key) CROSS JOIN LATERAL (SELECT * FROM replies \
             WHERE replies.owner = asked.owner AND replies.key = asked.key LIMIT 1) AS reply) SELECT ",
        );
        self.columns.walk_ast(out.reborrow())?;
        for text in [", ", IS_UNDONE, " FROM found AS replies WHERE created > ", clock::SERVER_MICROS, " - "] {
            out.push_sql(text);
        }
        out.push_bind_param::<BigInt, _>(&self.replayed)
    }
}

impl QueryId for FindQuery<'_> {
    type QueryId = FindQuery<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for FindQuery<'_> {
    type SqlType = (<AsSelect<ReplyRow, Pg> as Expression>::SqlType, Bool);
}

impl RunQueryDsl<PgConnection> for FindQuery<'_> {}

/// Saves replies. A row with the same key is replaced if it has expired.
///
/// # Errors
/// A serialization failure when another instance has just saved a reply for one of the keys. That was for a different
/// request: for the same token, its row lock would have prevented it.
pub(crate) fn save(connection: &mut PgConnection, mut rows: Vec<ReplyRow>, now: Micros) -> QueryResult<()> {
    use diesel::query_dsl::methods::FilterDsl;
    // Always in the same order, so that two instances do not deadlock.
    rows.sort_by(|a, b| (&a.owner, &a.key).cmp(&(&b.owner, &b.key)));
    let expected = rows.len();
    let insert = diesel::insert_into(replies::table).values(rows);
    let upsert = insert.on_conflict((replies::owner, replies::key)).do_update().set((
        replies::created.eq(excluded(replies::created)),
        replies::token_uid.eq(excluded(replies::token_uid)),
        replies::value.eq(excluded(replies::value)),
        replies::label.eq(excluded(replies::label)),
        replies::usage_count.eq(excluded(replies::usage_count)),
        replies::last_used.eq(excluded(replies::last_used)),
        replies::valid_from.eq(excluded(replies::valid_from)),
        replies::valid_to.eq(excluded(replies::valid_to)),
        replies::usage_uid.eq(excluded(replies::usage_uid)),
        replies::gate.eq(excluded(replies::gate)),
        replies::uses.eq(excluded(replies::uses)),
        replies::request.eq(excluded(replies::request)),
        replies::answer.eq(excluded(replies::answer)),
        replies::work.eq(excluded(replies::work)),
    ));
    if upsert.filter(replies::created.le(replayed_since(now))).execute(connection)? == expected {
        return Ok(());
    }
    let why = "an idempotency key was used for two requests at once".to_owned();
    Err(Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(why)))
}

/// Removes the replies to a user who had this name before: another one must not get them.
pub(crate) fn forget(connection: &mut Connection, owner: &KeyOwner) -> QueryResult<()> {
    diesel::delete(replies::table.filter(replies::owner.eq(owner.as_str()))).execute(connection)?;
    Ok(())
}

/// Notes that the work of a request with a key is done, if it had one: its answer counts from now on.
pub(in crate::store) fn complete(connection: &mut Connection, work: &str) -> QueryResult<()> {
    let of_work = diesel::update(replies::table.filter(replies::work.eq(work)));
    of_work.set(replies::work.eq(None::<String>)).execute(connection).map(drop)
}

/// Removes some expired replies, and returns whether there may be more.
pub(crate) fn remove_expired(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    let old = replies::table.filter(replies::created.le(hours_before(now, REMOVE_AFTER_HOURS)));
    let limit_reached = old.order(replies::created).offset(REMOVE_LIMIT - 1).limit(1).select(replies::created);
    let limit_reached: Option<i64> = limit_reached.get_result(connection).optional()?;
    let last = limit_reached.unwrap_or_else(|| hours_before(now, REMOVE_AFTER_HOURS));
    diesel::delete(replies::table.filter(replies::created.le(last))).execute(connection)?;
    Ok(limit_reached.is_some())
}
