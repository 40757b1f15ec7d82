//! Copies a database into an empty one, of the same or the other kind, and compares every row afterwards.

mod rows;

use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use rows::{
    ActionRow, ActionTokenRow, AuditRow, BatchRow, GateRow, JobRow, KeyRow, NextLabelRow, PdfChunkRow, PrinterRow,
    ReplyRow, Rows, RunRow, RunTokenRow, SessionRow, SettingRow, SheetRow, TokenRow, UsageRow, UserRow,
};

use super::connection::{Connection, LEAVE_TIMEOUT, RETRY_PAUSE};
use super::error::Error;
use super::schema::{index_progress, usage};

/// The rows of a table that were copied and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: usize,
}

/// What `work` returns for each table, in the order in which they are copied: users come before their sessions.
macro_rules! each_table {
    ($work:ident $arguments:tt) => {
        vec![
            $work::<TokenRow> $arguments?,
            $work::<UsageRow> $arguments?,
            $work::<BatchRow> $arguments?,
            $work::<ActionRow> $arguments?,
            $work::<ActionTokenRow> $arguments?,
            $work::<ReplyRow> $arguments?,
            $work::<UserRow> $arguments?,
            $work::<SessionRow> $arguments?,
            $work::<KeyRow> $arguments?,
            $work::<GateRow> $arguments?,
            $work::<SettingRow> $arguments?,
            $work::<AuditRow> $arguments?,
            $work::<JobRow> $arguments?,
            $work::<RunRow> $arguments?,
            $work::<RunTokenRow> $arguments?,
            $work::<PdfChunkRow> $arguments?,
            $work::<SheetRow> $arguments?,
            $work::<PrinterRow> $arguments?,
            $work::<NextLabelRow> $arguments?,
        ]
    };
}

/// Copies everything except failed sign-ins, which count for only a minute, and files that are sent to be imported, which
/// are kept for a day; and then compares row by row. `from` must
/// not change meanwhile. `to` must be in a transaction, which rolls back if this fails.
///
/// # Errors
/// Refused when `to` is not empty; failed when a row differs after copying.
pub fn copy(from: &mut Connection, to: &mut Connection) -> Result<Vec<CopiedTable>, Error> {
    let copied = each_table!(copy_table(from, to));
    // What leads to tokens is made anew, from the tokens as they are after all uses.
    let newest = usage::table.select(diesel::dsl::max(usage::id)).get_result::<Option<i64>>(to)?;
    diesel::update(index_progress::table).set(index_progress::entry.eq(newest.unwrap_or(0))).execute(to)?;
    if let Connection::Postgres(to) = to {
        // Until ANALYZE, PostgreSQL plans as if the tables were empty. Of these tables only: an administrator's ANALYZE of
        // everything locks what all databases of a server share, until this transaction ends.
        let tables: Vec<&str> = copied.iter().map(|copied| copied.table).collect();
        to.batch_execute(&format!("ANALYZE {}, index_queue", tables.join(", ")))?;
    }
    Ok(copied)
}

/// Reads every row that is copied.
pub(super) fn read(connection: &mut Connection) -> Result<Vec<CopiedTable>, Error> {
    Ok(each_table!(read_table(connection)))
}

fn read_table<R: Rows>(connection: &mut Connection) -> Result<CopiedTable, Error> {
    let (mut last, mut rows) = (None, 0);
    loop {
        let page = R::page(connection, last.as_ref());
        let page = page.map_err(|error| Error::Refused(format!("a row of {} cannot be read: {error}", R::TABLE)))?;
        rows += page.len();
        match page.last() {
            Some(row) => last = Some(row.clone()),
            None => return Ok(CopiedTable { table: R::TABLE, rows }),
        }
    }
}

fn copy_table<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<CopiedTable, Error> {
    let table = R::TABLE;
    if !R::page(to, None)?.is_empty() {
        return Err(Error::Refused(format!(
            "There is something in its table {table} already; name an empty database."
        )));
    }
    let (mut last, mut rows) = (None, 0);
    loop {
        let page = R::page(from, last.as_ref())?;
        if page.is_empty() {
            break;
        }
        rows += page.len();
        last = page.last().cloned();
        R::insert(to, page)?;
    }
    compare::<R>(from, to)?;
    if R::HAS_SEQUENCE {
        set_sequence(to, table)?;
    }
    Ok(CopiedTable { table, rows })
}

/// Checks that every row is the same in both databases.
fn compare<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut last = None;
    loop {
        let (source, copy) = (R::page(from, last.as_ref())?, R::page(to, last.as_ref())?);
        if source != copy {
            return Err(Error::Failed(format!("a row of {} is not what it was", R::TABLE)));
        }
        match source.last() {
            Some(row) => last = Some(row.clone()),
            None => return Ok(()),
        }
    }
}

/// Sets PostgreSQL's sequence to follow the last copied id; SQLite does so by itself.
pub(in crate::store) fn set_sequence(to: &mut Connection, table: &str) -> QueryResult<()> {
    let Connection::Postgres(to) = to else { return Ok(()) };
    let next = format!(
        "setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
    );
    diesel::select(diesel::dsl::sql::<BigInt>(&next)).get_result::<i64>(to).map(drop)
}

/// Locks a database against changes by others until the transaction ends.
///
/// # Errors
/// Refused when a server is using it.
pub(crate) fn lock_tables(from: &mut Connection) -> Result<(), Error> {
    // SQLite's file was locked when it was opened.
    let Connection::Postgres(from) = from else { return Ok(()) };
    let others = "EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                  AND pid <> pg_backend_pid() AND usename IS NOT NULL)";
    let start = Instant::now();
    while diesel::select(diesel::dsl::sql::<Bool>(others)).get_result(from)? {
        if start.elapsed() > LEAVE_TIMEOUT {
            return Err(Error::Refused("It is in use; stop every server on it first.".into()));
        }
        std::thread::sleep(RETRY_PAUSE);
        // Within a transaction the server goes on showing what it has shown.
        from.batch_execute("SELECT pg_stat_clear_snapshot()")?;
    }
    // From now on others can read, and wait with changes until the copy is complete.
    let tables = "tokens, usage, batches, actions, action_tokens, replies, users, sessions, keys, gates, settings, audit, \
                  attempts, advisory_locks, print_jobs, print_runs, print_run_tokens, print_run_parts, sheets, \
                  printers, next_labels, imports, import_parts";
    Ok(from.batch_execute(&format!("LOCK TABLE {tables} IN EXCLUSIVE MODE"))?)
}
