//! A database of cone.tokens, as its own code makes it (`tests/cone/` holds this against the real one).

use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono_tz::Tz;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;
use tessera::store::Connection;
use tessera::token::Micros;

use crate::support::cluster::Cluster;
use crate::support::process::{Place, text};

pub const VIENNA: Tz = Tz::Europe__Vienna;

const SQLITE: &str = "
    CREATE TABLE tokens (uid CHAR(32) NOT NULL, value VARCHAR, last_used DATETIME, valid_from DATETIME, valid_to DATETIME,
        usage_count INTEGER, lock_time INTEGER, creator VARCHAR, created DATETIME, modified DATETIME, PRIMARY KEY (uid));
    CREATE TABLE token_usage (uid CHAR(32) NOT NULL, token_uid CHAR(32), token_value VARCHAR, timestamp DATETIME,
        error_code INTEGER, user VARCHAR, PRIMARY KEY (uid));";
const POSTGRES: &str = "
    CREATE TABLE tokens (uid UUID NOT NULL, value VARCHAR, last_used TIMESTAMP WITHOUT TIME ZONE,
        valid_from TIMESTAMP WITHOUT TIME ZONE, valid_to TIMESTAMP WITHOUT TIME ZONE, usage_count INTEGER,
        lock_time INTEGER, creator VARCHAR, created TIMESTAMP WITHOUT TIME ZONE, modified TIMESTAMP WITHOUT TIME ZONE,
        PRIMARY KEY (uid));
    CREATE TABLE token_usage (uid UUID NOT NULL, token_uid UUID, token_value VARCHAR, timestamp TIMESTAMP WITHOUT TIME ZONE,
        error_code INTEGER, \"user\" VARCHAR, PRIMARY KEY (uid));";

/// A database of cone.tokens.
pub struct Cone {
    pub url: String,
    pub connection: Connection,
    pub folder: TempDir,
}

/// A row of `tokens`: each column as SQL.
#[derive(Clone, Debug)]
pub struct Row {
    pub uid: u128,
    pub value: String,
    pub last_used: String,
    pub valid_from: String,
    pub valid_to: String,
    pub usage_count: String,
    pub lock_time: String,
    pub creator: String,
    pub created: String,
    pub modified: String,
}

/// A plain one, which was never used.
pub fn row(uid: u128) -> Row {
    let null = || "NULL".to_owned();
    Row {
        uid,
        value: quote(&hyphenated(uid)),
        last_used: null(),
        valid_from: null(),
        valid_to: null(),
        usage_count: "3".into(),
        lock_time: "0".into(),
        creator: "'anna'".into(),
        created: quote("2026-01-02 03:04:05.678901"),
        modified: quote("2026-01-02 03:04:06.000000"),
    }
}

/// A row of `token_usage`, made by Ben.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub uid: u128,
    pub token: u128,
    pub at: &'static str,
    pub code: Option<i16>,
}

pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A uid as cone.tokens writes it.
pub fn hex(uid: u128) -> String {
    format!("{uid:032x}")
}

pub fn hyphenated(uid: u128) -> String {
    uuid::Uuid::from_u128(uid).to_string()
}

/// A moment as the clock in Vienna shows it.
pub fn clock(seconds_from_now: i32) -> String {
    let moment = Micros::now().plus_seconds(seconds_from_now);
    quote(&moment.local(VIENNA).format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

impl Cone {
    /// An empty one in a file.
    pub fn file() -> Self {
        let mut cone = Self::file_of_nothing();
        cone.sql(SQLITE);
        cone
    }

    /// A file without tables.
    pub fn file_of_nothing() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Characters that mean something in a URI.
        let path = folder.path().join("cone #1?100%.db");
        let connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        Self { url: format!("sqlite:{}", path.display()), connection: Connection::Sqlite(connection), folder }
    }

    /// An empty one on a server.
    pub fn server() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let url = Cluster::shared().create_database(&format!("cone_{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let connection = Connection::Postgres(PgConnection::establish(&url).unwrap());
        let mut cone = Self { url, connection, folder: tempfile::tempdir().unwrap() };
        cone.sql(POSTGRES);
        cone
    }

    /// How a file is kept whole.
    pub fn journal_mode(&mut self) -> String {
        let mode = diesel::dsl::sql::<Text>("SELECT journal_mode FROM pragma_journal_mode");
        mode.get_result(&mut self.connection).unwrap()
    }

    pub fn sql(&mut self, sql: &str) {
        self.connection.batch_execute(sql).unwrap();
    }

    pub fn add(&mut self, row: &Row) {
        self.sql(&format!(
            "INSERT INTO tokens (uid, value, last_used, valid_from, valid_to, usage_count, lock_time, creator, created, modified)
             VALUES ('{}', {}, {}, {}, {}, {}, {}, {}, {}, {})",
            hex(row.uid),
            row.value,
            row.last_used,
            row.valid_from,
            row.valid_to,
            row.usage_count,
            row.lock_time,
            row.creator,
            row.created,
            row.modified
        ));
    }

    pub fn log(&mut self, entry: &Use) {
        let code = entry.code.map_or("NULL".to_owned(), |code| code.to_string());
        self.sql(&format!(
            "INSERT INTO token_usage (uid, token_uid, token_value, timestamp, error_code, \"user\")
             VALUES ('{}', '{}', 'T-{}', '{}', {code}, 'ben')",
            hex(entry.uid),
            hex(entry.token),
            entry.token,
            entry.at
        ));
    }

    /// Runs the import, from Vienna.
    pub fn import(&self, place: &Place, options: &[&str]) -> Output {
        let command = ["import-cone", &self.url, "--source-timezone", "Europe/Vienna"];
        place.run(&[&command[..], options].concat())
    }

    /// An import that must work, and what it says.
    #[track_caller]
    pub fn imports(&self, place: &Place, options: &[&str]) -> String {
        let output = self.import(place, options);
        let said = text(&output.stdout);
        assert!(output.status.success() && output.stderr.is_empty(), "{said}{}", text(&output.stderr));
        said
    }

    /// An import that must be refused with a sentence with these words, and what it says before.
    #[track_caller]
    pub fn refuses(&self, place: &Place, options: &[&str], words: &str) -> String {
        let output = self.import(place, options);
        let (said, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{said}{error}");
        assert!(error.contains(words) && error.starts_with("tessera: "), "{said}{error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        said
    }
}
