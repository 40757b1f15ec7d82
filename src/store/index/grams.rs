//! In which tokens some characters stand in a row: an FTS5 table on SQLite, and a GIN index of numbers on PostgreSQL, which
//! needs no extension. They are asked for candidates: tokens in which all of some grams stand somewhere.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel::sqlite::Sqlite;

use super::Ids;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::token::search_words::{Gram, grams};
use crate::token::settle::TokenId;

/// Pages that SQLite merges at a time. Left to itself it merges hundreds in one piece, for which consumes would wait.
const MERGED_PAGES: i32 = 16;
/// What a token's range of ids is, on PostgreSQL: the larger ranges for a search among all tokens, the smaller for a group of
/// zones. Without ranges, a gram that stands in millions of tokens would be read for all of them.
const LARGE_RANGE: u32 = 17;
const SMALL_RANGE: u32 = 13;

/// A token's texts.
pub(super) struct Texts {
    pub(super) token: TokenId,
    pub(super) own_value: Option<String>,
    pub(super) label: Option<String>,
}

/// Puts tokens in place of what was known of them.
pub(super) fn put(connection: &mut Connection, all: &[Texts]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            for texts in all {
                PutWords::new(texts).execute(connection)?;
            }
            Ok(())
        }
        Connection::Postgres(connection) => {
            let rows = diesel::sql_query(
                "INSERT INTO token_grams (token, grams) \
                 SELECT token, numbers::integer[] FROM unnest($1, $2) AS new (token, numbers) \
                 ON CONFLICT (token) DO UPDATE SET grams = EXCLUDED.grams",
            );
            let tokens: Vec<TokenId> = all.iter().map(|texts| texts.token).collect();
            let rows = rows.bind::<Array<BigInt>, _>(tokens);
            rows.bind::<Array<Text>, _>(all.iter().map(numbers).collect::<Vec<_>>()).execute(connection).map(drop)
        }
    }
}

/// Forgets tokens.
pub(super) fn remove(connection: &mut Connection, tokens: &[TokenId]) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(connection) => {
            for token in tokens {
                let row = diesel::sql_query("DELETE FROM token_grams WHERE rowid = ?");
                row.bind::<BigInt, _>(token).execute(connection)?;
            }
            Ok(())
        }
        Connection::Postgres(connection) => {
            let rows = diesel::sql_query("DELETE FROM token_grams WHERE token = ANY($1)");
            rows.bind::<Array<BigInt>, _>(tokens).execute(connection).map(drop)
        }
    }
}

/// Puts the index in order a little. Costs nothing when there is nothing to do.
pub(super) fn tidy(connection: &mut Connection) -> QueryResult<()> {
    let Connection::Sqlite(connection) = connection else { return Ok(()) };
    let merge = diesel::sql_query("INSERT INTO token_grams (token_grams, rank) VALUES ('merge', ?)");
    merge.bind::<Integer, _>(MERGED_PAGES).execute(connection).map(drop)
}

/// Tokens with these ids in which all the grams may stand, from the highest id on or from the lowest, at most so many.
///
/// # Errors
/// Too slow, when the search takes longer than it may.
pub(crate) fn find(
    connection: &mut Connection,
    wanted: &[Gram],
    (lowest, highest): Ids,
    (descending, at_most): (bool, usize),
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    limit.check()?;
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let Connection::Postgres(connection) = connection else {
        return Ok(find_words(connection, wanted, (lowest, highest), (descending, at_most))?);
    };
    let newest = diesel::sql_query("SELECT COALESCE(max(token), 0) AS token FROM token_grams");
    let highest = highest.min(newest.get_result::<Found>(connection)?.token);
    let lowest = lowest.max(0);
    let (mut found, shift) = (Vec::new(), if highest - lowest < 1 << LARGE_RANGE { SMALL_RANGE } else { LARGE_RANGE });
    let (first, last) = (lowest >> shift, highest >> shift);
    // In statements that each read a bounded number of ranges.
    let starts = (0..=(last - first).max(-1)).step_by(RANGES);
    for start in starts {
        if length(&found) >= at_most {
            break;
        }
        limit.check()?;
        let end = (start + i64::try_from(RANGES).unwrap_or(1) - 1).min(last - first);
        let ranges = if descending { (last - start, last - end) } else { (first + start, first + end) };
        let ranges = Ranges { from: ranges.0, to: ranges.1, shift, descending };
        let wanted = FindGrams { wanted, ids: (lowest, highest), ranges, at_most: at_most - length(&found) };
        found.extend(wanted.load(connection)?);
    }
    Ok(found)
}

fn length<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    token: TokenId,
}

