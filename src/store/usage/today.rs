//! The attempts of a day in numbers: what was used and refused, why, at which gates, of which batches; and what is odd.
//!
//! The log is read from its end, a piece at a time, through the index of times. On a day with very many attempts only the
//! newest ones are counted.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::chain::PIECE;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::error::Error;
use crate::store::schema::{batches, tokens, usage};
use crate::store::search::SearchLimit;
use crate::token::gate::GateId;
use crate::token::odd::{Burst, burst};
use crate::token::settle::TokenId;
use crate::token::{BatchId, Micros};

/// Attempts that are counted.
const MOST: i64 = 200_000;
/// Tokens in a burst that are named.
const BURSTS: usize = 5;

/// Attempts that were made, each counted once, however many uses it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    pub(crate) used: i64,
    pub(crate) undone: i64,
    pub(crate) refused: i64,
}

impl Attempts {
    fn add(&mut self, row: &Row) {
        match (row.error_code, row.uses) {
            (Some(_), _) => self.refused += 1,
            (None, ..0) => self.undone += 1,
            (None, _) => self.used += 1,
        }
    }

    fn add_all(&mut self, other: Self) {
        self.used += other.used;
        self.undone += other.undone;
        self.refused += other.refused;
    }
}

/// The attempts of a day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Today {
    pub(crate) all: Attempts,
    /// There may be more: not all were counted.
    pub(crate) is_cut: bool,
    /// Refusals by their code.
    pub(crate) reasons: BTreeMap<i16, i64>,
    pub(crate) gates: HashMap<GateId, Attempts>,
    /// Tokens that were refused again and again, the worst first.
    pub(crate) bursts: Vec<(TokenId, Burst)>,
    tokens: HashMap<TokenId, Attempts>,
    /// Attempts at uids that no token had then: some have one that is deleted.
    unknown: HashMap<String, Attempts>,
}

#[derive(Queryable)]
struct Row {
    id: i64,
    timestamp: i64,
    token: Option<TokenId>,
    unknown: Option<String>,
    error_code: Option<i16>,
    gate: Option<GateId>,
    uses: i32,
}

/// The attempts from `midnight` on, the newest ones if they are too many or counting takes too long.
///
/// # Errors
/// Unavailable, when nobody waits any more.
pub(crate) fn today(connection: &mut Connection, midnight: Micros, limit: &SearchLimit) -> Result<Today, Error> {
    let (mut today, mut refusals) = (Today::default(), HashMap::<TokenId, Vec<Micros>>::new());
    let (mut counted, mut place) = (0, (i64::MAX, i64::MAX));
    while counted < MOST {
        match limit.check() {
            Err(Error::TooSlow) => break,
            checked => checked?,
        }
        let rows = piece(connection, midnight, place)?;
        let length = i64::try_from(rows.len()).unwrap_or(PIECE);
        if let Some(last) = rows.last() {
            place = (last.timestamp, last.id);
        }
        for row in rows {
            if let (Some(token), Some(_)) = (row.token, row.error_code) {
                refusals.entry(token).or_default().push(Micros::stored(row.timestamp));
            }
            today.add(&row);
        }
        if length < PIECE {
            today.find_bursts(&refusals);
            return Ok(today);
        }
        counted += length;
    }
    today.is_cut = true;
    today.find_bursts(&refusals);
    Ok(today)
}

/// The next entries behind a place, the newest first.
fn piece(connection: &mut Connection, midnight: Micros, (at, id): (i64, i64)) -> QueryResult<Vec<Row>> {
    // Those of one transaction have one time. The first bound is the index's.
    let before = sql::<Bool>("(usage.timestamp < ").bind::<BigInt, _>(at).sql(" OR usage.id < ").bind::<BigInt, _>(id);
    let unknown = sql::<Nullable<Text>>("CASE WHEN usage.token IS NULL THEN usage.token_uid END");
    let rows = usage::table.filter(usage::timestamp.ge(midnight.get())).filter(usage::timestamp.le(at));
    let rows = rows.filter(before.sql(")")).order((usage::timestamp.desc(), usage::id.desc())).limit(PIECE);
    let columns = (usage::id, usage::timestamp, usage::token, unknown, usage::error_code, usage::gate, usage::uses);
    rows.select(columns).load(connection)
}

