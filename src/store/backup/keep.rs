//! Which files a backup may replace, and which of several are kept.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::partial::{BESIDE, remove, with_suffix};
use super::seal;
use crate::store::connection::DatabaseUrl;
use crate::store::error::Error;
use crate::token::Micros;

/// A moment in a file's name, as in `20261130T221500Z`.
pub(super) fn stamp(moment: Micros) -> String {
    let whole_seconds = Micros::stored(moment.get() - moment.get().rem_euclid(1_000_000));
    whole_seconds.to_string().chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
}

/// The name of a backup that is kept beside others: `tessera-20261130T221500Z.db` for `tessera.db`.
pub(crate) fn stamped(path: &Path, moment: Micros) -> PathBuf {
    let (before, after) = around_stamp(path);
    path.with_file_name(format!("{before}{}{after}", stamp(moment)))
}

/// What stands before and after the moment.
fn around_stamp(path: &Path) -> (String, String) {
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let after = part(path.extension()).map(|extension| format!(".{extension}"));
    (format!("{}-", part(path.file_stem()).unwrap_or_default()), after.unwrap_or_default())
}

/// Removes the backups of these names but `new`, which was just made, and the newest others: `newest` are kept in all. What is
/// no whole backup is neither counted nor removed. Returns how many it removed.
///
/// # Errors
/// Refused: one of them cannot be removed.
pub(crate) fn remove_older(url: &DatabaseUrl, path: &Path, new: &Path, newest: usize) -> Result<usize, Error> {
    let (before, after) = around_stamp(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_one = |name: &str| {
        let stamp = name.strip_prefix(&before).and_then(|rest| rest.strip_suffix(&after));
        stamp.is_some_and(is_stamp)
    };
    // Whoever has restored one by hand may be using it under this name.
    let is_backup = |path: &PathBuf| !is_database(url, path) && seal::is_sealed(path).unwrap_or(false);
    let cannot = |path: &Path, error: &io::Error| {
        Error::Refused(format!("The backup is good, but {} cannot be removed: {error}", path.display()))
    };
    let entries = fs::read_dir(folder).map_err(|error| cannot(folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // A clock that was ahead has given others later names than the new one's.
    let names = names.filter(|name| is_one(name) && new.file_name() != Some(name.as_ref()));
    let mut others: Vec<PathBuf> = names.map(|name| folder.join(name)).filter(is_backup).collect();
    others.sort_unstable_by(|one, other| other.cmp(one));
    let older = others.iter().skip(newest.saturating_sub(1));
    let mut removed = 0;
    for path in older {
        remove(path).map_err(|error| cannot(path, &error))?;
        removed += 1;
    }
    Ok(removed)
}

fn is_stamp(text: &str) -> bool {
    text.len() == "20261130T221500Z".len()
        && text.char_indices().all(|(at, letter)| match at {
            8 => letter == 'T',
            15 => letter == 'Z',
            _ => letter.is_ascii_digit(),
        })
}

/// Holds that a backup may have this name: there is no such file, or an older backup.
pub(super) fn check_target(url: &DatabaseUrl, target: &Path) -> Result<(), Error> {
    let refused = |why: &str| Err(Error::Refused(format!("{} {why}", target.display())));
    if is_database(url, target) {
        return refused("is the database itself; name another file for the backup");
    }
    match target.metadata() {
        Ok(metadata) if !metadata.is_file() => refused("is no file; name a file for the backup"),
        Ok(metadata) if metadata.len() > 0 && !seal::is_marked(target).unwrap_or(false) => {
            refused("is something else than a backup, and is left alone; name another file, or remove this one")
        }
        _ => Ok(()),
    }
}

/// Whether a path leads to the database, or to what belongs to it.
pub(super) fn is_database(url: &DatabaseUrl, path: &Path) -> bool {
    let DatabaseUrl::Sqlite(file) = url else { return false };
    let database = file.real_path();
    let identity = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let own = ["", "-lock"].into_iter().chain(BESIDE).map(|suffix| with_suffix(&database, suffix));
    identity(path).is_some_and(|this| own.into_iter().any(|own| identity(&own) == Some(this)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_stands_before_the_extension() {
        let moment = Micros::stored(1_796_076_900_123_456);
        for (path, stamped_path) in [
            ("tessera.db", "tessera-20261130T221500Z.db"),
            ("/a.b/tessera", "/a.b/tessera-20261130T221500Z"),
            ("a/x.y.db", "a/x.y-20261130T221500Z.db"),
        ] {
            assert_eq!(stamped(Path::new(path), moment), Path::new(stamped_path));
        }
    }
}
