//! The ledger on SQLite. `BEGIN IMMEDIATE` already holds the write lock, so loading is locking.
//!
//! Everything here runs once per consume as a cached prepared statement. diesel caches selects and inserts; it does not
//! cache updates, so the update is a query fragment of its own.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel::sqlite::Sqlite;

use super::linked::Linked;
use super::replies;
use super::replies::ReplyRow;
use crate::store::connection::Connection;
use crate::store::index::uses;
use crate::store::tokens;
use crate::store::usage::UsageRow;
use crate::token::settle::{Ask, Held, TokenId};
use crate::token::{EntryId, Micros, Uid};

/// Holds what the asks name, and the tokens of the uses that are to be undone.
pub(super) fn hold(connection: &mut Connection, asks: &[Ask], undone: &[Uid]) -> QueryResult<(Held, Micros)> {
    let mut held = Held::default();
    for ask in asks {
        if let Some(what) = ask.lookup().filter(|what| !held.has(what)) {
            for (id, token) in tokens::by_lookup(connection, what)?.into_iter().flatten() {
                held.insert(id, token);
            }
        }
        if let Some(key) = &ask.key
            && let Some(reply) = replies::find(connection, key, Micros::now())?
        {
            held.insert_reply(key.clone(), reply);
        }
    }
    for uid in undone {
        if let Some((id, token)) = tokens::by_uid(connection, *uid)? {
            held.insert(id, token);
        }
    }
    Ok((held, Micros::now()))
}

pub(super) fn keep(
    connection: &mut SqliteConnection,
    held: &Held,
    linked: Linked<'_>,
    saved: impl Iterator<Item = ReplyRow>,
) -> QueryResult<()> {
    use crate::store::schema::{replies, usage};
    // Nobody else writes meanwhile.
    let newest: Option<EntryId> = usage::table.select(max(usage::id)).get_result(connection)?;
    // A number that retention has removed is not given again: whoever follows the log would take it for one of before.
    let newest = newest.map_or_else(|| uses::followed(connection), Ok)?;
    let ids: Vec<EntryId> = (newest + 1..).take(linked.rows.len()).collect();
    for ((row, id), before) in linked.rows.into_iter().zip(&ids).zip(linked.before) {
        let previous = before.map(|place| ids[place]).or(row.previous);
        diesel::insert_into(usage::table).values(UsageRow { id: Some(*id), previous, ..row }).execute(connection)?;
    }
    for (id, place) in linked.last {
        let Some(token) = held.token(id) else { continue };
        let (last_used, lock_start) = (token.last_used.map(Micros::get), token.lock_start.map(Micros::get));
        let (usage_count, used, last_entry) = (token.usage_count, token.used, ids[place]);
        UpdateToken { id, usage_count, used, last_used, lock_start, last_entry }.execute(connection)?;
    }
    for reply in saved {
        // Replaces an expired row with the same key.
        diesel::replace_into(replies::table).values(reply).execute(connection)?;
    }
    Ok(())
}

/// The columns that a use changes.
#[derive(QueryId)]
struct UpdateToken {
    id: TokenId,
    usage_count: i32,
    used: i64,
    last_used: Option<i64>,
    lock_start: Option<i64>,
    last_entry: EntryId,
}

impl QueryFragment<Sqlite> for UpdateToken {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE tokens SET usage_count = ");
        out.push_bind_param::<Integer, _>(&self.usage_count)?;
        out.push_sql(", used = ");
        out.push_bind_param::<BigInt, _>(&self.used)?;
        out.push_sql(", last_used = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.last_used)?;
        out.push_sql(", lock_start = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.lock_start)?;
        out.push_sql(", last_entry = ");
        out.push_bind_param::<BigInt, _>(&self.last_entry)?;
        out.push_sql(", room = NULL WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for UpdateToken {}
