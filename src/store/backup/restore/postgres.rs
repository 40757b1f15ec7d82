//! Restores a backup into a PostgreSQL database, in one transaction. The tables that were there are kept in a schema of their
//! own.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::lost;
use super::restored::{Restored, WhatIsLost, go_on};
use crate::access::Principal;
use crate::store::backup::seal::{self, Flaw};
use crate::store::backup::{keep, verify};
use crate::store::connection::{Connection, DatabaseUrl, sqlite, transaction};
use crate::store::error::Error;
use crate::store::migrations::{self, FoundSchema, SchemaState};
use crate::store::{clock, copy};

/// All that migrations make. Other programs may have tables beside it.
const TABLES: &str = "'__diesel_schema_migrations', 'tokens', 'usage', 'batches', 'actions', 'action_tokens', 'replies', \
                      'users', 'sessions', 'keys', 'gates', 'settings', 'audit', 'attempts', 'advisory_locks', \
                      'print_jobs', 'print_runs', 'print_run_tokens', 'print_run_parts', 'sheets', 'printers', \
                      'next_labels', 'index_queue', 'index_progress', 'token_zones', 'token_grams', 'imports', \
                      'import_parts'";
const FUNCTIONS: &str = "'queue_tokens_added', 'queue_tokens_removed', 'queue_token_changed'";

pub(super) fn restore(url: &DatabaseUrl, backup: &Path, by: &Principal) -> Result<Restored, Error> {
    let mut alone = url.use_alone().map_err(|error| Error::Refused(error.to_string()))?;
    let unreadable = |error| Flaw::Unreadable(error).error(backup);
    let mut file = seal::open(backup).map_err(unreadable)?;
    let seal = seal::check(&mut file).map_err(|flaw| verify::explain(backup, &flaw))?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let mut source = sqlite::File::at(backup).connect_immutably().map(Connection::Sqlite);
    let source = source.as_mut().map_err(|why| verify::about(backup, &format!("cannot be read: {why}")))?;
    let damaged = |why: &str| verify::about(backup, &format!("is damaged: {why}"));
    verify::check_pages(source).map_err(|why| damaged(&why))?;
    if verify::check_schema(source, backup)? != SchemaState::Current {
        let why = "is of an older version of Tessera; restore it to a file with --database-url sqlite:FILE, and then \
                   `tessera copy` that";
        return Err(verify::about(backup, why));
    }
    let contents = verify::contents(source).map_err(|error| damaged(&error.to_string()))?;
    verify::check_rows(&seal, &contents).map_err(|why| damaged(&why))?;

    let mut connection = alone.connect().map_err(|error| Error::Refused(error.to_string()))?;
    let (kept, lost) = transaction(&mut connection, |connection| {
        let refused = |why: &str| Err(Error::Refused(format!("The {url} {why}")));
        let (kept, lost) = match migrations::found(connection)? {
            FoundSchema::Usable(SchemaState::Empty) => (None, WhatIsLost::Nothing),
            FoundSchema::Usable(state) => {
                let lost = match state {
                    SchemaState::Current => WhatIsLost::Known(lost::compare(connection, source, seal.taken)?),
                    _ => WhatIsLost::Unknown("it is of an older version of Tessera".into()),
                };
                (Some(keep(connection)?), lost)
            }
            FoundSchema::Foreign => return refused("belongs to another program; name another one with --database-url"),
            FoundSchema::Newer => {
                return refused(
                    "was migrated by a newer version of Tessera; restore with that version, or into another \
                                database",
                );
            }
            FoundSchema::Unreleased => {
                return refused("was made by an unreleased version of Tessera; restore into another database");
            }
        };
        migrations::run(connection)?;
        copy::copy(source, connection)?;
        go_on(connection, (backup, bytes), (&seal, &contents), by)?;
        // What was copied is what was verified.
        if seal::check(&mut file).ok().as_ref() != Some(&seal) {
            return Err(verify::about(backup, "has changed while it was read; try again"));
        }
        Ok((kept, lost))
    })?;
    Ok(Restored { taken: seal.taken, contents, kept: kept.map(|schema| format!("the schema {schema}")), lost })
}

/// A name for a schema that no other has: two restores may begin in one second.
fn free_name(connection: &mut Connection) -> Result<String, Error> {
    let mut moment = clock::now(connection)?;
    loop {
        let name = format!("before_restore_{}", keep::stamp(moment).to_lowercase());
        if diesel::select(sql::<Bool>(&format!("to_regnamespace('{name}') IS NULL"))).get_result(connection)? {
            return Ok(name);
        }
        moment = moment.plus_seconds(1);
    }
}

/// Moves everything into a schema of its own, and returns its name.
fn keep(connection: &mut Connection) -> Result<String, Error> {
    let kept = free_name(connection)?;
    let moves = sql::<Text>(&format!(
        "SELECT format('ALTER TABLE %I.%I SET SCHEMA {kept}', current_schema(), relname) FROM pg_class \
         WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname IN ({TABLES}) \
         UNION ALL SELECT format('ALTER FUNCTION %I.%I SET SCHEMA {kept}', current_schema(), proname) FROM pg_proc \
         WHERE pronamespace = current_schema()::regnamespace AND proname IN ({FUNCTIONS})"
    ));
    let moves: Vec<String> = moves.load(connection)?;
    connection.batch_execute(&format!("CREATE SCHEMA {kept}; {}", moves.join("; ")))?;
    Ok(kept)
}
