//! An import that is under way.

use tokio::runtime::Handle;

use super::source::Source;
use crate::access::{Permission, Principal};
use crate::store::imports::{self, Stage};
use crate::store::{Connection, Error, Store};
use crate::token::import::line::LineReader;
use crate::token::import::options::ImportOptions;
use crate::token::import::report::ImportReport;
use crate::token::{Micros, Uid};

/// An import, on a thread that may block.
pub(crate) struct Job<'a> {
    /// The database.
    pub(crate) store: &'a Store,
    /// Where its work is waited for.
    pub(crate) runtime: Handle,
    /// The file.
    pub(crate) source: &'a dyn Source,
    /// The file's name.
    pub(crate) name: &'a str,
    /// How it is to be imported.
    pub(crate) options: &'a ImportOptions,
    /// How its lines are read.
    pub(crate) reader: &'a LineReader,
    /// Who imports.
    pub(crate) by: &'a Principal,
    /// Its uid, which an action of it has.
    pub(crate) uid: Uid,
    /// The id of the stored import, if it was sent to a page.
    pub(crate) stored: Option<i64>,
    /// Is told how many lines are done with.
    pub(crate) progress: &'a (dyn Fn(usize) -> Result<(), Error> + Sync),
}

impl Job<'_> {
    pub(super) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.runtime.block_on(self.store.read(work))
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.runtime.block_on(self.store.write(work))
    }
}

/// What somebody needs to do it.
pub(crate) fn permission(report: &ImportReport) -> Permission {
    if report.voids { Permission::Delete } else { Permission::Edit }
}

/// The file has changed since it was checked.
pub(super) fn other_file() -> Error {
    Error::Refused("The file has changed since it was checked. Nothing was imported. Check it again.".into())
}

/// The tokens have changed since the file was checked.
pub(super) fn other_tokens() -> Error {
    Error::Refused(
        "Someone changed these tokens after the file was checked. Nothing was imported. Check the file again.".into(),
    )
}

/// Notes in the transaction that does it that an import of a sent file is done.
///
/// # Errors
/// Refused, when somebody has begun it anew, as nothing had been heard of this one.
pub(super) fn end_stored(connection: &mut Connection, stored: Option<i64>, now: Micros) -> Result<(), Error> {
    let Some(id) = stored else { return Ok(()) };
    if imports::advance(connection, id, (&[Stage::Importing], Stage::Done), now)? {
        return Ok(());
    }
    Err(Error::Refused("Someone started this import again. Nothing was imported by this one.".into()))
}
