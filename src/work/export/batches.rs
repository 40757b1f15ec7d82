//! Batches, newest first, and what became of their tokens.

use super::rows::{Cell, RowWriter};
use super::source::Source;
use crate::store::batches::{Batch, BatchCounts, count_tokens, page};
use crate::store::cursor::Cursor;
use crate::store::search::SearchLimit;
use crate::store::{Connection, Error};

/// Batches of a piece: each one's tokens are counted for it.
const PIECE: i64 = 10;

/// The columns.
pub(crate) const COLUMNS: [&str; 10] =
    ["uid", "name", "created", "creator", "count", "present", "used", "used_up", "voided", "deleted"];

/// All batches that have a name. Those that are added meanwhile are newer than all of them.
#[derive(Default)]
pub(crate) struct Batches {
    after: Option<Cursor>,
}

impl Source for Batches {
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error> {
        limit.check()?;
        let batches = page(connection, self.after.as_ref(), PIECE)?;
        for (_, batch) in &batches {
            limit.check()?;
            let counts = count_tokens(connection, &[batch.id])?.into_iter().next();
            add(rows, batch, counts.map(|(_, counts)| counts).unwrap_or_default())?;
        }
        let is_more = i64::try_from(batches.len()).unwrap_or(PIECE) == PIECE;
        self.after = batches.into_iter().last().map(|(place, _)| place);
        Ok(is_more)
    }
}

fn add(rows: &mut RowWriter, batch: &Batch, counts: BatchCounts) -> Result<(), Error> {
    rows.add(&[
        Cell::text(Some(&batch.uid)),
        Cell::text(Some(&batch.name)),
        Cell::Moment(batch.created),
        Cell::who(&batch.creator),
        Cell::Number(batch.count.into()),
        Cell::Number(counts.there),
        Cell::Number(counts.used),
        Cell::Number(counts.used_up),
        Cell::Number(counts.voided),
        Cell::Number(i64::from(batch.count) - counts.there),
    ])
}
