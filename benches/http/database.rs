//! An empty database for a run, which is removed afterwards.

use std::io;
use std::panic::catch_unwind;
use std::path::Path;
use std::thread;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

use crate::machine;
use cluster::Cluster;

#[path = "../../tests/it/support/cluster/mod.rs"]
mod cluster;

/// How often it is looked whether the index is ready, and how many entries of the log it may not know then.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const NEAR: i64 = 10_000;
/// The name of the database on a server.
const NAME: &str = "bench";

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// An empty database.
pub struct Database {
    pub name: &'static str,
    /// Name and version for the report.
    pub version: String,
    /// For `TESSERA_DATABASE_URL`.
    pub url: String,
    storage: Storage,
}

/// Where the database is. Dropping it removes the database.
enum Storage {
    Folder(TempDir),
    Cluster(Box<Cluster>),
}

impl Kind {
    /// Creates an empty database. The SQLite file is below the target folder: elsewhere a temporary folder may be in
    /// memory, where a commit costs nothing. The PostgreSQL cluster cannot be there, because its user may have no
    /// access.
    ///
    /// # Errors
    /// There is no room; or unsupported, when PostgreSQL cannot be started.
    pub fn create(self) -> io::Result<Database> {
        match self {
            Self::Sqlite => {
                let folder = tempfile::Builder::new().prefix("sqlite-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
                Ok(Database {
                    name: "SQLite",
                    version: format!("SQLite {}", libsqlite3_sys::SQLITE_VERSION.to_string_lossy()),
                    url: format!("sqlite:{}", folder.path().join("tessera.db").display()),
                    storage: Storage::Folder(folder),
                })
            }
            Self::Postgres => {
                // The cluster is a test helper, which panics with the reason. The settings are those of
                // docs/INSTANCES.md.
                let settings = ["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min"];
                let cluster = catch_unwind(|| Cluster::start(&settings)).map_err(|_| {
                    io::Error::new(io::ErrorKind::Unsupported, "PostgreSQL is not measured, as it cannot be started.")
                })?;
                let version = cluster.sql("postgres", "SHOW server_version");
                let version = version.split(' ').next().unwrap_or_default();
                Ok(Database {
                    name: "PostgreSQL",
                    version: format!("PostgreSQL {version}"),
                    url: cluster.create_database(NAME),
                    storage: Storage::Cluster(Box::new(cluster)),
                })
            }
        }
    }
}

impl Database {
    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        match &self.storage {
            Storage::Folder(folder) => folder.path(),
            Storage::Cluster(cluster) => cluster.folder(),
        }
    }

    /// Runs a statement on the cluster.
    ///
    /// # Errors
    /// There is no cluster: the database is a file.
    pub fn sql(&self, statement: &str) -> io::Result<String> {
        match &self.storage {
            Storage::Cluster(cluster) => Ok(cluster.sql(NAME, statement)),
            Storage::Folder(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The processes of the cluster; none, if there is none.
    pub fn processes(&self) -> Vec<u32> {
        match &self.storage {
            Storage::Cluster(cluster) => machine::family(cluster.pid()),
            Storage::Folder(_) => Vec::new(),
        }
    }

    /// Waits until the server knows what there is to search: it would otherwise be at it during the next measurement.
    pub fn wait_for_index(&self) -> io::Result<()> {
        let behind = format!(
            "SELECT (SELECT count(*) FROM index_queue) + CASE WHEN (SELECT COALESCE(max(id), 0) FROM usage) \
             > (SELECT entry FROM index_progress) + {NEAR} THEN 1 ELSE 0 END"
        );
        while self.number(&behind)? > 0 {
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Uses that were asked for.
    pub fn uses(&self) -> io::Result<i64> {
        self.number("SELECT COALESCE(max(id), 0) FROM usage")
    }

    /// Bytes of the tables and indexes.
    pub fn size(&self) -> io::Result<i64> {
        match &self.storage {
            Storage::Folder(_) => self.number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
            Storage::Cluster(_) => self.number("SELECT pg_database_size(current_database())"),
        }
    }

    /// The number that a statement answers.
    fn number(&self, statement: &str) -> io::Result<i64> {
        match &self.storage {
            Storage::Cluster(cluster) => cluster.sql(NAME, statement).trim().parse().map_err(io::Error::other),
            Storage::Folder(_) => {
                let path = self.url.strip_prefix("sqlite:").unwrap_or_default();
                let mut connection = SqliteConnection::establish(path).map_err(io::Error::other)?;
                diesel::select(sql::<BigInt>(&format!("({statement})")))
                    .get_result(&mut connection)
                    .map_err(io::Error::other)
            }
        }
    }

    /// Whether others can lock a single row.
    pub fn locks_rows(&self) -> bool {
        matches!(self.storage, Storage::Cluster(_))
    }

    /// Locks the row of a token, as somebody would in `psql`.
    pub fn lock_row(&self, uid: &str, seconds: u64) {
        if let Storage::Cluster(cluster) = &self.storage {
            let locked = format!(
                "BEGIN; SELECT 1 FROM tokens WHERE uid = '{uid}' FOR UPDATE; SELECT pg_sleep({seconds}); COMMIT"
            );
            cluster.sql(NAME, &locked);
        }
    }

    /// Does now what PostgreSQL would otherwise do some minutes after a million new rows, in the middle of a
    /// measurement.
    pub fn settle(&self) {
        if let Storage::Cluster(cluster) = &self.storage {
            cluster.sql(NAME, "VACUUM ANALYZE");
            cluster.sql(NAME, "CHECKPOINT");
        }
    }
}
