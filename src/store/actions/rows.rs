//! What is kept of each token of an action: what it was before, and what became of it.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer};
use diesel::sqlite::Sqlite;

use crate::store::connection::{Connection, MOST_KEYS, look_up_by_keys};
use crate::store::schema::{action_tokens, tokens};
use crate::store::tokens::row::{TokenRow, void_columns};
use crate::token::action::{Target, UndoSkip};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};

/// Most rows removed in one transaction, since consumes wait for it.
const REMOVE_LIMIT: usize = 500;

/// A token that is to be changed, as it is before.
pub(super) struct Chosen {
    pub(super) id: TokenId,
    /// Its place in the selection, counted from 1.
    pub(super) number: usize,
    pub(super) before: Token,
    /// What an import makes of it.
    pub(super) target: Option<Target>,
}

/// A token as it is before an action, which has not changed it yet.
#[derive(Insertable)]
#[diesel(table_name = action_tokens, treat_none_as_default_value = false)]
struct NewRow {
    action: i64,
    token: TokenId,
    number: i32,
    modified: i64,
    label: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    used: i64,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
    target: Option<String>,
}

/// Writes down which tokens an action is to change.
pub(super) fn insert(connection: &mut Connection, action: i64, chosen: &[Chosen]) -> QueryResult<()> {
    let rows = chosen.iter().map(|Chosen { id, number, before, target }| {
        let (voided_at, voided_by, void_reason) = void_columns(before.voided.as_ref());
        let target = target.as_ref().map(serde_json::to_string).transpose();
        Ok(NewRow {
            action,
            token: *id,
            number: i32::try_from(*number).unwrap_or(i32::MAX),
            modified: before.modified.get(),
            label: before.label.clone(),
            valid_from: before.valid_from.map(Micros::get),
            valid_to: before.valid_to.map(Micros::get),
            usage_count: before.usage_count,
            lock_time: before.lock_time,
            used: before.used,
            voided_at,
            voided_by,
            void_reason,
            target: target.map_err(|error| diesel::result::Error::SerializationError(error.into()))?,
        })
    });
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(action_tokens::table).values(row?).execute(connection)?;
            }
        }
        Connection::Postgres(connection) => {
            let rows = rows.collect::<QueryResult<Vec<NewRow>>>()?;
            diesel::copy_from(action_tokens::table).from_insertable(rows).execute(connection)?;
        }
    }
    Ok(())
}

/// A token of an action: as it is now, and as it was before.
#[derive(Queryable)]
pub(super) struct ActionToken {
    pub(super) id: TokenId,
    pub(super) now: TokenRow,
    pub(super) deleted_at: Option<i64>,
    pub(super) number: i32,
    /// The `modified` that the action left in it, or `deleted_at` if it deleted it; none before and after.
    pub(super) stamp: Option<i64>,
    pub(super) modified: i64,
    pub(super) label: Option<String>,
    pub(super) valid_from: Option<i64>,
    pub(super) valid_to: Option<i64>,
    pub(super) usage_count: i32,
    pub(super) lock_time: i32,
    pub(super) used: i64,
    pub(super) voided_at: Option<i64>,
    pub(super) voided_by: Option<String>,
    pub(super) void_reason: Option<String>,
    pub(super) target: Option<String>,
}

/// What an import makes of a token, as it was written down.
pub(super) fn target(text: Option<String>) -> QueryResult<Option<Target>> {
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| diesel::result::Error::DeserializationError(error.into()))
}

/// Runs `$work` with the rows of an action that are of `$ids`, on either database's connection.
///
/// PostgreSQL may take an action for a small one, and read all of its rows instead of looking each token up: so its index by
/// action is of no use to it here (`+ 0`), and the one by token is left.
macro_rules! with_rows {
    ($connection:expr, $action:expr, $ids:expr, |$own:ident, $rows:ident| $work:expr) => {
        match $connection {
            Connection::Sqlite($own) => {
                for ids in $ids.chunks(MOST_KEYS) {
                    let of = || action_tokens::table.filter(action_tokens::action.eq($action));
                    let $rows = || of().filter(action_tokens::token.eq_any(ids));
                    $work
                }
            }
            Connection::Postgres($own) => {
                let of = || action_tokens::table.filter((action_tokens::action + 0).eq($action));
                let $rows = || of().filter(action_tokens::token.eq_any(&$ids[..]));
                $work
            }
        }
    };
}

