//! Restores a backup into a file.
//!
//! What is killed at any moment leaves the old database in its place, or the new one, and both whole:
//! - The backup is copied beside the database, and what is verified is this copy: the backup may change while it is read.
//! - What the old database has in its log is brought into its file, which then is whole by itself. A log that stayed beside the
//!   new file would be taken for the new one's, and destroy it.
//! - The old file gets a second name, and keeps its own until the new one takes it: there is no moment without a database, at
//!   which a server would begin an empty one.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;

use super::lost;
use super::restored::{Restored, WhatIsLost, go_on};
use crate::access::Principal;
use crate::store::backup::before_open::kept_prefix;
use crate::store::backup::keep;
use crate::store::backup::partial::{BESIDE, Partial, cannot_write, sync_folder, with_suffix};
use crate::store::backup::seal::{self, Flaw, Seal};
use crate::store::backup::verify;
use crate::store::connection::{Connection, DatabaseUrl, sqlite, transaction};
use crate::store::error::Error;
use crate::store::migrations::{self, FoundSchema, SchemaState};
use crate::token::Micros;

/// Bytes copied at a time.
const PIECE: usize = 1 << 20;

pub(super) fn restore(
    url: &DatabaseUrl,
    file: &sqlite::File,
    backup: &Path,
    by: &Principal,
) -> Result<Restored, Error> {
    if keep::is_database(url, backup) {
        return Err(verify::about(backup, "is the database itself; name the backup that is to be restored"));
    }
    let _alone = url.use_alone().map_err(|error| Error::Refused(error.to_string()))?;
    let database = file.real_path();
    let mut partial = Partial::begin(&database)?;
    let (seal, bytes) = copy(backup, &mut partial)?;
    let copied = sqlite::File::at(partial.path());
    let copied = copied.connect_unsafely().map_err(|why| cannot_write(partial.path(), &why))?;
    let mut copied = Connection::Sqlite(copied);
    let contents = read(&mut copied, &seal, backup)?;

    let mut old = OldDatabase::open(url, file)?;
    let lost = old.compare(&mut copied, seal.taken);
    transaction(&mut copied, |copied| go_on(copied, (backup, bytes), (&seal, &contents), by))?;
    copied.batch_execute("PRAGMA application_id = 0")?;
    drop(copied);

    let kept = old.keep(url, &database, &partial)?;
    partial.name(&database).map_err(|error| cannot_write(&database, &error.to_string()))?;
    Ok(Restored { taken: seal.taken, contents, kept: kept.map(|path| path.display().to_string()), lost })
}

/// Copies a backup, checks every byte of the copy, and takes the seal off. Returns the backup's length, too.
fn copy(backup: &Path, partial: &mut Partial) -> Result<(Seal, u64), Error> {
    let unreadable = |error: io::Error| Flaw::Unreadable(error).error(backup);
    let mut from = seal::open(backup).map_err(unreadable)?;
    let path = partial.path().to_owned();
    let failed = |error: io::Error| cannot_write(&path, &error.to_string());
    partial.sync_while(|| -> Result<(), Error> {
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece).map_err(unreadable)? {
                0 => return Ok(()),
                read => (&partial.file).write_all(&piece[..read]).map_err(failed)?,
            }
        }
    })?;
    let seal = seal::check(&mut partial.file).map_err(|flaw| verify::explain(backup, &flaw))?;
    let length = partial.file.metadata().map_err(failed)?.len();
    partial.file.set_len(length - seal::LENGTH).map_err(failed)?;
    Ok((seal, length))
}

/// Reads all that is in the copy, and brings it to this version's schema.
fn read(copied: &mut Connection, seal: &Seal, backup: &Path) -> Result<verify::Contents, Error> {
    let damaged = |why: &str| verify::about(backup, &format!("is damaged: {why}"));
    verify::check_pages(copied).map_err(|why| damaged(&why))?;
    let state = verify::check_schema(copied, backup)?;
    if state == SchemaState::Behind {
        transaction(copied, migrations::run)?;
    }
    let contents = verify::contents(copied).map_err(|error| damaged(&error.to_string()))?;
    if state == SchemaState::Current {
        verify::check_rows(seal, &contents).map_err(|why| damaged(&why))?;
    }
    Ok(contents)
}

/// The database that is to be replaced.
enum OldDatabase {
    /// There is none, or nothing in it.
    Missing,
    Readable(Connection),
    /// It is a file that SQLite cannot read: that may be why a backup is restored.
    Unreadable(String),
}

/// Messages of SQLite that mean that the file is broken, and not that somebody else has it.
const BROKEN: [&str; 3] = ["file is not a database", "database disk image is malformed", "disk I/O error"];

