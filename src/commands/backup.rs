//! `tessera backup`

use std::path::Path;

use super::shell::{Failure, connect, counted, operator, print, say, write};
use crate::cli::Common;
use crate::cli::moving::Backup;
use crate::store::backup::{keep, take, verify};
use crate::store::copy::CopiedTable;
use crate::store::search::lower_priority;
use crate::store::{Error, clock, settings};
use crate::token::Micros;

/// Of all that a machine does, a backup can wait.
const NICENESS: i32 = 10;

/// Takes a backup, or verifies one.
pub(crate) fn run(common: &Common, options: &Backup) -> Result<(), Failure> {
    if options.verify { check(&options.file) } else { take_one(common, options) }
}

fn take_one(common: &Common, options: &Backup) -> Result<(), Failure> {
    lower_priority(NICENESS);
    let url = &common.database_url;
    let mut connection = connect(common)?;
    // In place of a file that a link leads to, and not of the link.
    let linked = options.file.is_symlink().then(|| options.file.canonicalize().ok()).flatten();
    let name = linked.unwrap_or_else(|| options.file.clone());
    let now = clock::now(&mut connection).map_err(Error::from)?;
    let target = options.keep.map_or_else(|| name.clone(), |_| keep::stamped(&name, now));
    let taken = take::take(url, &mut connection, (&name, &target))?;
    write(&mut connection, |connection, now| settings::remember_backup(connection, &taken.backup, &operator(), now))
        .map_err(|why| {
            Failure(format!("The backup {} is good, but the database does not know of it. {why}", target.display()))
        })?;
    let removed = match options.keep {
        Some(newest) => keep::remove_older(url, &name, &target, newest.get())?,
        None => 0,
    };
    let (tokens, entries, bytes) = (taken.backup.tokens, taken.backup.entries, taken.backup.bytes);
    let newest = newest_use(taken.contents.newest_use);
    let removed = match removed {
        0 => String::new(),
        1 => " 1 older backup was removed.".into(),
        removed => format!(" {removed} older backups were removed."),
    };
    say(&format!(
        "The {url} was backed up to {} and verified: {} and {} in {bytes} bytes, as of {}. \
         {newest}{removed}\n",
        target.display(),
        counted(tokens, "token", "tokens"),
        counted(entries, "log entry", "log entries"),
        taken.backup.taken,
    ));
    Ok(())
}

fn check(file: &Path) -> Result<(), Failure> {
    let (seal, contents) = verify::verify(file)?;
    let rows = contents.tables.iter().map(|CopiedTable { table, rows }| format!("    {table:16} {rows:>12}\n"));
    let (rows, newest): (String, _) = (rows.collect(), newest_use(contents.newest_use));
    print(&format!("The backup {} is good. It was taken at {}. {newest}\n{rows}", file.display(), seal.taken))
}

fn newest_use(newest: Option<Micros>) -> String {
    newest.map_or_else(|| "No use is in it.".into(), |newest| format!("Its newest use is of {newest}."))
}
