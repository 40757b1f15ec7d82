//! Keeping a run: in steps that leave the write lock to others in between. Nobody sees it before the last one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::row::{PrintRun, RunRow, run};
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::{Error, taken};
use crate::store::printing::jobs::JobProgress;
use crate::store::printing::{jobs, sheets};
use crate::store::schema::{print_run_parts, print_run_tokens, print_runs};
use crate::token::settle::TokenId;
use crate::token::{Micros, Uid};

/// Bytes of a PDF in one row.
pub(crate) const PIECE: usize = 256 * 1024;
/// Tokens that are written in one step.
pub(crate) const STEP: usize = 1_000;
/// After so many microseconds, a run that is not whole never will be.
const GIVEN_UP: i64 = 3_600_000_000;
/// Rows that are removed at a time.
const REMOVED: i64 = 1_000;
const PIECES_REMOVED: i64 = 8;

/// A sheet that is to be kept.
#[derive(Clone, Debug)]
pub struct NewPrintRun {
    /// The number of the job that it is a part of, and which part, counted from 1.
    pub job: Option<(i64, i32)>,
    /// Who prints it.
    pub by: Principal,
    /// The sheet's slug.
    pub sheet: String,
    /// How it is printed, as JSON, with the whole geometry.
    pub options: String,
    /// The first label, counted from 1.
    pub start: i32,
    /// On how many pages.
    pub pages: i32,
    /// The tokens in the order of their labels.
    pub tokens: Vec<(TokenId, Uid)>,
    /// The PDF.
    pub pdf: Vec<u8>,
    /// The first free label of the sheet afterwards, which is remembered for `by`.
    pub next_label: Option<i32>,
    /// How far the job is with it.
    pub progress: Option<JobProgress>,
}

impl NewPrintRun {
    /// Of the PDF, how it was printed and its tokens, in base64url. A job's parts are its own, also when they print the
    /// same.
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

/// What became of the wish to keep a run.
pub(crate) enum Begun {
    /// It was kept before.
    Known(Box<PrintRun>),
    /// A row that nobody sees yet.
    New(i64),
}

fn known(connection: &mut Connection, new: &NewPrintRun, digest: &str) -> QueryResult<Option<PrintRun>> {
    let by = print_runs::table.filter(print_runs::principal.eq(new.by.as_str()));
    let row = by.filter(print_runs::digest.eq(digest)).filter(print_runs::done.is_not_null());
    Ok(row.get_result::<RunRow>(connection).optional()?.map(run))
}

/// Begins to keep a run, unless it was kept before.
pub(crate) fn begin(connection: &mut Connection, new: &NewPrintRun, digest: &str, now: Micros) -> Result<Begun, Error> {
    if let Some(run) = known(connection, new, digest)? {
        return Ok(Begun::Known(Box::new(run)));
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
    Ok(Begun::New(inserted.get_result(connection)?))
}

/// Writes one piece of the PDF.
pub(crate) fn put_piece(connection: &mut Connection, id: i64, new: &NewPrintRun, piece: usize) -> QueryResult<()> {
    let bytes = new.pdf.chunks(PIECE).nth(piece).unwrap_or_default();
    let row = (
        print_run_parts::run.eq(id),
        print_run_parts::part.eq(i32::try_from(piece).unwrap_or(i32::MAX)),
        print_run_parts::bytes.eq(bytes),
    );
    diesel::insert_into(print_run_parts::table).values(row).execute(connection).map(drop)
}

#[derive(Insertable)]
#[diesel(table_name = print_run_tokens)]
struct TokenOfRun {
    run: i64,
    position: i32,
    token: TokenId,
}

/// Writes one step of the tokens.
pub(crate) fn put_tokens(connection: &mut Connection, id: i64, new: &NewPrintRun, step: usize) -> QueryResult<()> {
    let tokens = new.tokens.iter().zip(1_i32..).skip(step * STEP).take(STEP);
    let rows = tokens.map(|((token, _), position)| TokenOfRun { run: id, position, token: *token });
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(print_run_tokens::table).values(row).execute(connection)?;
            }
        }
        Connection::Postgres(connection) => {
            let rows: Vec<TokenOfRun> = rows.collect();
            diesel::insert_into(print_run_tokens::table).values(rows).execute(connection)?;
        }
    }
    Ok(())
}

/// From here on everybody sees it; unless the same was kept by another request that was quicker, which is it then.
pub(crate) fn end(
    connection: &mut Connection,
    id: i64,
    new: &NewPrintRun,
    digest: &str,
    now: Micros,
) -> Result<PrintRun, Error> {
    if let Some(run) = known(connection, new, digest)? {
        return Ok(run);
    }
    is_whole(connection, id, new)?;
    if let Some(progress) = &new.progress {
        jobs::advance(connection, progress, now)?;
    }
    if let Some(label) = new.next_label {
        sheets::remember_label(connection, &new.by, &new.sheet, label)?;
    }
    let row = diesel::update(print_runs::table.find(id)).set(print_runs::done.eq(now.get()));
    row.returning(print_runs::all_columns).get_result::<RunRow>(connection).map(run).map_err(|error| {
        let is_known = taken(&error, "print_runs", "digest");
        if is_known { Error::Again("this sheet was kept a moment ago".into()) } else { error.into() }
    })
}

/// Holds that all of it is there: a clock that jumped meanwhile may have had some of it removed.
fn is_whole(connection: &mut Connection, id: i64, new: &NewPrintRun) -> Result<(), Error> {
    let pieces: i64 = print_run_parts::table.filter(print_run_parts::run.eq(id)).count().get_result(connection)?;
    let tokens: i64 = print_run_tokens::table.filter(print_run_tokens::run.eq(id)).count().get_result(connection)?;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    if (pieces, tokens) == (count(new.pdf.len().div_ceil(PIECE).max(1)), count(new.tokens.len())) {
        return Ok(());
    }
    Err(Error::Failed("a print run is not whole".into()))
}

/// Removes some of what was begun and never became whole, and says whether there may be more.
///
/// # Errors
/// The database's.
pub fn tidy(connection: &mut Connection, now: Micros) -> QueryResult<bool> {
    let begun = print_runs::table.filter(print_runs::done.is_null());
    let old = begun.filter(print_runs::timestamp.lt(now.get() - GIVEN_UP)).select(print_runs::id).limit(1);
    let Some(id) = old.get_result::<i64>(connection).optional()? else { return Ok(false) };
    let pieces = print_run_parts::table.filter(print_run_parts::run.eq(id)).select(print_run_parts::id);
    let pieces: Vec<i64> = pieces.limit(PIECES_REMOVED).load(connection)?;
    let of = print_run_tokens::table.filter(print_run_tokens::run.eq(id));
    let positions: Vec<i32> = of.select(print_run_tokens::position).limit(REMOVED).load(connection)?;
    if pieces.is_empty() && positions.is_empty() {
        diesel::delete(print_runs::table.find(id)).execute(connection)?;
    }
    diesel::delete(print_run_parts::table.filter(print_run_parts::id.eq_any(pieces))).execute(connection)?;
    diesel::delete(of.filter(print_run_tokens::position.eq_any(positions))).execute(connection)?;
    Ok(true)
}
