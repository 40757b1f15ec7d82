//! Files of tokens that are imported: the file as it was sent, what was found in it, and what became of it.

pub(crate) mod batches;
pub(crate) mod look_up;
pub(crate) mod parts;

use diesel::prelude::*;

use super::connection::Connection;
use super::error::{Error, is_duplicate};
use super::schema::{import_parts, imports};
use crate::access::Principal;
use crate::token::import::options::ImportOptions;
use crate::token::import::report::ImportReport;
use crate::token::{Micros, Uid};

/// For how long nothing may have been done of an import that is under way. Then whoever did it has ended.
const SILENT: i64 = 20 * 1_000_000;
/// For how long nothing may have come of a file that is being sent.
const UNSENT: i64 = 600 * 1_000_000;
/// How long a file is kept that is not imported, and how long it is known what became of it.
const KEPT: i64 = Micros::DAY;
const KNOWN: i64 = 30 * Micros::DAY;
/// Pieces of files removed at a time.
const REMOVE_LIMIT: i64 = 4;

/// What is being done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is being sent.
    Sending,
    /// It is there.
    Sent,
    /// It is read, and nothing is changed.
    Checking,
    /// It is known what it would do.
    Checked,
    /// It is imported.
    Importing,
    /// It was imported.
    Done,
    /// It was not imported.
    Failed,
}

impl Stage {
    const ALL: [Self; 7] =
        [Self::Sending, Self::Sent, Self::Checking, Self::Checked, Self::Importing, Self::Done, Self::Failed];

    /// Where a check can begin that is not under way: also where it was when its server ended.
    pub(crate) const ANY_BUT_DONE: [Self; 5] =
        [Self::Sent, Self::Checking, Self::Checked, Self::Importing, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Importing => "importing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether somebody works on it.
    pub(crate) fn is_under_way(self) -> bool {
        matches!(self, Self::Sending | Self::Checking | Self::Importing)
    }
}

/// A file, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// Its id.
    pub(crate) id: i64,
    /// Its uid, also of the action that it becomes if it changes tokens.
    pub(crate) uid: Uid,
    /// Who sent it.
    pub(crate) by: Principal,
    /// When.
    pub(crate) created: Micros,
    /// The file's name.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) size: i64,
    /// How it is to be imported.
    pub(crate) options: ImportOptions,
    /// What is done with it.
    pub(crate) stage: Stage,
    /// How many lines are done with.
    pub(crate) handled: i64,
    /// What was found in it.
    pub(crate) report: Option<ImportReport>,
    /// Why it was not imported.
    pub(crate) failure: Option<String>,
}

/// Why an import was not done whose server ended.
const ABANDONED_WHY: &str = "The server ended before this was done. Nothing was kept of it; start it again.";

type Row = (i64, String, String, i64, i64, String, i64, String, String, i64, Option<String>, Option<String>);

fn import(row: Row, now: Micros) -> Result<Import, Error> {
    let (id, uid, by, created, touched, name, size, options, stage, handled, report, failure) = row;
    let unreadable = |error: serde_json::Error| Error::Failed(format!("an import cannot be read: {error}"));
    let stage = Stage::ALL.into_iter().find(|known| known.word() == stage);
    let mut stage = stage.ok_or_else(|| Error::Failed("an import has no stage of this version".into()))?;
    let mut failure = failure;
    if stage.is_under_way() && touched < now.get() - SILENT {
        stage = Stage::Failed;
        failure = Some(ABANDONED_WHY.into());
    }
    Ok(Import {
        id,
        uid: uid.parse()?,
        by: Principal::stored(&by),
        created: Micros::stored(created),
        name,
        size,
        options: serde_json::from_str(&options).map_err(unreadable)?,
        stage,
        handled,
        report: report.map(|report| serde_json::from_str(&report)).transpose().map_err(unreadable)?,
        failure,
    })
}

