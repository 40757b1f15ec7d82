//! `src/store/schema.rs` is what the migrations make, on both databases, and a migration that changes gets another version.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use sha2::{Digest, Sha256};
use tessera::store::Connection;

use crate::support::database::Database;

/// What stands in each migration: how the SHA-256 of its up.sql begins.
const DIGESTS: [(&str, &str); 2] = [
    ("migrations/postgres/2026-12-01-120000_first", "9223a2dd1370d683"),
    ("migrations/sqlite/2026-12-01-120000_first", "4a9bb884eba9c11d"),
];

const SCHEMA: &str = include_str!("../../../src/store/schema.rs");

/// A table, a column in its place, the column's type, whether it can be null, and its place in the primary key or 0.
type Column = (String, String, String, bool, i32);

/// Without `token_grams`, which no two databases have alike, and `room`, which nobody reads.
const OF_SQLITE: &str = "t.name, c.name, c.type, NOT c.\"notnull\", c.pk
    FROM sqlite_schema t, pragma_table_xinfo(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> '__diesel_schema_migrations'
    AND t.name NOT GLOB 'token_grams*' AND NOT (t.name = 'tokens' AND c.name = 'room') ORDER BY t.name, c.cid";

const OF_POSTGRES: &str = "t.relname::text, c.attname::text, y.typname::text, NOT c.attnotnull,
    COALESCE(array_position(k.conkey, c.attnum), 0)
    FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid JOIN pg_type y ON y.oid = c.atttypid
    LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p'
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND c.attnum > 0
    AND NOT c.attisdropped AND t.relname NOT IN ('__diesel_schema_migrations', 'token_grams') ORDER BY t.relname, c.attnum";

/// Each table as `diesel print-schema` writes it.
fn printed(columns: &[Column]) -> BTreeMap<String, String> {
    let tables = columns.chunk_by(|one, other| one.0 == other.0).map(|columns| {
        let mut key: Vec<_> = columns.iter().filter(|column| column.4 > 0).collect();
        key.sort_by_key(|column| column.4);
        let key: Vec<&str> = key.iter().map(|column| column.1.as_str()).collect();
        let lines = columns.iter().map(|(_, name, kind, nullable, _)| {
            let kind = kind[..1].to_uppercase() + &kind[1..].to_lowercase();
            let kind = if *nullable { format!("Nullable<{kind}>") } else { kind };
            format!("        {name} -> {kind},\n")
        });
        let name = columns[0].0.clone();
        let table = format!("    {name} ({}) {{\n{}    }}\n", key.join(", "), lines.collect::<String>());
        (name, table)
    });
    tables.collect()
}

/// The tables of a schema file, by name.
fn written(schema: &str) -> BTreeMap<String, String> {
    let tables = schema.split("diesel::table! {\n").skip(1).map(|rest| {
        let table = rest.split_once("\n}\n").unwrap().0.to_owned() + "\n";
        (table.split_whitespace().next().unwrap().to_owned(), table)
    });
    tables.collect()
}

#[test]
fn the_schema_file_is_what_the_migrations_make() {
    let database = Database::new();
    let mut connection = database.connect();
    // SQLite has one type for all whole numbers.
    let (columns, written) = match &connection {
        Connection::Sqlite(_) => {
            let narrow = SCHEMA.replace("Int8", "Integer").replace("Int4", "Integer").replace("Int2", "Integer");
            (OF_SQLITE, written(&narrow.replace("Bytea", "Blob")))
        }
        Connection::Postgres(_) => (OF_POSTGRES, written(SCHEMA)),
    };
    let columns = diesel::dsl::sql::<(Text, Text, Text, Bool, Integer)>(&format!("SELECT {columns}"));
    let printed = printed(&columns.load(&mut connection).unwrap());
    for name in written.keys().chain(printed.keys()) {
        let (written, made) = (written.get(name), printed.get(name));
        assert!(
            written == made,
            "src/store/schema.rs and the migrations differ: see diesel.toml for how the file is made. It has\n{}\n\
             and the database\n{}",
            written.map_or("no such table", String::as_str),
            made.map_or("no such table", String::as_str),
        );
    }
    assert!(written.len() >= 20, "the file was read: {written:?}");
}

/// The folders of a database's migrations.
fn migrations(database: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_migration_that_changes_gets_another_version() {
    assert_eq!(migrations("sqlite"), migrations("postgres"), "the two databases' migrations have the same names");
    for database in ["postgres", "sqlite"] {
        for name in migrations(database) {
            let folder = format!("migrations/{database}/{name}");
            let up = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).join("up.sql")).unwrap();
            let digest = u64::from_be_bytes(Sha256::digest(up)[..8].try_into().unwrap());
            let digest = format!("{digest:016x}");
            assert!(
                DIGESTS.contains(&(&folder, &digest)),
                "{folder}/up.sql is new, or it was changed, and databases made before would be taken for current ones. If \
                 it was released, undo the change and add a migration. If not, give its folder a later date or time, for \
                 both databases. Then write into DIGESTS that it has {digest}"
            );
        }
    }
}
