//! Look-ups of tokens, many at once on PostgreSQL.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text};

use super::find::{by_lookup, by_uid};
use super::row::{TokenColumns, TokenRow};
use super::visible::IS_ONE_VISIBLE;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::lookups::LookUp;
use crate::token::settle::{Lookup, TokenId};
use crate::token::{Token, TokenError, Uid};

/// The one token that it names; a value error when uid and value name different tokens.
impl LookUp for Lookup {
    type Found = Result<Option<Token>, TokenError>;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        let connection = match connection {
            Connection::Postgres(connection) => connection,
            sqlite @ Connection::Sqlite(_) => {
                let found = keys.iter().map(|what| {
                    let [by_uid, by_value] = by_lookup(sqlite, what)?;
                    Ok(what.reconcile(by_uid, by_value).map(|found| found.map(|(_, token)| token)))
                });
                return found.collect();
            }
        };
        let uids = keys.iter().flat_map(|what| [what.uid, what.link]).flatten();
        let uids = uids.map(|uid| uid.to_string()).collect();
        let found = named(connection, uids, keys.iter().filter_map(|what| what.value.clone()).collect())?;
        let by_uid: HashMap<Uid, &(TokenId, Token)> = found.iter().map(|found| (found.1.uid, found)).collect();
        let by_value: HashMap<&str, &(TokenId, Token)> = found.iter().map(|found| (&*found.1.value, found)).collect();
        let of_uid = |uid: Option<Uid>| by_uid.get(&uid?).copied();
        let found = keys.iter().map(|what| {
            let value = what.value.as_deref().and_then(|value| by_value.get(value).copied());
            let one = what.reconcile(of_uid(what.uid), value.or_else(|| of_uid(what.link)))?;
            Ok(one.map(|(_, token)| token.clone()))
        });
        Ok(found.collect())
    }
}

/// What each of these names, in their order.
pub(in crate::store) fn lookup_all(
    connection: &mut Connection,
    names: &[Lookup],
) -> Result<Vec<<Lookup as LookUp>::Found>, Error> {
    Lookup::find(connection, names)
}

/// The token with this uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ByUid(pub(crate) Uid);

impl LookUp for ByUid {
    type Found = Option<Token>;

    fn find(connection: &mut Connection, keys: &[Self]) -> Result<Vec<Self::Found>, Error> {
        let found = with_uids(connection, keys.iter().map(|key| key.0))?;
        Ok(found.into_iter().map(|found| found.map(|(_, token)| token)).collect())
    }
}

/// The tokens with these uids, in their order.
pub(super) fn with_uids(
    connection: &mut Connection,
    uids: impl Iterator<Item = Uid> + Clone,
) -> QueryResult<Vec<Option<(TokenId, Token)>>> {
    let connection = match connection {
        Connection::Postgres(connection) => connection,
        sqlite @ Connection::Sqlite(_) => return uids.map(|uid| by_uid(sqlite, uid)).collect(),
    };
    let found = named(connection, uids.clone().map(|uid| uid.to_string()).collect(), Vec::new())?;
    let mut found: HashMap<Uid, (TokenId, Token)> = found.into_iter().map(|found| (found.1.uid, found)).collect();
    Ok(uids.map(|uid| found.remove(&uid)).collect())
}

/// The tokens that have one of these uids or values; twice, if it has both.
pub(in crate::store) fn named(
    connection: &mut PgConnection,
    mut uids: Vec<String>,
    values: Vec<String>,
) -> QueryResult<Vec<(TokenId, Token)>> {
    // Most values are uids. Each is looked for as both.
    uids.extend(values.iter().filter_map(|value| Some(value.parse::<Uid>().ok()?.to_string())));
    let rows: Vec<(TokenId, TokenRow)> = NamedQuery { uids, values }.load(connection)?;
    rows.into_iter().map(|(id, row)| Ok((id, row.token()?))).collect()
}

/// On PostgreSQL the tokens with some values, behind the array of these in `unnest(`. Each is looked up by itself, in an order
/// that one index has: with `value = ANY`, a plan kept from an empty table could read a whole index later.
pub(in crate::store) const EACH_BY_VALUE: &str = ") AS asked (value) CROSS JOIN LATERAL (SELECT * FROM tokens \
    WHERE tokens.deleted_at IS NULL AND tokens.value >= asked.value AND tokens.value <= asked.value \
    ORDER BY tokens.value LIMIT 1) AS token";

/// Finds tokens by their uids and by their values.
#[derive(QueryId)]
struct NamedQuery {
    uids: Vec<String>,
    values: Vec<String>,
}

impl QueryFragment<Pg> for NamedQuery {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // The plan is kept, and one that is good for a table of a few rows would read all of them later. So what is not
        // deleted is asked outside, as some indexes have only that.
        out.push_sql("WITH found AS MATERIALIZED (SELECT * FROM tokens WHERE uid = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.uids)?;
        out.push_sql(") UNION ALL SELECT token.* FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.values)?;
        for text in [EACH_BY_VALUE, ") SELECT id, ", TokenRow::COLUMNS, " FROM found AS tokens WHERE ", IS_ONE_VISIBLE]
        {
            out.push_sql(text);
        }
        Ok(())
    }
}

impl Query for NamedQuery {
    type SqlType = (BigInt, TokenColumns);
}

impl RunQueryDsl<PgConnection> for NamedQuery {}
