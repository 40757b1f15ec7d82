//! The last uses of many tokens at once, on PostgreSQL.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::last_use::{LATEST, LastUse, last_use};
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::lookups::LookUp;
use crate::token::settle::TokenId;
use crate::token::{Micros, TokenError, Uid};

/// The last use of the token with this uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LastUseOf(pub(crate) Uid);

impl LookUp for LastUseOf {
    type Found = Option<LastUse>;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        match connection {
            Connection::Postgres(connection) => find(connection, keys),
            sqlite @ Connection::Sqlite(_) => keys.iter().map(|key| Ok(last_use(sqlite, key.0)?)).collect(),
        }
    }
}

/// When, by whom and at which gate.
type Row = (i64, String, Option<String>);

/// A token that was ever used, and when, by whom and at which gate, if that is found.
type UsedRow = (String, TokenId, Option<i64>, Option<String>, Option<String>);

fn last_use_of((timestamp, user, gate): Row) -> LastUse {
    LastUse { timestamp: Micros::stored(timestamp), gate, user }
}

fn find(connection: &mut PgConnection, keys: &[LastUseOf]) -> Result<Vec<Option<LastUse>>, Error> {
    let by_time = ByTime { uids: keys.iter().map(|key| key.0.to_string()).collect() };
    let rows: Vec<UsedRow> = by_time.load(connection)?;
    let (mut found, mut others) = (HashMap::new(), HashMap::new());
    for (uid, token, timestamp, user, gate) in rows {
        let uid: Uid = uid.parse().map_err(|error: TokenError| Error::Failed(error.to_string()))?;
        match (timestamp, user) {
            (Some(timestamp), Some(user)) => drop(found.insert(uid, last_use_of((timestamp, user, gate)))),
            _ => drop(others.insert(token, uid)),
        }
    }
    if !others.is_empty() {
        let rows: Vec<(TokenId, Row)> = ByChain { tokens: others.keys().copied().collect() }.load(connection)?;
        found.extend(rows.into_iter().filter_map(|(token, row)| Some((*others.get(&token)?, last_use_of(row)))));
    }
    Ok(keys.iter().map(|key| found.remove(&key.0)).collect())
}

/// Finds the tokens that were ever used, each with its last use by that one's moment, which the token has; without, if that
/// use was undone, or the clock has jumped back.
#[derive(QueryId)]
struct ByTime {
    uids: Vec<String>,
}

impl QueryFragment<Pg> for ByTime {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Nothing is joined that can be large: the plan is kept, and one that is good for a few rows would read all of them.
        out.push_sql(
            "WITH asked AS MATERIALIZED (SELECT id, uid, last_used FROM tokens WHERE last_used IS NOT NULL AND uid = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.uids)?;
        // Sorted by what no index has: the one of all entries would be walked for a few of a moment.
        out.push_sql(
            ")) SELECT asked.uid, asked.id, used.timestamp, used.principal, gates.name \
             FROM asked LEFT JOIN LATERAL (SELECT * FROM usage WHERE usage.timestamp = asked.last_used \
                 AND usage.error_code IS NULL AND usage.uses > 0 AND usage.token = asked.id \
                 ORDER BY usage.id + 0 DESC LIMIT 1) AS used \
                 ON (SELECT undo.id FROM usage AS undo WHERE undo.undoes = used.uid) IS NULL \
             LEFT JOIN gates ON gates.id = used.gate",
        );
        Ok(())
    }
}

impl Query for ByTime {
    type SqlType = (Text, BigInt, Nullable<BigInt>, Nullable<Text>, Nullable<Text>);
}

impl RunQueryDsl<PgConnection> for ByTime {}

/// Finds the last use of each token among its latest entries.
#[derive(QueryId)]
struct ByChain {
    tokens: Vec<TokenId>,
}

impl QueryFragment<Pg> for ByChain {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH RECURSIVE chain AS (SELECT 1 AS depth, entry.* FROM tokens CROSS JOIN LATERAL (SELECT * FROM usage \
                 WHERE usage.id = tokens.last_entry AND usage.token = tokens.id LIMIT 1) AS entry WHERE tokens.id = ANY(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.tokens)?;
        for text in [
            ") UNION ALL SELECT chain.depth + 1, entry.* FROM chain CROSS JOIN LATERAL (SELECT * FROM usage \
                 WHERE usage.id = chain.previous AND usage.token = chain.token AND usage.id < chain.id LIMIT 1) AS entry \
                 WHERE chain.depth < ",
            &LATEST.to_string(),
            ") SELECT DISTINCT ON (chain.token) chain.token, chain.timestamp, chain.principal, gates.name \
             FROM chain LEFT JOIN gates ON gates.id = chain.gate WHERE chain.error_code IS NULL AND chain.uses > 0 \
                 AND (SELECT undo.id FROM usage AS undo WHERE undo.undoes = chain.uid) IS NULL \
             ORDER BY chain.token, chain.id DESC",
        ] {
            out.push_sql(text);
        }
        Ok(())
    }
}

impl Query for ByChain {
    type SqlType = (BigInt, (BigInt, Text, Nullable<Text>));
}

impl RunQueryDsl<PgConnection> for ByChain {}
