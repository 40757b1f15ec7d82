//! The tokens that a search has found so far, in its order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use diesel::QueryResult;

use crate::store::cursor::Cursor;
use crate::store::tokens::list::{Sort, TokenFilter, TokenSlice};
use crate::store::tokens::row::TokenRow;
use crate::token::search_words::SearchWords;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token};

/// What is searched for.
pub(super) struct Search<'a> {
    pub(super) filter: &'a TokenFilter,
    pub(super) words: SearchWords,
    pub(super) now: Micros,
    pub(super) slice: TokenSlice,
}

impl<'a> Search<'a> {
    pub(super) fn new(filter: &'a TokenFilter, now: Micros, slice: TokenSlice) -> Self {
        Self { filter, words: filter.words(), now, slice }
    }

    /// Where a token is in the order, if it is found and comes behind the cursor.
    pub(super) fn place(&self, id: TokenId, token: &Token) -> Option<Cursor> {
        let place = self.slice.sort.cursor(id, token);
        let is_behind = self.slice.after.as_ref().is_none_or(|after| self.slice.is_after(&place, after));
        (is_behind && self.words.find(token)).then_some(place)
    }

    pub(super) fn sort(&self) -> Sort {
        self.slice.sort
    }
}

/// The best tokens that were found, each once.
pub(super) struct Page {
    rows: BTreeMap<Cursor, Token>,
    descending: bool,
    limit: usize,
}

impl Page {
    pub(super) fn new(slice: &TokenSlice) -> Self {
        let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
        Self { rows: BTreeMap::new(), descending: slice.descending, limit }
    }

    /// Adds a token, and forgets the last one if that is one too many.
    pub(super) fn add(&mut self, place: Cursor, token: Token) {
        if let Entry::Vacant(entry) = self.rows.entry(place) {
            entry.insert(token);
        }
        if self.rows.len() > self.limit {
            if self.descending {
                self.rows.pop_first()
            } else {
                self.rows.pop_last()
            };
        }
    }

    /// Adds the tokens of rows, as far as they are found.
    pub(super) fn take(&mut self, search: &Search, rows: Vec<(TokenId, TokenRow)>) -> QueryResult<()> {
        for (id, row) in rows {
            let token = row.token()?;
            if let Some(place) = search.place(id, &token) {
                self.add(place, token);
            }
        }
        Ok(())
    }

    /// The last place, if nothing behind it can come into the page.
    pub(super) fn last(&self) -> Option<&Cursor> {
        let mut places = self.rows.keys();
        let last = if self.descending { places.next() } else { places.next_back() };
        last.filter(|_| self.rows.len() >= self.limit)
    }

    /// How many tokens are missing in it.
    pub(super) fn wanted(&self) -> usize {
        self.limit - self.rows.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.limit
    }

    pub(super) fn into_rows(self) -> Vec<(Cursor, Token)> {
        if self.descending { self.rows.into_iter().rev().collect() } else { self.rows.into_iter().collect() }
    }
}
