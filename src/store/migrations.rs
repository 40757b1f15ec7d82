//! Bringing the schema to this version's, and refusing one that is not ours to touch.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, DatabaseUrl, OpenError, TRIES, postgres, transaction};
use super::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How a database's schema stands to this version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    /// There is none yet.
    Empty,
    /// Steps are missing.
    Behind,
    /// It is this version's.
    Current,
}

/// Brings the schema to this version's, in one transaction: of processes that start together, one migrates and the
/// others find it done. Says how many steps were made.
///
/// # Errors
/// A newer or an unreleased version has migrated the database, another program owns it, or it cannot be written.
pub fn migrate(url: &DatabaseUrl, connection: &mut Connection) -> Result<usize, OpenError> {
    let mut tries = 1;
    loop {
        let steps = transaction(connection, |connection| {
            // A role that may not make tables can still serve.
            if look(connection)? == Schema::Current {
                return Ok(0);
            }
            let ran = match connection {
                Connection::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map(|ran| ran.len()),
                Connection::Postgres(connection) => connection.run_pending_migrations(POSTGRES).map(|ran| ran.len()),
            };
            ran.map_err(|error| Error::Failed(error.to_string()))
        });
        match steps {
            // Two instances that make the same table at once: PostgreSQL tells the second one that it is there, in one
            // of several ways, when the first has committed, or that it waited for long. The next look finds it.
            Err(Error::Failed(_) | Error::Again(_) | Error::Unavailable(_))
                if tries < TRIES && matches!(connection, Connection::Postgres(_)) =>
            {
                std::thread::sleep(std::time::Duration::from_millis(100));
                tries += 1;
            }
            steps => return steps.map_err(|error| sentence(url, &error)),
        }
    }
}

/// How the schema stands, without touching it.
///
/// # Errors
/// As [`migrate`].
pub(crate) fn schema(url: &DatabaseUrl, connection: &mut Connection) -> Result<Schema, OpenError> {
    look(connection).map_err(|error| sentence(url, &error))
}

fn sentence(url: &DatabaseUrl, error: &Error) -> OpenError {
    match error {
        Error::Refused(why) => OpenError(format!("The {url} {why}")),
        other => url.sentence("cannot be used", &other.to_string()),
    }
}

fn look(connection: &mut Connection) -> Result<Schema, Error> {
    let (ours, any) = match connection {
        Connection::Sqlite(_) => (
            "EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__diesel_schema_migrations')",
            "EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%')",
        ),
        Connection::Postgres(connection) => {
            let encoding = postgres::setting(connection, "server_encoding")?;
            if encoding != "UTF8" {
                let why = format!(
                    "has the encoding {encoding}; create it with ENCODING 'UTF8', as labels can be in any script."
                );
                return Err(Error::Refused(why));
            }
            (
                "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' \
                 AND relname = '__diesel_schema_migrations')",
                // Views and tables that an extension brings, into every new database even, are nobody's program.
                "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' \
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e'))",
            )
        }
    };
    let mut is = |what: &str| diesel::select(diesel::dsl::sql::<Bool>(what)).get_result(connection);
    if !is(ours)? {
        return if is(any)? {
            Err(Error::Refused("belongs to another program; name another one with --database-url.".into()))
        } else {
            Ok(Schema::Empty)
        };
    }
    let versions = diesel::dsl::sql::<Text>("SELECT version FROM __diesel_schema_migrations");
    let applied: BTreeSet<String> = versions.load(connection)?.into_iter().collect();
    let known = known(connection);
    // Versions are dates, and a released migration stays: one that is not known is either later than all of ours, or was
    // never released.
    if applied.last() > known.last() {
        let why = "was migrated by a newer version of Tessera; start that version, or restore a backup.";
        return Err(Error::Refused(why.into()));
    }
    if !applied.is_subset(&known) {
        let why = "was made by an unreleased version of Tessera; start anew with a new database.";
        return Err(Error::Refused(why.into()));
    }
    Ok(if applied == known { Schema::Current } else { Schema::Behind })
}

fn known(connection: &Connection) -> BTreeSet<String> {
    match connection {
        Connection::Sqlite(_) => versions::<Sqlite>(&SQLITE),
        Connection::Postgres(_) => versions::<Pg>(&POSTGRES),
    }
}

fn versions<DB: Backend>(migrations: &EmbeddedMigrations) -> BTreeSet<String> {
    let migrations = MigrationSource::<DB>::migrations(migrations).unwrap_or_default();
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}
