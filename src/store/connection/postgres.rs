//! PostgreSQL: one server, or several of which one takes writes. TLS, passwords and failover are libpq's, as the URL
//! says.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// For libpq; may contain a password.
    url: String,
    /// For people.
    name: String,
}

/// Options added to a URL that does not set them. They detect a dead server, or a network that drops packets, within
/// seconds; without them a request would wait for minutes. In seconds, except `tcp_user_timeout` in milliseconds
/// (PostgreSQL's documentation, "Parameter Key Words").
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "5000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "2"),
    ("fallback_application_name", "tessera"),
];

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((_, location)) = text.split_once("://") else {
            return Err("write postgres://USER@HOST/DATABASE".into());
        };
        // Otherwise part of the password would be taken for the name of a host or a database, and shown.
        let (authority, path) = location.split_at(location.find(['/', '?']).unwrap_or(location.len()));
        if path.contains('@') || authority.matches('@').count() > 1 || text.contains('\0') {
            return Err("in a user's name or password write %40 for @, %2F for / and %3F for ?".into());
        }
        let (location, options) = location.split_once('?').unwrap_or((location, ""));
        let mut options: Vec<String> =
            options.split('&').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        for (name, value) in DEFAULTS {
            if !options.iter().any(|option| option.split('=').next() == Some(name)) {
                options.push(format!("{name}={value}"));
            }
        }
        let url = format!("postgres://{location}?{}", options.join("&"));
        let name = location.rsplit_once('@').map_or(location, |(_, name)| name);
        Ok(Self { url, name: name.to_owned() })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// Never prints the password.
impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Server({})", self.name)
    }
}

/// Sent on every connection. A commit that does not wait for the disk would break the promise of exactly-once, so it is
/// switched on whatever the server's default is; a stricter setting (waiting for a standby) is left alone. `READ
/// COMMITTED` is correct here because a transaction first locks the rows that it depends on.
const SESSION_OPTIONS: &str = "SET lock_timeout = '5s'; \
     SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";
/// How long whoever wants a database waits for those in the way who are about to end, or have just ended: the server takes a
/// moment to notice that, and longer where it is short of processors.
pub(in crate::store) const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);
pub(in crate::store) const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Why a database cannot be used together with others now.
pub(in crate::store) const BEING_REPLACED: &str =
    "it is being restored, or something is imported or copied into it; wait until that has ended";
/// The advisory lock of a database that is in use (`store/in_use.rs`): another one for each schema.
const IN_USE: &str = "1414746963, COALESCE(hashtext(current_schema()), 0)";
/// Optional: no reason to stop where a server or a role does not allow it. Error messages in the language that
/// `store/error.rs` understands; no JIT for queries that take a millisecond. And a statement whose client
/// was killed ends, where it would go on and keep its locks (PostgreSQL 14): a restore would have to wait for it.
const OPTIONAL: [&str; 4] = [
    "SET lc_messages = 'C'",
    "SET jit = off",
    "SET client_min_messages = warning",
    "SET client_connection_check_interval = '500ms'",
];
/// For a server's connections: ends a query that takes too long, releases the locks of an instance that hangs in the middle of
/// a transaction, and keeps a query from taking the processors that doors need.
const SERVER_OPTIONS: [&str; 3] = [
    "SET statement_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET max_parallel_workers_per_gather = 0",
];
/// A cached plan fits the table as it was when the plan was made. One made for a new database with a handful of tokens
/// takes a hundred times as long after a hundred thousand more, until the next ANALYZE. Reads are therefore planned
/// each time. The writer's few statements look rows up by key, for which the same kind of plan is right at any size.
const PLAN_EACH_TIME: &str = "SET plan_cache_mode = force_custom_plan";
/// Planning a look-up takes as long as the look-up. Each is written so that there is one plan for tables of any size.
const PLAN_ONCE: &str = "SET plan_cache_mode = force_generic_plan";
const PLAN_BY_KEYS: [&str; 3] = ["SET enable_seqscan = off", "SET enable_hashjoin = off", "SET enable_mergejoin = off"];

/// As long as a whole search may take (`store/search.rs`).
const SEARCH_TIMEOUT: &str = "SET statement_timeout = '5s'";

impl Server {
    /// A connection for a command.
    ///
    /// # Errors
    /// Somebody uses the database alone.
    pub(crate) fn connect(&self) -> Result<PgConnection, String> {
        let tries = LEAVE_TIMEOUT.as_millis() / RETRY_PAUSE.as_millis();
        let pause = RETRY_PAUSE.as_secs_f64();
        // In the same round trip.
        self.connect_after(&format!(
            "{SESSION_OPTIONS} DO $$ BEGIN FOR tried IN 1..{tries} LOOP \
             IF pg_try_advisory_lock_shared({IN_USE}) THEN RETURN; END IF; PERFORM pg_sleep({pause}); END LOOP; \
             RAISE EXCEPTION '{BEING_REPLACED}'; END $$;"
        ))
    }

