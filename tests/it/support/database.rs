//! Which database the tests run on, and a new one for each: a file, or a database of a throw-away PostgreSQL cluster
//! when `TESSERA_TEST_DATABASE` is `postgres`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tempfile::TempDir;
use tessera::store::{Connection, DatabaseUrl, migrations};

use crate::support::cluster::Cluster;

/// Whether this run is on PostgreSQL.
pub fn on_postgres() -> bool {
    match std::env::var("TESSERA_TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("TESSERA_TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

/// How many tables a database on a server has.
pub fn tables(connection: &mut Connection) -> i64 {
    let count = diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema())",
    );
    diesel::select(count).get_result(connection).unwrap()
}

/// Ends a test that is about what only a file has.
#[macro_export]
macro_rules! only_on_sqlite {
    () => {
        if $crate::support::database::on_postgres() {
            return;
        }
    };
}

/// Ends a test that is about what only a server has.
#[macro_export]
macro_rules! only_on_postgres {
    () => {
        if !$crate::support::database::on_postgres() {
            return;
        }
    };
}

/// A database of a test's own.
pub struct Database {
    pub url: DatabaseUrl,
    /// As `--database-url` takes it.
    pub text: String,
    _folder: Option<TempDir>,
}

impl Database {
    /// One that nobody has migrated yet.
    pub fn empty() -> Self {
        if on_postgres() {
            return Self::on_server(Cluster::shared().create_database(&new_name()));
        }
        let folder = tempfile::tempdir().unwrap();
        let text = format!("sqlite:{}/tessera.db", folder.path().display());
        Self { url: text.parse().unwrap(), text, _folder: Some(folder) }
    }

    /// One with this version's schema.
    pub fn new() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        if on_postgres() {
            let template = TEMPLATE.get_or_init(|| {
                let name = new_name();
                Self::on_server(Cluster::shared().create_database(&name)).migrate();
                name
            });
            return Self::on_server(Cluster::shared().create_database_from(template, &new_name()));
        }
        let database = Self::empty();
        database.migrate();
        database
    }

    fn on_server(text: String) -> Self {
        Self { url: text.parse().unwrap(), text, _folder: None }
    }

    fn migrate(&self) {
        self.url.create().unwrap();
        migrations::migrate(&self.url, &mut self.url.connect().unwrap()).unwrap();
    }

    /// As if the file had been moved away, or the server had ended.
    pub fn take_away(&self) {
        match &self.url {
            DatabaseUrl::Sqlite(file) => std::fs::rename(file.path(), file.path().with_extension("away")).unwrap(),
            DatabaseUrl::Postgres(_) => {
                let name = self.name();
                Cluster::shared().sql("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
                Cluster::shared().sql("postgres", &format!("{end} = '{name}'"));
            }
        }
    }

    pub fn bring_back(&self) {
        match &self.url {
            DatabaseUrl::Sqlite(file) => std::fs::rename(file.path().with_extension("away"), file.path()).unwrap(),
            DatabaseUrl::Postgres(_) => {
                let allow = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name());
                Cluster::shared().sql("postgres", &allow);
            }
        }
    }

    /// Its name on the server.
    fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap()
    }

    /// A connection of another process, as it were.
    pub fn connect(&self) -> Connection {
        connect(&self.url)
    }
}

/// A connection that waits for its turn to write.
pub fn connect(url: &DatabaseUrl) -> Connection {
    let mut connection = url.connect().unwrap();
    if let Connection::Sqlite(connection) = &mut connection {
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    }
    connection
}

fn new_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The number that a query of one row and one column finds.
pub fn number(connection: &mut Connection, query: &str) -> i64 {
    let number = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("CAST(({query}) AS BIGINT)"));
    diesel::select(number).get_result::<i64>(connection).unwrap()
}
