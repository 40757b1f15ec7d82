//! What uses have taken, when it turns out otherwise: a change of their token's uses was undone.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::chain;
use crate::store::connection::{Connection, MOST_KEYS};
use crate::store::schema::usage;
use crate::token::Micros;
use crate::token::gate::UNDO_SECONDS_MAX;
use crate::token::settle::TokenId;
use crate::token::uses_left::Charge;

/// On PostgreSQL, entries get their ids in a slightly other order than their times: this many may be between.
const IDS_ASIDE: i64 = 10_000;

/// A token whose uses since a moment are charged anew.
#[derive(Clone, Copy)]
pub(in crate::store) struct ChargedAnew {
    pub(in crate::store) token: TokenId,
    pub(in crate::store) since: Micros,
    pub(in crate::store) charge: Charge,
}

/// The success of a use, or of an undo.
#[derive(Queryable, Selectable)]
#[diesel(table_name = usage)]
struct Success {
    id: i64,
    uid: String,
    #[diesel(select_expression = usage::token.assume_not_null())]
    token: TokenId,
    timestamp: i64,
    uses: i32,
    taken: i32,
    undoes: Option<String>,
}

/// Notes what these tokens' uses take, of all that can still be undone. The caller has locked the tokens.
pub(in crate::store) fn charge_anew(
    connection: &mut Connection,
    tokens: &[ChargedAnew],
    now: Micros,
) -> QueryResult<()> {
    let Some(oldest) = tokens.iter().map(|token| token.since).min() else { return Ok(()) };
    let oldest = oldest.max(now.plus_seconds(-UNDO_SECONDS_MAX));
    let first = usage::table.filter(usage::timestamp.ge(oldest.get())).order(usage::timestamp).select(usage::id);
    let Some(first) = first.limit(1).get_result::<i64>(connection).optional()? else { return Ok(()) };
    for tokens in tokens.chunks(MOST_KEYS) {
        let successes = successes(connection, tokens, first - IDS_ASIDE)?;
        let undone: HashSet<&str> = successes.iter().filter_map(|success| success.undoes.as_deref()).collect();
        let mut uses: HashMap<TokenId, Vec<&Success>> = HashMap::new();
        for success in successes.iter().filter(|it| it.uses > 0 && !undone.contains(it.uid.as_str())) {
            uses.entry(success.token).or_default().push(success);
        }
        let mut changed = Vec::new();
        for ChargedAnew { token, since, charge } in tokens {
            let uses = uses.remove(token).unwrap_or_default();
            let uses: Vec<&Success> = uses.into_iter().filter(|it| it.timestamp >= since.get()).collect();
            let taken = charge.of_each(uses.iter().map(|success| success.uses));
            let differing = uses.into_iter().zip(taken).filter(|(success, taken)| success.taken != *taken);
            changed.extend(differing.map(|(success, taken)| (success.id, success.uses, taken)));
        }
        set_taken(connection, &changed)?;
    }
    Ok(())
}

/// These tokens' successes after an entry, newest first.
fn successes(connection: &mut Connection, tokens: &[ChargedAnew], after: i64) -> QueryResult<Vec<Success>> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.token).collect();
    let successes = usage::table.filter(chain::of_tokens(connection, &ids, after));
    let successes = successes.filter(usage::error_code.is_null()).select(Success::as_select());
    let mut successes: Vec<Success> = successes.load(connection)?;
    successes.sort_by_key(|success| std::cmp::Reverse(success.id));
    Ok(successes)
}

/// Notes what uses have taken, by their id, how many they were, and how many they took: nearly always all or none.
fn set_taken(connection: &mut Connection, changed: &[(i64, i32, i32)]) -> QueryResult<()> {
    let ids = |of: fn(i32, i32) -> bool| -> Vec<i64> {
        changed.iter().filter(|(_, uses, taken)| of(*uses, *taken)).map(|(id, ..)| *id).collect()
    };
    for ids in ids(|uses, taken| taken == uses).chunks(MOST_KEYS) {
        let rows = usage::table.filter(usage::id.eq_any(ids.to_vec()));
        diesel::update(rows).set(usage::taken.eq(usage::uses)).execute(connection)?;
    }
    for ids in ids(|_, taken| taken == 0).chunks(MOST_KEYS) {
        let rows = usage::table.filter(usage::id.eq_any(ids.to_vec()));
        diesel::update(rows).set(usage::taken.eq(0)).execute(connection)?;
    }
    for (id, uses, taken) in changed {
        if *taken != 0 && taken != uses {
            diesel::update(usage::table.find(*id)).set(usage::taken.eq(*taken)).execute(connection)?;
        }
    }
    Ok(())
}
