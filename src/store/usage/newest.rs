//! The newest entries of tokens on PostgreSQL, by a statement that is prepared once: each tile asks for some.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::entries::EntryRow;
use crate::token::settle::TokenId;
use crate::token::{EntryId, Token};

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
        for text in ["WITH RECURSIVE chain AS (SELECT 1 AS depth, entry.token, entry.previous, ", COLUMNS] {
            out.push_sql(text);
        }
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.tokens)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.newest)?;
        for text in [
            ") AS asked (token, newest) JOIN usage AS entry ON entry.id = asked.newest AND entry.token = asked.token \
             UNION ALL SELECT chain.depth + 1, entry.token, entry.previous, ",
            COLUMNS,
            " FROM chain JOIN usage AS entry ON entry.id = chain.previous AND entry.token = chain.token \
             AND entry.id < chain.id WHERE chain.depth < ",
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
