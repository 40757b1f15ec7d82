//! Counts and sums, to compare what was read with what stands in the database afterwards.

use std::collections::BTreeMap;

use crate::token::consume::state;
use crate::token::{Micros, Token, UNLIMITED};

/// Counts of tokens and log entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tokens.
    pub(crate) tokens: i64,
    /// Of these, with unlimited uses.
    pub(crate) unlimited: i64,
    /// Uses left of all others.
    pub(crate) uses_left: i64,
    /// Uses that were made, of tokens that are there.
    pub(crate) used: i64,
    /// Values that are not the uid.
    pub(crate) own_values: i64,
    /// Tokens by the word of their state.
    pub(crate) states: BTreeMap<&'static str, i64>,
    /// Log entries by error code.
    pub(crate) entries: BTreeMap<Option<i16>, i64>,
    /// The newest log entry.
    pub(crate) newest_entry: Option<Micros>,
    /// The token that was made last.
    pub(crate) newest_token: Option<Micros>,
}

impl Tally {
    /// Counts a token, as it is at `now`.
    pub(crate) fn count(&mut self, token: &Token, now: Micros) {
        self.tokens += 1;
        match token.usage_count {
            UNLIMITED => self.unlimited += 1,
            left => self.uses_left += i64::from(left),
        }
        self.used += token.used;
        self.own_values += i64::from(token.value != token.uid.to_string());
        *self.states.entry(state(token, now).word()).or_default() += 1;
        self.newest_token = self.newest_token.max(Some(token.created));
    }

    /// Counts an entry.
    pub(crate) fn count_entry(&mut self, code: Option<i16>, at: Micros) {
        *self.entries.entry(code).or_default() += 1;
        self.newest_entry = self.newest_entry.max(Some(at));
    }
}
