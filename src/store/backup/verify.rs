//! Reads all of a backup, as a server would.

use std::collections::BTreeMap;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::seal::{self, Flaw, Seal};
use crate::store::connection::{Connection, sqlite};
use crate::store::copy::{self, CopiedTable};
use crate::store::error::Error;
use crate::store::migrations::{self, FoundSchema, SchemaState};
use crate::store::schema::{tokens, usage};
use crate::store::tokens::row::TokenRow;
use crate::token::{EntryId, Micros};

/// Rows held in memory at once.
const PAGE: i64 = 5_000;
/// Tokens whose uses are summed up at once, by their ids: 128 MiB. The log is read once for so many.
const TOKENS: i64 = 1 << 23;

/// What is in a backup, all of which can be read.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    /// The rows of each table.
    pub(crate) tables: Vec<CopiedTable>,
    /// The newest use.
    pub(crate) newest_use: Option<Micros>,
}

impl Contents {
    /// How many rows a table has.
    pub(crate) fn rows(&self, table: &str) -> usize {
        self.tables.iter().find(|known| known.table == table).map_or(0, |known| known.rows)
    }
}

/// Verifies a backup.
///
/// # Errors
/// Refused, with a sentence that says what is wrong with it.
pub(crate) fn verify(path: &Path) -> Result<(Seal, Contents), Error> {
    let seal = seal::open(path).map_err(Flaw::from).and_then(|mut file| seal::check(&mut file));
    let seal = seal.map_err(|flaw| explain(path, &flaw))?;
    let mut connection = connect(path)?;
    let damaged = |why: &str| about(path, &format!("is damaged: {why}"));
    check_pages(&mut connection).map_err(|why| damaged(&why))?;
    let state = check_schema(&mut connection, path)?;
    if state != SchemaState::Current {
        return Err(about(path, "is whole, but of an older version of Tessera: only a restore can read what is in it"));
    }
    let contents = contents(&mut connection).map_err(|error| damaged(&error.to_string()))?;
    check_rows(&seal, &contents).map_err(|why| damaged(&why))?;
    Ok((seal, contents))
}

/// A sentence about what is wrong with a file. A database of ours is told from others.
pub(super) fn explain(path: &Path, flaw: &Flaw) -> Error {
    let is_ours = matches!(flaw, Flaw::Database)
        && connect(path).is_ok_and(|mut connection| {
            let found = migrations::found(&mut connection);
            found.is_ok_and(|found| ![FoundSchema::Usable(SchemaState::Empty), FoundSchema::Foreign].contains(&found))
        });
    if is_ours {
        return about(
            path,
            "is a database of Tessera, and no backup: use it with --database-url, or `tessera copy` it",
        );
    }
    flaw.error(path)
}

/// A sentence about a file.
pub(super) fn about(path: &Path, what: &str) -> Error {
    Error::Refused(format!("The file {} {}", path.display(), what.trim_end_matches('.')))
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = sqlite::File::at(path).connect_immutably().map(Connection::Sqlite);
    connection.map_err(|why| about(path, &format!("cannot be read: {why}")))
}

