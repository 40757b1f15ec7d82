//! Finds print runs, their labels and their PDFs.

use diesel::prelude::*;

use super::row::{PrintRun, RunRow, print_run};
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::schema::{print_run_parts, print_run_tokens, print_runs, tokens};
use crate::store::tokens::row::TokenRow;
use crate::token::{Token, Uid};

/// The run with this uid.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PrintRun>> {
    let row = print_runs::table.filter(print_runs::uid.eq(uid.to_string())).filter(print_runs::done.is_not_null());
    Ok(row.get_result::<RunRow>(connection).optional()?.map(print_run))
}

/// Whether a token is on the label of a run.
pub(crate) fn is_printed(connection: &mut Connection, uid: Uid) -> QueryResult<bool> {
    let labels = print_run_tokens::table
        .inner_join(tokens::table.on(tokens::id.eq(print_run_tokens::token)))
        .inner_join(print_runs::table.on(print_runs::id.eq(print_run_tokens::run)))
        .filter(tokens::uid.eq(uid.to_string()))
        .filter(print_runs::done.is_not_null());
    diesel::select(diesel::dsl::exists(labels)).get_result(connection)
}

/// Runs, newest first, each with its cursor; only those after the cursor `after`, if given.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PrintRun)>> {
    let mut query = print_runs::table.filter(print_runs::done.is_not_null()).into_boxed();
    if let Some(after) = after {
        query = query.filter(print_runs::id.lt(after.id()));
    }
    let rows = query.order(print_runs::id.desc()).limit(limit).load::<RunRow>(connection)?;
    let with_cursor = |run: PrintRun| (Cursor::number(run.timestamp.get(), run.id), run);
    Ok(rows.into_iter().map(print_run).map(with_cursor).collect())
}

/// The runs printed by a job, in the order of its parts.
pub fn of_job(connection: &mut Connection, job: i64) -> QueryResult<Vec<PrintRun>> {
    let rows = print_runs::table.filter(print_runs::job.eq(job)).filter(print_runs::done.is_not_null());
    Ok(rows.order((print_runs::part, print_runs::id)).load::<RunRow>(connection)?.into_iter().map(print_run).collect())
}

/// A label of a run.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its position among the run's labels, counted from 1.
    pub position: i32,
    /// Its token, as it is now.
    pub token: Token,
    /// Whether the token has been deleted.
    pub is_deleted: bool,
}

/// A run's labels in order: at most `limit`, after the position `after`.
pub fn labels(connection: &mut Connection, run: i64, after: i32, limit: i64) -> QueryResult<Vec<Label>> {
    let labels = print_run_tokens::table.inner_join(tokens::table.on(tokens::id.eq(print_run_tokens::token)));
    let rows = labels.filter(print_run_tokens::run.eq(run)).filter(print_run_tokens::position.gt(after));
    let columns = (print_run_tokens::position, TokenRow::as_select(), tokens::deleted_at.is_not_null());
    let rows = rows.order(print_run_tokens::position).limit(limit).select(columns);
    let rows: Vec<(i32, TokenRow, bool)> = rows.load(connection)?;
    rows.into_iter()
        .map(|(position, row, is_deleted)| Ok(Label { position, token: row.token()?, is_deleted }))
        .collect()
}

/// A chunk of a run's PDF, counted from 0; none after the last one.
pub fn pdf_chunk(connection: &mut Connection, run: i64, chunk: i32) -> QueryResult<Option<Vec<u8>>> {
    let row = print_run_parts::table.filter(print_run_parts::run.eq(run)).filter(print_run_parts::part.eq(chunk));
    row.select(print_run_parts::bytes).get_result(connection).optional()
}

/// A run's complete PDF. Long ones are better read chunk by chunk.
///
/// # Errors
/// Failed when it is incomplete.
pub fn pdf(connection: &mut Connection, run: &PrintRun) -> Result<Vec<u8>, Error> {
    let chunks = print_run_parts::table.filter(print_run_parts::run.eq(run.id)).order(print_run_parts::part);
    let bytes: Vec<Vec<u8>> = chunks.select(print_run_parts::bytes).load(connection)?;
    let bytes = bytes.concat();
    if i64::try_from(bytes.len()) != Ok(run.size) {
        return Err(Error::Failed(format!("the PDF of the print run {} is not whole", run.uid)));
    }
    Ok(bytes)
}
