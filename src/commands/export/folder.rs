//! A directory that appears when all of its files are written.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::target::{directory_of, not_written};
use crate::commands::shell::Failure;

/// The directory, under another name until it is complete; it is removed if it never is.
pub(super) struct Folder {
    temporary: TempDir,
    path: PathBuf,
}

impl Folder {
    /// Prepares to write a directory that is not there yet, or is empty.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let name = path.file_name().ok_or_else(|| Failure(format!("{} names no directory.", path.display())))?;
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => return Err(Failure(format!("{} is not empty; name a new directory.", path.display()))),
            Err(_) if path.symlink_metadata().is_err() => {}
            Err(error) => return Err(not_written(path, &error)),
        }
        let mut prefix = name.to_owned();
        prefix.push(".");
        // What is in it is everybody's business as little as the database.
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(directory_of(path));
        Ok(Self { temporary: temporary.map_err(|error| not_written(path, &error))?, path: path.to_owned() })
    }

    /// A new file in it.
    pub(super) fn file(&self, name: &str) -> Result<File, Failure> {
        File::create_new(self.temporary.path().join(name)).map_err(|error| self.not_written(name, &error))
    }

    /// A new directory in it.
    pub(super) fn add_folder(&self, name: &str) -> Result<(), Failure> {
        fs::create_dir(self.temporary.path().join(name)).map_err(|error| self.not_written(name, &error))
    }

    /// A file of it is complete, and goes to the disk.
    pub(super) fn keep(&self, name: &str, file: &File) -> Result<(), Failure> {
        file.sync_all().map_err(|error| self.not_written(name, &error))
    }

    /// Removes a file again.
    pub(super) fn remove(&self, name: &str) -> Result<(), Failure> {
        fs::remove_file(self.temporary.path().join(name)).map_err(|error| self.not_written(name, &error))
    }

    /// Why a file of it cannot be written.
    pub(super) fn not_written(&self, name: &str, error: &std::io::Error) -> Failure {
        not_written(&self.path.join(name), error)
    }

    /// All files are written: gives the directory its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { temporary, path } = self;
        let synced = File::open(temporary.path()).and_then(|folder| folder.sync_all());
        let named = synced.and_then(|()| fs::rename(temporary.path(), &path));
        named.map_err(|error| not_written(&path, &error))?;
        // It is not there any more under its first name.
        let _ = temporary.keep();
        File::open(directory_of(&path)).and_then(|parent| parent.sync_all()).map_err(|error| not_written(&path, &error))
    }
}
