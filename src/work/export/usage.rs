//! The usage log, newest first.

use std::collections::BTreeSet;

use super::rows::{Cell, RowWriter};
use super::source::Source;
use crate::store::cursor::Cursor;
use crate::store::search::SearchLimit;
use crate::store::usage::list::{UsageScan, UsageSlice, newest_id, slice_part};
use crate::store::usage::{Entry, UsageFilter, labels};
use crate::store::{Connection, Error};
use crate::token::UsageOutcome;

/// Entries that are in memory at once, however long the log is.
const PIECE: i64 = 1_000;
/// Pieces of the log that are looked at for one of them. Where few entries match, a piece has fewer, and the table takes
/// longer instead of none coming.
const LOG_PIECES: usize = 20;

/// The columns.
pub(crate) const COLUMNS: [&str; 12] = [
    "timestamp",
    "token_uid",
    "token_value",
    "token_label",
    "user",
    "outcome",
    "error",
    "error_code",
    "uid",
    "gate",
    "uses",
    "undoes",
];

/// The row of an entry, given the label of its token.
fn cells<'a>(entry: &'a Entry, label: Option<&'a str>) -> [Cell<'a>; 12] {
    let (word, outcome) = match (entry.error_code, entry.uses) {
        (Some(code), _) => (UsageOutcome::Refused.word(), UsageOutcome::Because(code)),
        (None, ..0) => (UsageOutcome::Undone.word(), UsageOutcome::Undone),
        (None, _) => (UsageOutcome::Used.word(), UsageOutcome::Used),
    };
    [
        Cell::Moment(entry.timestamp),
        Cell::text(entry.token_uid.as_deref()),
        Cell::text(entry.token_value.as_deref()),
        Cell::text(label),
        Cell::who(&entry.user),
        Cell::word(word, outcome.words()),
        Cell::text(entry.error),
        entry.error_code.map_or(Cell::Empty, |code| Cell::Number(code.into())),
        Cell::text(Some(&entry.uid)),
        Cell::text(entry.gate.as_deref()),
        Cell::Number(entry.uses.into()),
        Cell::text(entry.undoes.as_deref()),
    ]
}

/// The entries of a filter.
pub(crate) struct Usage {
    filter: UsageFilter,
    scan: UsageScan,
    after: Option<Cursor>,
}

impl Usage {
    /// Everything of the filter up to the newest entry there is now.
    ///
    /// # Errors
    /// Too slow, when the search takes longer than it may.
    pub(crate) fn new(connection: &mut Connection, filter: &UsageFilter, limit: &SearchLimit) -> Result<Self, Error> {
        let filter = filter.resolved(connection, limit)?;
        let newest = newest_id(connection)?;
        let scan = UsageScan::new(connection, &filter, None)?.until(newest);
        Ok(Self { filter, scan, after: None })
    }
}

impl Source for Usage {
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error> {
        let wanted = UsageSlice { oldest_first: false, after: self.after.clone(), limit: PIECE };
        let (entries, stopped) = slice_part(connection, &self.filter, &self.scan, &wanted, (LOG_PIECES, limit))?;
        let uids: BTreeSet<String> = entries.iter().filter_map(|(_, entry)| entry.token_uid.clone()).collect();
        let labels = labels(connection, uids.into_iter().collect())?;
        for (_, entry) in &entries {
            let label = entry.token_uid.as_ref().and_then(|uid| labels.get(uid)?.as_deref());
            rows.add(&cells(entry, label))?;
        }
        let is_last = stopped.is_none() && i64::try_from(entries.len()).unwrap_or(PIECE) < PIECE;
        self.after = stopped.or_else(|| entries.into_iter().last().map(|(place, _)| place));
        Ok(!is_last)
    }
}
