//! A file that is being made: under another name, until it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::store::error::Error;

/// What is written is synced after so many bytes. A single sync at the end, of gigabytes, would make the log of a server on the
/// same disk wait for as long.
const SYNC_BYTES: u64 = 8 << 20;
const SYNC_PAUSE: Duration = Duration::from_millis(20);

/// So much of a file that is removed is freed at a time, and how long others have the disk then.
const FREE_BYTES: u64 = 64 << 20;
const FREE_PAUSE: Duration = Duration::from_millis(10);

/// What SQLite makes beside a file.
pub(super) const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The file, which is removed again unless it gets its name.
pub(super) struct Partial {
    path: PathBuf,
    /// Holds a lock, so that only one makes it at a time; and open for as long as SQLite has it open, too, since closing it
    /// takes SQLite's locks away.
    pub(super) file: File,
    has_name: bool,
}

impl Partial {
    /// Begins a file that is to be named `target`, readable only by its owner. What a killed process has left is removed.
    ///
    /// # Errors
    /// Refused, with a sentence.
    pub(super) fn begin(target: &Path) -> Result<Self, Error> {
        let name = target.file_name().ok_or_else(|| cannot_write(target, "it names no file"))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".partial");
        let path = target.with_file_name(hidden);
        let begin = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Between opening and locking it, another process may have given it its name: it is no longer to be touched.
            let (opened, named) = (file.metadata()?, path.symlink_metadata()?);
            if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
                return Ok(None);
            }
            file.set_len(0)?;
            file.set_permissions(PermissionsExt::from_mode(0o600))?;
            Ok(Some(file))
        };
        let file = begin().map_err(|error: io::Error| cannot_write(target, &error.to_string()))?;
        let file =
            file.ok_or_else(|| cannot_write(target, "another process is writing it; wait until that has ended"))?;
        let partial = Self { path, file, has_name: false };
        partial.remove_beside();
        Ok(partial)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Does what writes the file, while what is written is synced bit by bit.
    pub(super) fn sync_while<T>(&self, work: impl FnOnce() -> T) -> T {
        let (end, ended) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut synced = 0;
                while ended.recv_timeout(SYNC_PAUSE) == Err(RecvTimeoutError::Timeout) {
                    let length = self.file.metadata().map_or(0, |metadata| metadata.len());
                    if length >= synced + SYNC_BYTES {
                        // An error is left to the last sync.
                        let _ = self.file.sync_data();
                        synced = length;
                    }
                }
            });
            let done = work();
            drop(end);
            done
        })
    }

    /// Gives the file its name, in place of what had it, once it would survive a power cut.
    pub(super) fn name(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        let replaced = OpenOptions::new().write(true).open(target);
        fs::rename(&self.path, target)?;
        self.has_name = true;
        sync_folder(target)?;
        if let Ok(replaced) = replaced {
            free(&replaced);
        }
        Ok(())
    }

    fn remove_beside(&self) {
        for beside in BESIDE {
            let _ = fs::remove_file(with_suffix(&self.path, beside));
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.has_name {
            let _ = fs::remove_file(&self.path);
            self.remove_beside();
        }
    }
}

/// Removes a file, bit by bit.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path);
    fs::remove_file(path)?;
    if let Ok(file) = file {
        free(&file);
    }
    Ok(())
}

/// Frees a file that has no name any more. Freed at once, gigabytes keep a file system's journal busy for a second, and a
/// server on the same disk cannot sync its log meanwhile.
fn free(file: &File) {
    let Ok(metadata) = file.metadata() else { return };
    let mut left = if metadata.nlink() == 0 { metadata.len() } else { 0 };
    while left > 0 {
        left = left.saturating_sub(FREE_BYTES);
        if file.set_len(left).is_err() {
            return;
        }
        std::thread::sleep(FREE_PAUSE);
    }
}

/// Makes the names in a file's folder survive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A path with something behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn cannot_write(path: &Path, why: &str) -> Error {
    let why = if why.contains("database or disk is full") { "there is no space left on the disk" } else { why };
    Error::Refused(format!("The file {} cannot be written: {}", path.display(), why.trim_end_matches('.')))
}
