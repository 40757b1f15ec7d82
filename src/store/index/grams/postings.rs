//! Grams on SQLite: for each zone and gram, which of the zone's tokens have it. Rows are written once, in the order of their
//! key, and only those that differ are written again.
//!
//! There is no FTS5 table, as that merges what it has: in steps that end where enough was written. Where nothing is, because
//! tokens were changed or have a gram in common, a step took 300 ms among a million tokens, for which consumes waited.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use diesel::sqlite::Sqlite;

use super::gram::{Found, LARGE_RANGE, direction, number};
use crate::store::error::Error;
use crate::store::index::Ids;
use crate::store::index::zones::{ZoneId, ids_of, zone_of};
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::token::search_words::{Gram, grams};
use crate::token::settle::TokenId;

/// How far a zone is shifted for its block of eight, whose rows of a gram stand together.
const BLOCK: u32 = 3;

/// The block of zones that a zone is in.
fn block_of(zone: ZoneId) -> i64 {
    zone >> BLOCK
}

/// Zones that are looked at together: at first few, as many tokens are soon found where many have the grams.
const FIRST_ZONES: i64 = 8;
const MOST_ZONES: i64 = 512;

/// Which of a zone's 256 tokens: a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Members([u8; 32]);

impl Members {
    const NONE: Self = Self([0; 32]);
    const ALL: Self = Self([0xFF; 32]);

    fn with(mut self, place: u8) -> Self {
        self.0[usize::from(place / 8)] |= 1 << (place % 8);
        self
    }

    fn places(&self) -> impl DoubleEndedIterator<Item = u8> {
        (0..=u8::MAX).filter(|place| self.0[usize::from(place / 8)] & (1 << (place % 8)) != 0)
    }

    /// Those that are in both.
    fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|byte| self.0[byte] & other.0[byte]))
    }

    fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|byte| self.0[byte] & !other.0[byte]))
    }

    /// The place of each, if these are fewer bytes than all bits.
    fn bytes(&self) -> Vec<u8> {
        let places: Vec<u8> = self.places().take(self.0.len()).collect();
        if places.len() < self.0.len() { places } else { self.0.to_vec() }
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let listed = || bytes.iter().fold(Self::NONE, |members, place| members.with(*place));
        bytes.try_into().map_or_else(|_| listed(), Self)
    }
}

/// Brings what is known of tokens up to them.
pub(super) fn refresh(connection: &mut SqliteConnection, tokens: &[TokenId]) -> QueryResult<()> {
    let mut zones: BTreeMap<ZoneId, Vec<TokenId>> = BTreeMap::new();
    for token in tokens {
        zones.entry(zone_of(*token)).or_default().push(*token);
    }
    zones.into_iter().try_for_each(|(zone, tokens)| refresh_zone(connection, zone, &tokens))
}

/// Brings the rows of a zone up to some of its tokens: those of the others stay as they are.
fn refresh_zone(connection: &mut SqliteConnection, zone: ZoneId, tokens: &[TokenId]) -> QueryResult<()> {
    let stored = stored(connection, zone)?;
    let mut made = stored.clone();
    let refreshed = tokens.iter().fold(Members::NONE, |all, token| all.with(place_of(*token)));
    for members in made.values_mut() {
        *members = members.without(&refreshed);
    }
    for (place, gram) in grams_of(connection, tokens)? {
        let members = made.entry(gram).or_insert(Members::NONE);
        *members = members.with(place);
    }
    let mut new_grams = Vec::new();
    for (gram, members) in made {
        match stored.get(&gram) {
            Some(before) if *before == members => continue,
            Some(_) => {}
            None => new_grams.push(gram),
        }
        if members == Members::NONE {
            let row = diesel::sql_query("DELETE FROM token_grams WHERE block = ? AND gram = ? AND zone = ?");
            let row = row.bind::<BigInt, _>(block_of(zone)).bind::<Integer, _>(gram);
            row.bind::<BigInt, _>(zone).execute(connection)?;
        } else {
            Put { block: block_of(zone), gram, zone, members: members.bytes() }.execute(connection)?;
        }
    }
    let rows = "INSERT OR IGNORE INTO token_grams_ranges (range, gram) SELECT ?, value FROM json_each(?)";
    let range = ids_of(zone, zone).0 >> LARGE_RANGE;
    diesel::sql_query(rows).bind::<BigInt, _>(range).bind::<Text, _>(list(new_grams)).execute(connection)?;
    Ok(())
}

/// The grams of tokens, each with the token's place in its zone.
fn grams_of(connection: &mut SqliteConnection, wanted: &[TokenId]) -> QueryResult<Vec<(u8, i32)>> {
    let rows = tokens::table.filter(tokens::id.eq_any(wanted.to_vec()));
    let rows = rows.select((tokens::id, tokens::value, tokens::label));
    let rows: Vec<(TokenId, Option<String>, Option<String>)> = rows.load(connection)?;
    let all = rows.into_iter().flat_map(|(token, own_value, label)| {
        let grams = grams(own_value.as_deref(), label.as_deref());
        grams.into_iter().map(move |gram| (place_of(token), number(&gram)))
    });
    Ok(all.collect())
}

/// A token's place in its zone.
fn place_of(token: TokenId) -> u8 {
    u8::try_from(token - ids_of(zone_of(token), zone_of(token)).0).unwrap_or_default()
}

