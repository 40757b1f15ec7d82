//! A table as it is written, and how it is read: by its keys, some rows at a time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::Value;

use crate::store::connection::Connection;
use crate::store::error::Error;

/// Rows that are read at a time.
const ROWS: i64 = 1_000;

/// A table as it is written.
pub struct Table {
    /// The name of its files.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// The columns.
    pub columns: &'static [Column],
    /// The tables in SQL, joined.
    pub(super) from: &'static str,
    /// Which rows, in SQL.
    pub(super) condition: &'static str,
    /// By what they are read.
    pub(super) key: Key,
}

/// A column as it is written.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// What kind of thing that is.
    pub kind: Kind,
    /// The same in SQL.
    pub(super) sql: &'static str,
}

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A moment.
    Moment,
}

/// A text's column.
pub(super) const fn text(name: &'static str, sql: &'static str, about: &'static str) -> Column {
    Column { name, about, kind: Kind::Text, sql }
}

/// A number's column.
pub(super) const fn number(name: &'static str, sql: &'static str, about: &'static str) -> Column {
    Column { name, about, kind: Kind::Number, sql }
}

/// A moment's column.
pub(super) const fn moment(name: &'static str, sql: &'static str, about: &'static str) -> Column {
    Column { name, about, kind: Kind::Moment, sql }
}

/// By what a table's rows are read, in SQL.
pub(super) enum Key {
    /// By a number.
    Number(&'static str),
    /// By two numbers.
    Numbers(&'static str, &'static str),
    /// All at once, in this order: there are few.
    Few(&'static str),
}

/// The numbers of a row's key.
pub(crate) type Place = (i64, i64);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    second: i64,
    /// As a JSON list.
    #[diesel(sql_type = Text)]
    cells: String,
}

/// Some rows.
pub(crate) struct Rows {
    /// Each as a list of its cells.
    pub(crate) rows: Vec<Vec<Value>>,
    /// Where to go on, if there may be more.
    pub(crate) rest: Option<Place>,
}

impl Table {
    /// The rows behind a place.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn rows(&self, connection: &mut Connection, after: Option<Place>) -> Result<Rows, Error> {
        let query = self.query(connection, after);
        let rows: Vec<Row> = match connection {
            Connection::Sqlite(connection) => diesel::sql_query(query).load(connection)?,
            Connection::Postgres(connection) => diesel::sql_query(query).load(connection)?,
        };
        let is_full = i64::try_from(rows.len()).unwrap_or(ROWS) >= ROWS;
        let rest =
            rows.last().filter(|_| is_full && !matches!(self.key, Key::Few(_))).map(|row| (row.first, row.second));
        let cells = |row: Row| serde_json::from_str(&row.cells).map_err(|error| Error::Failed(error.to_string()));
        Ok(Rows { rows: rows.into_iter().map(cells).collect::<Result<_, _>>()?, rest })
    }

    /// Numbers stand in the text as they are: they are our own keys.
    fn query(&self, connection: &Connection, after: Option<Place>) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.sql).collect();
        let columns = columns.join(", ");
        let cells = match connection {
            Connection::Sqlite(_) => format!("json_array({columns})"),
            Connection::Postgres(_) => format!("CAST(json_build_array({columns}) AS text)"),
        };
        let (first, second, behind, end) = match (&self.key, after) {
            (Key::Number(id), None) => (*id, "0", String::new(), format!("{id} LIMIT {ROWS}")),
            (Key::Number(id), Some((at, _))) => (*id, "0", format!(" AND {id} > {at}"), format!("{id} LIMIT {ROWS}")),
            (Key::Numbers(one, two), None) => (*one, *two, String::new(), format!("{one}, {two} LIMIT {ROWS}")),
            (Key::Numbers(one, two), Some((at, then))) => {
                let behind = format!(" AND ({one}, {two}) > ({at}, {then})");
                (*one, *two, behind, format!("{one}, {two} LIMIT {ROWS}"))
            }
            (Key::Few(order), _) => ("0", "0", String::new(), (*order).to_owned()),
        };
        let (from, condition) = (self.from, self.condition);
        format!(
            "SELECT CAST({first} AS BIGINT) AS first, CAST({second} AS BIGINT) AS second, {cells} AS cells \
             FROM {from} WHERE {condition}{behind} ORDER BY {end}"
        )
    }

    /// Whether the text of its SQL names something, as in `tokens.uid`.
    pub fn names(&self, what: &str) -> bool {
        let keys = match self.key {
            Key::Number(key) | Key::Few(key) => vec![key],
            Key::Numbers(one, two) => vec![one, two],
        };
        let all = self.columns.iter().map(|column| column.sql).chain(keys).chain([self.from, self.condition]);
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
        all.flat_map(|sql| sql.split(move |letter| !is_part(letter))).any(|word| word == what)
    }
}
