//! Grams on SQLite: each is a word of an FTS5 table that keeps neither texts nor places.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;

use super::gram::{Found, RANGE, Texts, direction, number};
use crate::store::index::Ids;
use crate::token::search_words::{Gram, grams};
use crate::token::settle::TokenId;

/// Pages that SQLite merges at a time. Left to itself it merges hundreds in one piece, for which consumes would wait.
const MERGED_PAGES: i32 = 16;

pub(super) fn put(connection: &mut SqliteConnection, all: &[Texts]) -> QueryResult<()> {
    for texts in all {
        PutWords::new(texts).execute(connection)?;
    }
    Ok(())
}

pub(super) fn remove(connection: &mut SqliteConnection, tokens: &[TokenId]) -> QueryResult<()> {
    for token in tokens {
        let row = diesel::sql_query("DELETE FROM token_grams WHERE rowid = ?");
        row.bind::<BigInt, _>(token).execute(connection)?;
    }
    Ok(())
}

pub(super) fn tidy(connection: &mut SqliteConnection) -> QueryResult<()> {
    let merge = diesel::sql_query("INSERT INTO token_grams (token_grams, rank) VALUES ('merge', ?)");
    merge.bind::<Integer, _>(MERGED_PAGES).execute(connection).map(drop)
}

pub(super) fn find(
    connection: &mut SqliteConnection,
    wanted: &[Gram],
    (lowest, highest): Ids,
    (descending, at_most): (bool, i64),
) -> QueryResult<Vec<TokenId>> {
    let words: Vec<String> = wanted.iter().map(|gram| format!("\"{}\"", word(gram))).collect();
    let query = diesel::sql_query(format!(
        "SELECT rowid AS number FROM token_grams WHERE token_grams MATCH ? AND rowid BETWEEN ? AND ? \
         ORDER BY rowid {} LIMIT ?",
        direction(descending)
    ));
    let query = query.bind::<Text, _>(words.join(" AND "));
    let query = query.bind::<BigInt, _>(lowest).bind::<BigInt, _>(highest).bind::<BigInt, _>(at_most);
    Ok(query.load::<Found>(connection)?.into_iter().map(|found| found.number).collect())
}

pub(super) fn ranges_with(connection: &mut SqliteConnection, wanted: &[Gram], ranges: &[i64]) -> QueryResult<Vec<i64>> {
    let mut found = Vec::new();
    for range in ranges {
        let ids = (range << RANGE, ((range + 1) << RANGE) - 1);
        if !find(connection, wanted, ids, (false, 1))?.is_empty() {
            found.push(*range);
        }
    }
    Ok(found)
}

/// Stores a token's grams.
#[derive(QueryId)]
struct PutWords {
    token: TokenId,
    words: String,
}

impl PutWords {
    fn new(texts: &Texts) -> Self {
        let all = grams(texts.own_value.as_deref(), texts.label.as_deref());
        Self { token: texts.token, words: all.iter().map(word).collect::<Vec<_>>().join(" ") }
    }
}

/// A gram as a word of the index.
fn word(gram: &Gram) -> String {
    format!("{:x}", number(gram))
}

impl QueryFragment<Sqlite> for PutWords {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT OR REPLACE INTO token_grams (rowid, grams) VALUES (");
        out.push_bind_param::<BigInt, _>(&self.token)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.words)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for PutWords {}
