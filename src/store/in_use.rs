//! Who uses a database. The server and every command use it together with others; whoever replaces what is in it uses it
//! alone, as others would go on with what was there before.
//!
//! On SQLite it is a lock on a file beside the database, which is never removed: whoever had opened a removed one would hold
//! a lock that nobody else sees. On PostgreSQL every connection holds an advisory lock (`connection/postgres.rs`).

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::Instant;

use diesel::PgConnection;

use super::backup::before_open;
use super::connection::{BEING_REPLACED, Connection, DatabaseUrl, LEAVE_TIMEOUT, OpenError, RETRY_PAUSE, sqlite};

const IN_USE: &str = "stop every server and every other command on it first";

/// A database that nobody else uses, for as long as this exists.
pub(crate) struct Alone {
    url: DatabaseUrl,
    /// Beside SQLite's file.
    _lock: Option<File>,
    /// The connection that holds PostgreSQL's lock, until it is given away.
    session: Option<PgConnection>,
}

impl Alone {
    /// A connection. On PostgreSQL the first holds the lock, for as long as it is open.
    ///
    /// # Errors
    /// There is no such file, or it cannot be used.
    pub(crate) fn connect(&mut self) -> Result<Connection, OpenError> {
        match self.session.take() {
            Some(session) => Ok(Connection::Postgres(session)),
            None => self.url.connect_beside_lock(),
        }
    }
}

impl DatabaseUrl {
    /// Uses the database together with others, until this process ends. To be called before it is opened, and, if it may be
    /// created, before that.
    ///
    /// # Errors
    /// It is being restored, or something is imported or copied into it; it is a backup.
    pub(crate) fn use_shared(&self) -> Result<(), OpenError> {
        // Every connection to a server takes the lock.
        let Self::Sqlite(file) = self else { return Ok(()) };
        let unusable = |why: &str| self.open_error("cannot be opened", why);
        before_open::check_no_backup(file).map_err(|why| unusable(&why))?;
        let lock = open_lock(file).map_err(|error| self.open_error(cannot(file), &error.to_string()))?;
        match lock.try_lock_shared() {
            Ok(()) => {
                before_open::check_names(file).map_err(|why| unusable(&why))?;
                // Not to be released while threads may still use the database.
                std::mem::forget(lock);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(unusable(BEING_REPLACED)),
            Err(TryLockError::Error(error)) => Err(unusable(&format!("it cannot be locked: {error}"))),
        }
    }

    /// Uses the database alone. SQLite's file need not exist.
    ///
    /// # Errors
    /// Somebody else uses it, or it cannot be reached.
    pub(crate) fn use_alone(&self) -> Result<Alone, OpenError> {
        if let Self::Sqlite(file) = self {
            before_open::check_no_backup(file).map_err(|why| self.open_error("cannot be opened", &why))?;
        }
        let start = Instant::now();
        loop {
            let (alone, cannot) = match self {
                Self::Sqlite(file) => (lock_alone(file).map(|lock| lock.map(|lock| (Some(lock), None))), cannot(file)),
                Self::Postgres(server) => {
                    let session = server.connect_alone();
                    (session.map(|session| session.map(|session| (None, Some(session)))), "cannot be opened")
                }
            };
            let alone = alone.map_err(|why| self.open_error(cannot, &why))?;
            if let Some((lock, session)) = alone {
                if let Self::Sqlite(file) = self {
                    before_open::check_names(file).map_err(|why| self.open_error("cannot be opened", &why))?;
                }
                return Ok(Alone { url: self.clone(), _lock: lock, session });
            }
            if start.elapsed() > LEAVE_TIMEOUT {
                return Err(self.open_error("is in use", IN_USE));
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }
}

/// What the lock is wanted for.
fn cannot(file: &sqlite::File) -> &'static str {
    if file.identity().is_ok() { "cannot be opened" } else { "cannot be created" }
}

/// The lock, unless somebody else has it.
fn lock_alone(file: &sqlite::File) -> Result<Option<File>, String> {
    let lock = open_lock(file).map_err(|error| error.to_string())?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(format!("it cannot be locked: {error}")),
    }
}

/// Opens the file that is locked, and makes it if there is none: for whoever may use the database.
fn open_lock(file: &sqlite::File) -> io::Result<File> {
    let database = file.real_path();
    if database.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut name = database.clone().into_os_string();
    name.push("-lock");
    let path = Path::new(&name);
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
        Ok(lock) => {
            // As SQLite does with its log: an administrator's command must not lock out the server, which is another user.
            if let Ok(owner) = database.metadata() {
                let _ = lock.set_permissions(PermissionsExt::from_mode(owner.mode() & 0o666));
                let _ = fchown(&lock, Some(owner.uid()), Some(owner.gid()));
            }
            Ok(lock)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(path),
        Err(error) => Err(error),
    }
}
