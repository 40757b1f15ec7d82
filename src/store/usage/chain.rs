//! The attempts at one token. A token knows its newest entry in the log, and each entry the one before it: so a use writes
//! nothing but its token's page and the end of the log, where an index by token would write a random page more.
//!
//! Where retention has removed entries, a chain ends. SQLite gives numbers again if somebody else empties the log: so a
//! chain also ends where the next entry is of another token, or not older.

use std::ops::ControlFlow;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::store::connection::{Connection, MultiBackend};
use crate::store::error::Error;
use crate::store::schema::usage;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;
use crate::token::{BatchId, EntryId};

/// Up to this many entries are collected through an index and sorted. Where there are more, walking the log soon finds
/// a page.
pub(super) const FEW: i64 = 20_000;

/// Entries of the log that are looked at between two questions whether the search may go on.
pub(super) const PIECE: i64 = 10_000;

/// What holds for entries of the log.
pub(in crate::store) type Condition = Box<dyn BoxableExpression<usage::table, MultiBackend, SqlType = Bool>>;

pub(super) const CHAIN: &str =
    "WITH RECURSIVE chain (id, previous, token) AS (SELECT entry.id, entry.previous, entry.token FROM ";
pub(super) const NEWEST: &str =
    "tokens JOIN usage AS entry ON entry.id = tokens.last_entry AND entry.token = tokens.id WHERE ";
pub(super) const PREVIOUS: &str =
    " UNION ALL SELECT entry.id, entry.previous, entry.token FROM chain JOIN usage AS entry
    ON entry.id = chain.previous AND entry.token = chain.token AND entry.id < chain.id";
pub(super) const IDS: &str = ") SELECT id FROM chain";

/// Entries of a token that follow each other, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    token: TokenId,
    /// The first one; if none is given, the token's newest.
    start: Option<EntryId>,
    /// Most of them.
    length: i64,
}

impl Piece {
    /// The newest entries of a token.
    pub(in crate::store) fn newest(token: TokenId, length: i64) -> Self {
        Self { token, start: None, length }
    }

    /// The entries of a token behind this one of its entries; none if it is not.
    pub(in crate::store) fn behind(
        connection: &mut Connection,
        token: TokenId,
        entry: EntryId,
        length: i64,
    ) -> QueryResult<Option<Self>> {
        let row = usage::table.find(entry).filter(usage::token.eq(token)).select(usage::previous);
        let previous: Option<Option<i64>> = row.get_result(connection).optional()?;
        // Numbers of entries are above zero: a chain that begins there is empty.
        Ok(previous.map(|previous| Self { token, start: Some(previous.unwrap_or_default()), length }))
    }

    /// The next ones, if there are any.
    pub(in crate::store) fn next(self, connection: &mut Connection) -> QueryResult<Option<Self>> {
        let first = self.condition("usage.id = (", &format!("1 OFFSET {})", self.length));
        let first: Option<i64> = usage::table.filter(first).select(usage::id).get_result(connection).optional()?;
        Ok(first.map(|first| Self { start: Some(first), ..self }))
    }

    /// Looks at these entries and at those behind them, a piece at a time, until `look` breaks off.
    pub(super) fn walk(
        self,
        connection: &mut Connection,
        limit: &SearchLimit,
        mut look: impl FnMut(&mut Connection, Self) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut piece = Some(self);
        while let Some(here) = piece {
            limit.check()?;
            piece = match look(connection, here)? {
                ControlFlow::Continue(()) => here.next(connection)?,
                ControlFlow::Break(()) => None,
            };
        }
        Ok(())
    }

    /// Whether there may be entries among these that are newer than this one.
    pub(in crate::store) fn may_reach_beyond(self, entry: EntryId) -> bool {
        self.start.is_none_or(|start| start > entry)
    }

    /// Holds for these entries.
    pub(in crate::store) fn entries(self, connection: &Connection) -> Condition {
        let (open, close) = list(connection);
        self.condition(open, &format!("{}{close}", self.length))
    }

    fn condition(self, open: &str, limit: &str) -> Condition {
        let (seed, number) = match self.start {
            Some(start) => (format!("usage AS entry WHERE entry.token = {} AND entry.id = ", self.token), start),
            None => (format!("{NEWEST}tokens.id = "), self.token),
        };
        let chain = sql::<Bool>(&format!("{open}{CHAIN}{seed}")).bind::<BigInt, _>(number);
        Box::new(chain.sql(&format!("{PREVIOUS}{IDS} LIMIT {limit}")))
    }
}

/// Holds for the entries of all tokens of a batch, up to a number of them.
pub(super) fn of_batch(connection: &Connection, batch: BatchId, at_most: i64) -> Condition {
    let (open, close) = list(connection);
    // Two look-ups, since the index of batches leaves out deleted tokens, and the index of deleted tokens is small.
    let existing = format!("{open}{CHAIN}{NEWEST}tokens.deleted_at IS NULL AND tokens.batch = ");
    let deleted = format!(
        " UNION ALL SELECT entry.id, entry.previous, entry.token FROM {NEWEST}tokens.deleted_at IS NOT NULL AND tokens.batch = "
    );
    let tokens = sql::<Bool>(&existing).bind::<BigInt, _>(batch).sql(&deleted).bind::<BigInt, _>(batch);
    Box::new(tokens.sql(&format!("{PREVIOUS}{IDS} LIMIT {at_most}{close}")))
}

/// Holds for the entries of these tokens that are newer than an entry.
pub(super) fn of_tokens(connection: &Connection, tokens: &[TokenId], after: EntryId) -> Condition {
    let (open, close) = list(connection);
    let ids = tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let newest = format!("{open}{CHAIN}{NEWEST}tokens.id IN ({ids}) AND entry.id > ");
    let chain = sql::<Bool>(&newest).bind::<BigInt, _>(after).sql(&format!("{PREVIOUS} AND entry.id > "));
    Box::new(chain.bind::<BigInt, _>(after).sql(&format!("{IDS}{close}")))
}

/// What stands around the numbers of entries. Without statistics, PostgreSQL would read the whole log for an `IN`.
pub(super) const SQLITE_LIST: (&str, &str) = ("usage.id IN (", ")");
pub(super) const POSTGRES_LIST: (&str, &str) = ("usage.id = ANY(ARRAY(", "))");

fn list(connection: &Connection) -> (&'static str, &'static str) {
    match connection {
        Connection::Sqlite(_) => SQLITE_LIST,
        Connection::Postgres(_) => POSTGRES_LIST,
    }
}