    /// A connection that does not say that the database is in use.
    pub(crate) fn connect_beside_lock(&self) -> Result<PgConnection, String> {
        self.connect_after(SESSION_OPTIONS)
    }

    /// A connection that uses the database alone for as long as it is open; none, if others use it.
    pub(crate) fn connect_alone(&self) -> Result<Option<PgConnection>, String> {
        let mut connection = self.connect_beside_lock()?;
        let lock = diesel::dsl::sql::<Bool>(&format!("pg_try_advisory_lock({IN_USE})"));
        let is_alone = diesel::select(lock).get_result(&mut connection);
        is_alone.map(|is_alone: bool| is_alone.then_some(connection)).map_err(|error| one_line(&error.to_string()))
    }

    fn connect_after(&self, options: &str) -> Result<PgConnection, String> {
        let mut connection = PgConnection::establish(&self.url).map_err(|error| one_line(&error.to_string()))?;
        connection.batch_execute(options).map_err(|error| one_line(&error.to_string()))?;
        for option in OPTIONAL {
            let _ = connection.batch_execute(option);
        }
        Ok(connection)
    }

    /// A connection for a server's reads, and for its writes other than consumes.
    pub(crate) fn connect_to_serve(&self) -> Result<PgConnection, String> {
        self.connect_with(&[PLAN_EACH_TIME])
    }

    /// A connection for a server's searches.
    pub(crate) fn connect_to_search(&self) -> Result<PgConnection, String> {
        self.connect_with(&[PLAN_EACH_TIME, SEARCH_TIMEOUT])
    }

    /// A connection for a server's look-ups of rows by their keys.
    pub(crate) fn connect_to_look_up(&self) -> Result<PgConnection, String> {
        self.connect_with(&[PLAN_ONCE, PLAN_BY_KEYS[0], PLAN_BY_KEYS[1], PLAN_BY_KEYS[2]])
    }

    /// A connection for a server's consumes.
    pub(crate) fn connect_to_consume(&self) -> Result<PgConnection, String> {
        self.connect_with(&PLAN_BY_KEYS)
    }

    fn connect_with(&self, options: &[&str]) -> Result<PgConnection, String> {
        let mut connection = self.connect()?;
        for option in SERVER_OPTIONS.iter().chain(options) {
            let _ = connection.batch_execute(option);
        }
        Ok(connection)
    }
}

/// How the server plans the statements of a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plans {
    /// As the connection does otherwise.
    Usual,
    /// Once for all transactions: planning what locks one token takes longer than locking it. Each statement has to be
    /// written so that the plan that is made for an empty table is right for a large one.
    Kept,
}

/// Begins a transaction, in one round trip.
pub(crate) fn begin(connection: &mut PgConnection, plans: Plans) -> QueryResult<()> {
    let begin = match plans {
        Plans::Usual => "BEGIN",
        Plans::Kept => "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan",
    };
    AnsiTransactionManager::begin_transaction_sql(connection, begin)
}

/// Joins an error message into one line: libpq reports several hosts on several lines. Drops its question whether the
/// server is running, which adds nothing.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("connection to server ").trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("Is the server running"));
    lines.collect::<Vec<_>>().join("; ")
}

/// Reads a setting of the server.
pub(crate) fn setting(connection: &mut PgConnection, name: &str) -> QueryResult<String> {
    let setting = diesel::dsl::sql::<Text>("current_setting(").bind::<Text, _>(name).sql(")");
    diesel::select(setting).get_result(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gets_defaults_and_hides_its_password() {
        let server: Server =
            "postgres://anna:s3cr%40t@a:5432,b/tickets?sslmode=require&connect_timeout=2".parse().unwrap();
        assert_eq!(server.to_string(), "a:5432,b/tickets");
        assert!(!format!("{server:?}").contains("s3cr"));
        assert!(server.url.starts_with("postgres://anna:s3cr%40t@a:5432,b/tickets?sslmode=require&connect_timeout=2&"));
        assert_eq!(server.url.matches("connect_timeout").count(), 1);
        assert!(server.url.contains("&tcp_user_timeout=5000"));
        let plain: Server = "postgresql:///tessera".parse().unwrap();
        assert!(plain.url.starts_with("postgres:///tessera?connect_timeout=5&"));
        for wrong in
            ["postgres:tessera", "postgres://u:a@b@host/x", "postgres://u:a/b@host/x", "postgres://u:a?b@host/x"]
        {
            assert!(wrong.parse::<Server>().is_err(), "{wrong}");
        }
    }
}