fn find_words(
    connection: &mut Connection,
    wanted: &[Gram],
    (lowest, highest): Ids,
    (descending, at_most): (bool, i64),
) -> QueryResult<Vec<TokenId>> {
    let words: Vec<String> = wanted.iter().map(|gram| format!("\"{}\"", word(gram))).collect();
    let query = diesel::sql_query(format!(
        "SELECT rowid AS token FROM token_grams WHERE token_grams MATCH ? AND rowid BETWEEN ? AND ? \
         ORDER BY rowid {} LIMIT ?",
        direction(descending)
    ));
    let query = query.bind::<Text, _>(words.join(" AND "));
    let query = query.bind::<BigInt, _>(lowest).bind::<BigInt, _>(highest).bind::<BigInt, _>(at_most);
    Ok(query.load::<Found>(connection)?.into_iter().map(|found| found.token).collect())
}

/// Stores a token's grams in the index of SQLite, each as a word.
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

/// A gram as a word of SQLite's index.
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

/// The numbers under which PostgreSQL finds a token, as it writes an array.
fn numbers(texts: &Texts) -> String {
    let all = grams(texts.own_value.as_deref(), texts.label.as_deref());
    let ranges = [LARGE_RANGE, SMALL_RANGE].map(|shift| range_number(texts.token >> shift, shift));
    let numbers: Vec<String> = all.iter().map(number).chain(ranges).map(|number| number.to_string()).collect();
    format!("{{{}}}", numbers.join(","))
}

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

/// Ranges of ids that one statement asks.
const RANGES: usize = 64;

/// Some of them, in this order.
struct Ranges {
    from: i64,
    to: i64,
    shift: u32,
    descending: bool,
}

struct FindGrams<'a> {
    wanted: &'a [Gram],
    ids: Ids,
    ranges: Ranges,
    at_most: i64,
}

impl FindGrams<'_> {
    fn load(&self, connection: &mut PgConnection) -> QueryResult<Vec<TokenId>> {
        let numbers: Vec<i32> = self.wanted.iter().map(number).collect();
        let Ranges { from, to, shift, descending } = self.ranges;
        let (step, direction) = (if descending { -1 } else { 1 }, direction(descending));
        // The number of a range is counted in the statement as `range_number` counts it.
        let first = if shift == LARGE_RANGE { -1 } else { -1 - SMALL_RANGES };
        let query = diesel::sql_query(format!(
            "SELECT found.token FROM generate_series({from}::bigint, {to}::bigint, {step}) AS range (number), \
             LATERAL (SELECT token FROM token_grams WHERE grams @> ($1 || ({first} - range.number)::integer) \
                 AND token BETWEEN $2 AND $3 ORDER BY token {direction} LIMIT $4) AS found LIMIT $4"
        ));
        let query = query.bind::<Array<Integer>, _>(numbers).bind::<BigInt, _>(self.ids.0);
        let query = query.bind::<BigInt, _>(self.ids.1).bind::<BigInt, _>(self.at_most);
        Ok(query.load::<Found>(connection)?.into_iter().map(|found| found.token).collect())
    }
}

/// From here downwards, negative numbers are small ranges; above, large ones.
const SMALL_RANGES: i64 = 1 << 30;

/// The number of a range. Ids beyond those that have one, more than 8,000,000,000,000, share the last.
fn range_number(range: i64, shift: u32) -> i32 {
    let first = if shift == LARGE_RANGE { -1 } else { -1 - SMALL_RANGES };
    i32::try_from(first - range.min(SMALL_RANGES - 2)).unwrap_or(i32::MIN)
}

/// A gram as a number that is not negative. Those of ASCII have numbers of their own; others may share one, and what is
/// found is looked at anyway.
fn number(part: &Gram) -> i32 {
    let codes = part.map(u32::from);
    if codes.iter().all(|code| *code < 128) {
        return (codes[0] << 14 | codes[1] << 7 | codes[2]).cast_signed();
    }
    let mixed = codes.iter().fold(0_u32, |mixed, code| (mixed ^ code).wrapping_mul(0x9E37_79B1).rotate_left(11));
    (mixed >> 1 | 1 << 21).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_and_ranges_never_share_a_number() {
        assert_eq!(number(&['a', 'b', 'c']), (97 << 14) + (98 << 7) + 99);
        assert!(number(&['ж', '中', '😀']) >= 1 << 21);
        assert_ne!(number(&['ж', 'a', 'b']), number(&['a', 'ж', 'b']));
        assert_eq!([range_number(0, LARGE_RANGE), range_number(5, LARGE_RANGE)], [-1, -6]);
        assert_eq!(range_number(0, SMALL_RANGE), i32::try_from(-1 - SMALL_RANGES).unwrap());
        assert!(range_number(i64::MAX >> 13, SMALL_RANGE) < range_number(i64::MAX >> 17, LARGE_RANGE));
    }
}
