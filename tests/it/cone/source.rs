//! The source is only read, whatever it is and whoever uses it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::fixture::{Cone, Row, hex, hyphenated, row};
use crate::support::database::number;
use crate::support::process::{Place, text};

/// Every file but the index of a log, in which who reads marks how far. Another process reads them: with a descriptor that
/// this one closes it would lose SQLite's locks.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let read = |name: &String| Command::new("cat").arg(folder.join(name)).output().unwrap().stdout;
    names.filter(|name| !name.ends_with("-shm")).map(|name| (name.clone(), read(&name))).collect()
}

#[test]
fn a_file_stays_as_it_is_in_any_journal_mode() {
    for mode in ["delete", "truncate", "persist", "wal"] {
        let (mut cone, place) = (Cone::file(), Place::new());
        cone.add(&row(1));
        cone.sql(&format!("PRAGMA journal_mode = {mode}"));
        // cone.tokens has it open, and has written to it.
        cone.add(&row(2));
        let before = files(cone.folder.path());
        let said = cone.imports(&place, &[]);
        let written = said.lines().find(|line| line.starts_with("tokens")).unwrap();
        assert!(written.ends_with('2'), "{written}");
        let after = files(cone.folder.path());
        assert!(before == after, "{mode}: {:?} {:?}", before.keys(), after.keys());
        // And goes on using it.
        cone.add(&row(3));
        cone.sql(&format!("UPDATE tokens SET usage_count = usage_count - 1 WHERE uid = '{}'", hex(1)));
        assert_eq!(cone.journal_mode(), mode);
    }
}

/// A file that nobody has open, in a folder where nobody may write.
#[test]
fn a_copy_on_a_read_only_disk_is_read() {
    let (mut cone, place) = (Cone::file(), Place::new());
    cone.add(&row(1));
    cone.connection = Cone::file_of_nothing().connection;
    let before = files(cone.folder.path());
    let file = cone.url.strip_prefix("sqlite:").unwrap();
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    cone.imports(&place, &[]);
    assert!(before == files(cone.folder.path()));
}

#[test]
fn without_a_log_tokens_come_alone() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        cone.add(&Row { usage_count: "2".into(), ..row(1) });
        cone.sql("DROP TABLE token_usage");
        let said = cone.imports(&place, &[]);
        assert!(said.contains("Missing tables of log entries: 1"), "{said}");
        assert_eq!(number(&mut place.connection(), "SELECT usage_count FROM tokens"), 2);
    }
}

#[test]
fn nothing_comes_of_nothing() {
    for cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        let said = cone.imports(&place, &[]);
        assert!(said.contains("Every row can be moved as it is."), "{said}");
        assert_eq!(number(&mut place.connection(), "SELECT count(*) FROM audit WHERE action = 'import cone'"), 1);
        // It is still empty.
        cone.imports(&place, &[]);
    }
}

#[test]
fn nulls_everywhere_are_named_and_moved() {
    for mut cone in [Cone::file(), Cone::server()] {
        let place = Place::new();
        cone.sql(&format!("INSERT INTO tokens (uid) VALUES ('{}'), ('{}')", hex(1), hex(2)));
        cone.sql(&format!("INSERT INTO token_usage (uid) VALUES ('{}')", hex(3)));
        cone.sql(&format!("INSERT INTO token_usage (uid, token_uid) VALUES ('{}', '{}')", hex(4), hex(2)));
        let said = cone.imports(&place, &[]);
        for words in [
            "Tokens without a value: 2 (for information; they get their uid)",
            "Tokens without a number of uses: 2",
            "Tokens without a lock time, or with a negative one: 2",
            "Rows without a time: 4",
            "Rows that name nobody: 4",
            "Log entries of tokens that are not there: 1",
            "Log entries that will be removed: 2 (for information; the settings keep the log for 400 days)",
            &hyphenated(1),
        ] {
            assert!(said.contains(words), "{words:?} is not in {said}");
        }
        let query =
            "SELECT count(*) FROM tokens WHERE usage_count = 0 AND lock_time = 0 AND created = 0 AND modified = 0
            AND creator = 'nobody' AND value IS NULL AND last_used IS NULL";
        assert_eq!(number(&mut place.connection(), query), 2);
        let query = "SELECT count(*) FROM usage WHERE timestamp = 0 AND error_code IS NULL AND principal = 'nobody'";
        assert_eq!(number(&mut place.connection(), query), 2);
    }
}

