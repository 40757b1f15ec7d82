//! The ledger on PostgreSQL. A batch of any size takes a few statements, which pass arrays.
//!
//! Rows that somebody else has locked are skipped, so that they delay those who ask for them and nobody else. Each
//! statement sees everything committed before it (`READ COMMITTED`), so the replies are loaded, and the clock is read, after
//! the tokens are locked; and a token that the first statement does not find, but the second one does, was skipped.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text};

use super::linked::Linked;
use super::replies;
use super::replies::ReplyRow;
use crate::store::clock::SERVER_MICROS;
use crate::store::tokens::row::TokenRow;
use crate::store::tokens::visible::IS_ONE_VISIBLE;
use crate::store::tokens::{EACH_BY_VALUE, named};
use crate::token::gate::GateId;
use crate::token::settle::{Ask, Held, TokenId};
use crate::token::{EntryId, Micros, Uid};

/// Holds what the asks name, and the tokens of the uses that are to be undone.
pub(super) fn hold(connection: &mut PgConnection, asks: &[Ask], undone: &[Uid]) -> QueryResult<(Held, Micros)> {
    let (mut held, mut clock) = (Held::default(), None);
    let rows: Vec<(TokenId, TokenRow, i64)> = (&HoldQuery::new(asks, undone)).load(connection)?;
    for (id, row, at) in rows {
        held.insert(id, row.token()?);
        clock = clock.max(Some(at));
    }
    // What was not found and exists is locked by somebody else.
    let (uids, values) = not_held(&held, asks, undone);
    if !uids.is_empty() || !values.is_empty() {
        for (_, token) in named(connection, uids, values)? {
            held.insert_locked(token.uid, token.value);
        }
    }
    for (key, reply) in replies::find_all(connection, asks)? {
        held.insert_reply(key, reply);
    }
    let now = match clock {
        Some(at) => at,
        None => diesel::select(diesel::dsl::sql::<BigInt>(SERVER_MICROS)).get_result(connection)?,
    };
    Ok((held, Micros::stored(now)))
}

pub(super) fn keep(
    connection: &mut PgConnection,
    held: &Held,
    linked: Linked<'_>,
    saved: Vec<ReplyRow>,
    now: Micros,
) -> QueryResult<()> {
    KeepQuery::new(held, linked).execute(connection)?;
    if saved.is_empty() { Ok(()) } else { replies::save(connection, saved, now) }
}

/// The uids and values that name no token here. A link names one only where the value before it does not.
fn not_held(held: &Held, asks: &[Ask], undone: &[Uid]) -> (Vec<String>, Vec<String>) {
    let (mut uids, mut values): (Vec<Uid>, Vec<String>) = (undone.to_vec(), Vec::new());
    for what in asks.iter().filter_map(Ask::lookup) {
        uids.extend(what.uid);
        if let Some(value) = what.value.as_ref().filter(|value| !held.has_value(value)) {
            values.push(value.clone());
            uids.extend(what.link);
        }
    }
    uids.retain(|uid| held.id_of(*uid).is_none());
    (distinct(uids.iter().map(Uid::to_string)), distinct(values))
}

