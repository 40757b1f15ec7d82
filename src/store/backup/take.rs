//! Takes a backup of a database that others go on using.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::keep;
use super::partial::{Partial, cannot_write};
use super::seal::{self, Seal};
use super::verify::{self, Contents};
use crate::store::connection::{Connection, DatabaseUrl, sqlite, transaction};
use crate::store::error::Error;
use crate::store::schema::{audit, tokens, usage};
use crate::store::settings::LastBackup;
use crate::store::{clock, copy, migrations};
use crate::token::Micros;

/// A backup that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What the database is to know of it.
    pub(crate) backup: LastBackup,
    /// What is in it.
    pub(crate) contents: Contents,
}

/// Writes a backup of the database at `url`, to which `connection` is, verifies it, and gives it the name `target`. `name` is
/// that under which it is being written: only one at a time is.
///
/// # Errors
/// Refused, with a sentence; what had the name before still has it.
pub(crate) fn take(
    url: &DatabaseUrl,
    connection: &mut Connection,
    (name, target): (&Path, &Path),
) -> Result<Taken, Error> {
    keep::check_target(url, target)?;
    let mut partial = Partial::begin(name)?;
    let file = sqlite::File::at(partial.path());
    let taken = match connection {
        Connection::Sqlite(_) => partial.sync_while(|| vacuum(connection, &file, target)),
        Connection::Postgres(_) => partial.sync_while(|| copy_out(connection, &file, target)),
    }?;
    let failed = |error: &dyn std::fmt::Display| cannot_write(target, &error.to_string());
    let mut copied = file.connect_immutably().map(Connection::Sqlite).map_err(|why| failed(&why))?;
    let bad = |why: &str| Error::Refused(format!("The backup was not kept, as it is not what it should be: {why}"));
    verify::check_pages(&mut copied).map_err(|why| bad(&why))?;
    let contents = verify::contents(&mut copied).map_err(|error| bad(&error.to_string()))?;
    taken.check(&newest(&mut copied)?).map_err(|why| bad(&why))?;
    let schema = migrations::version(&mut copied)?;
    drop(copied);
    let seal = Seal::new(taken.at, schema, &contents.tables);
    seal.write(&mut partial.file).map_err(|error| failed(&error))?;
    // As it will be read: what is found now need not be found when it is needed.
    let read = seal::check(&mut partial.file).map_err(|flaw| flaw.error(target))?;
    if read != seal {
        return Err(bad("its seal cannot be read"));
    }
    let bytes = partial.file.metadata().map_err(|error| failed(&error))?.len();
    partial.name(target).map_err(|error| failed(&error))?;
    let (tokens, entries) = (contents.rows("tokens"), contents.rows("usage"));
    let backup = LastBackup { taken: taken.at, finished: clock::now(connection)?, bytes, tokens, entries };
    Ok(Taken { backup, contents })
}

/// The moment of a backup, and what it has to lie between.
struct Moment {
    at: Micros,
    before: Newest,
    after: Newest,
}

/// The newest of what only grows.
#[derive(Clone, Copy)]
struct Newest([(&'static str, i64); 3]);

impl Moment {
    /// Holds that a backup has all that there was before it was begun, and nothing that was not there when it was done.
    fn check(&self, backup: &Newest) -> Result<(), String> {
        for ((before, after), (table, newest)) in self.before.0.iter().zip(self.after.0).zip(backup.0) {
            // If the newest ones were removed meanwhile, their numbers say nothing.
            if before.1 <= after.1 && !(before.1..=after.1).contains(&newest) {
                return Err(format!(
                    "its table {table} ends at {newest}, and not between {} and {}",
                    before.1, after.1
                ));
            }
        }
        Ok(())
    }
}

fn newest(connection: &mut Connection) -> Result<Newest, Error> {
    use diesel::dsl::max;
    let tokens: Option<i64> = tokens::table.select(max(tokens::id)).get_result(connection)?;
    let usage: Option<i64> = usage::table.select(max(usage::id)).get_result(connection)?;
    let audit: Option<i64> = audit::table.select(max(audit::id)).get_result(connection)?;
    let known = [("tokens", tokens), ("usage", usage), ("audit", audit)];
    Ok(Newest(known.map(|(table, newest)| (table, newest.unwrap_or(0)))))
}

/// Has SQLite write all that it sees at one moment. It keeps the write-ahead log from beginning anew meanwhile, and nobody
/// from writing. It cannot run in a transaction, so that what is there is looked at before and after.
fn vacuum(connection: &mut Connection, file: &sqlite::File, target: &Path) -> Result<Moment, Error> {
    let path = file.path().to_str().ok_or_else(|| cannot_write(target, "its path is not UTF-8"))?;
    // The new file is synced by `Partial`, and this connection writes nothing else.
    connection.batch_execute("PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000; PRAGMA page_size = 4096")?;
    let (at, before) = (clock::now(connection)?, newest(connection)?);
    let vacuum = connection.batch_execute(&format!("VACUUM INTO '{}'", path.replace('\'', "''")));
    vacuum.map_err(|error| cannot_write(target, &error.to_string()))?;
    let after = newest(connection)?;
    mark(&mut open(file, target)?, target)?;
    Ok(Moment { at, before, after })
}

/// Copies all that PostgreSQL shows at one moment into a new file, and compares every row.
fn copy_out(connection: &mut Connection, file: &sqlite::File, target: &Path) -> Result<Moment, Error> {
    let mut copied = open(file, target)?;
    let url = DatabaseUrl::Sqlite(file.clone());
    migrations::migrate(&url, &mut copied).map_err(|error| cannot_write(target, &error.to_string()))?;
    let moment = in_snapshot(connection, |connection| {
        let (at, seen) = (clock::now(connection)?, newest(connection)?);
        transaction(&mut copied, |copied| {
            let indexes = drop_indexes(copied)?;
            copy::copy(connection, copied).map_err(|error| match error {
                Error::Unavailable(why) => cannot_write(target, &why),
                error => error,
            })?;
            copied.batch_execute(&indexes).map_err(|error| cannot_write(target, &error.to_string()))
        })?;
        Ok(Moment { at, before: seen, after: seen })
    })?;
    mark(&mut copied, target)?;
    Ok(moment)
}

fn open(file: &sqlite::File, target: &Path) -> Result<Connection, Error> {
    file.connect_unsafely().map(Connection::Sqlite).map_err(|why| cannot_write(target, &why))
}

fn mark(copied: &mut Connection, target: &Path) -> Result<(), Error> {
    let mark = copied.batch_execute(&format!("PRAGMA application_id = {}", seal::MARK));
    mark.map_err(|error| cannot_write(target, &error.to_string()))
}

/// Reads what a PostgreSQL database held at one moment.
fn in_snapshot<T>(
    connection: &mut Connection,
    read: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let result = read(connection);
    // Nothing was changed.
    let ended = connection.batch_execute("ROLLBACK");
    let value = result?;
    ended?;
    Ok(value)
}

/// Removes the indexes, and returns the statements that make them: made of sorted rows they take a fraction of the time.
fn drop_indexes(copied: &mut Connection) -> Result<String, Error> {
    let indexes = diesel::dsl::sql::<(Text, Text)>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    );
    let indexes: Vec<(String, String)> = indexes.load(copied)?;
    let drop: Vec<String> = indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")).collect();
    copied.batch_execute(&drop.join("; "))?;
    let make: Vec<String> = indexes.into_iter().map(|(_, sql)| sql).collect();
    Ok(make.join(";\n"))
}
