//! The audit log, newest first.

use super::rows::{Cell, RowWriter};
use super::source::Source;
use crate::store::audit::{AuditFilter, page};
use crate::store::cursor::Cursor;
use crate::store::search::SearchLimit;
use crate::store::{Connection, Error};

/// Entries of a piece.
const PIECE: i64 = 1_000;

/// The columns.
pub(crate) const COLUMNS: [&str; 5] = ["timestamp", "user", "action", "subject", "detail"];

/// The entries of a filter. Those that are added meanwhile are newer than all of them.
pub(crate) struct Audit {
    filter: AuditFilter,
    /// What people call an action.
    words: fn(&str) -> Option<&'static str>,
    after: Option<Cursor>,
}

impl Audit {
    /// The entries that a filter matches.
    pub(crate) fn new(filter: AuditFilter, words: fn(&str) -> Option<&'static str>) -> Self {
        Self { filter, words, after: None }
    }
}

impl Source for Audit {
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error> {
        limit.check()?;
        let entries = page(connection, &self.filter, self.after.as_ref(), PIECE)?;
        for (_, entry) in &entries {
            rows.add(&[
                Cell::Moment(entry.at),
                Cell::who(&entry.by),
                Cell::word(&entry.action, (self.words)(&entry.action).unwrap_or(&entry.action)),
                Cell::text(Some(&entry.subject)),
                Cell::text(Some(&entry.detail)),
            ])?;
        }
        let is_more = i64::try_from(entries.len()).unwrap_or(PIECE) == PIECE;
        self.after = entries.into_iter().last().map(|(place, _)| place);
        Ok(is_more)
    }
}
