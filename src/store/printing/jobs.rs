//! Print jobs: more labels than fit into one PDF, printed as a series of runs.

use diesel::prelude::*;

use crate::access::Principal;
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::{Error, is_duplicate};
use crate::store::printing::quota::check_quota;
use crate::store::schema::print_jobs;
use crate::store::tokens::selection::Selection;
use crate::token::print::JobFailure;
use crate::token::{Micros, Uid};

/// A job that was not touched for this many microseconds has lost its worker.
const LOST_AFTER: i64 = 120_000_000;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJob {
    /// Its id.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The principal that asked for it.
    pub principal: String,
    /// When it was added.
    pub(crate) timestamp: Micros,
    /// The sheet's slug.
    pub(crate) sheet: String,
    /// How it is printed, as JSON, including the full geometry.
    pub(crate) options: String,
    /// How many tokens.
    pub total: i32,
    /// How many of them are printed.
    pub printed: i32,
    /// How many parts it will have.
    pub parts: i32,
    /// Where the next part begins, as stored by [`advance`]; empty at first.
    pub cursor: String,
    /// When a worker last touched it.
    pub(crate) seen: Micros,
    /// When it ended.
    pub ended: Option<Micros>,
    /// Why it ended early: a [`JobFailure`] as stored.
    pub failure: Option<String>,
}

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStage {
    /// It is being printed, or waits to be.
    UnderWay,
    /// Everything is printed.
    Done,
    /// It ended early, for this reason.
    Failed(String),
    /// It ended early, and somebody has dismissed it.
    Dismissed,
    /// Its worker has gone away.
    Lost,
}

impl PrintJob {
    /// The state of the job at `now`.
    pub fn stage(&self, now: Micros) -> JobStage {
        match (&self.failure, self.ended) {
            (Some(why), _) => match JobFailure::read(why) {
                JobFailure { is_dismissed: true, .. } => JobStage::Dismissed,
                failure => JobStage::Failed(failure.why),
            },
            (None, Some(_)) => JobStage::Done,
            (None, None) if now.get() - self.seen.get() > LOST_AFTER => JobStage::Lost,
            (None, None) => JobStage::UnderWay,
        }
    }
}

/// All columns but the selection, which may be megabytes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = print_jobs)]
struct JobRow {
    id: i64,
    uid: String,
    principal: String,
    timestamp: i64,
    sheet: String,
    options: String,
    total: i32,
    printed: i32,
    parts: i32,
    cursor: String,
    seen: i64,
    ended: Option<i64>,
    failure: Option<String>,
}

impl From<JobRow> for PrintJob {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id,
            uid: row.uid,
            principal: row.principal,
            timestamp: Micros::stored(row.timestamp),
            sheet: row.sheet,
            options: row.options,
            total: row.total,
            printed: row.printed,
            parts: row.parts,
            cursor: row.cursor,
            seen: Micros::stored(row.seen),
            ended: row.ended.map(Micros::stored),
            failure: row.failure,
        }
    }
}

/// A job to be added.
#[derive(Clone, Debug)]
pub struct NewPrintJob {
    /// Its uid, from the form: a form sent twice makes one job.
    pub uid: Uid,
    /// The sheet's slug.
    pub sheet: String,
    /// How it is printed, as JSON, including the full geometry.
    pub options: String,
    /// Which tokens.
    pub selection: Selection,
    /// What people call it.
    pub title: String,
    /// How many tokens.
    pub total: i32,
    /// How many parts it will have.
    pub parts: i32,
}

/// Adds a job, and returns whether it is new. If the uid already belongs to a different job, because the form was
/// changed after it was sent, the new job gets another uid.
///
/// # Errors
/// Over quota, when somebody prints too much; a conflict, when the same form was sent twice at the same time.
pub fn add(
    connection: &mut Connection,
    new: &NewPrintJob,
    by: &Principal,
    now: Micros,
) -> Result<(PrintJob, bool), Error> {
    let uid = match find(connection, new.uid)? {
        Some(existing)
            if existing.options == new.options
                && selection(connection, existing.id)?.as_ref() == Some(&new.selection) =>
        {
            return Ok((existing, false));
        }
        Some(_) => Uid::random(),
        None => new.uid,
    };
    check_quota(connection, by, usize::try_from(new.total).unwrap_or_default(), now)?;
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
    let inserted = diesel::insert_into(print_jobs::table).values(row).returning(print_jobs::id);
    let id: i64 = inserted.get_result(connection).map_err(|error| {
        let is_known = is_duplicate(&error, "print_jobs", "uid");
        // The same form was sent twice at the same time: the retry finds the job.
        if is_known { Error::Conflict("this job was added a moment ago".into()) } else { error.into() }
    })?;
    let detail = if new.title.is_empty() { String::new() } else { format!("{}: ", new.title) };
    audit::record(connection, by, "print job", &uid.to_string(), &format!("{detail}{} labels", new.total), now)?;
    let added = print_jobs::table.find(id).select(JobRow::as_select()).get_result(connection)?;
    Ok((added.into(), true))
}

/// The job with this uid.
pub fn find(connection: &mut Connection, uid: Uid) -> QueryResult<Option<PrintJob>> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).select(JobRow::as_select());
    Ok(row.get_result::<JobRow>(connection).optional()?.map(PrintJob::from))
}

