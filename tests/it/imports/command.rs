//! `tessera import`

use std::fs;

use crate::support::app::send;
use crate::support::database::number;
use crate::support::imports::numbered;
use crate::support::process::{Place, text};

#[test]
fn a_file_comes_in_and_a_trial_changes_nothing() {
    let place = Place::new();
    place.works(&["migrate"]);
    let file =
        "\u{feff}Bezeichnung;Code;Anzahl;valid_from;Raum\nSpind 1;007;3;30.11.2026 8:15;x\nSpind 2;008;unlimited;;\n";
    fs::write(place.path("spinde.csv"), file).unwrap();
    let import = ["import", "spinde.csv", "--label", "Bezeichnung", "--value", "Code", "--usage-count", "Anzahl"];
    let with = |more: &[&'static str]| [&import[..], more].concat();
    let said = place.works(&with(&["--dry-run"]));
    assert!(said.contains("2 tokens would be added") && said.contains("\"Raum\""), "{said}");
    let mut connection = place.connection();
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 0);
    let said = place.works(&with(&["--batch", "Sommer", "--timezone", "Europe/Vienna"]));
    assert!(said.contains("2 tokens added"), "{said}");
    let found = "SELECT COUNT(*) FROM tokens JOIN batches ON batches.id = tokens.batch WHERE batches.name = 'Sommer' \
                 AND made IS NOT NULL AND label LIKE 'Spind%' AND value IN ('007', '008') AND usage_count IN (3, -1)";
    assert_eq!(number(&mut connection, found), 2);
    assert_eq!(number(&mut connection, "SELECT MAX(valid_from) FROM tokens"), 1_796_022_900_000_000);
    let again = place.run(&import);
    assert_eq!(again.status.code(), Some(1));
    let said = text(&again.stderr);
    assert!(said.contains("line 2, column Code, \"007\": This value is in use"), "{said}");
    assert!(said.contains("2 errors in 2 lines; nothing was imported"), "{said}");
}

#[test]
fn separators_encodings_and_formats_are_told_or_chosen() {
    let place = Place::new();
    place.works(&["migrate"]);
    let wide: Vec<u8> = "\u{feff}value\tlabel\r\nT1\tGröße\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&str, &[u8], &[&str]); 6] = [
        ("tab.csv", &wide, &[]),
        ("told.csv", b"sep=|\nvalue|label\nT2|a\n", &[]),
        ("western.txt", b"value;label\nT3;Gr\xf6\xdfe\n", &["--encoding", "windows-1252"]),
        (
            "lines.jsonl",
            b"{\"value\":12345678901234567890123,\"label\":null}\n\n{\"value\":\"T4\",\"more\":[1]}\n",
            &[],
        ),
        ("other", b"{\"value\":\"T5\"}\n", &[]),
        ("chosen", b"value,label;x\nT6,a;b\n", &["--separator", "comma", "--format", "csv"]),
    ];
    for (name, bytes, options) in files {
        fs::write(place.path(name), bytes).unwrap();
        place.works(&[&["import", name], options].concat());
    }
    let mut connection = place.connection();
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE label = 'Größe'"), 2);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens WHERE value = '12345678901234567890123'"), 1);
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tokens"), 7);
}

