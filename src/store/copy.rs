//! Copying a whole database into an empty one, from either kind to either kind, and comparing every row afterwards.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::Error;
use super::connection::Connection;
use super::schema::{action_tokens, actions, audit, batches, keys, replies, sessions, settings, tokens, usage, users};

/// Rows that are in memory at once.
const PAGE: i64 = 5_000;

/// How many rows of a table were copied and found equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: usize,
}

/// A table's rows, in the order of their keys.
trait Rows: Clone + PartialEq {
    const TABLE: &'static str;
    /// Whether PostgreSQL counts its numbers.
    const NUMBERED: bool;

    /// The rows behind `after`, some at a time.
    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>>;

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()>;
}

macro_rules! insert {
    ($table:ident, $connection:expr, $rows:expr) => {
        match $connection {
            Connection::Sqlite(connection) => {
                for row in $rows {
                    diesel::insert_into($table::table).values(row).execute(connection)?;
                }
                Ok(())
            }
            Connection::Postgres(connection) => {
                diesel::copy_from($table::table).from_insertable($rows).execute(connection).map(drop)
            }
        }
    };
}

macro_rules! row {
    ($table:ident, $row:ident { $($column:ident: $kind:ty),* $(,)? }) => {
        #[derive(Clone, Queryable, Selectable, Insertable, PartialEq)]
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        struct $row {
            $($column: $kind),*
        }
    };
}

macro_rules! numbered {
    ($table:ident, $row:ident { $($column:ident: $kind:ty),* $(,)? }) => {
        row!($table, $row { id: i64, $($column: $kind),* });

        impl Rows for $row {
            const TABLE: &'static str = stringify!($table);
            const NUMBERED: bool = true;

            fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
                let behind = $table::table.filter($table::id.gt(after.map_or(i64::MIN, |row| row.id)));
                behind.order($table::id).limit(PAGE).select(Self::as_select()).load(connection)
            }

            fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
                insert!($table, connection, rows)
            }
        }
    };
}

type Text = Option<String>;
type Number = Option<i64>;

numbered!(
    tokens,
    TokenRow {
        uid: String,
        value: String,
        label: Text,
        valid_from: Number,
        valid_to: Number,
        usage_count: i32,
        lock_time: i32,
        last_used: Number,
        lock_start: Number,
        creator: String,
        created: i64,
        modified: i64,
        search: String,
        deleted_at: Number,
        deleted_by: Text,
        batch: Number,
        used: i64,
        voided_at: Number,
        voided_by: Text,
        void_reason: Text,
    }
);
numbered!(
    batches,
    BatchRow { uid: String, name: String, count: i32, creator: String, created: i64, made: Number, failure: Text }
);
numbered!(
    actions,
    ActionRow {
        uid: String,
        what: String,
        principal: String,
        timestamp: i64,
        count: i32,
        refused: i32,
        undone: Number,
        undone_by: Text,
    }
);
row!(
    action_tokens,
    ActionTokenRow {
        action: i64,
        token: i64,
        stamp: i64,
        modified: i64,
        label: Text,
        valid_from: Number,
        valid_to: Number,
        usage_count: i32,
        lock_time: i32,
        used: i64,
        kept: Text,
        voided_at: Number,
        voided_by: Text,
        void_reason: Text,
    }
);
numbered!(usage, UsageRow {
    uid: String, token: Number, token_uid: Text, token_value: Text, timestamp: i64, principal: String,
    error_code: Option<i16>,
});
numbered!(
    users,
    UserRow {
        name: String,
        password_hash: String,
        role: String,
        created: i64,
        modified: i64,
        disabled_at: Number,
        last_sign_in: Number,
    }
);
numbered!(sessions, SessionRow {
    hash: Vec<u8>, user_id: i64, created: i64, last_seen: i64, address: String, agent: String,
});
numbered!(keys, KeyRow {
    name: String, hash: Vec<u8>, role: String, creator: String, created: i64, expires: Number, last_used: Number,
});
numbered!(audit, AuditRow { timestamp: i64, principal: String, action: String, subject: String, detail: String });
row!(
    replies,
    ReplyRow {
        principal: String,
        key: String,
        created: i64,
        token_uid: String,
        value: String,
        label: Text,
        usage_count: i32,
        last_used: Number,
        valid_from: Number,
        valid_to: Number,
    }
);
row!(settings, SettingRow { name: String, value: String, changed: i64, changed_by: String });

