//! Adds the tokens of a file, in pieces that nobody sees before all are there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::job::{Job, end_stored, other_file, permission};
use super::keys::said_value;
use super::lines::Lines;
use crate::store::accounts::check_may;
use crate::store::batches::remove_abandoned;
use crate::store::imports::batches;
use crate::store::{Connection, Error};
use crate::token::import::report::ImportReport;
use crate::token::{BatchId, Token, Uid};

/// How often it is noted that the batches are still being made.
const TOUCH_INTERVAL: Duration = Duration::from_secs(5);

/// Adds them all, or none.
///
/// # Errors
/// As those of [`run`](super::run()).
pub(super) fn run(job: &Job, report: &ImportReport) -> Result<(), Error> {
    let (named, by, now) = (report.batches.clone(), job.by.clone(), job.store.now());
    let begun = job.write(move |connection| batches::begin(connection, &named, &by, now))?;
    let ids: Vec<BatchId> = begun.iter().map(|(_, id)| *id).collect();
    let added = add(job, report, &begun.into_iter().collect()).and_then(|()| finish(job, report, ids.clone()));
    if let Err(error) = &added {
        let why = error.to_string();
        // If the database is away, they are given up after a minute.
        let given_up = job.write(move |connection| batches::give_up(connection, &ids, &why));
        // Their values must not be in the way of whoever tries again.
        let mut is_more = given_up.is_ok();
        while is_more {
            let now = job.store.now();
            is_more = job.write(move |connection| remove_abandoned(connection, now)).unwrap_or(false);
        }
    }
    added.map_err(|error| match error {
        Error::Token(error) => {
            Error::Refused(format!("{error} This happened after the file was checked. Nothing was imported."))
        }
        error => error,
    })
}

fn add(job: &Job, report: &ImportReport, batches: &HashMap<String, BatchId>) -> Result<(), Error> {
    let (mut lines, _) = Lines::read(job.source, job.name, job.options)?;
    let mut writer =
        Writer { job, report, ids: batches.values().copied().collect(), touched: Instant::now(), written: 0 };
    // Made in the order of their index, they cost half of the time and of what is written.
    let mut uids: Vec<Uid> = (0..report.tokens).map(|_| Uid::random()).collect();
    uids.sort_unstable();
    let mut uids = uids.into_iter();
    let mut piece = Vec::with_capacity(job.store.piece_length());
    let mut like_uids = Vec::new();
    loop {
        let line = lines.next().map_err(|_| other_file())?;
        let is_last = line.is_none();
        if let Some(line) = line {
            let cells = line.cells.map_err(|_| other_file())?;
            if cells.are_empty() {
                continue;
            }
            let uid = uids.next().ok_or_else(other_file)?;
            let (token, batch) = job.reader.new_token(&cells, uid).map_err(|_| other_file())?;
            let batch = batch.or_else(|| job.options.batch.clone()).unwrap_or_default();
            let batch = batches.get(&batch).copied().ok_or_else(other_file)?;
            like_uids.extend(said_value(&cells).filter(|value| value.parse::<Uid>().is_ok()));
            piece.push(Token { batch: Some(batch), ..token });
        }
        if piece.len() == job.store.piece_length() || (is_last && !piece.is_empty()) {
            writer.write(std::mem::take(&mut piece), std::mem::take(&mut like_uids))?;
        }
        if is_last {
            break;
        }
    }
    let is_same = lines.digest().as_ref() == Some(&report.file_digest) && writer.written == report.tokens;
    if is_same { Ok(()) } else { Err(other_file()) }
}

/// Writes pieces.
struct Writer<'a> {
    job: &'a Job<'a>,
    report: &'a ImportReport,
    ids: Vec<BatchId>,
    touched: Instant,
    written: usize,
}

impl Writer<'_> {
    fn write(&mut self, piece: Vec<Token>, like_uids: Vec<String>) -> Result<(), Error> {
        let (job, permission, by, now) = (self.job, permission(self.report), self.job.by.clone(), self.job.store.now());
        self.written += piece.len();
        let ids = if self.touched.elapsed() > TOUCH_INTERVAL { self.ids.clone() } else { Vec::new() };
        if !ids.is_empty() {
            self.touched = Instant::now();
        }
        job.write(move |connection: &mut Connection| {
            check_may(connection, &by, permission, now)?;
            if !ids.is_empty() {
                batches::touch(connection, &ids, now)?;
            }
            batches::add_piece(connection, &piece, &like_uids)
        })?;
        (job.progress)(self.written)
    }
}

/// Shows them all, and notes that the import is done.
fn finish(job: &Job, report: &ImportReport, ids: Vec<BatchId>) -> Result<(), Error> {
    let (by, now, permission, stored) = (job.by.clone(), job.store.now(), permission(report), job.stored);
    let (subject, detail) = (job.uid.to_string(), format!("{} tokens added: {}", report.tokens, job.name));
    job.write(move |connection: &mut Connection| {
        check_may(connection, &by, permission, now)?;
        batches::finish(connection, &ids, (&by, &subject, &detail), now)?;
        end_stored(connection, stored, now)
    })
}
