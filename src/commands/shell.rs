//! Shared by the commands: the database next to a running server, and the terminal.

use std::io::Write;

use crate::access::Principal;
use crate::cli::Common;
use crate::store::connection::{transaction, with_retries};
use crate::store::{Connection, Error, OpenError, clock, migrations};
use crate::token::Micros;

/// Why a command failed, as one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub(super) String);

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let text = text.trim_end_matches('.');
        Self(match error {
            Error::Unknown(_) => {
                format!("It is not known whether this was done, as {text}; look before you try again.")
            }
            Error::Unavailable(_) | Error::Conflict(_) | Error::Lost(_) | Error::Failed(_) | Error::TooSlow => {
                format!("Nothing was changed, as {text}.")
            }
            Error::Token(_) | Error::Refused(_) | Error::OverQuota { .. } | Error::Busy(_) | Error::KeyInProgress => {
                format!("{text}.")
            }
        })
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Connects to an existing database for a command, and makes nothing where there is none. A database of an older version is
/// left to `migrate`, since a server of that version may be using it.
pub(super) fn connect(common: &Common) -> Result<Connection, Failure> {
    let url = &common.database_url;
    // First, as even the lock is a file beside the database.
    url.exists()?;
    url.use_shared()?;
    let mut connection = url.connect()?;
    migrations::check_current(url, &mut connection)?;
    Ok(connection)
}

/// Runs `work` in a transaction, with retries because of a busy server, at the time of the database's clock.
pub(super) fn write<T>(
    connection: &mut Connection,
    work: impl Fn(&mut Connection, Micros) -> Result<T, Error>,
) -> Result<T, Failure> {
    Ok(try_write(connection, work)?)
}

/// Does what [`write()`] does, for a command that has words of its own for an error.
pub(super) fn try_write<T>(
    connection: &mut Connection,
    work: impl Fn(&mut Connection, Micros) -> Result<T, Error>,
) -> Result<T, Error> {
    with_retries(|| {
        transaction(connection, |connection| {
            let now = clock::now(connection)?;
            work(connection, now)
        })
    })
}

/// The principal of a command: the user of the shell.
pub(super) fn operator() -> Principal {
    let names = ["SUDO_USER", "USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let name = names.into_iter().find(|name| !name.is_empty());
    Principal::shell(name.as_deref().unwrap_or("somebody"))
}

/// Writes to standard error. Must not panic when standard error is closed.
pub fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output, which may be a closed pipe.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure(format!("Standard output cannot be written: {error}.")))
}

/// A number of things, as in `1 token` and `12 tokens`.
pub(super) fn counted(number: impl TryInto<i64>, one: &str, many: &str) -> String {
    match number.try_into().unwrap_or(i64::MAX) {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// Formats rows as a table, each column as wide as its widest cell.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