/// The job with this id.
pub fn by_id(connection: &mut Connection, id: i64) -> QueryResult<Option<PrintJob>> {
    Ok(print_jobs::table
        .find(id)
        .select(JobRow::as_select())
        .get_result::<JobRow>(connection)
        .optional()?
        .map(PrintJob::from))
}

/// Which tokens a job prints; none if another version of Tessera stored it in a form that this one cannot read.
pub(crate) fn selection(connection: &mut Connection, id: i64) -> QueryResult<Option<Selection>> {
    let text: Option<String> =
        print_jobs::table.find(id).select(print_jobs::selection).get_result(connection).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Jobs, newest first, each with its cursor; only those after the cursor `after`, if given.
pub fn page(connection: &mut Connection, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<(Cursor, PrintJob)>> {
    let mut query = print_jobs::table.select(JobRow::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(print_jobs::id.lt(after.id()));
    }
    let rows = query.order(print_jobs::id.desc()).limit(limit).load::<JobRow>(connection)?;
    let with_cursor = |job: PrintJob| (Cursor::number(job.timestamp.get(), job.id), job);
    Ok(rows.into_iter().map(PrintJob::from).map(with_cursor).collect())
}

/// Records that a worker is still printing the job or has it queued. Workers call it twice a minute.
pub fn touch(connection: &mut Connection, uid: Uid, now: Micros) -> QueryResult<()> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    diesel::update(row).set(print_jobs::seen.eq(now.get())).execute(connection).map(drop)
}

/// The progress of a job after one of its parts is saved.
#[derive(Clone, Debug)]
pub struct JobProgress {
    /// The job.
    pub uid: Uid,
    /// Where this part began.
    pub previous_cursor: String,
    /// How many of the job's tokens are printed so far.
    pub printed: i32,
    /// Where the next part begins.
    pub cursor: String,
}

/// Records that a part is printed, unless another worker has advanced the job: of two workers, one stops.
///
/// # Errors
/// Refused when the job has ended, or another worker has advanced it.
pub fn advance(connection: &mut Connection, progress: &JobProgress, now: Micros) -> Result<(), Error> {
    let JobProgress { uid, previous_cursor, printed, cursor } = progress;
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    let set = (print_jobs::printed.eq(printed), print_jobs::cursor.eq(cursor), print_jobs::seen.eq(now.get()));
    match diesel::update(row.filter(print_jobs::cursor.eq(previous_cursor))).set(set).execute(connection)? {
        0 => Err(Error::Refused("Another server is printing this job already.".into())),
        _ => Ok(()),
    }
}

/// Ends a job whose next part begins at `cursor`; with `failure`, a [`JobFailure`] as stored, if it failed. A job that has ended stays as
/// it is, and so does one that another worker has advanced: of two workers, the loser changes nothing.
pub fn end(connection: &mut Connection, uid: Uid, cursor: &str, failure: Option<&str>, now: Micros) -> QueryResult<()> {
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string())).filter(print_jobs::ended.is_null());
    let row = row.filter(print_jobs::cursor.eq(cursor));
    let set = (print_jobs::ended.eq(now.get()), print_jobs::failure.eq(failure), print_jobs::seen.eq(now.get()));
    diesel::update(row).set(set).execute(connection).map(drop)
}

/// Reopens a job that failed or was abandoned, with these options if they are given, and returns whether it did: of two
/// requests at once, one reopens it.
pub(crate) fn reopen(connection: &mut Connection, uid: Uid, options: Option<&str>, now: Micros) -> QueryResult<bool> {
    let set =
        (print_jobs::ended.eq(None::<i64>), print_jobs::failure.eq(None::<String>), print_jobs::seen.eq(now.get()));
    let row = || print_jobs::table.filter(print_jobs::uid.eq(uid.to_string()));
    let has_failed = print_jobs::failure.is_not_null();
    let is_lost = print_jobs::ended.is_null().and(print_jobs::seen.lt(now.get() - LOST_AFTER));
    let is_reopened = diesel::update(row().filter(has_failed.or(is_lost))).set(set).execute(connection)? == 1;
    if let (true, Some(options)) = (is_reopened, options) {
        diesel::update(row()).set(print_jobs::options.eq(options)).execute(connection)?;
    }
    Ok(is_reopened)
}

/// Dismisses a job that failed or was abandoned, so that it is no longer listed. What it printed stays.
pub fn dismiss(connection: &mut Connection, uid: Uid, by: &Principal, now: Micros) -> Result<(), Error> {
    let Some(job) = find(connection, uid)? else { return Ok(()) };
    if !matches!(job.stage(now), JobStage::Failed(_) | JobStage::Lost) {
        return Ok(());
    }
    let failure = job.failure.as_deref().map(JobFailure::read).unwrap_or_default();
    let failure = JobFailure { is_dismissed: true, ..failure }.stored();
    let row = print_jobs::table.filter(print_jobs::uid.eq(uid.to_string()));
    let row = row.filter(print_jobs::cursor.eq(&job.cursor)).filter(print_jobs::seen.eq(job.seen.get()));
    let set = (print_jobs::ended.eq(now.get()), print_jobs::failure.eq(failure));
    if diesel::update(row).set(set).execute(connection)? == 0 {
        return Ok(());
    }
    let detail = format!("{} of {} labels printed", job.printed, job.total);
    audit::record(connection, by, "print job dismiss", &uid.to_string(), &detail, now)
}
