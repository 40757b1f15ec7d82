//! What a restore has done, and what it does to the restored database.

use std::path::Path;

use diesel::prelude::*;

use super::lost::Lost;
use crate::access::Principal;
use crate::store::backup::seal::Seal;
use crate::store::backup::verify::Contents;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::schema::sessions;
use crate::store::settings::{self, LastBackup};
use crate::store::{audit, clock};
use crate::token::Micros;

/// What a restore has done.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The moment that the database is of now.
    pub(crate) taken: Micros,
    /// What is in it.
    pub(crate) contents: Contents,
    /// Where the database is that was there before, if there was any.
    pub(crate) kept: Option<String>,
    /// What only that one knew.
    pub(crate) lost: WhatIsLost,
}

/// What only the old database knew.
#[derive(Debug)]
pub(crate) enum WhatIsLost {
    /// There was none.
    Nothing,
    /// It could be read.
    Known(Lost),
    /// It could not be read, for this reason.
    Unknown(String),
}

/// Makes a restored database one that goes on: it knows its backup and that it was restored, and nobody is signed in. A session
/// may have been ended since the backup.
pub(super) fn go_on(
    connection: &mut Connection,
    (backup, bytes): (&Path, u64),
    (seal, contents): (&Seal, &Contents),
    by: &Principal,
) -> Result<(), Error> {
    let now = clock::now(connection)?;
    diesel::delete(sessions::table).execute(connection)?;
    let (tokens, entries) = (contents.rows("tokens"), contents.rows("usage"));
    let last = LastBackup { taken: seal.taken, finished: now, bytes, tokens, entries };
    settings::remember_backup(connection, &last, by, now)?;
    let name = backup.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    audit::record(connection, by, "restore", &name, &format!("as of {}", seal.taken), now)
}
