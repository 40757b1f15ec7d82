//! The numbers of the overview. Each has a time of its own, so that one that takes long leaves time for the others.

use std::time::Duration;

use diesel::prelude::*;

use super::connection::Connection;
use super::cursor::Cursor;
use super::error::Error;
use super::gates;
use super::schema::tokens;
use super::search::SearchLimit;
use super::tokens::list::{Sort, TokenFilter, TokenSlice};
use super::tokens::search;
use super::usage::{self, Attempts, Today};
use crate::token::odd::Burst;
use crate::token::soon::Soon;
use crate::token::{Micros, State, Token};

/// Tokens are counted up to this number.
const COUNTED: i64 = 1_000_000;
/// Up to so many tokens that open soon are read, to tell the next ones.
const READ: i64 = 1_000;
/// The next ones that are named.
const NEXT: usize = 5;
/// How long each number may take.
const LONG: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(600);

/// How many, as far as they were counted; and whether these are all.
pub(crate) type Counted = (i64, bool);

/// Tokens of which something is soon.
#[derive(Clone, Debug, Default)]
pub(crate) struct SoonTokens {
    pub(crate) count: Counted,
    /// The next ones, the first one first; none where looking for them takes too long.
    pub(crate) next: Vec<Token>,
}

/// A token that was refused again and again.
#[derive(Clone, Debug)]
pub(crate) struct RefusedToken {
    pub(crate) uid: String,
    /// Its label, or its value.
    pub(crate) name: String,
    pub(crate) burst: Burst,
}

/// The numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) total: Counted,
    pub(crate) active: Counted,
    pub(crate) opening: SoonTokens,
    pub(crate) ending: SoonTokens,
    pub(crate) today: Today,
    /// Name and attempts of each gate that has any.
    pub(crate) gates: Vec<(String, Attempts)>,
    /// Uid, name and attempts of each batch that has any; none where finding them takes too long.
    pub(crate) batches: Option<Vec<(String, String, Attempts)>>,
    pub(crate) refused: Vec<RefusedToken>,
    /// Nothing was ever attempted.
    pub(crate) is_log_empty: bool,
}

/// Counts everything, today from `midnight` on.
///
/// # Errors
/// Too slow, when even a single statement takes longer than it may.
pub(crate) fn numbers(
    connection: &mut Connection,
    (now, midnight): (Micros, Micros),
    limit: &SearchLimit,
) -> Result<Numbers, Error> {
    let today = usage::today(connection, midnight, &limit.within(LONG))?;
    let active = TokenFilter { state: Some(State::Active), ..TokenFilter::default() };
    Ok(Numbers {
        total: search::count_all(connection, &limit.within(SHORT))?,
        active: search::count(connection, &active, now, COUNTED, &limit.within(LONG))?,
        opening: soon(connection, Soon::Opening, now, limit)?,
        ending: soon(connection, Soon::Ending, now, limit)?,
        gates: by_gate(connection, &today)?,
        batches: unless_slow(today.by_batch(connection, &limit.within(SHORT)))?,
        refused: refused(connection, &today)?,
        is_log_empty: usage::newest(connection)?.is_none(),
        today,
    })
}

/// None where it took too long.
fn unless_slow<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::TooSlow) => Ok(None),
        result => result.map(Some),
    }
}

fn soon(connection: &mut Connection, soon: Soon, now: Micros, limit: &SearchLimit) -> Result<SoonTokens, Error> {
    let filter = TokenFilter { soon: Some(soon), ..TokenFilter::default() };
    let count = search::count(connection, &filter, now, COUNTED, &limit.within(SHORT))?;
    let slice = match soon {
        Soon::Opening if count.0 > READ => return Ok(SoonTokens { count, next: Vec::new() }),
        Soon::Opening => TokenSlice::newest(None, READ),
        // Behind those that have ended.
        Soon::Ending => TokenSlice {
            sort: Sort::ValidTo,
            descending: false,
            after: Some(Cursor::number(now.get(), 0)),
            limit: i64::try_from(NEXT).unwrap_or_default(),
        },
    };
    if count == (0, true) {
        return Ok(SoonTokens { count, next: Vec::new() });
    }
    let found = unless_slow(search::page(connection, &filter, now, slice, &limit.within(SHORT)))?.unwrap_or_default();
    let mut next: Vec<Token> = found.into_iter().map(|(_, token)| token).collect();
    if soon == Soon::Opening {
        next.sort_by_key(|token| token.valid_from);
        next.truncate(NEXT);
    }
    Ok(SoonTokens { count, next })
}

fn by_gate(connection: &mut Connection, today: &Today) -> QueryResult<Vec<(String, Attempts)>> {
    let gates = if today.gates.is_empty() { Vec::new() } else { gates::list(connection)? };
    let attempts = gates.into_iter().filter_map(|gate| today.gates.get(&gate.id).map(|found| (gate.name, *found)));
    Ok(attempts.collect())
}

fn refused(connection: &mut Connection, today: &Today) -> QueryResult<Vec<RefusedToken>> {
    let ids: Vec<i64> = today.bursts.iter().map(|(id, _)| *id).collect();
    let rows = tokens::table.filter(tokens::id.eq_any(ids));
    let rows: Vec<(i64, String, Option<String>, Option<String>)> =
        rows.select((tokens::id, tokens::uid, tokens::label, tokens::value)).load(connection)?;
    let token = |(id, burst): &(i64, Burst)| {
        let (_, uid, label, value) = rows.iter().find(|(of, ..)| of == id)?.clone();
        Some(RefusedToken { name: label.or(value).unwrap_or_else(|| uid.clone()), uid, burst: *burst })
    };
    Ok(today.bursts.iter().filter_map(token).collect())
}
