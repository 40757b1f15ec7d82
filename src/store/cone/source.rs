//! Reads a database of cone.tokens, and changes nothing in it.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::dsl::sql;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};

use crate::store::connection::{Connection, DatabaseUrl, OpenError};
use crate::store::error::Error;
use crate::token::cone::{Cell, EntryCells, TokenCells};

/// A database of cone.tokens in one snapshot, for as long as this lives.
pub(crate) struct Source {
    connection: Connection,
    has_log: bool,
}

/// The columns, in the order of [`TokenCells`].
const TOKEN_COLUMNS: [(&str, char); 10] = [
    ("uid", 't'),
    ("value", 't'),
    ("last_used", 't'),
    ("valid_from", 't'),
    ("valid_to", 't'),
    ("usage_count", 'i'),
    ("lock_time", 'i'),
    ("creator", 't'),
    ("created", 't'),
    ("modified", 't'),
];
const ENTRY_COLUMNS: [(&str, char); 6] =
    [("uid", 't'), ("token_uid", 't'), ("token_value", 't'), ("timestamp", 't'), ("error_code", 'i'), ("user", 't')];

type TokenTypes = (B, B, B, B, B, B, B, B, B, B);
type EntryTypes = (B, B, B, B, B, B);
type B = Nullable<Binary>;

impl Source {
    /// Opens it.
    ///
    /// # Errors
    /// There is no such database, or it is not one of cone.tokens.
    pub(crate) fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let connection = match url {
            DatabaseUrl::Sqlite(file) => file.connect_to_import().map(Connection::Sqlite),
            DatabaseUrl::Postgres(server) => server.connect().map(Connection::Postgres),
        };
        let connection = connection.map_err(|why| url.open_error("cannot be opened", &why))?;
        let mut source = Self { connection, has_log: false };
        let not_cone = |why: &str| url.open_error("is not a database of cone.tokens", why);
        let read = source.begin().map_err(|error| Error::from(error).to_string());
        read.map_err(|why| url.open_error("cannot be read", &why))?;
        let mut has_columns = |table: &str, columns: &[(&str, char)]| {
            source.columns(table, columns).map_err(|error| url.open_error("cannot be read", &error.to_string()))
        };
        if has_columns("__diesel_schema_migrations", &[("version", 't')])? == Some(true) {
            return Err(not_cone("it is one of Tessera; move it with `tessera copy`"));
        }
        match has_columns("tokens", &TOKEN_COLUMNS)? {
            Some(true) => {}
            Some(false) => return Err(not_cone("its table tokens has other columns")),
            None => return Err(not_cone("it has no table tokens")),
        }
        let log = has_columns("token_usage", &ENTRY_COLUMNS)?;
        if log == Some(false) {
            return Err(not_cone("its table token_usage has other columns"));
        }
        source.has_log = log.is_some();
        Ok(source)
    }

    fn begin(&mut self) -> QueryResult<()> {
        match &mut self.connection {
            // What is read first begins the snapshot.
            Connection::Sqlite(connection) => connection.batch_execute("BEGIN; SELECT count(*) FROM sqlite_master"),
            // The style in which times are written as texts is the session's.
            Connection::Postgres(connection) => connection
                .batch_execute("SET DateStyle = 'ISO, YMD'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1"),
        }
    }

    /// Whether a table has these columns, none if there is no such table.
    fn columns(&mut self, table: &str, columns: &[(&str, char)]) -> QueryResult<Option<bool>> {
        let names = columns.iter().map(|(name, _)| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let count = match &self.connection {
            Connection::Sqlite(_) => format!(
                "(SELECT CASE WHEN count(*) = 0 THEN -1 ELSE sum(name IN ({names})) END FROM pragma_table_info('{table}'))"
            ),
            Connection::Postgres(_) => format!(
                "(SELECT CASE WHEN to_regclass('{table}') IS NULL THEN -1 ELSE (SELECT count(*) FROM pg_attribute \
                 WHERE attrelid = to_regclass('{table}') AND NOT attisdropped AND attname IN ({names})) END)"
            ),
        };
        let count = diesel::select(sql::<BigInt>(&count)).get_result::<i64>(&mut self.connection)?;
        Ok((count >= 0).then(|| usize::try_from(count).is_ok_and(|count| count == columns.len())))
    }

    /// Reads every token, those that were made first at first.
    ///
    /// # Errors
    /// The source's; that of `each`.
    pub(crate) fn tokens(&mut self, mut each: impl FnMut(TokenCells) -> Result<(), Error>) -> Result<(), Error> {
        type Row = (Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell);
        let query = self.query(&TOKEN_COLUMNS, "tokens", "COALESCE(created, modified)");
        let mut next = |row: QueryResult<Row>| {
            let (uid, value, last_used, valid_from, valid_to, usage_count, lock_time, creator, created, modified) =
                row?;
            each(TokenCells {
                uid,
                value,
                last_used,
                valid_from,
                valid_to,
                usage_count,
                lock_time,
                creator,
                created,
                modified,
            })
        };
        let query = sql::<TokenTypes>(&query);
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                query.load_iter::<Row, DefaultLoadingMode>(connection)?.try_for_each(&mut next)
            }
            Connection::Postgres(connection) => {
                query.load_iter::<Row, PgRowByRowLoadingMode>(connection)?.try_for_each(&mut next)
            }
        }
    }

    /// Reads every log entry, the oldest first, and returns whether there is a log.
    ///
    /// # Errors
    /// As those of [`Source::tokens`].
    pub(crate) fn entries(&mut self, mut each: impl FnMut(EntryCells) -> Result<(), Error>) -> Result<bool, Error> {
        type Row = (Cell, Cell, Cell, Cell, Cell, Cell);
        if !self.has_log {
            return Ok(false);
        }
        let query = self.query(&ENTRY_COLUMNS, "token_usage", "\"timestamp\"");
        let mut next = |row: QueryResult<Row>| {
            let (uid, token_uid, token_value, timestamp, error_code, user) = row?;
            each(EntryCells { uid, token_uid, token_value, timestamp, error_code, user })
        };
        let query = sql::<EntryTypes>(&query);
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                query.load_iter::<Row, DefaultLoadingMode>(connection)?.try_for_each(&mut next)?;
            }
            Connection::Postgres(connection) => {
                query.load_iter::<Row, PgRowByRowLoadingMode>(connection)?.try_for_each(&mut next)?;
            }
        }
        Ok(true)
    }

    /// Reads columns as bytes, with the type before them: SQLite may have anything in them, and texts that are not UTF-8.
    fn query(&self, columns: &[(&str, char)], table: &str, time: &str) -> String {
        let column = |(name, kind): &(&str, char)| match self.connection {
            Connection::Sqlite(_) => format!("CAST(substr(typeof(\"{name}\"), 1, 1) || \"{name}\" AS BLOB)"),
            Connection::Postgres(_) => format!("convert_to('{kind}' || \"{name}\"::text, 'UTF8')"),
        };
        let columns = columns.iter().map(column).collect::<Vec<_>>().join(", ");
        format!("SELECT {columns} FROM {table} ORDER BY {time} NULLS FIRST, uid")
    }
}
