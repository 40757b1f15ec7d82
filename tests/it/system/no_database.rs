//! Where there is no database, commands say so and make none: not even a file beside it.

use tessera::store::DatabaseUrl;

use crate::support::database::{on_postgres, tables};
use crate::support::process::{Place, check_failed, write_file};

/// Commands that only make sense with a database.
const COMMANDS: [&[&str]; 13] = [
    &["key", "add", "door", "--role", "scanner"],
    &["key", "list"],
    &["key", "revoke", "door"],
    &["user", "add", "anna", "--role", "manager", "--password-stdin"],
    &["user", "list"],
    &["user", "passwd", "anna", "--password-stdin"],
    &["user", "role", "anna", "viewer"],
    &["user", "remove", "anna"],
    &["export"],
    &["export", "--all", "everything"],
    &["import", "tokens.csv"],
    &["backup", "b.db"],
    &["copy", "--to", "sqlite:copy.db"],
];

/// Runs every command, and holds what it says, and that nothing was made.
fn check_all(place: &Place, url: &str, sentence: &str) {
    let files = || {
        let files = std::fs::read_dir(place.path("")).unwrap().map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name(), entry.metadata().unwrap().len())
        });
        files.collect::<std::collections::BTreeMap<_, _>>()
    };
    write_file(&place.path("tokens.csv"), b"label\nSeat 1\n");
    let before = files();
    for command in COMMANDS {
        let arguments = [&["--database-url", url], command].concat();
        check_failed(&place.run_with(&arguments, &[], "correct horse battery\n"), 1, sentence);
        assert_eq!(files(), before, "{command:?}");
    }
}

#[test]
fn where_there_is_no_file_commands_say_so_and_make_none() {
    let place = Place::new();
    for file in ["none.db", "no/such/folder/none.db"] {
        let sentence = format!(
            "There is no database file {file}: run `tessera serve` or `tessera migrate` first, or name another database \
             with --database-url."
        );
        check_all(&place, &format!("sqlite:{file}"), &sentence);
    }
    std::os::unix::fs::symlink("gone.db", place.path("link.db")).unwrap();
    assert!(!place.path("gone.db").exists());
    place.fails(&["--database-url", "sqlite:link.db", "key", "list"], 1, "There is no database file link.db");
    assert!(!place.path("gone.db").exists());
}

#[test]
fn an_empty_file_stays_empty() {
    let place = Place::new();
    write_file(&place.path("empty.db"), b"");
    let sentence = "The database file empty.db is empty: run `tessera serve` or `tessera migrate` first.";
    check_all(&place, "sqlite:empty.db", sentence);
    place.works(&["--database-url", "sqlite:empty.db", "migrate"]);
    place.works(&["--database-url", "sqlite:empty.db", "key", "list"]);
}

#[test]
fn a_database_without_tables_stays_without() {
    let place = Place::new();
    let url = if on_postgres() {
        place.database.as_ref().unwrap().text.clone()
    } else {
        let url: DatabaseUrl = format!("sqlite:{}", place.path("blank.db").display()).parse().unwrap();
        url.create().unwrap();
        // Opening it to write makes it a database, in which there is nothing.
        drop(url.connect().unwrap());
        assert!(place.path("blank.db").metadata().unwrap().len() > 0);
        // The lock belongs to whatever uses a database.
        let _ = place.run(&["--database-url", "sqlite:blank.db", "key", "list"]);
        "sqlite:blank.db".to_owned()
    };
    check_all(&place, &url, "has no tables of Tessera yet: run `tessera serve` or `tessera migrate` first.");
    if on_postgres() {
        assert_eq!(tables(&mut place.connection()), 0);
    }
}
