//! Copying a whole database into an empty one, from either kind to either kind, and comparing every row afterwards.

mod rows;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use rows::{
    ActionRow, ActionTokenRow, AuditRow, BatchRow, JobRow, KeyRow, NextLabelRow, PieceRow, PrinterRow, ReplyRow, Rows,
    RunRow, RunTokenRow, SessionRow, SettingRow, SheetRow, TokenRow, UsageRow, UserRow,
};

use super::connection::Connection;
use super::error::Error;

/// How many rows of a table were copied and found equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: usize,
}

/// Copies everything but failed sign-ins, which count for a minute, and compares row by row what then stands there.
/// `from` must not change meanwhile, and `to` is within a transaction, which keeps nothing if this fails.
///
/// # Errors
/// Refused, when there is something in `to` already; failed, when a row is not what it was.
pub fn copy(from: &mut Connection, to: &mut Connection) -> Result<Vec<Copied>, Error> {
    let copied = vec![
        table::<TokenRow>(from, to)?,
        table::<UsageRow>(from, to)?,
        table::<BatchRow>(from, to)?,
        table::<ActionRow>(from, to)?,
        table::<ActionTokenRow>(from, to)?,
        table::<ReplyRow>(from, to)?,
        // Before their sessions.
        table::<UserRow>(from, to)?,
        table::<SessionRow>(from, to)?,
        table::<KeyRow>(from, to)?,
        table::<SettingRow>(from, to)?,
        table::<AuditRow>(from, to)?,
        table::<JobRow>(from, to)?,
        table::<RunRow>(from, to)?,
        table::<RunTokenRow>(from, to)?,
        table::<PieceRow>(from, to)?,
        table::<SheetRow>(from, to)?,
        table::<PrinterRow>(from, to)?,
        table::<NextLabelRow>(from, to)?,
    ];
    if let Connection::Postgres(to) = to {
        // Until it knows what is in the tables, PostgreSQL plans for empty ones.
        to.batch_execute("ANALYZE")?;
    }
    Ok(copied)
}

fn table<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<Copied, Error> {
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
    if R::NUMBERED {
        count_on(to, table)?;
    }
    Ok(Copied { table, rows })
}

/// Holds that every row is the same in both.
fn compare<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut last = None;
    loop {
        let (was, is) = (R::page(from, last.as_ref())?, R::page(to, last.as_ref())?);
        if was != is {
            return Err(Error::Failed(format!("a row of {} is not what it was", R::TABLE)));
        }
        match was.last() {
            Some(row) => last = Some(row.clone()),
            None => return Ok(()),
        }
    }
}

/// PostgreSQL's next number follows the last one that was copied; SQLite's does by itself.
fn count_on(to: &mut Connection, table: &str) -> QueryResult<()> {
    let Connection::Postgres(to) = to else { return Ok(()) };
    let next = format!(
        "setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
    );
    diesel::select(diesel::dsl::sql::<BigInt>(&next)).get_result::<i64>(to).map(drop)
}

/// Keeps everybody else from changing a database until the transaction ends that this is in.
///
/// # Errors
/// Refused, when a server is using it.
pub(crate) fn hold_still(from: &mut Connection) -> Result<(), Error> {
    // SQLite's file is locked as it is opened.
    let Connection::Postgres(from) = from else { return Ok(()) };
    let others = "EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                  AND pid <> pg_backend_pid() AND usename IS NOT NULL)";
    if diesel::select(diesel::dsl::sql::<Bool>(others)).get_result(from)? {
        return Err(Error::Refused("It is in use; stop every server on it first.".into()));
    }
    // Whoever comes now can read, and waits with a change until the copy is there.
    let tables = "tokens, usage, batches, actions, action_tokens, replies, users, sessions, keys, settings, audit, \
                  attempts, advisory_locks, print_jobs, print_runs, print_run_tokens, print_run_parts, sheets, \
                  printers, next_labels";
    Ok(from.batch_execute(&format!("LOCK TABLE {tables} IN EXCLUSIVE MODE"))?)
}
