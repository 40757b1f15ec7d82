//! The import rule of `src/lib.rs`, read off the `crate::` paths.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms that it may name.
const ROOMS: [(&str, &[&str]); 10] = [
    ("main", &["cli", "commands"]),
    ("commands", &["cli", "app", "web", "sheet", "store", "token", "access"]),
    ("cli", &["web", "store", "access"]),
    ("app", &["web", "sheet"]),
    ("web", &["store", "token", "access", "sheet", "qr"]),
    ("sheet", &["qr"]),
    ("store", &["token", "access"]),
    ("token", &["access"]),
    ("access", &[]),
    ("qr", &[]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(String, PathBuf, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&source, &mut found);
    let room = |path: &Path| {
        let first = path.strip_prefix(&source).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    found.into_iter().map(|path| (room(&path), path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn imports_point_one_way() {
    for (room, path, text) in all().iter().filter(|(room, ..)| room != "lib") {
        let (_, allowed) = ROOMS.iter().find(|(name, _)| name == room).unwrap_or_else(|| panic!("{room} is no room"));
        let crate_name = if room == "main" { "tessera::" } else { "crate::" };
        let named: BTreeSet<&str> = text
            .split(crate_name)
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
            .collect();
        for other in named {
            assert!(other == room || allowed.contains(&other), "{} names {other}", path.display());
        }
    }
}

#[test]
fn the_domain_and_access_know_nothing_of_the_outside() {
    let outside = ["actix", "diesel", "askama", "tokio::", "std::net", "std::fs"];
    for (room, path, text) in all() {
        for word in outside.iter().filter(|_| matches!(room.as_str(), "token" | "access")) {
            assert!(
                !text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word)),
                "{} names {word}",
                path.display()
            );
        }
        let sql = matches!(room.as_str(), "store") || !text.contains("diesel");
        assert!(sql, "{} names diesel outside of store/", path.display());
    }
}

#[test]
fn files_stay_short() {
    for (_, path, text) in all() {
        let lines = text.lines().count();
        assert!(lines <= 350, "{} has {lines} lines", path.display());
    }
}
