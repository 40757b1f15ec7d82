//! Who uses a database: together with others, or alone.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use tessera::store::Connection;

use crate::support::process::Place;

/// Uses a database alone, as a command does that replaces what is in it, for as long as this is kept.
fn alone(place: &Place) -> (Connection, File) {
    let lock = File::create(place.path("tessera.db-lock")).unwrap();
    let mut connection = place.connection();
    match &mut connection {
        Connection::Sqlite(_) => lock.try_lock().unwrap(),
        Connection::Postgres(connection) => {
            connection.batch_execute("SELECT pg_advisory_lock(1414746963, hashtext(current_schema()))").unwrap();
        }
    }
    (connection, lock)
}

#[test]
fn who_replaces_a_database_uses_it_alone() {
    let place = Place::new();
    place.works(&["--database-url", "sqlite:other.db", "migrate"]);
    let target = place.database.as_ref().map_or("sqlite:tessera.db", |database| &database.text).to_owned();
    let copy = ["--database-url", "sqlite:other.db", "copy", "--to", &target];
    let mut server = place.serve();
    // Others use it together with the server.
    place.key("viewer");
    place.fails(&copy, 1, "is in use: stop every server and every other command on it first.");
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    place.fails(&copy, 1, "something in its table users already");
}

/// A server takes a moment to notice that whoever used a database has ended.
#[test]
fn who_is_about_to_leave_a_database_is_waited_for() {
    only_on_postgres!();
    let place = Place::new();
    place.works(&["migrate"]);
    let leaving = |mut connection: Connection| {
        std::thread::spawn(move || {
            connection.batch_execute("SELECT pg_sleep(1)").unwrap();
        })
    };
    // From it, into it, and to use it while it was used alone.
    let using = leaving(place.connection());
    place.works(&["copy", "--to", "sqlite:other.db"]);
    using.join().unwrap();
    place.works(&["backup", "b.db"]);
    let using = leaving(place.connection());
    place.works(&["restore", "b.db"]);
    using.join().unwrap();
    let using = leaving(alone(&place).0);
    place.works(&["key", "list"]);
    using.join().unwrap();
}

#[test]
fn a_database_that_is_being_replaced_is_left_alone() {
    let place = Place::new();
    place.works(&["migrate"]);
    let alone = alone(&place);
    let sentence = "cannot be opened: it is being restored, or something is imported or copied into it; wait until that \
                    has ended.";
    for command in
        [&["serve", "--bind", "127.0.0.1:0"][..], &["migrate"], &["key", "list"], &["copy", "--to", "sqlite:x"]]
    {
        place.fails(command, 1, sentence);
    }
    drop(alone);
    place.works(&["key", "list"]);
}

#[test]
fn the_lock_stands_beside_the_file_and_belongs_to_whom_that_belongs() {
    only_on_sqlite!();
    let place = Place::new();
    place.fails(&["key", "list"], 1, "There is no database file tessera.db");
    assert!(!place.path("tessera.db-lock").exists());
    place.works(&["migrate"]);
    let mode = |name: &str| place.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("tessera.db"), mode("tessera.db-lock")), (0o600, 0o600));
    // By whatever name it is opened.
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../tessera.db", place.path("elsewhere/link.db")).unwrap();
    let lock = File::open(place.path("tessera.db-lock")).unwrap();
    lock.try_lock().unwrap();
    place.fails(&["--database-url", "sqlite:elsewhere/link.db", "key", "list"], 1, "it is being restored");
    drop(lock);
    // As a group may use it.
    std::fs::remove_file(place.path("tessera.db-lock")).unwrap();
    std::fs::set_permissions(place.path("tessera.db"), PermissionsExt::from_mode(0o660)).unwrap();
    place.works(&["key", "list"]);
    assert_eq!(mode("tessera.db-lock"), 0o660);
}