#[test]
fn what_cannot_be_imported_is_said_in_one_sentence_and_changes_nothing() {
    let place = Place::new();
    place.works(&["migrate"]);
    fs::create_dir(place.path("folder.csv")).unwrap();
    let long = format!("value\n\"{}\n", "x".repeat(3_000_000));
    let twice = b"{\"value\":\"a\",\"value\":\"b\"}\n";
    let files: [(&str, &[u8], &str); 9] = [
        ("empty.csv", b"", "it is empty"),
        ("sheet.csv", b"PK\x03\x04", "save it as CSV"),
        ("western.csv", b"label\nGr\xf6\xdfe\n", "choose windows-1252"),
        ("names.csv", b"Name,Code\n", "It has: \"Name\", \"Code\""),
        ("long.csv", long.as_bytes(), "longer than 1 MiB"),
        ("quote.csv", b"label\n\"a\nb\n", "opens here and never closes"),
        ("twice.jsonl", twice, "says \"value\" twice"),
        ("head.csv", b"label\n", "nothing to import"),
        ("columns.csv", b"label,value\na,b,c\nd\n", "3 cells, and the first line"),
    ];
    for (name, bytes, words) in files {
        fs::write(place.path(name), bytes).unwrap();
        let output = place.run(&["import", name]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    }
    place.fails(&["import", "absent.csv"], 1, "cannot be read");
    place.fails(&["import", "folder.csv"], 1, "it is not a file");
    place.fails(&["import", "empty.csv", "--encoding", "latin9"], 2, "an encoding is one of");
    place.fails(&["import", "empty.csv", "--change", "label"], 2, "write uid or value");
    place.fails(&["import", "empty.csv", "--batch", ""], 1, "--batch");
    assert_eq!(number(&mut place.connection(), "SELECT COUNT(*) FROM tokens"), 0);
}

#[test]
fn lines_with_errors_are_written_to_a_file_of_their_own() {
    let place = Place::new();
    place.works(&["migrate"]);
    fs::write(place.path("a.csv"), "value,usage_count\na,1\nb,x\n").unwrap();
    assert_eq!(place.run(&["import", "a.csv", "--rejects", "wrong.csv"]).status.code(), Some(1));
    let wrong = fs::read_to_string(place.path("wrong.csv")).unwrap();
    assert!(wrong.starts_with("line,error,value,usage_count\n3,") && wrong.ends_with(",b,x\n"), "{wrong}");
    // Lines are counted alike, whoever has written the file.
    for (end, wrong) in [("\n", "3,"), ("\r\n", "3,"), ("\r", "3,")] {
        let lines = ["value,usage_count", "a,1", "b,x", "c,1"].join(end);
        fs::write(place.path("a.csv"), lines).unwrap();
        place.run(&["import", "a.csv", "--rejects", "wrong.csv"]);
        let written = fs::read_to_string(place.path("wrong.csv")).unwrap();
        assert!(written.lines().nth(1).unwrap().starts_with(wrong), "{end:?}: {written}");
    }
    fs::write(place.path("b.jsonl"), "{\"value\":\"a\"}\n[1]\n").unwrap();
    place.run(&["import", "b.jsonl", "--rejects", "wrong.csv"]);
    let wrong = fs::read_to_string(place.path("wrong.csv")).unwrap();
    assert!(wrong.starts_with("line,error,json\n2,") && wrong.ends_with(",[1]\n"), "{wrong}");
}

#[test]
fn lines_with_errors_replace_neither_the_database_nor_their_file() {
    let place = Place::new();
    place.works(&["--database-url", "sqlite:own.db", "migrate"]);
    fs::write(place.path("a.csv"), "value,usage_count\na,x\n").unwrap();
    let import = ["--database-url", "sqlite:own.db", "import", "a.csv", "--rejects"];
    place.fails(&[&import[..], &["own.db"]].concat(), 1, "is the database");
    place.fails(&[&import[..], &["./a.csv"]].concat(), 1, "is the file that is imported");
    assert_eq!(fs::read_to_string(place.path("a.csv")).unwrap(), "value,usage_count\na,x\n");
    place.works(&["--database-url", "sqlite:own.db", "key", "list"]);
}

#[test]
fn of_two_imports_of_the_same_values_one_is_done() {
    let place = Place::new();
    place.works(&["migrate"]);
    let lines = numbered(3_000, |n| format!("A{n}\n"));
    fs::write(place.path("a.csv"), format!("value\n{lines}")).unwrap();
    let done = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| place.run(&["import", "a.csv"]))).collect();
        both.into_iter().map(|one| one.join().unwrap()).filter(|output| output.status.success()).count()
    });
    let shown = "SELECT COUNT(*) FROM tokens JOIN batches ON batches.id = tokens.batch WHERE made IS NOT NULL";
    // Both may see the other's tokens, and give way.
    assert_eq!(number(&mut place.connection(), shown), i64::try_from(done).unwrap() * 3_000);
    assert!(done <= 1);
}

#[actix_web::test]
async fn a_door_goes_on_beside_an_import() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("manager");
    let uids = server.add_tokens(&key, &[("count", "50"), ("usage_count", "-1")]).await;
    let lines = numbered(20_000, |n| format!("A{n},Locker {n}\n"));
    fs::write(place.path("a.csv"), format!("value,label\n{lines}")).unwrap();
    let (mut used, place) = (0, std::sync::Arc::new(place));
    let importing = std::sync::Arc::clone(&place);
    let import = tokio::task::spawn_blocking(move || importing.works(&["import", "a.csv"]));
    while !import.is_finished() {
        send(server.post(&key, &format!("/{}/consume_token", uids[used % 50]))).await.check_success();
        used += 1;
    }
    assert!(import.await.unwrap().contains("20,000 tokens added"));
    let found = send(server.get(&key, "/query_token?value=A19999")).await;
    assert_eq!(found.check_success().body["token"]["label"], "Locker 19999");
    assert!(used > 10, "{used}");
    assert_eq!(server.usage(&key, "").await.len(), used);
}
