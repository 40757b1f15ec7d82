//! Bringing the schema to this version's, and refusing one that is not ours to touch.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Error;
use super::connection::{Connection, DatabaseUrl, OpenError, exclusively};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// How a database's schema stands to this version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// There is none yet.
    Empty,
    /// Steps are missing.
    Behind,
    /// It is this version's.
    Current,
}

/// Brings the schema to this version's, in one transaction, while every other writer waits: of two processes that
/// start together, one migrates and the other finds it done. Says how many steps were made.
///
/// # Errors
/// A newer version has migrated the database, another program owns it, or it cannot be written.
pub fn migrate(url: &DatabaseUrl, connection: &mut Connection) -> Result<usize, OpenError> {
    let steps = exclusively(connection, |connection| {
        look(connection)?;
        let ran = connection.run_pending_migrations(MIGRATIONS).map_err(|error| Error::Failed(error.to_string()))?;
        Ok(ran.len())
    });
    steps.map_err(|error| sentence(url, &error))
}

/// How the schema stands, without touching it.
///
/// # Errors
/// As [`migrate`].
pub fn schema(url: &DatabaseUrl, connection: &mut Connection) -> Result<Schema, OpenError> {
    look(connection).map_err(|error| sentence(url, &error))
}

fn sentence(url: &DatabaseUrl, error: &Error) -> OpenError {
    match error {
        Error::Refused(why) => OpenError(format!("The database file {} {why}", url.path().display())),
        other => url.sentence("cannot be used", &other.to_string()),
    }
}

fn look(connection: &mut Connection) -> Result<Schema, Error> {
    let table = |name: &str| format!("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name {name})");
    let mut exists = |name: &str| diesel::select(diesel::dsl::sql::<Bool>(&table(name))).get_result(connection);
    if !exists("= '__diesel_schema_migrations'")? {
        return if exists("NOT LIKE 'sqlite_%'")? {
            Err(Error::Refused("belongs to another program; name another file with --database-url.".into()))
        } else {
            Ok(Schema::Empty)
        };
    }
    let versions = diesel::dsl::sql::<Text>("SELECT version FROM __diesel_schema_migrations");
    let applied: BTreeSet<String> = versions.load(connection)?.into_iter().collect();
    let known = known();
    if applied.difference(&known).next().is_some() {
        let why = "was migrated by a newer version of Tessera; start that version, or restore a backup.";
        return Err(Error::Refused(why.into()));
    }
    Ok(if applied == known { Schema::Current } else { Schema::Behind })
}

fn known() -> BTreeSet<String> {
    use diesel::migration::MigrationSource;
    let migrations = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS).unwrap_or_default();
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}
