//! What is not moved in: sources that are something else, and targets that are not empty or are in use.

use diesel::connection::SimpleConnection;

use super::fixture::{Cone, row};
use crate::support::app::send;
use crate::support::database::{number, on_postgres};
use crate::support::process::{Place, check_failed, write_file};

#[test]
fn a_source_is_a_database_of_cone_tokens() {
    let place = Place::new();
    let import = |url: &str, words: &str| {
        place.fails(&["import-cone", url, "--source-timezone", "Europe/Vienna", "--dry-run"], 1, words);
    };
    import("sqlite:nowhere.db", "cannot be opened");
    assert!(!place.path("nowhere.db").exists());
    write_file(
        &place.path("text.db"),
        b"these are not the tokens that you are looking for, and some more of it, and more",
    );
    import("sqlite:text.db", "file is not a database");
    write_file(&place.path("empty.db"), b"");
    import("sqlite:empty.db", "it has no table tokens");
    import("postgres://postgres@127.0.0.1:1/nowhere", "cannot be opened");

    let mut other = Cone::file_of_nothing();
    other.sql("CREATE TABLE tokens (id INTEGER, token TEXT)");
    other.refuses(&place, &[], "is not a database of cone.tokens: its table tokens has other columns");
    let mut other = Cone::server();
    other.sql("ALTER TABLE token_usage RENAME COLUMN error_code TO code");
    other.refuses(&place, &[], "its table token_usage has other columns");
    other.sql("DROP TABLE tokens");
    other.refuses(&place, &[], "it has no table tokens");
    let mut cone = Cone::file();
    cone.add(&row(1));
    let itself = ["--database-url", &cone.url, "import-cone", &cone.url, "--source-timezone", "UTC"];
    place.fails(&itself, 1, "it would be imported into itself");
    assert_eq!(cone.journal_mode(), "delete");
    place.works(&["migrate"]);
    let own = place.database.as_ref().map_or("sqlite:tessera.db", |database| &database.text);
    let elsewhere = ["--database-url", "sqlite:other.db", "import-cone", own, "--source-timezone", "UTC"];
    place.fails(&elsewhere, 1, "it is one of Tessera");
    place.fails(&["import-cone", "cone.db", "--source-timezone", "UTC"], 2, "sqlite:FILE");
    place.fails(&["import-cone", "sqlite:cone.db", "--source-timezone", "Vienna"], 2, "time zone");
    place.fails(&["import-cone", "sqlite:cone.db"], 2, "--source-timezone");
}

#[actix_web::test]
async fn a_target_is_empty_and_nobody_uses_it() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&row(1));
    // Nothing is made by looking.
    cone.imports(&place, &["--dry-run"]);
    assert!(on_postgres() || !place.path("tessera.db").exists());

    let mut server = place.serve();
    let key = place.key("manager");
    let words = "is in use";
    check_failed(&without_list(cone.import(&place, &[])), 1, words);
    send(server.post(&key, "/add_token").form(&[
        ("valid_from", ""),
        ("valid_to", ""),
        ("usage_count", ""),
        ("lock_time", ""),
    ]))
    .await
    .check_success();
    cone.refuses(&place, &["--dry-run"], "there are tokens in it already");
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    cone.refuses(&place, &[], "there are tokens in it already; name an empty database");

    // Users, keys and settings may be there.
    let mut connection = place.connection();
    connection.batch_execute("DELETE FROM tokens; DELETE FROM index_queue").unwrap();
    drop(connection);
    cone.imports(&place, &[]);
    assert_eq!(
        number(&mut place.connection(), "SELECT (SELECT count(*) FROM keys) + (SELECT count(*) FROM tokens)"),
        2
    );
}

#[test]
fn a_target_of_another_program_stays_as_it_is() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&row(1));
    if !on_postgres() {
        write_file(&place.path("tessera.db"), b"");
    }
    place.connection().batch_execute("CREATE TABLE notes (text TEXT)").unwrap();
    cone.refuses(&place, &[], "belongs to another program");
    assert_eq!(number(&mut place.connection(), "SELECT count(*) FROM notes"), 0);
}

#[test]
fn of_two_imports_at_once_one_at_most_writes() {
    let (mut cone, place) = (Cone::file(), Place::new());
    for uid in 1..=50 {
        cone.add(&row(uid));
    }
    place.works(&["migrate"]);
    let command = ["import-cone", &cone.url, "--source-timezone", "Europe/Vienna"];
    let running = [place.spawn(&command), place.spawn(&command), place.spawn(&command)];
    let ended = running.map(|mut running| running.wait().unwrap().success());
    let worked = ended.iter().filter(|worked| **worked).count();
    let tokens = number(&mut place.connection(), "SELECT count(*) FROM tokens");
    assert_eq!((worked <= 1, tokens), (true, if worked == 1 { 50 } else { 0 }), "{ended:?}");
}

/// A list of findings goes to standard output also where the import fails.
fn without_list(output: std::process::Output) -> std::process::Output {
    std::process::Output { stdout: Vec::new(), ..output }
}
