//! The attempts of a batch, each with the one before it at the same token.

use std::collections::BTreeMap;

use crate::store::usage::UsageRow;
use crate::token::Micros;
use crate::token::answer::Attempt;
use crate::token::settle::{Ask, Held, TokenId};

/// Rows for the log, in the order of their asks.
pub(super) struct Linked<'a> {
    /// Each knows the newest entry that its token had before the batch.
    pub(super) rows: Vec<UsageRow<'a>>,
    /// For each the place of the row before it at the same token, if there is one in the batch.
    pub(super) before: Vec<Option<usize>>,
    /// The place of each token's last row. What settling changes is an attempt, so these are all tokens to be stored.
    pub(super) last: BTreeMap<TokenId, usize>,
}

impl<'a> Linked<'a> {
    pub(super) fn new(held: &Held, asks: &'a [Ask], attempts: &'a [Option<Attempt>], now: Micros) -> Self {
        let mut linked = Self { rows: Vec::new(), before: Vec::new(), last: BTreeMap::new() };
        for (ask, attempt) in asks.iter().zip(attempts) {
            let Some(attempt) = attempt else { continue };
            let row = UsageRow::new(attempt, held, &ask.who, now);
            let place = linked.rows.len();
            linked.before.push(row.token.and_then(|token| linked.last.insert(token, place)));
            linked.rows.push(row);
        }
        linked
    }
}
