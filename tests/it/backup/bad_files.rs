//! Files that are no backups, and places where none can be written.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;

use super::files::{names, own_url};
use crate::support::process::{Place, check_failed, write_file};

#[test]
fn what_is_no_backup_is_named_as_what_it_is() {
    let place = Place::new();
    place.works(&["migrate"]);
    let other =
        |name: &str| format!("sqlite:{}", place.path(name).display()).parse::<tessera::store::DatabaseUrl>().unwrap();
    write_file(&place.path("recipes.db"), b"");
    other("recipes.db").connect().unwrap().batch_execute("CREATE TABLE recipes (id INTEGER)").unwrap();
    place.works(&["--database-url", "sqlite:ours.db", "migrate"]);
    write_file(&place.path("list.txt"), "Milk, bread, butter. ".repeat(1_000).as_bytes());
    make_pipe(&place.path("pipe"));
    for (file, words) in [
        ("recipes.db", "is no backup of Tessera; name a file that `tessera backup` has made."),
        ("list.txt", "is no backup of Tessera"),
        ("ours.db", "is a database of Tessera, and no backup: use it with --database-url"),
        ("missing.db", "cannot be read: No such file"),
        (".", "cannot be read: it is no regular file."),
        ("pipe", "cannot be read: it is no regular file."),
        ("/dev/zero", "cannot be read: it is no regular file."),
    ] {
        place.fails(&["backup", "--verify", file], 1, words);
        place.fails(&["restore", file], 1, words);
    }
    place.works(&["key", "list"]);
}

/// A pipe, into which nobody writes.
pub fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_backup_replaces_nothing_but_backups() {
    let place = Place::new();
    place.works(&["migrate"]);
    place.works(&["--database-url", "sqlite:ours.db", "migrate"]);
    write_file(&place.path("list.txt"), b"Milk, bread, butter.");
    std::fs::create_dir(place.path("folder")).unwrap();
    let other = "is something else than a backup, and is left alone";
    for (file, words) in [
        ("ours.db", other),
        ("list.txt", other),
        ("folder", "is no file; name a file for the backup."),
        ("/dev/full", "is no file"),
        ("/dev/null", "is no file"),
        ("no/such/folder/b.db", "cannot be written: No such file"),
        ("..", ""),
        ("", ""),
    ] {
        place.fails(&["backup", file], 1, words);
    }
    assert_eq!(std::fs::read(place.path("list.txt")).unwrap(), b"Milk, bread, butter.");
    // An empty file is one that somebody made for it. What is replaced is readable only by its owner.
    write_file(&place.path("b.db"), b"");
    std::fs::set_permissions(place.path("b.db"), PermissionsExt::from_mode(0o644)).unwrap();
    for _ in 0..2 {
        place.works(&["backup", "b.db"]);
        assert_eq!(place.path("b.db").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Through a link.
    std::os::unix::fs::symlink("../b.db", place.path("folder/link.db")).unwrap();
    place.works(&["backup", "folder/link.db"]);
    assert!(place.path("folder/link.db").is_symlink());
    place.works(&["backup", "--verify", "b.db"]);
    place.fails(&["backup", "b.db", "--verify", "--keep", "3"], 2, "cannot be used with");
    place.fails(&["backup", "b.db", "--keep", "0"], 2, "--keep");
    place.fails(&["backup"], 2, "FILE");
}

#[test]
fn the_database_is_neither_its_backup_nor_restored_from_itself() {
    only_on_sqlite!();
    let place = Place::new();
    let _server = place.serve();
    std::os::unix::fs::symlink("tessera.db", place.path("link.db")).unwrap();
    for file in ["tessera.db", "./tessera.db", "link.db", "tessera.db-wal", "tessera.db-shm", "tessera.db-lock"] {
        place.fails(&["backup", file], 1, "is the database itself");
    }
    place.works(&["key", "list"]);
}

#[test]
fn two_at_once_do_not_write_one_file() {
    let place = Place::new();
    place.works(&["migrate"]);
    place.works(&["backup", "b.db"]);
    let before = std::fs::read(place.path("b.db")).unwrap();
    let other = File::create(place.path(".b.db.partial")).unwrap();
    other.try_lock().unwrap();
    place.fails(&["backup", "b.db"], 1, "The file b.db cannot be written: another process is writing it");
    assert_eq!(std::fs::read(place.path("b.db")).unwrap(), before);
    // What a killed one has left is no obstacle.
    drop(other);
    for name in [".b.db.partial", ".b.db.partial-journal"] {
        write_file(&place.path(name), &vec![7; 100_000]);
    }
    place.works(&["backup", "b.db"]);
    assert!(!names(&place).iter().any(|name| name.contains("partial")), "{:?}", names(&place));
}

/// A backup or a restore on a disk that has room for this many KiB.
fn on_a_full_disk(place: &Place, kibibytes: u32, command: &[&str]) {
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kibibytes * 2);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_tessera")]).args(command).current_dir(place.path(""));
    let output = shell.output().unwrap();
    check_failed(&output, 1, "cannot be written: ");
}

#[test]
fn a_disk_that_fills_leaves_what_was_there() {
    let place = Place::new();
    let _server = place.serve();
    place.works(&["backup", "b.db"]);
    let before = std::fs::read(place.path("b.db")).unwrap();
    let url = own_url(&place);
    // When it is being written, and when it is being sealed.
    let sealed = u32::try_from(before.len() / 1_024).unwrap();
    for kibibytes in [20, 150, sealed - 2] {
        on_a_full_disk(&place, kibibytes, &["--database-url", &url, "backup", "b.db"]);
        on_a_full_disk(&place, kibibytes, &["--database-url", "sqlite:new.db", "restore", "b.db"]);
    }
    assert_eq!(std::fs::read(place.path("b.db")).unwrap(), before);
    let names = names(&place);
    assert!(!names.iter().any(|name| name.contains("partial") || name == "new.db"), "{names:?}");
    place.works(&["backup", "--verify", "b.db"]);
}
