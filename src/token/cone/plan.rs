//! What each row becomes, once all of them were read.

use std::collections::HashMap;

use super::cells::{EntryCells, TokenCells};
use super::findings::Findings;
use super::mapping::{Mapping, ValueSource};
use super::tally::Tally;
use crate::token::settle::TokenId;
use crate::token::{EntryId, Micros, Token, Uid};

/// What is known of a token beside its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) source: ValueSource,
    is_unlimited: bool,
    /// Uses in the log.
    pub(super) used: u32,
    /// The number of its newest entry; 0 if it has none.
    pub(super) last_entry: u64,
    /// The same, of those that were moved so far.
    previous: u64,
    /// Its newest use that was moved so far.
    last_use: Option<Micros>,
}

impl Known {
    pub(super) fn new(source: ValueSource, is_unlimited: bool) -> Self {
        Self { source, is_unlimited, used: 0, last_entry: 0, previous: 0, last_use: None }
    }
}

/// What rows become. They have to come in the order in which they were inspected.
pub(crate) struct Plan {
    mapping: Mapping,
    /// What was read.
    pub(crate) tally: Tally,
    numbers: HashMap<Uid, u32>,
    known: Vec<Known>,
    new_values: HashMap<u32, String>,
    entries: EntryId,
    ignored: Findings,
}

/// A token as it will be, and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MovedToken {
    pub(crate) id: TokenId,
    pub(crate) token: Token,
}

/// A log entry as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MovedEntry {
    pub(crate) id: EntryId,
    pub(crate) uid: Uid,
    pub(crate) token: Option<TokenId>,
    pub(crate) token_uid: Option<Uid>,
    pub(crate) token_value: Option<String>,
    pub(crate) at: Micros,
    pub(crate) principal: String,
    pub(crate) code: Option<i16>,
    pub(crate) taken: i32,
    pub(crate) lock_before: Option<Micros>,
    pub(crate) previous: Option<EntryId>,
}

impl Plan {
    pub(super) fn new(
        mapping: Mapping,
        tally: Tally,
        numbers: HashMap<Uid, u32>,
        known: Vec<Known>,
        new_values: HashMap<u32, String>,
    ) -> Self {
        Self { mapping, tally, numbers, known, new_values, entries: 0, ignored: Findings::default() }
    }

    /// The moment of the import.
    pub(crate) fn now(&self) -> Micros {
        self.mapping.now
    }

    /// What a token becomes; none for a row that was not there before.
    pub(crate) fn token(&mut self, cells: &TokenCells) -> Option<MovedToken> {
        let (mut token, _) = self.mapping.token(cells, &mut self.ignored)?;
        let number = *self.numbers.get(&token.uid)?;
        let known = self.known.get(number as usize)?;
        if let Some(value) = self.new_values.get(&number) {
            token.value.clone_from(value);
        }
        token.used = i64::from(known.used);
        token.last_entry = entry_id(known.last_entry);
        Some(MovedToken { id: TokenId::from(number) + 1, token })
    }

    /// What the next log entry becomes; none for one that was not there before.
    pub(crate) fn entry(&mut self, cells: &EntryCells) -> Option<MovedEntry> {
        let entry = self.mapping.entry(cells, &mut self.ignored)?;
        self.entries += 1;
        let number = entry.token_uid.and_then(|uid| self.numbers.get(&uid).copied());
        let mut known = number.and_then(|number| self.known.get_mut(number as usize));
        let is_use = entry.code.is_none();
        let is_unlimited = known.as_ref().is_some_and(|known| known.is_unlimited);
        let before = known.as_ref().and_then(|known| known.last_use);
        let previous = known.as_ref().and_then(|known| entry_id(known.previous));
        if let Some(known) = &mut known {
            known.previous = self.entries.unsigned_abs();
            if is_use {
                known.last_use = Some(entry.at);
            }
        }
        Some(MovedEntry {
            id: self.entries,
            uid: entry.uid,
            token: number.map(|number| TokenId::from(number) + 1),
            token_uid: entry.token_uid,
            token_value: entry.token_value,
            at: entry.at,
            principal: entry.principal,
            code: entry.code,
            taken: i32::from(is_use && !is_unlimited),
            lock_before: before.filter(|_| is_use),
            previous,
        })
    }
}

fn entry_id(number: u64) -> Option<EntryId> {
    EntryId::try_from(number).ok().filter(|id| *id > 0)
}
