//! Brings the schema to this version's, and refuses a database that belongs to something else.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, DatabaseUrl, MIGRATE_FIRST, OpenError, TRIES, postgres, transaction};
use super::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How a database's schema compares with this version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaState {
    /// There is no schema yet.
    Empty,
    /// Migrations are missing.
    Behind,
    /// It is this version's.
    Current,
}

/// Runs the missing migrations in one transaction, and returns how many: of processes that start together, one
/// migrates, and the others find it done.
///
/// # Errors
/// The database belongs to a newer or an unreleased version or to another program, or it cannot be written.
pub fn migrate(url: &DatabaseUrl, connection: &mut Connection) -> Result<usize, OpenError> {
    let mut tries = 1;
    loop {
        let result = transaction(connection, |connection| {
            // No work for a current schema: a role without permission to create tables can still serve.
            if inspect(connection)? == SchemaState::Current {
                return Ok(0);
            }
            run(connection)
        });
        match result {
            // When two instances create the same table at once, the second gets one of several errors from PostgreSQL
            // after the first has committed, or a timeout. A retry finds the table.
            Err(Error::Failed(_) | Error::Conflict(_) | Error::Unavailable(_))
                if tries < TRIES && matches!(connection, Connection::Postgres(_)) =>
            {
                std::thread::sleep(std::time::Duration::from_millis(100));
                tries += 1;
            }
            result => return result.map_err(|error| open_error(url, &error)),
        }
    }
}

/// Runs the missing migrations in the transaction that was begun, and returns how many.
pub(super) fn run(connection: &mut Connection) -> Result<usize, Error> {
    let ran = match connection {
        Connection::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map(|ran| ran.len()),
        Connection::Postgres(connection) => connection.run_pending_migrations(POSTGRES).map(|ran| ran.len()),
    };
    ran.map_err(|error| Error::Failed(error.to_string()))
}

/// The version of the schema of a database of ours: a date.
pub(super) fn version(connection: &mut Connection) -> QueryResult<String> {
    let newest = diesel::dsl::sql::<Text>("SELECT max(version) FROM __diesel_schema_migrations");
    newest.get_result(connection)
}

/// Compares the schema with this version's, without changing it.
///
/// The same as for [`migrate`].
pub(crate) fn schema(url: &DatabaseUrl, connection: &mut Connection) -> Result<SchemaState, OpenError> {
    inspect(connection).map_err(|error| open_error(url, &error))
}

/// Whether a newer version has migrated the database meanwhile: this one must not write into tables that it does not know.
pub(crate) fn is_outdated(connection: &mut Connection) -> QueryResult<bool> {
    let newest = diesel::dsl::sql::<Nullable<Text>>("SELECT max(version) FROM __diesel_schema_migrations");
    let newest: Option<String> = newest.get_result(connection)?;
    Ok(newest.as_ref() > own_versions(connection).last())
}

fn open_error(url: &DatabaseUrl, error: &Error) -> OpenError {
    match error {
        Error::Refused(why) => OpenError(format!("The {url} {why}")),
        other => url.open_error("cannot be used", &other.to_string()),
    }
}

/// Holds that the schema is this version's, without changing anything.
///
/// # Errors
/// It is not, or there is none.
pub(crate) fn check_current(url: &DatabaseUrl, connection: &mut Connection) -> Result<(), OpenError> {
    match schema(url, connection)? {
        SchemaState::Current => Ok(()),
        SchemaState::Behind => Err(url.open_error("is of an older version", "run `tessera migrate` first")),
        SchemaState::Empty => Err(url.open_error("has no tables of Tessera yet", MIGRATE_FIRST)),
    }
}

/// As [`schema`], where the caller has words of its own for a schema that cannot be used.
fn inspect(connection: &mut Connection) -> Result<SchemaState, Error> {
    let why = match found(connection)? {
        FoundSchema::Usable(state) => return Ok(state),
        FoundSchema::Foreign => "belongs to another program; name another one with --database-url.",
        FoundSchema::Newer => "was migrated by a newer version of Tessera; start that version, or restore a backup.",
        FoundSchema::Unreleased => "was made by an unreleased version of Tessera; start anew with a new database.",
    };
    Err(Error::Refused(why.into()))
}

/// What is found in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundSchema {
    /// Ours, or nothing.
    Usable(SchemaState),
    /// Another program's.
    Foreign,
    /// Of a newer version.
    Newer,
    /// Of an unreleased version.
    Unreleased,
}

/// What is in a database, without changing it.
///
/// # Errors
/// Refused, when a PostgreSQL database has another encoding than UTF-8.
pub(super) fn found(connection: &mut Connection) -> Result<FoundSchema, Error> {
    let conditions = match connection {
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
                // Views and an extension's tables do not make the database another program's: extensions put some into
                // every new database.
                "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' \
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e'))",
            )
        }
    };
    // Both in one statement, and so of one moment: between two, another instance may have created the tables, which would
    // then look like another program's.
    let condition = diesel::dsl::sql::<Bool>;
    let exist = diesel::select((condition(conditions.0), condition(conditions.1))).get_result(connection)?;
    match exist {
        (false, false) => return Ok(FoundSchema::Usable(SchemaState::Empty)),
        (false, true) => return Ok(FoundSchema::Foreign),
        (true, _) => {}
    }
    let versions = diesel::dsl::sql::<Text>("SELECT version FROM __diesel_schema_migrations");
    let applied: BTreeSet<String> = versions.load(connection)?.into_iter().collect();
    let known = own_versions(connection);
    // Versions are dates, and a released migration never goes away. An unknown version is therefore either newer than
    // all of ours, or was never released.
    if applied.last() > known.last() {
        return Ok(FoundSchema::Newer);
    }
    if !applied.is_subset(&known) {
        return Ok(FoundSchema::Unreleased);
    }
    Ok(FoundSchema::Usable(if applied == known { SchemaState::Current } else { SchemaState::Behind }))
}

fn own_versions(connection: &Connection) -> BTreeSet<String> {
    match connection {
        Connection::Sqlite(_) => versions::<Sqlite>(&SQLITE),
        Connection::Postgres(_) => versions::<Pg>(&POSTGRES),
    }
}

fn versions<DB: Backend>(migrations: &EmbeddedMigrations) -> BTreeSet<String> {
    let migrations = MigrationSource::<DB>::migrations(migrations).unwrap_or_default();
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}
