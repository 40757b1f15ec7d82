//! Grams on PostgreSQL: numbers in an array with a GIN index. Two more numbers of each array, negative ones, are the ranges of
//! ids that the token is in. What stands in millions of tokens is found range by range, and not all of it read.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};

use super::gram::{Found, LARGE_RANGE, RANGE, direction, number};
use crate::store::error::Error;
use crate::store::index::Ids;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::token::search_words::{Gram, grams};
use crate::token::settle::TokenId;

/// From here downwards, numbers are small ranges; above, large ones.
const SMALL_RANGES: i64 = 1 << 30;
/// Fewer tokens than that in a large range are few.
const FEW: usize = 1_000;
/// Large ranges, or pieces of small ones, that one statement asks at most.
const RANGES: i64 = 64;
const PIECES: usize = 64;
/// Until the transaction ends, PostgreSQL reads by the index of grams, the only one that is read in this way (with `token + 0`,
/// which has no index). Its statistics say how many tokens have each gram, but not how many have all of them: so it would
/// rather read all tokens in their order, until there are enough.
const BY_GRAMS: &str =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off";

/// Puts tokens in place of what was known of them, and forgets those that are gone.
pub(super) fn refresh(connection: &mut PgConnection, wanted: &[TokenId]) -> QueryResult<()> {
    let rows = tokens::table.filter(tokens::id.eq_any(wanted)).select((tokens::id, tokens::value, tokens::label));
    let all: Vec<Texts> = rows.load(connection)?;
    put(connection, &all)?;
    let there: BTreeSet<TokenId> = all.iter().map(|texts| texts.token).collect();
    let gone: Vec<TokenId> = wanted.iter().filter(|id| !there.contains(id)).copied().collect();
    if gone.is_empty() {
        return Ok(());
    }
    let rows = diesel::sql_query("DELETE FROM token_grams WHERE token = ANY($1)");
    rows.bind::<Array<BigInt>, _>(gone).execute(connection).map(drop)
}

/// A token's texts.
#[derive(Queryable)]
struct Texts {
    token: TokenId,
    own_value: Option<String>,
    label: Option<String>,
}

fn put(connection: &mut PgConnection, all: &[Texts]) -> QueryResult<()> {
    let rows = diesel::sql_query(
        "INSERT INTO token_grams (token, grams) \
         SELECT token, numbers::integer[] FROM unnest($1, $2) AS new (token, numbers) \
         ON CONFLICT (token) DO UPDATE SET grams = EXCLUDED.grams",
    );
    let rows = rows.bind::<Array<BigInt>, _>(all.iter().map(|texts| texts.token).collect::<Vec<_>>());
    rows.bind::<Array<Text>, _>(all.iter().map(numbers).collect::<Vec<_>>()).execute(connection).map(drop)
}

/// The numbers under which a token is found, as an array is written.
fn numbers(texts: &Texts) -> String {
    let all = grams(texts.own_value.as_deref(), texts.label.as_deref());
    let ranges = [LARGE_RANGE, RANGE].map(|shift| range_number(texts.token >> shift, shift));
    let numbers: Vec<String> = all.iter().map(number).chain(ranges).map(|number| number.to_string()).collect();
    format!("{{{}}}", numbers.join(","))
}

/// The number of a range. Ids beyond those that have one, more than 8,000,000,000,000, share the last.
fn range_number(range: i64, shift: u32) -> i32 {
    i32::try_from(first_number(shift) - range.min(SMALL_RANGES - 2)).unwrap_or(i32::MIN)
}

/// The number of the range of the first ids.
fn first_number(shift: u32) -> i64 {
    if shift == LARGE_RANGE { -1 } else { -1 - SMALL_RANGES }
}

pub(super) fn find(
    connection: &mut PgConnection,
    wanted: &[Gram],
    (lowest, highest): Ids,
    (descending, at_most): (bool, i64),
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    let newest = diesel::sql_query("SELECT COALESCE(max(token), 0) AS number FROM token_grams");
    let ids = (lowest.max(0), highest.min(newest.get_result::<Found>(connection)?.number));
    let search = Search { wanted: wanted.iter().map(number).collect(), ids, descending, limit };
    by_grams(connection, |connection| search.find(connection, at_most))
}