/// SQLite takes anything for anything.
#[test]
fn what_cone_never_writes_is_named_and_refused() {
    let place = Place::new();
    let entry = |column: &str, sql: &str| {
        let mut values =
            ["uid", "token_uid", "token_value", "timestamp", "error_code", "user"].map(|name| match name {
                "uid" | "token_uid" => format!("'{}'", hex(7)),
                "timestamp" => "'2026-01-01 00:00:00.000000'".to_owned(),
                _ => "NULL".to_owned(),
            });
        let names = ["uid", "token_uid", "token_value", "timestamp", "error_code", "user"];
        values[names.iter().position(|name| *name == column).unwrap()] = sql.to_owned();
        format!("INSERT INTO token_usage VALUES ({})", values.join(", "))
    };
    let token = |column: &str, sql: &str| format!("UPDATE tokens SET {column} = {sql}");
    let cases = [
        (token("uid", "'not-a-uid'"), "uid is \"not-a-uid\", which is no UUID"),
        (token("uid", "x'00ff'"), "uid is bytes"),
        (token("value", "x'00ff'"), "value is bytes"),
        (token("value", "CAST(x'ff41' AS TEXT)"), "that is not UTF-8"),
        (token("value", "CAST(x'410042' AS TEXT)"), "with a NUL"),
        (token("last_used", "1234567890"), "last_used is the number 1234567890"),
        (token("created", "'yesterday'"), "created is \"yesterday\""),
        (token("created", "'2026-01-01 10:00:00+02:00'"), "created is \"2026-01-01 10:00:00+02:00\""),
        (token("created", "'2026-02-30 10:00:00'"), "created is \"2026-02-30 10:00:00\""),
        (token("modified", "'2026-01-01'"), "modified is \"2026-01-01\""),
        (token("valid_from", "12.5"), "valid_from is the number 12.5"),
        (token("valid_to", "'2026-01-01 24:00:00'"), "valid_to is"),
        (token("usage_count", "'many'"), "usage_count is the text \"many\""),
        (token("usage_count", "1.5"), "usage_count is the number 1.5"),
        (token("lock_time", "x'01'"), "lock_time is bytes"),
        (token("creator", "x'c3'"), "creator is bytes"),
        (token("creator", "CAST(x'c328' AS TEXT)"), "that is not UTF-8"),
        (entry("uid", "'x'"), "uid is \"x\", which is no UUID"),
        (entry("token_uid", "99"), "which is no UUID"),
        (entry("token_value", "x'00'"), "token_value is bytes"),
        (entry("timestamp", "'soon'"), "timestamp is \"soon\""),
        (entry("error_code", "'none'"), "error_code is the text"),
        (entry("error_code", "70000"), "error_code is 70000"),
        (entry("user", "x'00'"), "user is bytes"),
    ];
    let mut cone = Cone::file();
    cone.add(&row(1));
    for (sql, words) in cases {
        cone.sql("BEGIN");
        cone.sql(&sql);
        cone.sql("COMMIT");
        for options in [&["--dry-run", "--adjust"][..], &["--adjust", "--duplicates", "suffix"]] {
            let said = cone.refuses(&place, options, "columns that hold what cone.tokens never writes");
            assert!(
                said.contains(words) && said.contains("never writes: 1 (refused: change it in cone.tokens first)"),
                "{sql}: {words:?} is not in {said}"
            );
        }
        cone.sql("DELETE FROM tokens; DELETE FROM token_usage");
        cone.add(&row(1));
    }
    cone.sql(&format!(
        "CREATE TABLE t AS SELECT * FROM tokens; DROP TABLE tokens; ALTER TABLE t RENAME TO tokens;
        INSERT INTO tokens (uid) VALUES ('{}'), (NULL)",
        hex(1)
    ));
    let said = cone.refuses(&place, &["--adjust"], "tokens whose uid another one has");
    assert!(said.contains("NULL  uid is NULL"), "{said}");
}

/// Consumes go on in cone.tokens while it is read; what it does then does not come.
#[test]
fn a_snapshot_is_one_moment() {
    let place = Place::new();
    let mut cone = Cone::server();
    cone.sql(
        "INSERT INTO tokens (uid, value, usage_count, lock_time, created, modified) SELECT md5(i::text)::uuid, 'T-' || i, 9, 0,
         '2026-01-01 10:00:00', '2026-01-01 10:00:00' FROM generate_series(1, 3000) AS i",
    );
    let url = cone.url.clone();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let using = std::thread::spawn(move || {
        let mut connection = PgConnection::establish(&url).unwrap();
        let mut uses = 0;
        while stopped.try_recv().is_err() {
            let consume =
                "WITH one AS (UPDATE tokens SET usage_count = usage_count - 1 WHERE uid = (SELECT uid FROM tokens
                WHERE usage_count > 0 ORDER BY random() LIMIT 1) RETURNING uid, value)
                INSERT INTO token_usage SELECT gen_random_uuid(), uid, value, now()::timestamp, NULL, 'ben' FROM one";
            connection.batch_execute(consume).unwrap();
            uses += 1;
        }
        uses
    });
    let output = cone.import(&place, &[]);
    stop.send(()).unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(using.join().unwrap() > 0);
    let sum = "SELECT (SELECT sum(usage_count) FROM tokens) + (SELECT count(*) FROM usage)";
    assert_eq!(number(&mut place.connection(), sum), 27_000);
}
