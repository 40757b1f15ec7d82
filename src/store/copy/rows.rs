//! The rows of each table, all their columns, and how they are walked.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::schema::{
    action_tokens, actions, audit, batches, keys, next_labels, print_jobs, print_run_parts, print_run_tokens,
    print_runs, printers, replies, sessions, settings, sheets, tokens, usage, users,
};

/// A table's rows, in the order of their keys.
pub(super) trait Rows: Clone + PartialEq {
    const TABLE: &'static str;
    /// Whether PostgreSQL counts its numbers.
    const NUMBERED: bool;

    /// The rows behind `after`, some at a time.
    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>>;

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()>;
}

/// Rows that are in memory at once; of a PDF's pieces, which are of 256 KiB.
const PAGE: i64 = 5_000;
const PIECES: i64 = 32;

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
        pub(super) struct $row {
            $($column: $kind),*
        }
    };
}

macro_rules! numbered {
    ($table:ident, $row:ident { $($column:ident: $kind:ty),* $(,)? }) => {
        numbered!($table, $row, PAGE, { $($column: $kind),* });
    };
    ($table:ident, $row:ident, $page:ident, { $($column:ident: $kind:ty),* $(,)? }) => {
        row!($table, $row { id: i64, $($column: $kind),* });

        impl Rows for $row {
            const TABLE: &'static str = stringify!($table);
            const NUMBERED: bool = true;

            fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
                let behind = $table::table.filter($table::id.gt(after.map_or(i64::MIN, |row| row.id)));
                behind.order($table::id).limit($page).select(Self::as_select()).load(connection)
            }

            fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
                insert!($table, connection, rows)
            }
        }
    };
}

macro_rules! named {
    ($table:ident, $row:ident, $name:ident) => {
        impl Rows for $row {
            const TABLE: &'static str = stringify!($table);
            const NUMBERED: bool = false;

            fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
                let after = after.map_or(String::new(), |row| row.$name.clone());
                let behind = $table::table.filter($table::$name.gt(after));
                behind.order($table::$name).limit(PAGE).select(Self::as_select()).load(connection)
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
numbered!(
    print_jobs,
    JobRow {
        uid: String,
        principal: String,
        timestamp: i64,
        sheet: String,
        options: String,
        selection: String,
        total: i32,
        printed: i32,
        parts: i32,
        cursor: String,
        seen: i64,
        ended: Number,
        failure: Text,
    }
);
numbered!(
    print_runs,
    RunRow {
        uid: String,
        job: Number,
        part: i32,
        principal: String,
        timestamp: i64,
        sheet: String,
        options: String,
        start: i32,
        count: i32,
        pages: i32,
        size: i64,
        digest: String,
        done: Number,
    }
);
row!(print_run_tokens, RunTokenRow { run: i64, position: i32, token: i64 });
numbered!(print_run_parts, PieceRow, PIECES, { run: i64, part: i32, bytes: Vec<u8> });
row!(
    sheets,
    SheetRow {
        slug: String,
        name: String,
        page_width: i32,
        page_height: i32,
        across: i32,
        down: i32,
        width: i32,
        height: i32,
        from_left: i32,
        from_top: i32,
        pitch_x: i32,
        pitch_y: i32,
        margin: i32,
        changed: i64,
        changed_by: String,
    }
);
row!(printers, PrinterRow { name: String, offset_x: i32, offset_y: i32, dpi: i32, changed: i64, changed_by: String });
row!(next_labels, NextLabelRow { principal: String, sheet: String, label: i32 });
named!(settings, SettingRow, name);
named!(sheets, SheetRow, slug);
named!(printers, PrinterRow, name);

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

impl Rows for RunTokenRow {
    const TABLE: &'static str = "print_run_tokens";
    const NUMBERED: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (run, position) = after.map_or((i64::MIN, i32::MIN), |row| (row.run, row.position));
        let alike = print_run_tokens::run.eq(run).and(print_run_tokens::position.gt(position));
        let behind = print_run_tokens::table.filter(print_run_tokens::run.gt(run).or(alike));
        let ordered = behind.order((print_run_tokens::run, print_run_tokens::position)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(print_run_tokens, connection, rows)
    }
}

impl Rows for NextLabelRow {
    const TABLE: &'static str = "next_labels";
    const NUMBERED: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (principal, sheet) =
            after.map_or((String::new(), String::new()), |row| (row.principal.clone(), row.sheet.clone()));
        let alike = next_labels::principal.eq(principal.clone()).and(next_labels::sheet.gt(sheet));
        let behind = next_labels::table.filter(next_labels::principal.gt(principal).or(alike));
        let ordered = behind.order((next_labels::principal, next_labels::sheet)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(next_labels, connection, rows)
    }
}
