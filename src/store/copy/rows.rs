//! The rows of each table with all columns, and how to page through them.

use diesel::prelude::*;

use crate::store::connection::Connection;
use crate::store::schema::{
    action_tokens, actions, audit, batches, gates, keys, next_labels, print_jobs, print_run_parts, print_run_tokens,
    print_runs, printers, replies, sessions, settings, sheets, tokens, usage, users,
};

/// A table's rows, in the order of their keys.
pub(super) trait Rows: Clone + PartialEq {
    const TABLE: &'static str;
    /// Whether the table's ids come from a PostgreSQL sequence.
    const HAS_SEQUENCE: bool;

    /// The next page of rows, after the row `after`.
    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>>;

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()>;
}

/// Rows held in memory at once; fewer for chunks of PDFs, which are 256 KiB each.
const PAGE: i64 = 5_000;
const PDF_CHUNKS: i64 = 32;

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

macro_rules! rows_by_id {
    ($table:ident, $row:ident { $($column:ident: $kind:ty),* $(,)? }) => {
        rows_by_id!($table, $row, PAGE, { $($column: $kind),* });
    };
    ($table:ident, $row:ident, $page:ident, { $($column:ident: $kind:ty),* $(,)? }) => {
        row!($table, $row { id: i64, $($column: $kind),* });

        impl Rows for $row {
            const TABLE: &'static str = stringify!($table);
            const HAS_SEQUENCE: bool = true;

            fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
                let later = $table::table.filter($table::id.gt(after.map_or(i64::MIN, |row| row.id)));
                later.order($table::id).limit($page).select(Self::as_select()).load(connection)
            }

            fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
                insert!($table, connection, rows)
            }
        }
    };
}

macro_rules! rows_by_name {
    ($table:ident, $row:ident, $name:ident) => {
        impl Rows for $row {
            const TABLE: &'static str = stringify!($table);
            const HAS_SEQUENCE: bool = false;

            fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
                let after = after.map_or(String::new(), |row| row.$name.clone());
                let later = $table::table.filter($table::$name.gt(after));
                later.order($table::$name).limit(PAGE).select(Self::as_select()).load(connection)
            }

            fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
                insert!($table, connection, rows)
            }
        }
    };
}

rows_by_id!(
    tokens,
    TokenRow {
        uid: String,
        value: Option<String>,
        label: Option<String>,
        valid_from: Option<i64>,
        valid_to: Option<i64>,
        usage_count: i32,
        lock_time: i32,
        last_used: Option<i64>,
        lock_start: Option<i64>,
        creator: String,
        created: i64,
        modified: i64,
        deleted_at: Option<i64>,
        deleted_by: Option<String>,
        batch: Option<i64>,
        used: i64,
        last_entry: Option<i64>,
        voided_at: Option<i64>,
        voided_by: Option<String>,
        void_reason: Option<String>,
    }
);
rows_by_id!(
    batches,
    BatchRow {
        uid: String,
        name: String,
        count: i32,
        creator: String,
        created: i64,
        touched: i64,
        made: Option<i64>,
        failure: Option<String>
    }
);
rows_by_id!(
    actions,
    ActionRow {
        uid: String,
        what: String,
        principal: String,
        timestamp: i64,
        count: i32,
        refused: i32,
        undone: Option<i64>,
        undone_by: Option<String>,
        pending: Option<String>,
        cursor: i64,
        handled: i32,
        touched: i64,
    }
);
row!(
    action_tokens,
    ActionTokenRow {
        action: i64,
        token: i64,
        number: i32,
        stamp: Option<i64>,
        modified: i64,
        label: Option<String>,
        valid_from: Option<i64>,
        valid_to: Option<i64>,
        usage_count: i32,
        lock_time: i32,
        used: i64,
        kept: Option<String>,
        voided_at: Option<i64>,
        voided_by: Option<String>,
        void_reason: Option<String>,
        target: Option<String>,
    }
);
rows_by_id!(usage, UsageRow {
    uid: String, token: Option<i64>, token_uid: Option<String>, token_value: Option<String>, timestamp: i64,
    principal: String, error_code: Option<i16>, gate: Option<i64>, uses: i32, taken: i32, lock_before: Option<i64>,
    undoes: Option<String>, previous: Option<i64>,
});
rows_by_id!(
    users,
    UserRow {
        name: String,
        password_hash: String,
        role: String,
        created: i64,
        modified: i64,
        disabled_at: Option<i64>,
        last_sign_in: Option<i64>,
    }
);
rows_by_id!(sessions, SessionRow {
    hash: Vec<u8>, user_id: i64, created: i64, last_seen: i64, address: String, agent: String,
});
rows_by_id!(keys, KeyRow {
    uid: String, name: String, hash: Vec<u8>, role: String, creator: String, created: i64, expires: Option<i64>,
    last_used: Option<i64>, gate: Option<i64>, prefix: String, rate: Option<i32>, last_address: Option<String>,
});
rows_by_id!(gates, GateRow {
    uid: String, name: String, rules: String, disabled_at: Option<i64>, created: i64, changed: i64, changed_by: String,
});
rows_by_id!(audit, AuditRow { timestamp: i64, principal: String, action: String, subject: String, detail: String });
row!(
    replies,
    ReplyRow {
        owner: String,
        key: String,
        created: i64,
        token_uid: Option<String>,
        value: Option<String>,
        label: Option<String>,
        usage_count: Option<i32>,
        last_used: Option<i64>,
        valid_from: Option<i64>,
        valid_to: Option<i64>,
        usage_uid: Option<String>,
        gate: Option<i64>,
        uses: Option<i32>,
        request: Option<String>,
        answer: Option<String>,
        work: Option<String>,
    }
);
row!(settings, SettingRow { name: String, value: String, changed: i64, changed_by: String });
rows_by_id!(
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
        ended: Option<i64>,
        failure: Option<String>,
    }
);
rows_by_id!(
    print_runs,
    RunRow {
        uid: String,
        job: Option<i64>,
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
        done: Option<i64>,
    }
);
row!(print_run_tokens, RunTokenRow { run: i64, position: i32, token: i64 });
rows_by_id!(print_run_parts, PdfChunkRow, PDF_CHUNKS, { run: i64, part: i32, bytes: Vec<u8> });
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
rows_by_name!(settings, SettingRow, name);
rows_by_name!(sheets, SheetRow, slug);
rows_by_name!(printers, PrinterRow, name);

