//! After a crash in the middle, an import is whole or gone.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;

use crate::support::database::number;
use crate::support::process::Place;

fn rounds() -> usize {
    if std::env::var_os("TESSERA_TEST_LONG").is_some() { 20 } else { 4 }
}

#[test]
fn an_import_that_is_killed_is_whole_or_gone() {
    let place = Place::new();
    place.works(&["migrate"]);
    let lines: String = (0..6_000).map(|n| format!("A{n},x\n")).collect();
    fs::write(place.path("a.csv"), format!("value,batch\n{lines}")).unwrap();
    let mut connection = place.connection();
    for round in 0..rounds() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
        command.args(["import", "a.csv"]).current_dir(place.path("")).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(database) = &place.database {
            command.env("TESSERA_DATABASE_URL", &database.text);
        } else {
            command.env("TESSERA_DATABASE_URL", format!("sqlite:{}", place.path("tessera.db").display()));
        }
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rand::random_range(30..1_500)));
        let _ = child.kill();
        child.wait().unwrap();
        let shown = "SELECT COUNT(*) FROM tokens JOIN batches ON batches.id = tokens.batch WHERE made IS NOT NULL";
        let shown = number(&mut connection, shown);
        assert!(shown == 0 || shown == 6_000, "round {round}: {shown}");
        // What is left is removed by and by; then the next try finds nothing in its way.
        let forget = "UPDATE batches SET touched = 1 WHERE made IS NULL";
        connection.batch_execute(forget).unwrap();
        let remove = || {
            let now = tessera::token::Micros::now();
            let removed = |c: &mut _| tessera::store::batches::remove_abandoned(c, now);
            tessera::store::connection::transaction(&mut connection, removed).unwrap()
        };
        let mut remove = remove;
        while remove() {}
        assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), shown, "round {round}");
        connection.batch_execute("DELETE FROM tokens; DELETE FROM batches").unwrap();
    }
    place.works(&["import", "a.csv"]);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 6_000);
}

#[test]
fn changes_that_are_killed_are_all_done_or_none() {
    let place = Place::new();
    place.works(&["migrate"]);
    let lines: String = (0..3_000).map(|n| format!("A{n},old\n")).collect();
    fs::write(place.path("a.csv"), format!("value,label\n{lines}")).unwrap();
    place.works(&["import", "a.csv"]);
    let mut connection = place.connection();
    for round in 0..rounds() {
        let lines: String = (0..3_000).map(|n| format!("A{n},new {round}\n")).collect();
        fs::write(place.path("b.csv"), format!("value,label\n{lines}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
        command.args(["import", "b.csv", "--change", "value"]).current_dir(place.path(""));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.env(
            "TESSERA_DATABASE_URL",
            match &place.database {
                Some(database) => database.text.clone(),
                None => format!("sqlite:{}", place.path("tessera.db").display()),
            },
        );
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rand::random_range(30..1_500)));
        let _ = child.kill();
        child.wait().unwrap();
        // A server goes on with what is decided, and gives up the rest.
        let decided = number(&mut connection, "SELECT COUNT(*) FROM actions WHERE pending = 'changing'") > 0;
        let mut remaining = decided;
        while remaining {
            let now = tessera::token::Micros::now();
            let id = number(&mut connection, "SELECT MAX(id) FROM actions WHERE pending = 'changing'");
            let go_on = |c: &mut _| tessera::store::actions::pending::carry_out(c, id, 500, now);
            remaining = !tessera::store::connection::transaction(&mut connection, go_on).unwrap();
        }
        let new = number(&mut connection, &format!("SELECT COUNT(*) FROM tokens WHERE label = 'new {round}'"));
        assert!(new == 0 || new == 3_000, "round {round}: {new}");
        assert!(!decided || new == 3_000);
        connection.batch_execute("DELETE FROM action_tokens; DELETE FROM actions").unwrap();
    }
}
