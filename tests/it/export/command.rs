//! `tessera export`: to a file, to a pipe, and where it cannot write.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::app::send;
use crate::support::database::on_postgres;
use crate::support::export::{column, lines, table};
use crate::support::process::{Place, Server, text};

/// A server with two batches, one token that is used up, and a long log.
async fn filled(place: &Place) -> Server {
    let server = place.serve();
    let key = place.key("manager");
    let form = [("count", "3"), ("batch_name", "Summer party"), ("label", "Größe {n}"), ("usage_count", "1")];
    let uids = server.add_tokens(&key, &form).await;
    server.add_tokens(&key, &[("count", "1500"), ("batch_name", "Many"), ("usage_count", "-1")]).await;
    send(server.post(&key, &format!("/{}/consume_token", uids[0]))).await.check_success();
    send(server.post(&key, &format!("/{}/consume_token", uids[0]))).await;
    server
}

/// The names of the files in a place that an unfinished export would leave.
fn unfinished(place: &Place) -> Vec<String> {
    let names = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("partial")).collect()
}

#[actix_web::test]
async fn tokens_and_usage_are_written_beside_a_running_server() {
    let place = Place::new();
    let _server = filled(&place).await;
    let rows = table(&place.works(&["export"]), b',');
    assert_eq!((rows.len(), rows[0].len(), column(&rows, "batch")[0]), (1_504, 16, "Summer party"));
    let party = ["export", "--batch", "Summer party", "--format", "jsonl"];
    let objects = lines(&place.works(&party));
    assert_eq!((objects.len(), &objects[0]["state"]), (3, &"used_up".into()));
    assert_eq!(lines(&place.works(&[&party[..], &["--state", "active"]].concat())).len(), 2);
    assert_eq!(lines(&place.works(&[&party[..], &["--q", "größe 2"]].concat())).len(), 1);
    let usage = place.works(&[
        "export",
        "--usage",
        "--batch",
        "Summer party",
        "--format",
        "excel",
        "--timezone",
        "Europe/Vienna",
    ]);
    let rows = table(usage.trim_start_matches('\u{feff}'), b',');
    assert_eq!(column(&rows, "Outcome"), ["Refused: used up", "Used"]);

    place.works(&["export", "--output", "tokens.csv"]);
    let written = fs::read_to_string(place.path("tokens.csv")).unwrap();
    assert_eq!(table(&written, b',').len(), 1_504);
    let mode = fs::metadata(place.path("tokens.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "readable as little as the database");
    // The next one takes its place.
    place.works(&["export", "--usage", "--output", "./tokens.csv"]);
    assert_eq!(table(&fs::read_to_string(place.path("tokens.csv")).unwrap(), b',').len(), 3);
    assert_eq!(unfinished(&place), [""; 0]);
    assert!(place.works(&["export", "--output", "/dev/null"]).is_empty());
}

#[actix_web::test]
async fn what_cannot_be_written_is_said_in_a_sentence_and_leaves_nothing() {
    let place = Place::new();
    let _server = filled(&place).await;
    let said = place.shell("\"$BIN\" export > /dev/full; echo \"exit $?\" >&2");
    assert!(
        said.contains("tessera: Standard output cannot be written: No space left on device")
            && said.ends_with("exit 1\n"),
        "{said}"
    );
    let said = place.shell("{ \"$BIN\" export; echo \"exit $?\" >&2; } | head -c 10 > beginning");
    assert!(
        said.contains("tessera: Standard output cannot be written: Broken pipe") && said.ends_with("exit 1\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
    // A disk that fills in the middle, as it were; what was there before stays.
    fs::write(place.path("tokens.csv"), "before").unwrap();
    for output in ["--output tokens.csv", "--all everything"] {
        let said = place.shell(&format!("trap '' XFSZ; ulimit -f 64; \"$BIN\" export {output}; echo \"exit $?\" >&2"));
        assert!(said.contains("cannot be written: File too large") && said.ends_with("exit 1\n"), "{said}");
    }
    assert_eq!(fs::read_to_string(place.path("tokens.csv")).unwrap(), "before");
    assert!(!place.path("everything").exists());
    assert_eq!(unfinished(&place), [""; 0]);

    place.fails(&["export", "--output", "missing/tokens.csv"], 1, "missing/tokens.csv cannot be written: No such file");
    place.fails(&["export", "--output", "."], 1, "is a directory; name a file");
    place.fails(&["export", "--all", "missing/all"], 1, "missing/all cannot be written: No such file");
    place.fails(&["export", "--all", "tokens.csv"], 1, "tokens.csv cannot be written: Not a directory");
    place.fails(&["export", "--all", "."], 1, "names no directory");
    fs::create_dir(place.path("full")).unwrap();
    fs::write(place.path("full/file"), "").unwrap();
    place.fails(&["export", "--all", "full"], 1, "full is not empty; name a new directory");
    if !on_postgres() {
        for file in ["tessera.db", "tessera.db-wal", "./tessera.db"] {
            place.fails(&["export", "--output", file], 1, "is the database; name another file");
        }
        place.fails(&["export", "--database-url", "sqlite:none.db"], 1, "There is no database file none.db");
    }
}

#[actix_web::test]
async fn wrong_filters_are_named() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("manager");
    let mut uid = String::new();
    for _ in 0..2 {
        let form = [
            ("count", "1"),
            ("batch_name", "Twice"),
            ("valid_from", ""),
            ("valid_to", ""),
            ("usage_count", ""),
            ("lock_time", ""),
        ];
        let made = send(server.post(&key, "/add_tokens").form(&form)).await;
        made.check_success().body["batch_uid"].as_str().unwrap().clone_into(&mut uid);
    }
    place.fails(&["export", "--batch", "Twice"], 1, "several batches are called \"Twice\"");
    assert_eq!(table(&place.works(&["export", "--batch", &uid]), b',').len(), 2);
    place.fails(&["export", "--batch", ""], 1, "there is no batch \"\"");
    place.fails(&["export", "--batch", "Nobody"], 1, "--batch: there is no batch \"Nobody\"");
    place.fails(&["export", "--batch", "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f"], 1, "there is no batch");
    place.fails(&["export", "--q", &"x".repeat(1_001)], 1, "--q: q has at most 1,000 characters");
    place.fails(&["export", "--format", "xlsx"], 2, "is not one of csv, excel, jsonl");
    place.fails(&["export", "--state", "lost"], 2, "is not one of");
    place.fails(&["export", "--usage", "--state", "active"], 2, "cannot be used with");
    place.fails(&["export", "--all", "x", "--format", "csv"], 2, "cannot be used with");
    assert!(text(&place.run(&["export", "--help"]).stdout).contains("README.txt"));
}
