//! The ledger on SQLite. `BEGIN IMMEDIATE` already holds the write lock, so loading is locking.
//!
//! Everything here runs once per consume as a cached prepared statement. diesel caches selects and inserts; it does not
//! cache updates, so the update is a query fragment of its own.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel::sqlite::Sqlite;

use super::replies;
use super::replies::ReplyRow;
use crate::store::connection::Connection;
use crate::store::tokens;
use crate::store::usage::UsageRow;
use crate::token::settle::{Answer, Ask, Held, TokenId};
use crate::token::{Micros, Uid};

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
            && let Some(reply) = replies::find(connection, &ask.who, key, Micros::now())?
        {
            held.insert_reply(ask.who.clone(), key.clone(), reply);
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
    asks: &[Ask],
    answers: &[Option<Answer>],
    now: Micros,
) -> QueryResult<()> {
    use crate::store::schema::{replies, usage};
    for (id, token) in held.changed() {
        let (last_used, lock_start) = (token.last_used.map(Micros::get), token.lock_start.map(Micros::get));
        UpdateToken { id, usage_count: token.usage_count, used: token.used, last_used, lock_start }
            .execute(connection)?;
    }
    for (ask, answer) in asks.iter().zip(answers) {
        let Some(answer) = answer else { continue };
        if let Some(attempt) = answer.attempt(ask) {
            let row = UsageRow::new(&attempt, held, &ask.who, now);
            diesel::insert_into(usage::table).values(row).execute(connection)?;
        }
        if let (Some(key), Answer::Done(receipt, _)) = (&ask.key, answer) {
            // Replaces an expired row with the same key.
            diesel::replace_into(replies::table)
                .values(ReplyRow::new(&ask.who, key, receipt, now))
                .execute(connection)?;
        }
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
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for UpdateToken {}