impl OldDatabase {
    fn open(url: &DatabaseUrl, file: &sqlite::File) -> Result<Self, Error> {
        match seal::is_database(file.path()) {
            Ok(true) => {}
            // Not even opened by SQLite, which would clear away a log that does not fit it.
            Ok(false) => return Ok(Self::Unreadable("it is no database".into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Missing),
            Err(error) => {
                return Err(Error::Refused(url.open_error("cannot be opened", &error.to_string()).to_string()));
            }
        }
        let is_broken = |why: &str| BROKEN.iter().any(|message| why.contains(message));
        // Also whoever has opened it by other means than Tessera keeps it.
        let mut connection = match url.connect_exclusively() {
            Ok(connection) => connection,
            Err(error) if is_broken(&error.to_string()) => return Ok(Self::Unreadable(error.to_string())),
            Err(error) => return Err(Error::Refused(error.to_string())),
        };
        let refused = |why: &str| Err(Error::Refused(format!("The {url} {why}")));
        match migrations::found(&mut connection) {
            Ok(FoundSchema::Usable(SchemaState::Empty)) => Ok(Self::Missing),
            Ok(FoundSchema::Usable(_)) => Ok(Self::Readable(connection)),
            Ok(found) => refused(why_not(found)),
            Err(error) if is_broken(&error.to_string()) => Ok(Self::Unreadable(error.to_string())),
            Err(error) => Err(error),
        }
    }

    fn compare(&mut self, copied: &mut Connection, taken: Micros) -> WhatIsLost {
        match self {
            Self::Missing => WhatIsLost::Nothing,
            Self::Readable(old) => match lost::compare(old, copied, taken) {
                Ok(lost) => WhatIsLost::Known(lost),
                Err(error) => WhatIsLost::Unknown(error.to_string()),
            },
            Self::Unreadable(why) => WhatIsLost::Unknown(why.clone()),
        }
    }

    /// Gives the old database another name, too, and leaves nothing beside it that the new one would take for its own.
    fn keep(self, url: &DatabaseUrl, database: &Path, new: &Partial) -> Result<Option<PathBuf>, Error> {
        let cannot = |error: io::Error| {
            let why = url.open_error("cannot be kept under another name", &error.to_string());
            Error::Refused(why.to_string())
        };
        let is_readable = match self {
            Self::Missing => {
                remove_beside(database).map_err(cannot)?;
                return Ok(None);
            }
            Self::Readable(mut connection) => {
                // What this leaves in the log is seen below.
                let _ = connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
                true
            }
            Self::Unreadable(_) => false,
        };
        let logs = ["-wal", "-journal"].into_iter().filter(|suffix| is_filled(&with_suffix(database, suffix)));
        let logs: Vec<&str> = logs.collect();
        if is_readable && !logs.is_empty() {
            return Err(Error::Refused(
                url.open_error("cannot be kept", "its log could not be brought into it").to_string(),
            ));
        }
        // As before, for whoever serves it, who has to write it. Only root can give a file away, and only root needs to.
        let owner = database.metadata().map_err(cannot)?;
        let _ = fchown(&new.file, Some(owner.uid()), Some(owner.gid()));
        new.file.set_permissions(PermissionsExt::from_mode(owner.mode() & 0o777 | 0o600)).map_err(cannot)?;
        let kept = free_name(database);
        link(database, &kept).map_err(cannot)?;
        for suffix in logs {
            link(&with_suffix(database, suffix), &with_suffix(&kept, suffix)).map_err(cannot)?;
        }
        sync_folder(database).map_err(cannot)?;
        remove_beside(database).map_err(cannot)?;
        Ok(Some(kept))
    }
}

/// Why a database that was found is not replaced.
fn why_not(found: FoundSchema) -> &'static str {
    match found {
        FoundSchema::Foreign => "belongs to another program; name another one with --database-url",
        FoundSchema::Newer => {
            "was migrated by a newer version of Tessera; restore with that version, or move it away first"
        }
        _ => "was made by an unreleased version of Tessera; move it away first",
    }
}

fn is_filled(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// A name for the old database that no other has.
fn free_name(database: &Path) -> PathBuf {
    let mut moment = Micros::now();
    loop {
        let name = with_suffix(&kept_prefix(database), &keep::stamp(moment));
        if name.symlink_metadata().is_err() {
            return name;
        }
        moment = moment.plus_seconds(1);
    }
}

/// Gives a file a second name; where there is no such thing, copies it.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

fn remove_beside(database: &Path) -> io::Result<()> {
    for suffix in BESIDE {
        match fs::remove_file(with_suffix(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_folder(database)
}
