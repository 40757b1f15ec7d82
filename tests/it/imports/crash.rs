//! After a crash in the middle, an import is whole or gone.

use std::fs;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use tessera::store::actions::pending::carry_out;
use tessera::store::batches::remove_abandoned;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::database::number;
use crate::support::imports::numbered;
use crate::support::process::Place;

fn rounds() -> usize {
    if std::env::var_os("TESSERA_TEST_LONG").is_some() { 20 } else { 4 }
}

/// Runs a command, and kills it at some moment.
fn killed(place: &Place, arguments: &[&str]) {
    let mut child = place.spawn(arguments);
    std::thread::sleep(Duration::from_millis(rand::random_range(30..1_500)));
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn an_import_that_is_killed_is_whole_or_gone() {
    const SHOWN: &str = "SELECT COUNT(*) FROM tokens JOIN batches ON batches.id = tokens.batch WHERE made IS NOT NULL";
    let place = Place::new();
    place.works(&["migrate"]);
    fs::write(place.path("a.csv"), format!("value,batch\n{}", numbered(6_000, |n| format!("A{n},x\n")))).unwrap();
    let mut connection = place.connection();
    for round in 0..rounds() {
        killed(&place, &["import", "a.csv"]);
        let shown = number(&mut connection, SHOWN);
        assert!(shown == 0 || shown == 6_000, "round {round}: {shown}");
        // What is left is removed by and by; then the next try finds nothing in its way.
        connection.batch_execute("UPDATE batches SET touched = 1 WHERE made IS NULL").unwrap();
        while transaction(&mut connection, |connection| remove_abandoned(connection, Micros::now())).unwrap() {}
        assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), shown, "round {round}");
        connection.batch_execute("DELETE FROM tokens; DELETE FROM batches").unwrap();
    }
    place.works(&["import", "a.csv"]);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 6_000);
}

#[test]
fn changes_that_are_killed_are_all_done_or_none() {
    const DECIDED: &str = "SELECT COUNT(*) FROM actions WHERE pending = 'changing'";
    let place = Place::new();
    place.works(&["migrate"]);
    fs::write(place.path("a.csv"), format!("value,label\n{}", numbered(3_000, |n| format!("A{n},old\n")))).unwrap();
    place.works(&["import", "a.csv"]);
    let mut connection = place.connection();
    for round in 0..rounds() {
        let lines = numbered(3_000, |n| format!("A{n},new {round}\n"));
        fs::write(place.path("b.csv"), format!("value,label\n{lines}")).unwrap();
        killed(&place, &["import", "b.csv", "--change", "value"]);
        // A server goes on with what is decided, and gives up the rest.
        let is_decided = number(&mut connection, DECIDED) > 0;
        while number(&mut connection, DECIDED) > 0 {
            let id = number(&mut connection, "SELECT MAX(id) FROM actions WHERE pending = 'changing'");
            transaction(&mut connection, |connection| carry_out(connection, id, 500, Micros::now())).unwrap();
        }
        let new = number(&mut connection, &format!("SELECT COUNT(*) FROM tokens WHERE label = 'new {round}'"));
        assert!(new == 3_000 || (new == 0 && !is_decided), "round {round}: {new}");
        connection.batch_execute("DELETE FROM action_tokens; DELETE FROM actions").unwrap();
    }
}
