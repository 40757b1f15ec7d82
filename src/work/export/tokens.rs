//! Tokens, oldest first: whoever reads them in again makes them in the same order.

use super::rows::{Cell, RowWriter};
use super::source::Source;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::TokenFilter;
use crate::store::tokens::pieces::TokenPieces;
use crate::store::{Connection, Error};
use crate::token::consume::state;
use crate::token::{Micros, Token};

/// The columns. An import takes those up to `void_reason`.
pub(crate) const COLUMNS: [&str; 16] = [
    "uid",
    "value",
    "label",
    "valid_from",
    "valid_to",
    "usage_count",
    "lock_time",
    "batch",
    "voided",
    "void_reason",
    "state",
    "used",
    "last_used",
    "creator",
    "created",
    "modified",
];

/// The row of a token at `now`; `batch` is its batch's name.
pub(crate) fn cells<'a>(token: &'a Token, batch: Option<&'a str>, now: Micros) -> [Cell<'a>; 16] {
    let (state, voided) = (state(token, now), token.voided.as_ref());
    [
        Cell::Text(token.uid.to_string().into()),
        Cell::text(Some(&token.value)),
        Cell::text(token.label.as_deref()),
        Cell::moment(token.valid_from),
        Cell::moment(token.valid_to),
        Cell::Uses(token.usage_count),
        Cell::Number(token.lock_time.into()),
        Cell::text(batch),
        Cell::moment(voided.map(|voided| voided.at)),
        Cell::text(voided.and_then(|voided| voided.reason.as_deref())),
        Cell::word(state.word(), state.words()),
        Cell::Number(token.used),
        Cell::moment(token.last_used),
        Cell::who(&token.creator),
        Cell::Moment(token.created),
        Cell::Moment(token.modified),
    ]
}

/// The tokens of a filter.
pub(crate) struct Tokens {
    pieces: TokenPieces,
    now: Micros,
}

impl Tokens {
    /// The tokens that a filter matches at `now`, without those that are added later.
    ///
    /// # Errors
    /// Too slow, when the search takes longer than it may.
    pub(crate) fn new(
        connection: &mut Connection,
        filter: TokenFilter,
        now: Micros,
        limit: &SearchLimit,
    ) -> Result<Self, Error> {
        Ok(Self { pieces: TokenPieces::new(connection, filter, now, limit)?, now })
    }
}

impl Source for Tokens {
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error> {
        let (tokens, is_more) = self.pieces.next(connection, limit)?;
        for (token, batch) in &tokens {
            rows.add(&cells(token, batch.as_deref(), self.now))?;
        }
        Ok(is_more)
    }
}