fn distinct(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Finds and locks the tokens of a batch. The clock is read for each row after it is locked: the lock is in an inner
/// query, which PostgreSQL never merges with the outer one.
struct HoldQuery {
    uids: Vec<String>,
    values: Vec<String>,
}

impl HoldQuery {
    fn new(asks: &[Ask], undone: &[Uid]) -> Self {
        let lookups = || asks.iter().filter_map(Ask::lookup);
        let values = distinct(lookups().filter_map(|what| what.value.clone()));
        let uids = lookups().flat_map(|what| what.uid.into_iter().chain(what.link)).chain(undone.iter().copied());
        // A value may be the uid, and then it stands nowhere else.
        let uids = uids.chain(values.iter().filter_map(|value| value.parse().ok()));
        Self { uids: distinct(uids.map(|uid| uid.to_string())), values }
    }
}

impl QueryFragment<Pg> for HoldQuery {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // `deleted_at` is checked in the outer query: in here, the planner could choose any index on tokens that are
        // not deleted.
        out.push_sql("WITH held AS (SELECT * FROM tokens WHERE uid = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.uids)?;
        out.push_sql(")");
        // Most batches name tokens by uid only, and one index is faster than two.
        if !self.values.is_empty() {
            out.push_sql(" OR id = ANY(ARRAY(SELECT token.id FROM unnest(");
            out.push_bind_param::<Array<Text>, _>(&self.values)?;
            out.push_sql(EACH_BY_VALUE);
            out.push_sql("))");
        }
        out.push_sql(" FOR NO KEY UPDATE SKIP LOCKED) SELECT id, ");
        out.push_sql(TokenRow::COLUMNS);
        out.push_sql(", ");
        out.push_sql(SERVER_MICROS);
        out.push_sql(" FROM held AS tokens WHERE ");
        out.push_sql(IS_ONE_VISIBLE);
        Ok(())
    }
}

/// There are two variants of the text, so the statement is cached by its text and not by its type.
impl QueryId for HoldQuery {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for HoldQuery {
    type SqlType = (BigInt, crate::store::tokens::row::TokenColumns, BigInt);
}

impl RunQueryDsl<PgConnection> for &HoldQuery {}

/// Stores the tokens and usage entries of a batch in one statement.
#[derive(Default)]
struct KeepQuery<'a> {
    ids: Vec<TokenId>,
    usage_counts: Vec<i32>,
    used: Vec<i64>,
    last_used: Vec<Option<i64>>,
    lock_starts: Vec<Option<i64>>,
    last_places: Vec<i32>,
    uids: Vec<String>,
    tokens: Vec<Option<TokenId>>,
    token_uids: Vec<Option<String>>,
    token_values: Vec<Option<&'a str>>,
    timestamps: Vec<i64>,
    principals: Vec<&'a str>,
    error_codes: Vec<Option<i16>>,
    gates: Vec<Option<GateId>>,
    uses: Vec<i32>,
    taken: Vec<i32>,
    locks_before: Vec<Option<i64>>,
    undoes: Vec<Option<String>>,
    previous: Vec<Option<EntryId>>,
    places_before: Vec<Option<i32>>,
    /// How many entries.
    count: i64,
}

/// As PostgreSQL counts the elements of an array.
fn counted_from_1(place: usize) -> i32 {
    i32::try_from(place).map_or(i32::MAX, |place| place + 1)
}

impl<'a> KeepQuery<'a> {
    fn new(held: &Held, linked: Linked<'a>) -> Self {
        let mut keep = Self::default();
        for (id, place) in linked.last {
            let Some(token) = held.token(id) else { continue };
            keep.last_places.push(counted_from_1(place));
            keep.ids.push(id);
            keep.usage_counts.push(token.usage_count);
            keep.used.push(token.used);
            keep.last_used.push(token.last_used.map(Micros::get));
            keep.lock_starts.push(token.lock_start.map(Micros::get));
        }
        for (row, before) in linked.rows.into_iter().zip(linked.before) {
            keep.uids.push(row.uid);
            keep.tokens.push(row.token);
            keep.token_uids.push(row.token_uid);
            keep.token_values.push(row.token_value);
            keep.timestamps.push(row.timestamp);
            keep.principals.push(row.principal);
            keep.error_codes.push(row.error_code);
            keep.gates.push(row.gate);
            keep.uses.push(row.uses);
            keep.taken.push(row.taken);
            keep.locks_before.push(row.lock_before);
            keep.undoes.push(row.undoes);
            keep.previous.push(row.previous);
            keep.places_before.push(before.map(counted_from_1));
            keep.count += 1;
        }
        keep
    }
}

impl QueryFragment<Pg> for KeepQuery<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // The numbers are drawn while the tokens are locked: so those of a token grow, whichever instance writes them. They are
        // an array, as the plan may join by loops only, and a batch of 256 would look 65,000 times.
        out.push_sql(
            "WITH numbers AS MATERIALIZED (SELECT ARRAY(SELECT nextval('usage_id_seq') FROM generate_series(1, ",
        );
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(
            ")) AS id), used AS (UPDATE tokens SET usage_count = n.usage_count, used = n.used, last_used = n.last_used, \
                 lock_start = n.lock_start, last_entry = numbers.id[n.place] FROM numbers, unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.usage_counts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.used)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.last_used)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.lock_starts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.last_places)?;
        out.push_sql(
            ") AS n (id, usage_count, used, last_used, lock_start, place) WHERE tokens.id = n.id) \
             INSERT INTO usage (id, uid, token, token_uid, token_value, timestamp, principal, error_code, gate, uses, taken, \
                 lock_before, undoes, previous) \
             SELECT numbers.id[e.place::integer], e.uid, e.token, e.token_uid, e.token_value, e.timestamp, e.principal, \
                 e.error_code, e.gate, e.uses, e.taken, e.lock_before, e.undoes, \
                 COALESCE(numbers.id[e.place_before], e.previous) FROM numbers, unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.uids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.tokens)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.token_uids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.token_values)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.timestamps)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.principals)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<SmallInt>>, _>(&self.error_codes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.gates)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.uses)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.taken)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.locks_before)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.undoes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.previous)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(&self.places_before)?;
        out.push_sql(
            ") WITH ORDINALITY AS e (uid, token, token_uid, token_value, timestamp, principal, error_code, gate, uses, \
                 taken, lock_before, undoes, previous, place_before, place)",
        );
        Ok(())
    }
}

impl QueryId for KeepQuery<'_> {
    type QueryId = KeepQuery<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for KeepQuery<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Principal;
    use crate::token::Token;
    use crate::token::settle::Lookup;

    fn token(uid: Uid, value: &str) -> Token {
        let now = Micros::EPOCH;
        Token {
            uid,
            value: value.into(),
            label: None,
            valid_from: None,
            valid_to: None,
            usage_count: 1,
            lock_time: 0,
            last_used: None,
            lock_start: None,
            creator: "user:anna".into(),
            created: now,
            modified: now,
            used: 0,
            last_entry: None,
            batch: None,
            voided: None,
        }
    }

    /// A second statement in each batch would delay every door.
    #[test]
    fn only_what_names_no_token_is_asked_for_again() {
        let [uid, foreign] = [Uid::random(), Uid::random()];
        let mut held = Held::default();
        held.insert(1, token(uid, &foreign.to_string()));
        let ask = |uid, value: Option<&str>, link| {
            let what = Lookup { uid, value: value.map(str::to_owned), link };
            Ask::once(Principal::shell("test"), what)
        };
        let found = [ask(Some(uid), None, None), ask(None, Some(&foreign.to_string()), Some(foreign))];
        assert_eq!(not_held(&held, &found, &[uid]), (vec![], vec![]));
        let (url, lost) = (format!("https://example.org/{uid}"), Uid::random());
        let linked = [ask(None, Some(&url), Some(uid)), ask(None, Some("x"), Some(lost)), ask(None, Some("x"), None)];
        let values = distinct([url, "x".to_owned()]);
        assert_eq!(not_held(&held, &linked, &[]), (vec![lost.to_string()], values));
    }
}