#[derive(QueryableByName)]
struct PageCheck {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Has SQLite check every page, index and constraint.
///
/// # Errors
/// What is wrong.
pub(super) fn check_pages(connection: &mut Connection) -> Result<(), String> {
    let check = diesel::sql_query("PRAGMA integrity_check(1)").get_result::<PageCheck>(connection);
    let found = check.map_err(|error| error.to_string())?.integrity_check;
    if found == "ok" { Ok(()) } else { Err(found.lines().collect::<Vec<_>>().join(" ")) }
}

/// Whether this version can read what is in the file.
///
/// # Errors
/// Refused, with a sentence about it.
pub(super) fn check_schema(connection: &mut Connection, path: &Path) -> Result<SchemaState, Error> {
    let why = match migrations::found(connection)? {
        FoundSchema::Usable(SchemaState::Empty) | FoundSchema::Foreign => "is no backup of Tessera",
        FoundSchema::Usable(state) => return Ok(state),
        FoundSchema::Newer => "was made by a newer version of Tessera, which it needs",
        FoundSchema::Unreleased => "was made by an unreleased version of Tessera; only that version can use it",
    };
    Err(about(path, why))
}

/// Reads every row as a server does, and compares the log with what tokens say of their uses.
///
/// # Errors
/// Refused, with what is wrong.
pub(super) fn contents(connection: &mut Connection) -> Result<Contents, Error> {
    let tables = copy::read(connection)?;
    read_tokens(connection)?;
    compare_uses(connection)?;
    let uses = usage::table.filter(usage::error_code.is_null()).order(usage::timestamp.desc());
    let newest: Option<i64> = uses.select(usage::timestamp).limit(1).get_result(connection).optional()?;
    Ok(Contents { tables, newest_use: newest.map(Micros::stored) })
}

/// Whether the tables have as many rows as the seal says.
pub(super) fn check_rows(seal: &Seal, contents: &Contents) -> Result<(), String> {
    let sealed: BTreeMap<&str, usize> = seal.rows.iter().map(|(table, rows)| (table.as_str(), *rows)).collect();
    match contents.tables.iter().find(|table| sealed.get(table.table) != Some(&table.rows)) {
        Some(CopiedTable { table, rows }) => {
            Err(format!("its table {table} has {rows} rows, and not what its seal says"))
        }
        None => Ok(()),
    }
}

fn read_tokens(connection: &mut Connection) -> Result<(), Error> {
    let mut last = i64::MIN;
    loop {
        let page = tokens::table.filter(tokens::id.gt(last)).order(tokens::id).limit(PAGE);
        let page: Vec<(i64, TokenRow)> = page.select((tokens::id, TokenRow::as_select())).load(connection)?;
        let Some((newest, _)) = page.last() else { return Ok(()) };
        last = *newest;
        for (id, row) in page {
            row.token()
                .map_err(|error| Error::Refused(format!("the token with the id {id} cannot be read: {error}")))?;
        }
    }
}

/// What the log says of a token.
#[derive(Clone, Copy, Default)]
struct Logged {
    uses: i64,
    /// Its first entry is still there: retention has cut nothing.
    is_whole: bool,
}

/// Holds that the log's successes sum to each token's uses. Where retention has removed entries, it may be less.
fn compare_uses(connection: &mut Connection) -> Result<(), Error> {
    let (least, most) = (diesel::dsl::min(tokens::id), diesel::dsl::max(tokens::id));
    let (least, most): (Option<i64>, Option<i64>) = tokens::table.select((least, most)).get_result(connection)?;
    let (Some(mut start), Some(most)) = (least, most) else { return Ok(()) };
    while start <= most {
        let end = start.saturating_add(TOKENS).min(most.saturating_add(1));
        compare_uses_of(connection, start..end)?;
        start = end;
    }
    Ok(())
}

/// An entry's id, token, uses and error code, and the token's entry before it.
type EntryRow = (EntryId, Option<i64>, i32, Option<i16>, Option<EntryId>);

fn compare_uses_of(connection: &mut Connection, range: std::ops::Range<i64>) -> Result<(), Error> {
    let place = |token: i64| usize::try_from(token - range.start).unwrap_or(usize::MAX);
    let mut logged = vec![Logged::default(); place(range.end)];
    let mut last: EntryId = i64::MIN;
    loop {
        let page = usage::table.filter(usage::id.gt(last)).order(usage::id).limit(PAGE);
        let columns = (usage::id, usage::token, usage::uses, usage::error_code, usage::previous);
        let page: Vec<EntryRow> = page.select(columns).load(connection)?;
        let Some((newest, ..)) = page.last() else { break };
        last = *newest;
        for (_, token, uses, error, previous) in page {
            let Some(of) = token.and_then(|token| logged.get_mut(place(token))) else { continue };
            of.uses += if error.is_none() { i64::from(uses) } else { 0 };
            of.is_whole |= previous.is_none();
        }
    }
    let mut last = range.start - 1;
    loop {
        let page = tokens::table.filter(tokens::id.gt(last)).filter(tokens::id.lt(range.end)).order(tokens::id);
        let page: Vec<(i64, i64, Option<EntryId>)> =
            page.limit(PAGE).select((tokens::id, tokens::used, tokens::last_entry)).load(connection)?;
        let Some((newest, ..)) = page.last() else { return Ok(()) };
        last = *newest;
        for (id, used, newest) in page {
            let Logged { uses, is_whole } = logged.get(place(id)).copied().unwrap_or_default();
            // A token without entries was never used, or lost them all to retention.
            let is_whole = is_whole || newest.is_none();
            if uses > used || (is_whole && uses != used) {
                let why = format!("the token with the id {id} was used {used} times, and its log says {uses}");
                return Err(Error::Refused(why));
            }
        }
    }
}