/// Reads by the index of grams, and by no other.
fn by_grams<T, E: From<diesel::result::Error>>(
    connection: &mut PgConnection,
    read: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    diesel::Connection::transaction(connection, |connection| {
        connection.batch_execute(BY_GRAMS)?;
        read(connection)
    })
}

/// Finds tokens in ranges of ids, many ranges by one statement.
pub(super) fn find_in(
    connection: &mut PgConnection,
    wanted: &[Gram],
    ranges: &[Ids],
    most: usize,
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<i32> = wanted.iter().map(number).collect();
    let pieces: Vec<Ids> = ranges.iter().flat_map(|ids| in_small_ranges(*ids)).collect();
    let query = format!(
        "SELECT found.token AS number FROM \
         (SELECT lowest, highest, lowest >> {RANGE} AS number FROM unnest($2, $3) AS piece (lowest, highest)) AS range, \
         LATERAL (SELECT token FROM token_grams WHERE {} AND grams @> $1 \
             AND token + 0 BETWEEN range.lowest AND range.highest LIMIT $4) AS found LIMIT $4",
        is_in_range(RANGE)
    );
    let mut tokens = Vec::new();
    by_grams(connection, |connection| {
        for pieces in pieces.chunks(PIECES) {
            limit.check()?;
            let missing = most.saturating_add(1).saturating_sub(tokens.len());
            let (lowest, highest): (Vec<i64>, Vec<i64>) = pieces.iter().copied().unzip();
            let query = diesel::sql_query(&query).bind::<Array<Integer>, _>(&wanted);
            let query = query.bind::<Array<BigInt>, _>(lowest).bind::<Array<BigInt>, _>(highest);
            let found: Vec<Found> =
                query.bind::<BigInt, _>(i64::try_from(missing).unwrap_or(i64::MAX)).load(connection)?;
            tokens.extend(found.into_iter().map(|found| found.number));
            if tokens.len() > most {
                break;
            }
        }
        Ok(tokens)
    })
}

/// Some ids, each piece in one small range.
fn in_small_ranges((lowest, highest): Ids) -> impl Iterator<Item = Ids> {
    (lowest >> RANGE..=highest >> RANGE)
        .map(move |range| (lowest.max(range << RANGE), highest.min(((range + 1) << RANGE) - 1)))
}

pub(super) fn ranges_with(connection: &mut PgConnection, wanted: &[Gram], ranges: &[i64]) -> QueryResult<Vec<i64>> {
    let query = diesel::sql_query(format!(
        "SELECT range.number FROM unnest($2) AS range (number), \
         LATERAL (SELECT 1 FROM token_grams WHERE {} AND grams @> $1 LIMIT 1) AS found",
        is_in_range(RANGE)
    ));
    let query = query.bind::<Array<Integer>, _>(wanted.iter().map(number).collect::<Vec<_>>());
    let query = query.bind::<Array<BigInt>, _>(ranges);
    let found: Vec<Found> = by_grams(connection, |connection| query.load(connection))?;
    Ok(found.into_iter().map(|found| found.number).collect())
}

/// A search among tokens with some ids, from one end of them to the other.
struct Search<'a> {
    wanted: Vec<i32>,
    ids: Ids,
    descending: bool,
    limit: &'a SearchLimit,
}

