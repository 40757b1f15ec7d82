//! Print jobs: more labels than one PDF can hold, printed as one run after the other.

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::{Error, taken};
use crate::store::schema::print_jobs;
use crate::store::tokens::selection::Selection;
use crate::token::{Micros, Uid};

/// After so many microseconds without a word, whoever worked on a job has ended without it.
const LOST: i64 = 120_000_000;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJob {
    /// Its number.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The principal that asked for it.
    pub principal: String,
    /// When.
    pub(crate) timestamp: Micros,
    /// The sheet's slug.
    pub(crate) sheet: String,
    /// How it is printed, as JSON, with the whole geometry.
    pub(crate) options: String,
    /// Which tokens; none, if another version of Tessera wrote what this one cannot read.
    pub(crate) selection: Option<Selection>,
    /// How many tokens.
    pub total: i32,
    /// How many of them are printed.
    pub printed: i32,
    /// How many parts it will have.
    pub parts: i32,
    /// Where the next part begins, as whoever works on it wrote it; empty at first.
    pub cursor: String,
    /// When it was last worked on.
    pub(crate) seen: Micros,
    /// When it ended.
    pub ended: Option<Micros>,
    /// Why it ended before all was printed: a sentence.
    pub failure: Option<String>,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStage {
    /// Somebody works on it, or will.
    UnderWay,
    /// All is printed.
    Done,
    /// It ended before all was printed, for this reason.
    Failed(String),
    /// Whoever worked on it went away.
    Lost,
}

impl PrintJob {
    /// How far it is.
    pub fn stage(&self, now: Micros) -> JobStage {
        match (&self.failure, self.ended) {
            (Some(why), _) => JobStage::Failed(why.clone()),
            (None, Some(_)) => JobStage::Done,
            (None, None) if now.get() - self.seen.get() > LOST => JobStage::Lost,
            (None, None) => JobStage::UnderWay,
        }
    }
}

type Row = (i64, String, String, i64, String, String, String, i32, i32, i32, String, i64, Option<i64>, Option<String>);

fn job(row: Row) -> PrintJob {
    let (id, uid, principal, at, sheet, options, selection, total, printed, parts, cursor, seen, ended, failure) = row;
    let selection = serde_json::from_str(&selection).ok();
    let (timestamp, seen, ended) = (Micros::stored(at), Micros::stored(seen), ended.map(Micros::stored));
    PrintJob {
        id,
        uid,
        principal,
        timestamp,
        sheet,
        options,
        selection,
        total,
        printed,
        parts,
        cursor,
        seen,
        ended,
        failure,
    }
}

/// A job that is to be done.
#[derive(Clone, Debug)]
pub struct NewPrintJob {
    /// Its uid: a form that is sent twice is one job.
    pub uid: Uid,
    /// The sheet's slug.
    pub sheet: String,
    /// How it is printed, as JSON, with the whole geometry.
    pub options: String,
    /// Which tokens.
    pub selection: Selection,
    /// How many tokens.
    pub total: i32,
    /// How many parts it will have.
    pub parts: i32,
}

/// Adds a job, and says whether it was not known yet. A form that was changed since it was sent is another job, of another uid.
///
/// # Errors
/// The database's.
pub fn add(
    connection: &mut Connection,
    new: &NewPrintJob,
    by: &Principal,
    now: Micros,
) -> Result<(PrintJob, bool), Error> {
    let uid = match find(connection, new.uid)? {
        Some(known) if known.options == new.options && known.selection.as_ref() == Some(&new.selection) => {
            return Ok((known, false));
        }
        Some(_) => Uid::random(),
        None => new.uid,
    };
    let selection = serde_json::to_string(&new.selection).map_err(|error| Error::Failed(error.to_string()))?;
    let row = (
        print_jobs::uid.eq(uid.to_string()),
        print_jobs::principal.eq(by.as_str()),
        print_jobs::timestamp.eq(now.get()),
        print_jobs::sheet.eq(&new.sheet),
        print_jobs::options.eq(&new.options),
        print_jobs::selection.eq(selection),
        print_jobs::total.eq(new.total),
        print_jobs::printed.eq(0),
        print_jobs::parts.eq(new.parts),
        print_jobs::cursor.eq(""),
        print_jobs::seen.eq(now.get()),
    );
    let inserted = diesel::insert_into(print_jobs::table).values(row).returning(print_jobs::all_columns);
    let added = inserted.get_result::<Row>(connection).map_err(|error| {
        let is_known = taken(&error, "print_jobs", "uid");
        // The same form, sent twice at once: the next look finds it.
        if is_known { Error::Again("this job was added a moment ago".into()) } else { error.into() }
    })?;
    audit::record(connection, by, "print job", &uid.to_string(), &format!("{} labels", new.total), now)?;
    Ok((job(added), true))
}

/// The job of that uid.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PrintJob>> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string()));
    Ok(row.get_result::<Row>(connection).optional()?.map(job))
}