/// The grams that a zone is known to have.
fn stored(connection: &mut SqliteConnection, zone: ZoneId) -> QueryResult<BTreeMap<i32, Members>> {
    let rows = diesel::sql_query("SELECT gram AS number, tokens FROM token_grams WHERE block = ? AND zone = ?");
    let rows: Vec<Row> = rows.bind::<BigInt, _>(block_of(zone)).bind::<BigInt, _>(zone).load(connection)?;
    let known = rows.into_iter();
    Ok(known.filter_map(|row| Some((i32::try_from(row.number).ok()?, Members::from_bytes(&row.tokens)))).collect())
}

/// Finds tokens in which all grams stand, from one end of their ids to the other.
pub(super) fn find(
    connection: &mut SqliteConnection,
    wanted: &[Gram],
    ids: Ids,
    (descending, at_most): (bool, usize),
    limit: &SearchLimit,
) -> Result<Vec<TokenId>, Error> {
    let wanted: Vec<i32> = wanted.iter().map(number).collect();
    let (mut found, mut length) = (Vec::new(), FIRST_ZONES);
    for range in large_ranges(connection, &wanted, ids, descending)? {
        let first = zone_of(ids.0.max(range << LARGE_RANGE));
        let last = zone_of(ids.1.min(((range + 1) << LARGE_RANGE) - 1));
        let (mut next, mut left) = (if descending { last } else { first }, last - first + 1);
        while left > 0 {
            limit.check()?;
            let count = length.min(left);
            let zones = if descending { next - count + 1..=next } else { next..=next + count - 1 };
            let mut some = find_in_zones(connection, &wanted, zones.collect())?;
            some.retain(|id| (ids.0..=ids.1).contains(id));
            if descending {
                some.reverse();
            }
            found.append(&mut some);
            if found.len() >= at_most {
                found.truncate(at_most);
                return Ok(found);
            }
            next += if descending { -count } else { count };
            left -= count;
            length = (length * 2).min(MOST_ZONES);
        }
    }
    Ok(found)
}

/// The large ranges that may have tokens with all grams.
fn large_ranges(
    connection: &mut SqliteConnection,
    wanted: &[i32],
    (lowest, highest): Ids,
    descending: bool,
) -> QueryResult<Vec<i64>> {
    let query = diesel::sql_query(format!(
        "WITH RECURSIVE ranges (number) AS (SELECT min(range) FROM token_grams_ranges WHERE range >= ?1 UNION ALL \
             SELECT (SELECT min(range) FROM token_grams_ranges WHERE range > number) FROM ranges WHERE number < ?2) \
         SELECT number FROM ranges WHERE number <= ?2 AND NOT EXISTS (SELECT 1 FROM json_each(?3) AS wanted WHERE NOT EXISTS \
             (SELECT 1 FROM token_grams_ranges WHERE range = number AND gram = wanted.value)) ORDER BY number {}",
        direction(descending)
    ));
    let query = query.bind::<BigInt, _>(lowest >> LARGE_RANGE).bind::<BigInt, _>(highest >> LARGE_RANGE);
    let rows: Vec<Found> = query.bind::<Text, _>(list(wanted)).load(connection)?;
    Ok(rows.into_iter().map(|row| row.number).collect())
}

/// The tokens of some zones in which all grams stand, the lowest first.
fn find_in_zones(connection: &mut SqliteConnection, wanted: &[i32], zones: Vec<ZoneId>) -> QueryResult<Vec<TokenId>> {
    let mut left: BTreeMap<ZoneId, Members> = zones.into_iter().map(|zone| (zone, Members::ALL)).collect();
    for gram in wanted {
        if left.is_empty() {
            break;
        }
        let blocks: BTreeSet<i64> = left.keys().map(|zone| block_of(*zone)).collect();
        let rows = diesel::sql_query(
            "SELECT zone AS number, tokens FROM json_each(?) AS asked CROSS JOIN token_grams \
             ON token_grams.block = asked.value AND token_grams.gram = ?",
        );
        let rows: Vec<Row> = rows.bind::<Text, _>(list(blocks)).bind::<Integer, _>(gram).load(connection)?;
        let have = rows.into_iter().filter_map(|row| {
            let both = left.get(&row.number)?.and(&Members::from_bytes(&row.tokens));
            (both != Members::NONE).then_some((row.number, both))
        });
        left = have.collect();
    }
    let tokens = left.into_iter().flat_map(|(zone, members)| {
        let first = ids_of(zone, zone).0;
        members.places().map(|place| first + i64::from(place)).collect::<Vec<_>>()
    });
    Ok(tokens.collect())
}

/// Numbers as a list of JSON.
fn list(numbers: impl IntoIterator<Item = impl ToString>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// What stands for a gram in a zone.
#[derive(QueryableByName)]
struct Row {
    /// The gram's, or the zone's.
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Binary)]
    tokens: Vec<u8>,
}

/// Stores which tokens of a zone have a gram.
#[derive(QueryId)]
struct Put {
    block: i64,
    gram: i32,
    zone: ZoneId,
    members: Vec<u8>,
}

impl QueryFragment<Sqlite> for Put {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("REPLACE INTO token_grams (block, gram, zone, tokens) VALUES (");
        out.push_bind_param::<BigInt, _>(&self.block)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.gram)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.zone)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&self.members)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Put {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_were_written() {
        for step in [1, 7, 8, 9, 200] {
            let members = (0..=u8::MAX).step_by(step).fold(Members::NONE, Members::with);
            let bytes = members.bytes();
            assert!(bytes.len() <= 32 && Members::from_bytes(&bytes) == members, "{step}: {bytes:?}");
            assert_eq!(members.places().count(), 256_usize.div_ceil(step));
        }
    }
}