impl Search<'_> {
    /// Looks into the small ranges of one large range: what stands in millions of tokens is soon found there. What was found
    /// decides how it goes on: where nothing was, to the next large range that has anything at all; where little was, by
    /// large ranges.
    fn find(&self, connection: &mut PgConnection, at_most: i64) -> Result<Vec<TokenId>, Error> {
        let (mut found, mut at) = (Vec::new(), Some(if self.descending { self.ids.1 } else { self.ids.0 }));
        let mut are_few = false;
        while let Some(from) = at {
            self.limit.check()?;
            let (ranges, shift) = if are_few { (RANGES, LARGE_RANGE) } else { (1, RANGE) };
            let to = self.end_of(from, ranges);
            let missing = at_most - i64::try_from(found.len()).unwrap_or(i64::MAX);
            let mut some = self.find_between(connection, (from, to), shift, missing)?;
            let count = some.len();
            found.append(&mut some);
            if i64::try_from(found.len()).is_ok_and(|count| count >= at_most) {
                break;
            }
            are_few = (1..FEW).contains(&count);
            at = if count == 0 { self.next_with_any(connection, to)? } else { self.behind(to) };
        }
        Ok(found)
    }

    /// The last of the ids in as many large ranges, of which the first has this id.
    fn end_of(&self, from: i64, ranges: i64) -> i64 {
        let range = from >> LARGE_RANGE;
        if self.descending {
            self.ids.0.max((range - ranges + 1) << LARGE_RANGE)
        } else {
            self.ids.1.min(((range + ranges) << LARGE_RANGE) - 1)
        }
    }

    /// The id after this one.
    fn behind(&self, id: i64) -> Option<i64> {
        let next = if self.descending { id - 1 } else { id + 1 };
        (self.ids.0..=self.ids.1).contains(&next).then_some(next)
    }

    fn find_between(
        &self,
        connection: &mut PgConnection,
        ids: Ids,
        shift: u32,
        at_most: i64,
    ) -> QueryResult<Vec<TokenId>> {
        let direction = direction(self.descending);
        let query = diesel::sql_query(format!(
            "SELECT found.token AS number FROM {}, \
             LATERAL (SELECT token FROM token_grams WHERE {} AND grams @> $1 \
                 AND token + 0 BETWEEN $2 AND $3 ORDER BY token + 0 {direction} LIMIT $4) AS found LIMIT $4",
            self.ranges(ids, shift),
            is_in_range(shift)
        ));
        let query = query.bind::<Array<Integer>, _>(&self.wanted).bind::<BigInt, _>(self.ids.0);
        let query = query.bind::<BigInt, _>(self.ids.1).bind::<BigInt, _>(at_most);
        Ok(query.load::<Found>(connection)?.into_iter().map(|found| found.number).collect())
    }

    /// The first id behind this one that is in a large range with tokens in which all the grams may stand.
    fn next_with_any(&self, connection: &mut PgConnection, mut last: i64) -> Result<Option<i64>, Error> {
        while let Some(from) = self.behind(last) {
            self.limit.check()?;
            last = self.end_of(from, RANGES);
            let query = diesel::sql_query(format!(
                "SELECT range.number FROM {}, \
                 LATERAL (SELECT 1 FROM token_grams WHERE {} AND grams @> $1 LIMIT 1) AS found LIMIT 1",
                self.ranges((from, last), LARGE_RANGE),
                is_in_range(LARGE_RANGE)
            ));
            let found = query.bind::<Array<Integer>, _>(&self.wanted).get_result::<Found>(connection).optional()?;
            if let Some(Found { number }) = found {
                let (first, last) = (number << LARGE_RANGE, ((number + 1) << LARGE_RANGE) - 1);
                return Ok(Some(if self.descending { from.min(last) } else { from.max(first) }));
            }
        }
        Ok(None)
    }

    /// In SQL the numbers of the ranges that some ids are in.
    fn ranges(&self, (from, to): Ids, shift: u32) -> String {
        let (from, to, step) = (from >> shift, to >> shift, if self.descending { -1 } else { 1 });
        format!("generate_series({from}::bigint, {to}::bigint, {step}) AS range (number)")
    }
}

/// In SQL whether a token is in a range: a condition of its own, so that PostgreSQL seeks to the range in the lists of the
/// grams, instead of reading the shortest list whole for each range.
fn is_in_range(shift: u32) -> String {
    format!("grams @> ARRAY[({} - range.number)::integer]", first_number(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut_at_the_ends_of_small_ranges() {
        let pieces: Vec<Ids> = in_small_ranges((8_000, 16_384)).collect();
        assert_eq!(pieces, [(8_000, 8_191), (8_192, 16_383), (16_384, 16_384)]);
    }

    #[test]
    fn ranges_never_share_a_number() {
        assert_eq!([range_number(0, LARGE_RANGE), range_number(5, LARGE_RANGE)], [-1, -6]);
        assert_eq!(range_number(0, RANGE), i32::try_from(-1 - SMALL_RANGES).unwrap());
        assert!(range_number(i64::MAX >> RANGE, RANGE) < range_number(i64::MAX >> LARGE_RANGE, LARGE_RANGE));
    }
}
