//! Pages of the whole list, without a filter, in statements that are prepared once.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Text};

use super::row::TokenRow;
use super::sort::{Sort, TokenSlice, Walked};
use super::visible::ARE_VISIBLE;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::cursor::Key;
use crate::store::schema::tokens;

/// The rows of a page.
pub(super) fn rows(connection: &mut Connection, slice: &TokenSlice) -> QueryResult<Vec<(i64, TokenRow)>> {
    let (sort, descending) = (slice.sort, slice.descending);
    slice.rows(|walked, limit| PlainPage { sort, descending, walked, limit }.load(connection))
}

/// A statement of a few variants, which the connection keeps by their text. The limit stands in the text: without it,
/// PostgreSQL would take a page for a tenth of the table, and sort that.
struct PlainPage<'a> {
    sort: Sort,
    descending: bool,
    walked: Walked<'a>,
    limit: i64,
}

impl PlainPage<'_> {
    fn compare<'b, DB>(&self, out: &mut AstPass<'_, 'b, DB>, comparison: &str, key: &'b Key) -> QueryResult<()>
    where
        DB: diesel::backend::Backend + diesel::sql_types::HasSqlType<BigInt> + diesel::sql_types::HasSqlType<Text>,
        i64: ToSql<BigInt, DB>,
        String: ToSql<Text, DB>,
    {
        for text in [" AND ", self.sort.expression(), comparison] {
            out.push_sql(text);
        }
        match key {
            Key::Number(number) => out.push_bind_param::<BigInt, _>(number),
            Key::Text(text) => out.push_bind_param::<Text, _>(text),
        }
    }
}

impl<DB> QueryFragment<DB> for PlainPage<'_>
where
    DB: diesel::backend::Backend + diesel::sql_types::HasSqlType<BigInt> + diesel::sql_types::HasSqlType<Text>,
    i64: ToSql<BigInt, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (behind, direction) = if self.descending { (" < ", " DESC") } else { (" > ", " ASC") };
        for text in ["SELECT id, ", TokenRow::COLUMNS, " FROM tokens WHERE ", ARE_VISIBLE] {
            out.push_sql(text);
        }
        match &self.walked {
            Walked::All => {}
            Walked::Ties(key, id) => {
                self.compare(&mut out, " = ", key)?;
                out.push_sql(" AND tokens.id");
                out.push_sql(behind);
                out.push_bind_param::<BigInt, _>(id)?;
            }
            Walked::Later(key) => self.compare(&mut out, behind, key)?,
        }
        out.push_sql(" ORDER BY ");
        if !matches!(self.walked, Walked::Ties(..)) {
            for text in [self.sort.expression(), direction, ", "] {
                out.push_sql(text);
            }
        }
        out.push_sql("tokens.id");
        out.push_sql(direction);
        out.push_sql(&format!(" LIMIT {}", self.limit));
        Ok(())
    }
}

impl QueryId for PlainPage<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for PlainPage<'_> {
    type SqlType = SqlTypeOf<(tokens::id, AsSelect<TokenRow, MultiBackend>)>;
}

impl<C> RunQueryDsl<C> for PlainPage<'_> {}