impl Rows for ReplyRow {
    const TABLE: &'static str = "replies";
    const HAS_SEQUENCE: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (owner, key) = after.map_or((String::new(), String::new()), |row| (row.owner.clone(), row.key.clone()));
        let ties = replies::owner.eq(owner.clone()).and(replies::key.gt(key));
        let later = replies::table.filter(replies::owner.gt(owner).or(ties));
        let ordered = later.order((replies::owner, replies::key)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(replies, connection, rows)
    }
}

impl Rows for ActionTokenRow {
    const TABLE: &'static str = "action_tokens";
    const HAS_SEQUENCE: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (action, token) = after.map_or((i64::MIN, i64::MIN), |row| (row.action, row.token));
        let ties = action_tokens::action.eq(action).and(action_tokens::token.gt(token));
        let later = action_tokens::table.filter(action_tokens::action.gt(action).or(ties));
        let ordered = later.order((action_tokens::action, action_tokens::token)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(action_tokens, connection, rows)
    }
}

impl Rows for RunTokenRow {
    const TABLE: &'static str = "print_run_tokens";
    const HAS_SEQUENCE: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (run, position) = after.map_or((i64::MIN, i32::MIN), |row| (row.run, row.position));
        let ties = print_run_tokens::run.eq(run).and(print_run_tokens::position.gt(position));
        let later = print_run_tokens::table.filter(print_run_tokens::run.gt(run).or(ties));
        let ordered = later.order((print_run_tokens::run, print_run_tokens::position)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(print_run_tokens, connection, rows)
    }
}

impl Rows for NextLabelRow {
    const TABLE: &'static str = "next_labels";
    const HAS_SEQUENCE: bool = false;

    fn page(connection: &mut Connection, after: Option<&Self>) -> QueryResult<Vec<Self>> {
        let (principal, sheet) =
            after.map_or((String::new(), String::new()), |row| (row.principal.clone(), row.sheet.clone()));
        let ties = next_labels::principal.eq(principal.clone()).and(next_labels::sheet.gt(sheet));
        let later = next_labels::table.filter(next_labels::principal.gt(principal).or(ties));
        let ordered = later.order((next_labels::principal, next_labels::sheet)).limit(PAGE);
        ordered.select(Self::as_select()).load(connection)
    }

    fn insert(connection: &mut Connection, rows: Vec<Self>) -> QueryResult<()> {
        insert!(next_labels, connection, rows)
    }
}
