//! Puts a backup in the place of a database, which is kept.

mod lost;
mod postgres;
mod restored;
mod sqlite;

use std::path::Path;

use crate::access::Principal;
use crate::store::connection::DatabaseUrl;
use crate::store::error::Error;
pub(crate) use lost::{GoodAgain, Lost};
pub(crate) use restored::{Restored, WhatIsLost};

/// Restores a backup into the database at `url`, which nobody else may be using. Either all of it is there afterwards, or
/// nothing was changed; also if the process is killed.
///
/// # Errors
/// Refused, with a sentence; or the database's.
pub(crate) fn restore(url: &DatabaseUrl, backup: &Path, by: &Principal) -> Result<Restored, Error> {
    match url {
        DatabaseUrl::Sqlite(file) => sqlite::restore(url, file, backup, by),
        DatabaseUrl::Postgres(_) => postgres::restore(url, backup, by),
    }
}
