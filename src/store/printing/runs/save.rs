//! Saves a run in steps that free the write lock in between. The run is invisible until the last step.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::row::{PrintRun, RunRow, print_run};
use crate::access::Principal;
use crate::store::audit;
use crate::store::connection::Connection;
use crate::store::error::{Error, is_duplicate};
use crate::store::printing::jobs::JobProgress;
use crate::store::printing::quota::check_quota;
use crate::store::printing::{jobs, sheets};
use crate::store::schema::{print_run_parts, print_run_tokens, print_runs};
use crate::token::settle::TokenId;
use crate::token::{Micros, Uid};

/// Bytes of a PDF in one row.
pub(crate) const PDF_CHUNK: usize = 256 * 1024;
/// Tokens written in one step.
pub(crate) const TOKEN_CHUNK: usize = 1_000;
/// A run that is still incomplete after this many microseconds was abandoned.
const ABANDONED_AFTER: i64 = 3_600_000_000;
/// Rows removed at a time.
const REMOVE_LIMIT: i64 = 500;
const PDF_CHUNKS_REMOVE_LIMIT: i64 = 4;

/// A run to be saved.
#[derive(Clone, Debug)]
pub struct NewPrintRun {
    /// If the run is part of a job: the job's id, and which part, counted from 1.
    pub job: Option<(i64, i32)>,
    /// Who prints it.
    pub by: Principal,
    /// The sheet's slug.
    pub sheet: String,
    /// How it is printed, as JSON, including the full geometry.
    pub options: String,
    /// The first label, counted from 1.
    pub start: i32,
    /// The number of pages.
    pub pages: i32,
    /// The tokens in the order of their labels.
    pub tokens: Vec<(TokenId, Uid)>,
    /// The PDF.
    pub pdf: Vec<u8>,
    /// The next free label of the sheet after this run, which is saved for `by`.
    pub next_label: Option<i32>,
    /// The job's progress after this run.
    pub progress: Option<JobProgress>,
}

impl NewPrintRun {
    /// A digest of the PDF, the print options and the tokens, in base64url. It differs between the parts of a job, even
    /// when they print the same.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.pdf);
        hasher.update(&self.options);
        for (_, uid) in &self.tokens {
            hasher.update(uid.to_string());
        }
        if let Some((job, part)) = self.job {
            hasher.update(job.to_le_bytes());
            hasher.update(part.to_le_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

/// The result of beginning to save a run.
pub(crate) enum BeginResult {
    /// It was saved before.
    Saved(Box<PrintRun>),
    /// The id of a new, invisible row.
    New(i64),
}

fn find_saved(connection: &mut Connection, new: &NewPrintRun, digest: &str) -> QueryResult<Option<PrintRun>> {
    let by = print_runs::table.filter(print_runs::principal.eq(new.by.as_str()));
    let row = by.filter(print_runs::digest.eq(digest)).filter(print_runs::done.is_not_null());
    Ok(row.get_result::<RunRow>(connection).optional()?.map(print_run))
}

/// Begins to save a run, unless it was saved before. The labels of a job were counted when it began.
///
/// # Errors
/// Over quota, when somebody prints too much.
pub(crate) fn begin(
    connection: &mut Connection,
    new: &NewPrintRun,
    digest: &str,
    now: Micros,
) -> Result<BeginResult, Error> {
    if let Some(run) = find_saved(connection, new, digest)? {
        return Ok(BeginResult::Saved(Box::new(run)));
    }
    if new.job.is_none() {
        check_quota(connection, &new.by, new.tokens.len(), now)?;
    }
    let row = (
        print_runs::uid.eq(Uid::random().to_string()),
        print_runs::job.eq(new.job.map(|(job, _)| job)),
        print_runs::part.eq(new.job.map_or(1, |(_, part)| part)),
        print_runs::principal.eq(new.by.as_str()),
        print_runs::timestamp.eq(now.get()),
        print_runs::sheet.eq(&new.sheet),
        print_runs::options.eq(&new.options),
        print_runs::start.eq(new.start),
        print_runs::count.eq(i32::try_from(new.tokens.len()).unwrap_or(i32::MAX)),
        print_runs::pages.eq(new.pages),
        print_runs::size.eq(i64::try_from(new.pdf.len()).unwrap_or(i64::MAX)),
        print_runs::digest.eq(digest),
    );
    let inserted = diesel::insert_into(print_runs::table).values(row).returning(print_runs::id);
    Ok(BeginResult::New(inserted.get_result(connection)?))
}

/// Writes one chunk of the PDF.
pub(crate) fn put_pdf_chunk(connection: &mut Connection, id: i64, new: &NewPrintRun, chunk: usize) -> QueryResult<()> {
    let bytes = new.pdf.chunks(PDF_CHUNK).nth(chunk).unwrap_or_default();
    let row = (
        print_run_parts::run.eq(id),
        print_run_parts::part.eq(i32::try_from(chunk).unwrap_or(i32::MAX)),
        print_run_parts::bytes.eq(bytes),
    );
    diesel::insert_into(print_run_parts::table).values(row).execute(connection).map(drop)
}

#[derive(Insertable)]
#[diesel(table_name = print_run_tokens)]
struct RunTokenRow {
    run: i64,
    position: i32,
    token: TokenId,
}

/// Writes one step of the tokens.
pub(crate) fn put_tokens(connection: &mut Connection, id: i64, new: &NewPrintRun, chunk: usize) -> QueryResult<()> {
    let tokens = new.tokens.iter().zip(1_i32..).skip(chunk * TOKEN_CHUNK).take(TOKEN_CHUNK);
    let rows = tokens.map(|((token, _), position)| RunTokenRow { run: id, position, token: *token });
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(print_run_tokens::table).values(row).execute(connection)?;
            }
        }
        Connection::Postgres(connection) => {
            let rows: Vec<RunTokenRow> = rows.collect();
            diesel::insert_into(print_run_tokens::table).values(rows).execute(connection)?;
        }
    }
    Ok(())
}

