//! PostgreSQL: a server, or several of which one takes writes. TLS, passwords, failover: what the URL says is libpq's.

use std::fmt;
use std::str::FromStr;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// For libpq; may hold a password.
    url: String,
    /// For people.
    name: String,
}

/// What a connection gets that does not say otherwise. A server that has gone, or a network that drops what it is
/// sent, is noticed within seconds: without these, a request waits for minutes. Seconds; `tcp_user_timeout` in
/// milliseconds (PostgreSQL's documentation, "Parameter Key Words").
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
        let Some((_, place)) = text.split_once("://") else {
            return Err("write postgres://USER@HOST/DATABASE".into());
        };
        // Else a part of the password would be taken for a host's or a database's name, and shown.
        let (authority, rest) = place.split_at(place.find(['/', '?']).unwrap_or(place.len()));
        if rest.contains('@') || authority.matches('@').count() > 1 || text.contains('\0') {
            return Err("in a user's name or password write %40 for @, %2F for / and %3F for ?".into());
        }
        let (place, options) = place.split_once('?').unwrap_or((place, ""));
        let mut options: Vec<String> =
            options.split('&').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        for (name, value) in DEFAULTS {
            if !options.iter().any(|option| option.split('=').next() == Some(name)) {
                options.push(format!("{name}={value}"));
            }
        }
        let url = format!("postgres://{place}?{}", options.join("&"));
        let name = place.rsplit_once('@').map_or(place, |(_, name)| name);
        Ok(Self { url, name: name.to_owned() })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// Tells no password, wherever it is printed.
impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Server({})", self.name)
    }
}

/// What every session is told. A commit that does not wait for the disk would break the promise, whatever the server's
/// default; one that waits for more (a standby) is left as it is. Reading what was committed a moment ago is right
/// here, as what a transaction goes by is locked first.
const SESSION: &str = "SET lock_timeout = '5s'; \
     SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";
/// Good to have, and no reason to stop where a server or a role does not allow it: errors in the words that
/// `store/error.rs` knows; no compiling of queries that take a millisecond.
const WHERE_POSSIBLE: [&str; 3] = ["SET lc_messages = 'C'", "SET jit = off", "SET client_min_messages = warning"];
/// For a server's connections: a search that takes too long is ended; and what an instance holds that stands still in
/// the middle of a transaction is free after a moment.
const SERVING: [&str; 2] = ["SET statement_timeout = '30s'", "SET idle_in_transaction_session_timeout = '10s'"];
/// A plan that is kept was made for the table as it was: on a new database for a handful of tokens, and after a hundred
/// thousand more it takes a hundred times as long, until the next ANALYZE. Reads are planned each time. The writer's
/// few statements go by keys, for which one kind of plan is right whatever the size.
const PLAN_EACH_TIME: [&str; 1] = ["SET plan_cache_mode = force_custom_plan"];
const PLAN_BY_KEYS: [&str; 3] = ["SET enable_seqscan = off", "SET enable_hashjoin = off", "SET enable_mergejoin = off"];

impl Server {
    /// A connection for a command.
    ///
    /// # Errors
    /// The reason, in one line.
    pub(crate) fn connect(&self) -> Result<PgConnection, String> {
        let mut connection = PgConnection::establish(&self.url).map_err(|error| one_line(&error.to_string()))?;
        connection.batch_execute(SESSION).map_err(|error| one_line(&error.to_string()))?;
        for option in WHERE_POSSIBLE {
            let _ = connection.batch_execute(option);
        }
        Ok(connection)
    }

    /// A connection for a server's reads and its writes but consuming.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub(crate) fn connect_to_serve(&self) -> Result<PgConnection, String> {
        self.connect_with(&PLAN_EACH_TIME)
    }

    /// A connection for a server's consuming.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub(crate) fn connect_to_consume(&self) -> Result<PgConnection, String> {
        self.connect_with(&PLAN_BY_KEYS)
    }

    fn connect_with(&self, options: &[&str]) -> Result<PgConnection, String> {
        let mut connection = self.connect()?;
        for option in SERVING.iter().chain(options) {
            let _ = connection.batch_execute(option);
        }
        Ok(connection)
    }
}

/// What libpq says of several hosts, and a server of an error, has several lines; that it then asks whether the server is
/// running tells nothing more.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("connection to server ").trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("Is the server running"));
    lines.collect::<Vec<_>>().join("; ")
}

/// A setting of the server.
///
/// # Errors
/// The database's.
pub(crate) fn setting(connection: &mut PgConnection, name: &str) -> QueryResult<String> {
    let setting = diesel::dsl::sql::<Text>("current_setting(").bind::<Text, _>(name).sql(")");
    diesel::select(setting).get_result(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_completed_and_shows_no_password() {
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
