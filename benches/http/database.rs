//! The databases: an empty one for a run, which is gone afterwards.

use std::io;
use std::panic::catch_unwind;
use std::path::Path;

use tempfile::TempDir;

use cluster::Cluster;

#[path = "../../tests/it/support/cluster/mod.rs"]
mod cluster;

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
    /// Name and version, as the report tells them.
    pub version: String,
    /// For `TESSERA_DATABASE_URL`.
    pub url: String,
    place: Place,
}

/// Where it lies, which is removed with it.
enum Place {
    Folder(TempDir),
    Cluster(Box<Cluster>),
}

impl Kind {
    /// Makes one. A file lies below the target folder: what is called a temporary folder elsewhere may be memory, on
    /// which a commit costs nothing. A cluster cannot: its user may not be let in there.
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
                    place: Place::Folder(folder),
                })
            }
            Self::Postgres => {
                // It is made for tests, and panics. The panic says why. The settings are those of docs/INSTANCES.md.
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
                    place: Place::Cluster(Box::new(cluster)),
                })
            }
        }
    }
}

impl Database {
    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Cluster(cluster) => cluster.folder(),
        }
    }

    /// Does at once what PostgreSQL would do by itself some minutes after a million rows, in the middle of a measurement.
    pub fn settle(&self) {
        if let Place::Cluster(cluster) = &self.place {
            cluster.sql(NAME, "VACUUM ANALYZE");
            cluster.sql(NAME, "CHECKPOINT");
        }
    }
}