impl Rows for ReplyRow {
    const TABLE: &'static str = "replies";
    const NUMBERED: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (principal, key) =
            after.map_or((String::new(), String::new()), |row| (row.principal.clone(), row.key.clone()));
        let alike = replies::principal.eq(principal.clone()).and(replies::key.gt(key));
        let behind = replies::table.filter(replies::principal.gt(principal).or(alike));
        let ordered = behind.order((replies::principal, replies::key)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(replies, connection, rows)
    }
}

impl Rows for ActionTokenRow {
    const TABLE: &'static str = "action_tokens";
    const NUMBERED: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (action, token) = after.map_or((i64::MIN, i64::MIN), |row| (row.action, row.token));
        let alike = action_tokens::action.eq(action).and(action_tokens::token.gt(token));
        let behind = action_tokens::table.filter(action_tokens::action.gt(action).or(alike));
        let ordered = behind.order((action_tokens::action, action_tokens::token)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(action_tokens, connection, rows)
    }
}

impl Rows for SettingRow {
    const TABLE: &'static str = "settings";
    const NUMBERED: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let behind = settings::table.filter(settings::name.gt(after.map_or(String::new(), |row| row.name.clone())));
        behind.order(settings::name).limit(PAGE).select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(settings, connection, rows)
    }
}

/// Copies everything but failed sign-ins, which count for a minute, and compares row by row what then stands there.
/// `from` must not change meanwhile, and `to` is within a transaction, which keeps nothing if this fails.
///
/// # Errors
/// Refused, when there is something in `to` already; failed, when a row is not what it was.
pub fn copy(from: &mut Connection, to: &mut Connection) -> Result<Vec<Copied>, Error> {
    let copied = vec![
        table::<TokenRow>(from, to)?,
        table::<UsageRow>(from, to)?,
        table::<BatchRow>(from, to)?,
        table::<ActionRow>(from, to)?,
        table::<ActionTokenRow>(from, to)?,
        table::<ReplyRow>(from, to)?,
        // Before their sessions.
        table::<UserRow>(from, to)?,
        table::<SessionRow>(from, to)?,
        table::<KeyRow>(from, to)?,
        table::<SettingRow>(from, to)?,
        table::<AuditRow>(from, to)?,
    ];
    if let Connection::Postgres(to) = to {
        // Until it knows what is in the tables, PostgreSQL plans for empty ones.
        to.batch_execute("ANALYZE")?;
    }
    Ok(copied)
}

fn table<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<Copied, Error> {
    let table = R::TABLE;
    if !R::page(to, None)?.is_empty() {
        return Err(Error::Refused(format!(
            "There is something in its table {table} already; name an empty database."
        )));
    }
    let (mut last, mut rows) = (None, 0);
    loop {
        let page = R::page(from, last.as_ref())?;
        if page.is_empty() {
            break;
        }
        rows += page.len();
        last = page.last().cloned();
        R::insert(to, page)?;
    }
    compare::<R>(from, to)?;
    if R::NUMBERED {
        count_on(to, table)?;
    }
    Ok(Copied { table, rows })
}

/// Holds that every row is the same in both.
fn compare<R: Rows>(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
    let mut last = None;
    loop {
        let (was, is) = (R::page(from, last.as_ref())?, R::page(to, last.as_ref())?);
        if was != is {
            return Err(Error::Failed(format!("a row of {} is not what it was", R::TABLE)));
        }
        match was.last() {
            Some(row) => last = Some(row.clone()),
            None => return Ok(()),
        }
    }
}

/// PostgreSQL's next number follows the last one that was copied; SQLite's does by itself.
fn count_on(to: &mut Connection, table: &str) -> QueryResult<()> {
    let Connection::Postgres(to) = to else { return Ok(()) };
    let next = format!(
        "setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
    );
    diesel::select(diesel::dsl::sql::<BigInt>(&next)).get_result::<i64>(to).map(drop)
}

/// Keeps everybody else from changing a database until the transaction ends that this is in.
///
/// # Errors
/// Refused, when a server is using it.
pub fn hold_still(from: &mut Connection) -> Result<(), Error> {
    // SQLite's file is locked as it is opened.
    let Connection::Postgres(from) = from else { return Ok(()) };
    let others = "EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                  AND pid <> pg_backend_pid() AND usename IS NOT NULL)";
    if diesel::select(diesel::dsl::sql::<Bool>(others)).get_result(from)? {
        return Err(Error::Refused("It is in use; stop every server on it first.".into()));
    }
    // Whoever comes now can read, and waits with a change until the copy is there.
    let tables = "tokens, usage, batches, actions, action_tokens, replies, users, sessions, keys, settings, audit, \
                  attempts, turns";
    Ok(from.batch_execute(&format!("LOCK TABLE {tables} IN EXCLUSIVE MODE"))?)
}
