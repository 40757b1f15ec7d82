//! Printed sheets, newest first, and what became of their tokens.

use super::rows::{Cell, RowWriter};
use super::source::Source;
use crate::store::cursor::Cursor;
use crate::store::printing::runs::{PrintRun, RunCounts, count_tokens, page};
use crate::store::search::SearchLimit;
use crate::store::{Connection, Error};
use crate::work::printing::options::PrintOptions;

/// Runs of a piece: each one's tokens, up to 10,000, are counted for it.
const PIECE: i64 = 10;

/// The columns.
pub(crate) const COLUMNS: [&str; 13] = [
    "uid",
    "timestamp",
    "user",
    "sheet",
    "sheet_name",
    "start",
    "labels",
    "pages",
    "size",
    "never_used",
    "used",
    "voided",
    "deleted",
];

/// All runs. Those that are printed meanwhile are newer than all of them.
#[derive(Default)]
pub(crate) struct PrintRuns {
    after: Option<Cursor>,
}

impl Source for PrintRuns {
    fn write_piece(
        &mut self,
        connection: &mut Connection,
        rows: &mut RowWriter,
        limit: &SearchLimit,
    ) -> Result<bool, Error> {
        limit.check()?;
        let runs = page(connection, self.after.as_ref(), PIECE)?;
        for (_, run) in &runs {
            limit.check()?;
            let counts = count_tokens(connection, &[run.id])?.into_iter().next();
            add(rows, run, counts.map(|(_, counts)| counts).unwrap_or_default())?;
        }
        let is_more = i64::try_from(runs.len()).unwrap_or(PIECE) == PIECE;
        self.after = runs.into_iter().last().map(|(place, _)| place);
        Ok(is_more)
    }
}

fn add(rows: &mut RowWriter, run: &PrintRun, counts: RunCounts) -> Result<(), Error> {
    // As the sheet was called then.
    let name = PrintOptions::read(&run.options).map(|how| how.sheet.name);
    rows.add(&[
        Cell::text(Some(&run.uid)),
        Cell::Moment(run.timestamp),
        Cell::who(&run.principal),
        Cell::text(Some(&run.sheet)),
        Cell::text(name.as_deref()),
        Cell::Number(run.start.into()),
        Cell::Number(run.count.into()),
        Cell::Number(run.pages.into()),
        Cell::Number(run.size),
        Cell::Number(counts.never_used),
        Cell::Number(counts.used),
        Cell::Number(counts.voided),
        Cell::Number(counts.deleted),
    ])
}