/// Those of these tokens that belong to the action.
pub(super) fn load(connection: &mut Connection, action: i64, ids: &[TokenId]) -> QueryResult<Vec<ActionToken>> {
    let mut found = Vec::with_capacity(ids.len());
    with_rows!(connection, action, ids, |own, rows| {
        let with_token = rows().inner_join(tokens::table.on(tokens::id.eq(action_tokens::token)));
        let with_token = with_token.select((
            tokens::id,
            TokenRow::as_select(),
            tokens::deleted_at,
            action_tokens::number,
            action_tokens::stamp,
            action_tokens::modified,
            action_tokens::label,
            action_tokens::valid_from,
            action_tokens::valid_to,
            action_tokens::usage_count,
            action_tokens::lock_time,
            action_tokens::used,
            action_tokens::voided_at,
            action_tokens::voided_by,
            action_tokens::void_reason,
            action_tokens::target,
        ));
        found.append(&mut with_token.load::<ActionToken>(own)?);
    });
    Ok(found)
}

/// Those of these tokens that belong to the action, and come after `cursor`.
pub(super) fn ids_after(
    connection: &mut Connection,
    action: i64,
    cursor: TokenId,
    ids: &[TokenId],
) -> QueryResult<Vec<TokenId>> {
    let mut found = Vec::new();
    with_rows!(connection, action, ids, |own, rows| {
        let after = rows().filter(action_tokens::token.gt(cursor)).select(action_tokens::token);
        found.append(&mut after.load::<TokenId>(own)?);
    });
    Ok(found)
}

/// Takes tokens out of an action.
pub(super) fn remove(connection: &mut Connection, action: i64, ids: &[TokenId]) -> QueryResult<()> {
    with_rows!(connection, action, ids, |own, rows| {
        diesel::delete(rows()).execute(own)?;
    });
    Ok(())
}

/// The ids of the next tokens of an action after `cursor`.
pub(super) fn next_ids(
    connection: &mut Connection,
    action: i64,
    cursor: TokenId,
    limit: usize,
) -> QueryResult<Vec<TokenId>> {
    look_up_by_keys(connection)?;
    let rows = action_tokens::table.filter(action_tokens::action.eq(action)).filter(action_tokens::token.gt(cursor));
    let rows = rows.order(action_tokens::token).limit(i64::try_from(limit).unwrap_or(i64::MAX));
    rows.select(action_tokens::token).load(connection)
}

/// Takes some tokens out of an action that is of no more use, and returns whether there were any.
pub(super) fn remove_some(connection: &mut Connection, action: i64) -> QueryResult<bool> {
    let ids = next_ids(connection, action, TokenId::MIN, REMOVE_LIMIT)?;
    remove(connection, action, &ids)?;
    Ok(!ids.is_empty())
}

/// A token that an action has changed: what it left in it, what stood there just before, and how often it had been used.
pub(super) struct Changed {
    pub(super) token: TokenId,
    pub(super) stamp: i64,
    pub(super) modified: i64,
    pub(super) usage_count: i32,
    pub(super) used: i64,
}

/// Notes which tokens an action has changed.
pub(super) fn set_changed(connection: &mut Connection, action: i64, changed: &[Changed]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            changed.iter().try_for_each(|changed| UpdateRow::Changed { action, changed }.execute(connection).map(drop))
        }
        Connection::Postgres(_) if changed.is_empty() => Ok(()),
        Connection::Postgres(connection) => {
            let column = |of: fn(&Changed) -> i64| changed.iter().map(of).collect::<Vec<i64>>();
            let usage_counts: Vec<i32> = changed.iter().map(|changed| changed.usage_count).collect();
            diesel::sql_query(
                "UPDATE action_tokens SET stamp = new.stamp, modified = new.modified, usage_count = new.usage_count, \
                 used = new.used FROM unnest($1, $2, $3, $4, $5) AS new (token, stamp, modified, usage_count, used) \
                 WHERE action_tokens.action + 0 = $6 AND action_tokens.token = new.token",
            )
            .bind::<Array<BigInt>, _>(column(|changed| changed.token))
            .bind::<Array<BigInt>, _>(column(|changed| changed.stamp))
            .bind::<Array<BigInt>, _>(column(|changed| changed.modified))
            .bind::<Array<Integer>, _>(usage_counts)
            .bind::<Array<BigInt>, _>(column(|changed| changed.used))
            .bind::<BigInt, _>(action)
            .execute(connection)
            .map(drop)
        }
    }
}

