//! The newest entries of a token on PostgreSQL, by a statement that is prepared once: each tile asks for some.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool};

use super::chain::{CHAIN, IDS, NEWEST, POSTGRES_LIST, PREVIOUS};
use crate::store::schema::usage;
use crate::token::settle::TokenId;

/// Holds for the newest `N` entries of a token.
#[derive(Clone, Debug)]
pub(super) struct AmongNewest<const N: i64>(pub(super) TokenId);

impl<const N: i64> QueryId for AmongNewest<N> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const N: i64> Expression for AmongNewest<N> {
    type SqlType = Bool;
}

impl<G, const N: i64> ValidGrouping<G> for AmongNewest<N> {
    type IsAggregate = is_aggregate::Never;
}

impl<const N: i64> AppearsOnTable<usage::table> for AmongNewest<N> {}

impl<const N: i64> SelectableExpression<usage::table> for AmongNewest<N> {}

impl<const N: i64> QueryFragment<Pg> for AmongNewest<N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (open, close) = POSTGRES_LIST;
        for text in [open, CHAIN, NEWEST, "tokens.id = "] {
            out.push_sql(text);
        }
        out.push_bind_param::<BigInt, _>(&self.0)?;
        for text in [PREVIOUS, IDS, " LIMIT ", &N.to_string(), close] {
            out.push_sql(text);
        }
        Ok(())
    }
}
