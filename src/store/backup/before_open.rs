//! What is looked at before SQLite opens a database's file: whether it is a backup, which would lose its seal, and whether it
//! has a second name from a restore that was killed.
//!
//! SQLite names a log after the file: one that is opened under two names gets two logs, and is destroyed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::partial::{BESIDE, with_suffix};
use super::seal;
use crate::store::connection::{DatabaseUrl, OpenError, sqlite};

/// What stands between the name of a database and the moment at which a restore has kept it.
const BEFORE_RESTORE: &str = ".before-restore-";

/// What the names begin with under which restores keep a database.
pub(super) fn kept_prefix(database: &Path) -> PathBuf {
    with_suffix(database, BEFORE_RESTORE)
}

/// Holds that a file is no backup. To be called before this process has it open by SQLite, whose locks closing it would take
/// away.
///
/// # Errors
/// It is one, and what to do.
pub(in crate::store) fn check_no_backup(file: &sqlite::File) -> Result<(), String> {
    // What cannot be read is left to SQLite, which says so.
    if seal::is_marked(file.path()).unwrap_or(false) {
        return Err("it is a backup; restore it, or `tessera backup --verify` it".into());
    }
    Ok(())
}

/// Removes the second name that an interrupted restore has left a file, and holds that the file is not opened under it. To be
/// called while nobody can restore it.
///
/// # Errors
/// It has several names, and what to do.
pub(in crate::store) fn check_names(file: &sqlite::File) -> Result<(), String> {
    let database = file.real_path();
    if !has_several_names(&database) {
        return Ok(());
    }
    forget_interrupted(&database);
    let name = database.file_name().unwrap_or_default().to_string_lossy();
    match name.rsplit_once(BEFORE_RESTORE) {
        Some((first, _)) if has_several_names(&database) => Err(why_not(&database, first)),
        _ => Ok(()),
    }
}

impl DatabaseUrl {
    /// Holds that the file can be written, which SQLite says only when it writes. To be called as early as [`check_no_backup`].
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn check_writable(&self) -> Result<(), OpenError> {
        let Self::Sqlite(file) = self else { return Ok(()) };
        let opened = fs::OpenOptions::new().write(true).open(file.path());
        opened.map(drop).map_err(|error| self.open_error("cannot be written", &error.to_string()))
    }
}

fn has_several_names(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.nlink() > 1)
}

/// Why a file that a restore was to keep is not opened under that name.
fn why_not(second: &Path, first: &str) -> String {
    if identity(&second.with_file_name(first)) == identity(second) {
        return format!(
            "it is still {first}, as a restore was interrupted; open {first}, which removes this second name"
        );
    }
    "it has other names (hard links), under which it could be opened, too, and be destroyed; copy it, and open the copy"
        .into()
}

type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    path.symlink_metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Takes the second name from a database that it got from a restore which was killed before the new one took its place.
fn forget_interrupted(database: &Path) {
    let (Some(own), Some(folder)) = (identity(database), database.parent()) else { return };
    let prefix = kept_prefix(database);
    let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
    let is_kept = |name: &OsStr| name.as_encoded_bytes().starts_with(prefix);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let second = entry.path();
        if !is_kept(&entry.file_name()) || identity(&second) != Some(own) {
            continue;
        }
        for suffix in BESIDE {
            let (log, second_log) = (identity(&with_suffix(database, suffix)), with_suffix(&second, suffix));
            if log.is_some() && log == identity(&second_log) {
                let _ = fs::remove_file(second_log);
            }
        }
        let (database, name) = (database.display(), second.display());
        match fs::remove_file(&second) {
            Ok(()) => tracing::warn!("an interrupted restore had given {database} the second name {name}: removed"),
            // It is never opened under that name.
            Err(error) => tracing::warn!("{name}, a second name of {database}, cannot be removed: {error}"),
        }
    }
}
