//! Print runs: sheets that were printed, each with its PDF as it was and its tokens in the order of their labels.

mod keep;
mod standing;

use diesel::prelude::*;
pub use keep::{NewRun, keep, tidy};
pub use standing::{Standing, standing};

use super::Error;
use super::connection::Connection;
use super::schema::{print_run_parts, print_run_tokens, print_runs, tokens};
use super::token_list::Place;
use super::tokens::TokenRow;
use crate::token::{Micros, Token, Uid};

/// A sheet that was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintRun {
    /// Its number.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The number of the job that it is a part of.
    pub job: Option<i64>,
    /// Which part, counted from 1.
    pub part: i32,
    /// The principal that printed it.
    pub principal: String,
    /// When.
    pub timestamp: Micros,
    /// The sheet's slug.
    pub sheet: String,
    /// How it was printed, as JSON, with the whole geometry.
    pub options: String,
    /// The first label, counted from 1.
    pub start: i32,
    /// How many labels.
    pub count: i32,
    /// On how many pages.
    pub pages: i32,
    /// The PDF's bytes.
    pub size: i64,
    /// The digest of the PDF and its tokens, in base64url.
    pub digest: String,
}

type Row = (i64, String, Option<i64>, i32, String, i64, String, String, i32, i32, i32, i64, String, Option<i64>);

fn run(row: Row) -> PrintRun {
    let (id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest, _) = row;
    let timestamp = Micros::stored(timestamp);
    PrintRun { id, uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest }
}

/// The run of that uid.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PrintRun>> {
    let row = print_runs::table.filter(print_runs::uid.eq(uid.to_string())).filter(print_runs::done.is_not_null());
    Ok(row.get_result::<Row>(connection).optional()?.map(run))
}

/// Runs, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(connection: &mut Connection, after: Option<&Place>, limit: i64) -> QueryResult<Vec<(Place, PrintRun)>> {
    let mut query = print_runs::table.filter(print_runs::done.is_not_null()).into_boxed();
    if let Some(after) = after {
        query = query.filter(print_runs::id.lt(after.id()));
    }
    let rows = query.order(print_runs::id.desc()).limit(limit).load::<Row>(connection)?;
    let placed = |run: PrintRun| (Place::number(run.timestamp.get(), run.id), run);
    Ok(rows.into_iter().map(run).map(placed).collect())
}

/// The runs that a job has printed, in the order of its parts.
///
/// # Errors
/// The database's.
pub fn of_job(connection: &mut Connection, job: i64) -> QueryResult<Vec<PrintRun>> {
    let rows = print_runs::table.filter(print_runs::job.eq(job)).filter(print_runs::done.is_not_null());
    Ok(rows.order((print_runs::part, print_runs::id)).load::<Row>(connection)?.into_iter().map(run).collect())
}

/// A label of a run.
#[derive(Clone, Debug)]
pub struct Label {
    /// Which of the run's labels, counted from 1.
    pub position: i32,
    /// Its token, as it is now.
    pub token: Token,
    /// Whether it was deleted meanwhile.
    pub is_deleted: bool,
}

/// A run's labels in their order: at most `limit`, those behind the position `after`.
///
/// # Errors
/// The database's.
pub fn labels(connection: &mut Connection, run: i64, after: i32, limit: i64) -> QueryResult<Vec<Label>> {
    let of = print_run_tokens::table.inner_join(tokens::table.on(tokens::id.eq(print_run_tokens::token)));
    let behind = of.filter(print_run_tokens::run.eq(run)).filter(print_run_tokens::position.gt(after));
    let columns = (print_run_tokens::position, TokenRow::as_select(), tokens::deleted_at.is_not_null());
    let rows = behind.order(print_run_tokens::position).limit(limit).select(columns);
    let rows: Vec<(i32, TokenRow, bool)> = rows.load(connection)?;
    rows.into_iter()
        .map(|(position, row, is_deleted)| Ok(Label { position, token: row.token()?, is_deleted }))
        .collect()
}

/// A piece of a run's PDF, counted from 0; none behind the last one.
///
/// # Errors
/// The database's.
pub fn pdf_piece(connection: &mut Connection, run: i64, piece: i32) -> QueryResult<Option<Vec<u8>>> {
    let row = print_run_parts::table.filter(print_run_parts::run.eq(run)).filter(print_run_parts::part.eq(piece));
    row.select(print_run_parts::bytes).get_result(connection).optional()
}

/// A run's whole PDF. Long ones are better read piece by piece.
///
/// # Errors
/// Failed, when it is not what was kept; the database's.
pub fn pdf(connection: &mut Connection, run: &PrintRun) -> Result<Vec<u8>, Error> {
    let pieces = print_run_parts::table.filter(print_run_parts::run.eq(run.id)).order(print_run_parts::part);
    let bytes: Vec<Vec<u8>> = pieces.select(print_run_parts::bytes).load(connection)?;
    let bytes = bytes.concat();
    if i64::try_from(bytes.len()) != Ok(run.size) {
        return Err(Error::Failed(format!("the PDF of the print run {} is not whole", run.uid)));
    }
    Ok(bytes)
}