/// The job of that number.
///
/// # Errors
/// The database's.
pub fn numbered(connection: &mut Connection, id: i64) -> QueryResult<Option<PrintJob>> {
    Ok(print_jobs::table.find(id).get_result::<Row>(connection).optional()?.map(job))
}

/// Jobs, newest first, each with its place; those behind `after` when it is given.
///
/// # Errors
/// The database's.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PrintJob)>> {
    let mut query = print_jobs::table.into_boxed();
    if let Some(after) = after {
        query = query.filter(print_jobs::id.lt(after.id()));
    }
    let rows = query.order(print_jobs::id.desc()).limit(limit).load::<Row>(connection)?;
    let placed = |job: PrintJob| (Cursor::number(job.timestamp.get(), job.id), job);
    Ok(rows.into_iter().map(job).map(placed).collect())
}

/// Jobs that have not ended, oldest first: those that are worked on, those that wait, and those that were left.
///
/// # Errors
/// The database's.
pub fn open(connection: &mut Connection, limit: i64) -> QueryResult<Vec<PrintJob>> {
    let rows = print_jobs::table.filter(print_jobs::ended.is_null()).order(print_jobs::id).limit(limit);
    Ok(rows.load::<Row>(connection)?.into_iter().map(job).collect())
}

/// Says that somebody still works on a job, or has it waiting: to be said twice a minute.
///
/// # Errors
/// The database's.
pub fn touch(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<()> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    diesel::update(row).set(print_jobs::seen.eq(now.get())).execute(connection).map(drop)
}

/// How far a job is once a part of it is kept.
#[derive(Clone, Debug)]
pub struct JobProgress {
    /// The job.
    pub uid: Uid,
    /// Where this part began.
    pub was: String,
    /// How many tokens are printed altogether.
    pub printed: i32,
    /// Where the next part begins.
    pub cursor: String,
}

/// Notes that a part is printed, unless somebody else has gone on with the job: of two who work on it, one stops.
///
/// # Errors
/// Refused, when it has ended or is elsewhere by now.
pub fn advance(connection: &mut Connection, progress: &JobProgress, now: Micros) -> Result<(), Error> {
    let JobProgress { uid, was, printed, cursor } = progress;
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    let set = (print_jobs::printed.eq(printed), print_jobs::cursor.eq(cursor), print_jobs::seen.eq(now.get()));
    match diesel::update(row.filter(print_jobs::cursor.eq(was))).set(set).execute(connection)? {
        0 => Err(Error::Refused("Somebody else has gone on with this print job.".into())),
        _ => Ok(()),
    }
}

/// Ends a job; with a sentence that says why, when it was not done. One that has ended stays as it is.
///
/// # Errors
/// The database's.
pub fn end(connection: &mut Connection, uid: Uid, failure: Option<&str>, now: Micros) -> QueryResult<()> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    let set = (print_jobs::ended.eq(now.get()), print_jobs::failure.eq(failure), print_jobs::seen.eq(now.get()));
    diesel::update(row).set(set).execute(connection).map(drop)
}

/// Opens a job again that failed, or that was left by whoever worked on it, and says whether it did: of two who ask for it at once, one
/// goes on with it.
///
/// # Errors
/// The database's.
pub(crate) fn reopen(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<bool> {
    let failed = print_jobs::failure.is_not_null();
    let left = print_jobs::ended.is_null().and(print_jobs::seen.lt(now.get() - LOST));
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(failed.or(left));
    let set =
        (print_jobs::ended.eq(None::<i64>), print_jobs::failure.eq(None::<String>), print_jobs::seen.eq(now.get()));
    Ok(diesel::update(row).set(set).execute(connection)? == 1)
}