/// Makes the run visible. If another request has saved the same run in the meantime, returns that one.
pub(crate) fn finish(
    connection: &mut Connection,
    id: i64,
    new: &NewPrintRun,
    digest: &str,
    now: Micros,
) -> Result<PrintRun, Error> {
    if let Some(run) = find_saved(connection, new, digest)? {
        return Ok(run);
    }
    check_complete(connection, id, new)?;
    if let Some(progress) = &new.progress {
        jobs::advance(connection, progress, now)?;
    }
    if let Some(label) = new.next_label {
        sheets::remember_label(connection, &new.by, &new.sheet, label)?;
    }
    let row = diesel::update(print_runs::table.find(id)).set(print_runs::done.eq(now.get()));
    let saved = row.returning(print_runs::all_columns).get_result::<RunRow>(connection).map(print_run);
    let run = saved.map_err(|error| {
        let is_known = is_duplicate(&error, "print_runs", "digest");
        if is_known { Error::Conflict("this sheet was kept a moment ago".into()) } else { Error::from(error) }
    })?;
    // Those of a job were recorded when it began.
    if new.job.is_none() {
        let labels = if run.count == 1 { "1 label".to_owned() } else { format!("{} labels", run.count) };
        audit::record(connection, &new.by, "print run", &run.uid, &format!("{labels}: {}", run.sheet), now)?;
    }
    Ok(run)
}

/// Checks that nothing is missing: after a jump of the clock, part of the run may have been removed as abandoned.
fn check_complete(connection: &mut Connection, id: i64, new: &NewPrintRun) -> Result<(), Error> {
    let pdf_chunks: i64 = print_run_parts::table.filter(print_run_parts::run.eq(id)).count().get_result(connection)?;
    let tokens: i64 = print_run_tokens::table.filter(print_run_tokens::run.eq(id)).count().get_result(connection)?;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    if (pdf_chunks, tokens) == (count(new.pdf.len().div_ceil(PDF_CHUNK).max(1)), count(new.tokens.len())) {
        return Ok(());
    }
    Err(Error::Failed("a print run is not whole".into()))
}

/// Removes part of an abandoned run, and returns whether there may be more.
pub fn remove_abandoned(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    let begun = print_runs::table.filter(print_runs::done.is_null());
    let old = begun.filter(print_runs::timestamp.lt(now.get() - ABANDONED_AFTER)).select(print_runs::id).limit(1);
    let Some(id) = old.get_result::<i64>(connection).optional()? else { return Ok(false) };
    let pdf_chunks = print_run_parts::table.filter(print_run_parts::run.eq(id)).select(print_run_parts::id);
    let pdf_chunks: Vec<i64> = pdf_chunks.limit(PDF_CHUNKS_REMOVE_LIMIT).load(connection)?;
    let labels = print_run_tokens::table.filter(print_run_tokens::run.eq(id));
    let positions: Vec<i32> = labels.select(print_run_tokens::position).limit(REMOVE_LIMIT).load(connection)?;
    if pdf_chunks.is_empty() && positions.is_empty() {
        diesel::delete(print_runs::table.find(id)).execute(connection)?;
    }
    diesel::delete(print_run_parts::table.filter(print_run_parts::id.eq_any(pdf_chunks))).execute(connection)?;
    diesel::delete(labels.filter(print_run_tokens::position.eq_any(positions))).execute(connection)?;
    Ok(true)
}
