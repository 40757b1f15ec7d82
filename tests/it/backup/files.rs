//! Backups as files: what two of them have in common, and what is in one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use sha2::{Digest, Sha256};

use crate::support::process::{Place, write_file};

/// The length of a seal.
pub const SEAL: usize = 4_096;

/// The name of the database that commands use when nobody says otherwise.
pub fn own_url(place: &Place) -> String {
    place.database.as_ref().map_or("sqlite:tessera.db", |database| &database.text).to_owned()
}

/// Of each table that differs, how many rows only the first has, and how many only the second.
pub fn differences(one: &Path, other: &Path) -> BTreeMap<String, (i64, i64)> {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    for (name, path) in [("one", one), ("other", other)] {
        let attach = format!("ATTACH 'file:{}?immutable=1' AS {name}", path.display());
        connection.batch_execute(&attach).unwrap();
    }
    // What leads to tokens is made anew, and `room` nobody reads.
    let columns = "SELECT t.name, group_concat(c.name) FROM one.sqlite_schema t, pragma_table_info(t.name, 'one') c
        WHERE t.type = 'table' AND t.name NOT GLOB 'token_*' AND t.name NOT GLOB 'index_*'
        AND t.name NOT IN ('attempts', '__diesel_schema_migrations') AND c.name <> 'room' GROUP BY t.name";
    let tables: Vec<(String, String)> = diesel::dsl::sql::<(Text, Text)>(columns).load(&mut connection).unwrap();
    assert!(tables.len() >= 19, "{tables:?}");
    let mut only_in = |table: &str, columns: &str, one: &str, other: &str| -> i64 {
        let rows = format!(
            "SELECT count(*) FROM (SELECT {columns} FROM {one}.{table} EXCEPT SELECT {columns} FROM {other}.{table})"
        );
        diesel::dsl::sql::<BigInt>(&rows).get_result(&mut connection).unwrap()
    };
    let differences = tables.into_iter().map(|(table, columns)| {
        let counts = (only_in(&table, &columns, "one", "other"), only_in(&table, &columns, "other", "one"));
        (table, counts)
    });
    differences.filter(|(_, counts)| *counts != (0, 0)).collect()
}

/// Opens a backup, does this to it, and seals it anew as if it had been taken so.
pub fn change_and_seal(path: &Path, statements: &str) {
    let bytes = std::fs::read(path).unwrap();
    let (body, seal) = bytes.split_at(bytes.len() - SEAL);
    write_file(path, body);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute(statements).unwrap();
    drop(connection);
    let mut body = std::fs::read(path).unwrap();
    let seal = std::str::from_utf8(seal).unwrap();
    let rest = seal.lines().filter(|line| ["taken ", "schema ", "rows "].iter().any(|name| line.starts_with(name)));
    let mut text = format!("Tessera backup 1\nsha256 {}\nlength {}\n", hex(&Sha256::digest(&body)), body.len());
    rest.for_each(|line| writeln!(text, "{line}").unwrap());
    let own = hex(&Sha256::digest(&text));
    writeln!(text, "seal {own}").unwrap();
    body.extend(text.bytes());
    body.resize(body.len() + SEAL - text.len(), b'\n');
    write_file(path, &body);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The names in a place's folder, but the servers' logs.
pub fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("log-")).collect();
    names.sort();
    names
}

/// What a backup of a place's database says of a table.
#[track_caller]
pub fn rows(place: &Place, backup: &str, table: &str) -> usize {
    let verified = place.works(&["backup", "--verify", backup]);
    let line = verified.lines().find(|line| line.split_whitespace().next() == Some(table));
    line.unwrap_or_else(|| panic!("{verified}")).split_whitespace().last().unwrap().parse().unwrap()
}
