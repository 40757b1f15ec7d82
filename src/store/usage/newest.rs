//! The newest entries of tokens, by statements that are prepared once: each tile asks for some.

use std::cmp::Reverse;
use std::collections::HashMap;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::entries::{Entry, EntryRow, entries, entry};
use crate::store::connection::Connection;
use crate::store::schema::usage;
use crate::token::settle::TokenId;
use crate::token::{EntryId, Token};

/// The latest `N` attempts at each of these tokens, newest first.
pub(crate) fn last<const N: usize>(
    connection: &mut Connection,
    of: &[(TokenId, &Token)],
) -> QueryResult<Vec<Vec<Entry>>> {
    let rows: Vec<Vec<EntryRow>> = match connection {
        Connection::Postgres(connection) => return last_of_many::<N>(connection, of),
        Connection::Sqlite(sqlite) => of.iter().map(|of| last_of_one(sqlite, *of, N)).collect::<QueryResult<_>>()?,
    };
    let named = |rows| Ok(entries(connection, rows)?.into_iter().map(|(_, entry)| entry).collect());
    rows.into_iter().map(named).collect()
}

fn last_of_many<const N: usize>(
    connection: &mut PgConnection,
    of: &[(TokenId, &Token)],
) -> QueryResult<Vec<Vec<Entry>>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(TokenId, EntryRow, Option<String>)> = NewestQuery::<N>::new(of).load(connection)?;
    let mut by_token: HashMap<TokenId, Vec<(EntryRow, Option<String>)>> = HashMap::new();
    for (token, row, gate) in rows {
        by_token.entry(token).or_default().push((row, gate));
    }
    let histories = of.iter().map(|(token, _)| {
        let mut rows = by_token.remove(token).unwrap_or_default();
        rows.sort_by_key(|(row, _)| Reverse(row.id));
        rows.into_iter().take(N).map(|(row, gate)| entry(row, gate).1).collect()
    });
    Ok(histories.collect())
}

fn last_of_one(
    connection: &mut SqliteConnection,
    (id, token): (TokenId, &Token),
    at_most: usize,
) -> QueryResult<Vec<EntryRow>> {
    let mut rows = walk(connection, (id, token.last_entry), at_most)?;
    // Attempts at its uid before there was such a token. Reading stops: a bound `LIMIT` would be prepared anew each time.
    let of_none = usage::table.filter(usage::token.is_null()).filter(usage::token_uid.eq(token.uid.to_string()));
    let of_none = of_none.order(usage::id.desc()).select(EntryRow::as_select());
    let of_none = of_none.load_iter::<EntryRow, DefaultLoadingMode>(connection)?;
    rows.extend(of_none.take(at_most).collect::<QueryResult<Vec<_>>>()?);
    rows.sort_by_key(|row| Reverse(row.id));
    rows.truncate(at_most);
    Ok(rows)
}

/// Entries of the log among which it looks for more of the token: at a quiet door they lie close together.
const NEAR: EntryId = 64;

/// The newest entries of a token on SQLite, one after the other: a recursive statement takes the time of twenty of these,
/// and most tokens have one entry or two.
fn walk(
    connection: &mut SqliteConnection,
    (token, mut next): (TokenId, Option<EntryId>),
    at_most: usize,
) -> QueryResult<Vec<EntryRow>> {
    let (mut rows, mut near) = (Vec::new(), NEAR);
    while let Some(entry) = next.filter(|_| rows.len() < at_most) {
        let some =
            usage::table.filter(usage::id.le(entry).and(usage::id.gt(entry - near))).filter(usage::token.eq(token));
        let some = some.order(usage::id.desc()).select((EntryRow::as_select(), usage::previous));
        let some = some.load_iter::<(EntryRow, Option<EntryId>), DefaultLoadingMode>(connection)?;
        let (before, mut before_that) = (rows.len(), None);
        for row in some.take(at_most - rows.len()) {
            let (row, previous) = row?;
            before_that = previous.filter(|previous| *previous < row.id);
            rows.push(row);
        }
        if rows.len() == before + 1 {
            near = 1;
        }
        next = before_that;
    }
    Ok(rows)
}

/// The columns of an entry, in the order of its row.
const COLUMNS: &str = "entry.id, entry.uid, entry.token_uid, entry.token_value, entry.timestamp, entry.principal, \
                       entry.error_code, entry.gate, entry.uses, entry.undoes";

/// Finds the newest `N` entries of each token, twice as many where its uid was asked for before there was such a token; with
/// the names of their gates.
#[derive(QueryId)]
pub(super) struct NewestQuery<const N: usize> {
    tokens: Vec<TokenId>,
    newest: Vec<Option<EntryId>>,
    uids: Vec<String>,
}

impl<const N: usize> NewestQuery<N> {
    pub(super) fn new(of: &[(TokenId, &Token)]) -> Self {
        Self {
            tokens: of.iter().map(|(id, _)| *id).collect(),
            newest: of.iter().map(|(_, token)| token.last_entry).collect(),
            uids: of.iter().map(|(_, token)| token.uid.to_string()).collect(),
        }
    }
}

impl<const N: usize> QueryFragment<Pg> for NewestQuery<N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let most = N.to_string();
        // Each entry is looked up by itself (`LIMIT 1`): the plan is kept, and one that is good for a log of a few entries
        // would read all of it.
        for text in ["WITH RECURSIVE chain AS (SELECT 1 AS depth, entry.token, entry.previous, ", COLUMNS] {
            out.push_sql(text);
        }
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.tokens)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.newest)?;
        for text in [
            ") AS asked (token, newest) CROSS JOIN LATERAL (SELECT * FROM usage WHERE usage.id = asked.newest \
             AND usage.token = asked.token LIMIT 1) AS entry UNION ALL SELECT chain.depth + 1, entry.token, entry.previous, ",
            COLUMNS,
            " FROM chain CROSS JOIN LATERAL (SELECT * FROM usage WHERE usage.id = chain.previous \
             AND usage.token = chain.token AND usage.id < chain.id LIMIT 1) AS entry WHERE chain.depth < ",
            &most,
            "), unknown AS (SELECT asked.token, ",
            COLUMNS,
            " FROM unnest(",
        ] {
            out.push_sql(text);
        }
        out.push_bind_param::<Array<BigInt>, _>(&self.tokens)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.uids)?;
        for text in [
            ") AS asked (token, uid) CROSS JOIN LATERAL (SELECT * FROM usage WHERE usage.token IS NULL \
             AND usage.token_uid = asked.uid ORDER BY usage.id DESC LIMIT ",
            &most,
            ") AS entry) SELECT entry.token, ",
            COLUMNS,
            ", gates.name FROM (SELECT token, id, uid, token_uid, token_value, timestamp, principal, error_code, gate, uses, \
             undoes FROM chain UNION ALL SELECT * FROM unknown) AS entry LEFT JOIN gates ON gates.id = entry.gate",
        ] {
            out.push_sql(text);
        }
        Ok(())
    }
}

impl<const N: usize> Query for NewestQuery<N> {
    type SqlType = (BigInt, SqlTypeOf<AsSelect<EntryRow, Pg>>, Nullable<Text>);
}

impl<const N: usize> RunQueryDsl<PgConnection> for NewestQuery<N> {}