impl Today {
    fn add(&mut self, row: &Row) {
        self.all.add(row);
        if let Some(code) = row.error_code {
            *self.reasons.entry(code).or_default() += 1;
        }
        if let Some(gate) = row.gate {
            self.gates.entry(gate).or_default().add(row);
        }
        if let Some(token) = row.token {
            self.tokens.entry(token).or_default().add(row);
        } else if let Some(uid) = &row.unknown {
            self.unknown.entry(uid.clone()).or_default().add(row);
        }
    }

    fn find_bursts(&mut self, refusals: &HashMap<TokenId, Vec<Micros>>) {
        let mut bursts: Vec<_> =
            refusals.iter().filter_map(|(token, times)| burst(times).map(|burst| (*token, burst))).collect();
        bursts.sort_by_key(|(token, burst)| (std::cmp::Reverse(burst.count), *token));
        bursts.truncate(BURSTS);
        self.bursts = bursts;
    }

    /// These attempts by batch: uid and name of each that has a name, the one with the most first.
    ///
    /// # Errors
    /// Too slow, when it takes longer than it may.
    pub(crate) fn by_batch(
        &self,
        connection: &mut Connection,
        limit: &SearchLimit,
    ) -> Result<Vec<(String, String, Attempts)>, Error> {
        let mut counts: HashMap<BatchId, Attempts> = HashMap::new();
        let ids: Vec<TokenId> = self.tokens.keys().copied().collect();
        for ids in ids.chunks(MOST_KEYS) {
            limit.check()?;
            let rows = tokens::table.filter(tokens::id.eq_any(ids.to_vec())).filter(tokens::batch.is_not_null());
            let rows: Vec<(TokenId, BatchId)> =
                rows.select((tokens::id, tokens::batch.assume_not_null())).load(connection)?;
            for (token, batch) in rows {
                counts.entry(batch).or_default().add_all(self.tokens[&token]);
            }
        }
        let uids: Vec<&String> = self.unknown.keys().collect();
        for uids in uids.chunks(MOST_KEYS) {
            limit.check()?;
            let uids: Vec<String> = uids.iter().map(|uid| (*uid).clone()).collect();
            let rows = tokens::table.filter(tokens::uid.eq_any(uids)).filter(tokens::batch.is_not_null());
            let rows: Vec<(String, BatchId)> =
                rows.select((tokens::uid, tokens::batch.assume_not_null())).load(connection)?;
            for (uid, batch) in rows {
                counts.entry(batch).or_default().add_all(self.unknown[&uid]);
            }
        }
        named(connection, &counts)
    }
}

fn named(
    connection: &mut Connection,
    counts: &HashMap<BatchId, Attempts>,
) -> Result<Vec<(String, String, Attempts)>, Error> {
    let ids: Vec<BatchId> = counts.keys().copied().collect();
    let mut found = Vec::new();
    for ids in ids.chunks(MOST_KEYS) {
        let rows = batches::table.filter(batches::id.eq_any(ids.to_vec())).filter(batches::name.ne(""));
        let rows: Vec<(BatchId, String, String)> =
            rows.select((batches::id, batches::uid, batches::name)).load(connection)?;
        found.extend(rows.into_iter().map(|(id, uid, name)| (uid, name, counts[&id])));
    }
    found.sort_by(|(_, a_name, a), (_, b_name, b)| {
        let most = |it: &Attempts| it.used + it.refused;
        most(b).cmp(&most(a)).then_with(|| a_name.cmp(b_name))
    });
    Ok(found)
}