/// Notes which tokens of an action were undone, and why others were not.
pub(super) fn set_undone(
    connection: &mut Connection,
    action: i64,
    undone: &[Restamp],
    skipped: &[(TokenId, UndoSkip)],
) -> QueryResult<()> {
    let undone: Vec<TokenId> = undone.iter().map(|undone| undone.token).collect();
    with_rows!(connection, action, &undone, |own, rows| {
        let set = (action_tokens::stamp.eq(None::<i64>), action_tokens::kept.eq(None::<String>));
        diesel::update(rows()).set(set).execute(own)?;
    });
    for skip in UndoSkip::ALL {
        let ids: Vec<TokenId> = skipped.iter().filter(|(_, reason)| *reason == skip).map(|(id, _)| *id).collect();
        with_rows!(connection, action, &ids, |own, rows| {
            diesel::update(rows()).set(action_tokens::kept.eq(skip.word())).execute(own)?;
        });
    }
    Ok(())
}

/// A token that was undone: the `modified` that an earlier action had left in it, and the one that it has now.
pub(super) struct Restamp {
    pub(super) token: TokenId,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Undoing one action after another goes back step by step: apart from `modified`, undone tokens now are as the action
/// before had left them, so that action's stamps take their new `modified`. Driven by the tokens at hand: their action may
/// be younger than the statistics by which a server plans.
pub(super) fn restamp(connection: &mut Connection, restamped: &[Restamp]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            restamped.iter().try_for_each(|restamp| UpdateRow::Restamp(restamp).execute(connection).map(drop))
        }
        Connection::Postgres(_) if restamped.is_empty() => Ok(()),
        Connection::Postgres(connection) => {
            let column = |of: fn(&Restamp) -> i64| restamped.iter().map(of).collect::<Vec<i64>>();
            diesel::sql_query(
                "UPDATE action_tokens SET stamp = new.after FROM unnest($1, $2, $3) AS new (token, before, after) \
                 WHERE action_tokens.token = new.token AND action_tokens.stamp = new.before",
            )
            .bind::<Array<BigInt>, _>(column(|row| row.token))
            .bind::<Array<BigInt>, _>(column(|row| row.from))
            .bind::<Array<BigInt>, _>(column(|row| row.to))
            .execute(connection)
            .map(drop)
        }
    }
}

/// A change of one row on SQLite, as a prepared statement that is cached.
enum UpdateRow<'a> {
    Changed { action: i64, changed: &'a Changed },
    Restamp(&'a Restamp),
}

impl QueryId for UpdateRow<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for UpdateRow<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Self::Changed { action, changed } => {
                out.push_sql("UPDATE action_tokens SET stamp = ");
                out.push_bind_param::<BigInt, _>(&changed.stamp)?;
                out.push_sql(", modified = ");
                out.push_bind_param::<BigInt, _>(&changed.modified)?;
                out.push_sql(", usage_count = ");
                out.push_bind_param::<Integer, _>(&changed.usage_count)?;
                out.push_sql(", used = ");
                out.push_bind_param::<BigInt, _>(&changed.used)?;
                out.push_sql(" WHERE action = ");
                out.push_bind_param::<BigInt, _>(action)?;
                out.push_sql(" AND token = ");
                out.push_bind_param::<BigInt, _>(&changed.token)
            }
            Self::Restamp(restamp) => {
                out.push_sql("UPDATE action_tokens SET stamp = ");
                out.push_bind_param::<BigInt, _>(&restamp.to)?;
                out.push_sql(" WHERE token = ");
                out.push_bind_param::<BigInt, _>(&restamp.token)?;
                out.push_sql(" AND stamp = ");
                out.push_bind_param::<BigInt, _>(&restamp.from)
            }
        }
    }
}

impl RunQueryDsl<SqliteConnection> for UpdateRow<'_> {}
