//! The project's own files, for tests that hold something of each.

use std::fs;
use std::path::{Path, PathBuf};

/// Finds every file below a folder whose name ends with this extension.
pub fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
}
