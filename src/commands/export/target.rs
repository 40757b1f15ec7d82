//! Where an export is written: standard output, or a file that appears when it is complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::commands::shell::Failure;
use crate::store::DatabaseUrl;

/// Where the bytes go.
pub(in crate::commands) enum Target {
    Stdout,
    /// A new file, under another name until it is complete; it is removed if it never is.
    New(NamedTempFile, PathBuf),
    /// What is there and is no file, as a pipe.
    Device(File, PathBuf),
}

impl Target {
    /// Prepares to write to a file, or to standard output.
    pub(in crate::commands) fn open(output: Option<&Path>, database: &DatabaseUrl) -> Result<Self, Failure> {
        let Some(path) = output else { return Ok(Self::Stdout) };
        // Through links: what they lead to is replaced, and not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if is_of_database(&path, database) {
            return Err(Failure(format!("{} is the database; name another file.", path.display())));
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => Err(Failure(format!("{} is a directory; name a file.", path.display()))),
            Ok(found) if !found.is_file() => {
                let device = OpenOptions::new().write(true).open(&path).map_err(|error| not_written(&path, &error))?;
                Ok(Self::Device(device, path))
            }
            _ => {
                let file = path.file_name().ok_or_else(|| Failure(format!("{} names no file.", path.display())))?;
                let mut prefix = file.to_owned();
                prefix.push(".");
                let new = tempfile::Builder::new().prefix(&prefix).suffix(".partial").tempfile_in(directory_of(&path));
                Ok(Self::New(new.map_err(|error| not_written(&path, &error))?, path))
            }
        }
    }

    /// Writes some bytes.
    pub(in crate::commands) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(bytes).map_err(|error| stdout_failed(&error)),
            Self::New(file, path) => file.write_all(bytes).map_err(|error| not_written(path, &error)),
            Self::Device(file, path) => file.write_all(bytes).map_err(|error| not_written(path, &error)),
        }
    }

    /// All is written: syncs the file, and gives it its name.
    pub(in crate::commands) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout => io::stdout().lock().flush().map_err(|error| stdout_failed(&error)),
            Self::Device(mut file, path) => file.flush().map_err(|error| not_written(&path, &error)),
            Self::New(file, path) => {
                let kept = file.as_file().sync_all().and_then(|()| file.persist(&path).map_err(|error| error.error));
                let kept = kept.and_then(|_| File::open(directory_of(&path))?.sync_all());
                kept.map_err(|error| not_written(&path, &error))
            }
        }
    }
}

/// The directory in which a file is.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a file belongs to an SQLite database: a typing error must not replace it.
fn is_of_database(path: &Path, database: &DatabaseUrl) -> bool {
    let DatabaseUrl::Sqlite(file) = database else { return false };
    let Ok(file) = fs::canonicalize(file.path()) else { return false };
    ["", "-wal", "-shm"].iter().any(|end| {
        let mut name: OsString = file.clone().into();
        name.push(end);
        path == Path::new(&name)
    })
}

fn stdout_failed(error: &io::Error) -> Failure {
    Failure(format!("Standard output cannot be written: {error}."))
}

/// Why a file is not there.
pub(super) fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure(format!("{} cannot be written: {error}.", path.display()))
}
