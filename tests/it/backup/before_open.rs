//! Files that commands do not open as a database, or only under one of their names.

use std::os::unix::fs::MetadataExt;

use super::damage::backed_up;
use super::files::names;
use crate::support::process::{Place, text};

const SECOND: &str = "tessera.db.before-restore-20200101T000000Z";

#[test]
fn a_second_name_that_an_interrupted_restore_left_is_refused_and_removed() {
    only_on_sqlite!();
    let place = Place::migrated();
    let key = place.key("manager");
    let links = [SECOND, "other.db", "tessera.db.before-restore"];
    for name in links {
        std::fs::hard_link(place.path("tessera.db"), place.path(name)).unwrap();
    }
    std::fs::copy(place.path("tessera.db"), place.path("tessera.db.before-restore-20190101T000000Z")).unwrap();
    let second = format!("sqlite:{SECOND}");
    for command in [&["key", "list"][..], &["serve", "--bind", "127.0.0.1:0"], &["migrate"], &["backup", "b.db"]] {
        let arguments = [&["--database-url", &second], command].concat();
        place.fails(
            &arguments,
            1,
            "it is still tessera.db, as a restore was interrupted; open tessera.db, which removes",
        );
    }
    assert!(!place.path("b.db").exists() && !place.path(&format!("{SECOND}-wal")).exists());
    let output = place.run(&["key", "list"]);
    let said = text(&output.stderr);
    assert!(output.status.success() && text(&output.stdout).contains("manager-") && !key.is_empty(), "{said}");
    assert!(said.contains(&format!("{SECOND}: removed")) && said.lines().count() == 1, "{said}");
    assert!(!place.path(SECOND).exists());
    // Others' links, and what another restore has kept.
    assert_eq!(place.path("tessera.db").metadata().unwrap().nlink(), 3);
    place.works(&["--database-url", "sqlite:tessera.db.before-restore-20190101T000000Z", "key", "list"]);
    assert_eq!(text(&place.run(&["key", "list"]).stderr), "");

    // What was kept, and has another name by now.
    std::fs::rename(place.path("other.db"), place.path(SECOND)).unwrap();
    std::fs::remove_file(place.path("tessera.db")).unwrap();
    place.fails(&["--database-url", &second, "key", "list"], 1, "it has other names (hard links), under which");
    std::fs::remove_file(place.path("tessera.db.before-restore")).unwrap();
    place.works(&["--database-url", &second, "key", "list"]);
}

/// Also if a restore finds it, and with the log that it gave a second name, too.
#[test]
fn a_restore_that_is_run_again_removes_what_the_killed_one_left() {
    only_on_sqlite!();
    let (place, _) = backed_up();
    let mut server = place.serve();
    server.kill();
    for suffix in ["", "-wal"] {
        let second = place.path(&format!("{SECOND}{suffix}"));
        std::fs::hard_link(place.path(&format!("tessera.db{suffix}")), second).unwrap();
    }
    place.works(&["restore", "b.db"]);
    let kept: Vec<String> = names(&place).into_iter().filter(|name| name.contains("before")).collect();
    assert!(kept.len() == 1 && !kept[0].starts_with(SECOND), "{kept:?}");
    place.works(&["--database-url", &format!("sqlite:{}", kept[0]), "key", "list"]);
}

#[test]
fn a_backup_is_not_opened_as_a_database() {
    let (place, bytes) = backed_up();
    place.works(&["backup", "c.db"]);
    std::os::unix::fs::symlink("b.db", place.path("link.db")).unwrap();
    for url in ["sqlite:b.db", "sqlite:link.db"] {
        for command in [
            &["key", "list"][..],
            &["key", "add", "door", "--role", "viewer"],
            &["serve", "--bind", "127.0.0.1:0"],
            &["migrate"],
            &["copy", "--to", "sqlite:new.db"],
            &["backup", "d.db"],
            &["restore", "c.db"],
        ] {
            let arguments = [&["--database-url", url], command].concat();
            place.fails(&arguments, 1, "is a backup; restore it, or `tessera backup --verify` it.");
        }
    }
    place.works(&["--database-url", "sqlite:from.db", "migrate"]);
    place.fails(&["--database-url", "sqlite:from.db", "copy", "--to", "sqlite:b.db"], 1, "is a backup; restore it");
    assert_eq!(std::fs::read(place.path("b.db")).unwrap(), bytes);
    assert!(!names(&place).iter().any(|name| name.starts_with("b.db-")), "{:?}", names(&place));
    place.works(&["backup", "--verify", "b.db"]);
    place.works(&["--database-url", "sqlite:new.db", "restore", "b.db"]);
    assert_eq!(place.works(&["--database-url", "sqlite:new.db", "key", "list"]).lines().count(), 22);
}

/// Without root's right to do what modes forbid.
#[test]
fn a_file_that_cannot_be_written_is_named_as_such() {
    only_on_sqlite!();
    let place = Place::new();
    place.works(&["migrate"]);
    std::fs::write(place.path("list.csv"), "label\nRow 1\n").unwrap();
    for command in ["import list.csv", "serve --bind 127.0.0.1:0"] {
        let said = place.shell(&format!(
            "chmod 444 tessera.db; test $(id -u) != 0 || drop='setpriv --bounding-set=-dac_override'; \
             exec timeout 20 $drop \"$BIN\" {command}"
        ));
        assert!(
            said.contains("The database file tessera.db cannot be written: Permission denied"),
            "{command}: {said}"
        );
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}