/// Begins to take a file, and returns its id.
///
/// # Errors
/// Refused, when a file with this uid was sent before.
pub(crate) fn begin(
    connection: &mut Connection,
    uid: Uid,
    name: &str,
    by: &Principal,
    now: Micros,
) -> Result<i64, Error> {
    let row = (
        imports::uid.eq(uid.to_string()),
        imports::principal.eq(by.as_str()),
        imports::created.eq(now.get()),
        imports::touched.eq(now.get()),
        imports::name.eq(name),
        imports::size.eq(0),
        imports::options.eq(json(&ImportOptions::default())?),
        imports::stage.eq(Stage::Sending.word()),
        imports::handled.eq(0),
    );
    let inserted = diesel::insert_into(imports::table).values(row).returning(imports::id).get_result(connection);
    inserted.map_err(|error| {
        let is_known = is_duplicate(&error, "imports", "uid");
        if is_known { Error::Refused("This file was sent before.".into()) } else { error.into() }
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Failed(error.to_string()))
}

/// The import with this uid.
pub(crate) fn find(connection: &mut Connection, uid: Uid, now: Micros) -> Result<Option<Import>, Error> {
    let row = imports::table.filter(imports::uid.eq(uid.to_string())).select(imports::all_columns);
    row.get_result::<Row>(connection).optional()?.map(|row| import(row, now)).transpose()
}

/// The newest imports, without those whose file never came.
pub(crate) fn newest(connection: &mut Connection, limit: i64, now: Micros) -> Result<Vec<Import>, Error> {
    let sent = imports::table.filter(imports::stage.ne(Stage::Sending.word()));
    let rows = sent.order(imports::id.desc()).limit(limit).select(imports::all_columns).load::<Row>(connection)?;
    rows.into_iter().map(|row| import(row, now)).collect()
}

/// Goes from one of some stages to another, and returns whether it was in one of them: of two who start the same, one does.
pub(crate) fn advance(
    connection: &mut Connection,
    id: i64,
    (from, to): (&[Stage], Stage),
    now: Micros,
) -> Result<bool, Error> {
    let from: Vec<&str> = from.iter().map(|stage| stage.word()).collect();
    let row = imports::table.find(id).filter(imports::stage.eq_any(from));
    let set = (imports::stage.eq(to.word()), imports::handled.eq(0), imports::touched.eq(now.get()));
    Ok(diesel::update(row).set((set, imports::failure.eq(None::<String>))).execute(connection)? > 0)
}

/// Sets how the file is to be imported; what was found in it before is of no more use.
pub(crate) fn set_options(connection: &mut Connection, id: i64, options: &ImportOptions) -> Result<(), Error> {
    let set = (imports::options.eq(json(options)?), imports::report.eq(None::<String>));
    diesel::update(imports::table.find(id)).set(set).execute(connection)?;
    Ok(())
}

/// Keeps what was found in the file.
pub(crate) fn set_report(connection: &mut Connection, id: i64, report: &ImportReport) -> Result<(), Error> {
    let row = diesel::update(imports::table.find(id));
    row.set(imports::report.eq(json(report)?)).execute(connection)?;
    Ok(())
}

/// Notes how far it is.
pub(crate) fn touch(connection: &mut Connection, id: i64, handled: usize, now: Micros) -> Result<(), Error> {
    let handled = i64::try_from(handled).unwrap_or(i64::MAX);
    let set = (imports::handled.eq(handled), imports::touched.eq(now.get()));
    diesel::update(imports::table.find(id)).set(set).execute(connection)?;
    Ok(())
}

/// Notes why it was not done.
pub(crate) fn fail(connection: &mut Connection, id: i64, why: &str, now: Micros) -> Result<(), Error> {
    let failed = (imports::stage.eq(Stage::Failed.word()), imports::failure.eq(why), imports::touched.eq(now.get()));
    diesel::update(imports::table.find(id)).set(failed).execute(connection)?;
    Ok(())
}

/// Removes some of the pieces of files that are imported, a day old or were not sent whole, and imports that are a month old,
/// and returns whether there may be more.
pub(crate) fn remove_old(connection: &mut Connection, now: Micros) -> Result<bool, Error> {
    let long_ago = imports::created.lt(now.get() - KNOWN);
    let unsent = || imports::stage.eq(Stage::Sending.word()).and(imports::touched.lt(now.get() - UNSENT));
    let old = imports::stage.eq(Stage::Done.word()).or(imports::created.lt(now.get() - KEPT)).or(unsent());
    let parts = import_parts::table.inner_join(imports::table.on(imports::id.eq(import_parts::import))).filter(old);
    let parts: Vec<i64> = parts.select(import_parts::id).limit(REMOVE_LIMIT).load(connection)?;
    if parts.is_empty() {
        diesel::delete(imports::table.filter(long_ago.or(unsent()))).execute(connection)?;
        return Ok(false);
    }
    diesel::delete(import_parts::table.filter(import_parts::id.eq_any(parts))).execute(connection)?;
    Ok(true)
}
