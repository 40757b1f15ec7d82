//! Changes the tokens that a file names, as an action, which can be undone.

use sha2::{Digest, Sha256};

use super::check::CHUNK;
use super::job::{Job, end_stored, other_file, other_tokens, permission};
use super::keys::{self, add_to_digest, find, key};
use super::lines::Lines;
use crate::store::accounts::check_may;
use crate::store::actions::import::{ImportAction, TokenTarget, stage};
use crate::store::actions::{pending, perform};
use crate::store::{Connection, Error};
use crate::token::Uid;
use crate::token::action::Action;
use crate::token::import::field::Cells;
use crate::token::import::report::ImportReport;

/// Changes them all, or none.
///
/// # Errors
/// As those of [`run`](super::run()).
pub(super) fn run(job: &Job, report: &ImportReport) -> Result<(), Error> {
    let action = Action::Import { file: job.name.to_owned(), sets_uses: report.sets_uses, voids: report.voids };
    let import = ImportAction::new(job.uid, action, report.tokens, report.same);
    let (begun, by, now) = (import.clone(), job.by.clone(), job.store.now());
    let id = job.write(move |connection| begun.begin(connection, &by, now))?;
    let id = id.ok_or_else(|| Error::Refused("This file is being imported already.".into()))?;
    let decided = stage_all(job, report, id).and_then(|first| decide(job, report, import, (id, first)));
    if decided.is_err() {
        // If the database is away, it is given up after five seconds of silence.
        let _ = job.write(move |connection| perform::give_up(connection, id));
        return decided;
    }
    carry_out(job, id);
    Ok(())
}

/// Writes down what becomes of each token, and returns the first one.
fn stage_all(job: &Job, report: &ImportReport, id: i64) -> Result<Uid, Error> {
    let (mut lines, _) = Lines::read(job.source, job.name, job.options)?;
    let (mut digest, mut first, mut number) = (Sha256::new(), None, 0);
    loop {
        let mut chunk: Vec<Cells> = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let Some(line) = lines.next().map_err(|_| other_file())? else { break };
            chunk.push(line.cells.map_err(|_| other_file())?);
        }
        if chunk.is_empty() {
            break;
        }
        chunk.retain(|cells| !cells.are_empty());
        let found = find(job, &chunk.iter().collect::<Vec<_>>())?;
        let mut targets = Vec::with_capacity(chunk.len());
        for cells in &chunk {
            let named = key(job, cells).and_then(|key| found.get(&key)).ok_or_else(other_tokens)?;
            let target = job.reader.change(cells, &named.token, named.batch.as_deref()).map_err(|_| other_tokens())?;
            if target.apply(&named.token) == named.token {
                continue;
            }
            add_to_digest(&mut digest, named, cells);
            first.get_or_insert(named.token.uid);
            number += 1;
            targets.push(TokenTarget { id: named.id, number, modified: named.token.modified, target });
        }
        // Everybody locks in this order.
        targets.sort_unstable_by_key(|token| token.id);
        stage_pieces(job, report, id, &targets)?;
        (job.progress)(number)?;
    }
    if lines.digest().as_ref() != Some(&report.file_digest) {
        return Err(other_file());
    }
    match first {
        Some(first) if keys::digest(&digest) == report.tokens_digest => Ok(first),
        _ => Err(other_tokens()),
    }
}

fn stage_pieces(job: &Job, report: &ImportReport, id: i64, targets: &[TokenTarget]) -> Result<(), Error> {
    for piece in targets.chunks(job.store.change_length()) {
        let (piece, permission, by, now) = (piece.to_vec(), permission(report), job.by.clone(), job.store.now());
        let stage = move |connection: &mut Connection| {
            check_may(connection, &by, permission, now)?;
            stage(connection, id, &piece, now)
        };
        if !job.write(stage)? {
            return Err(other_tokens());
        }
    }
    Ok(())
}

/// Decides it: from now on it will be carried out, also after a crash.
fn decide(job: &Job, report: &ImportReport, import: ImportAction, of: (i64, Uid)) -> Result<(), Error> {
    let (by, now, permission, stored) = (job.by.clone(), job.store.now(), permission(report), job.stored);
    let decided = job.write(move |connection: &mut Connection| {
        check_may(connection, &by, permission, now)?;
        let is_decided = import.decide(connection, of, &by, now)?;
        end_stored(connection, stored.filter(|_| is_decided), now)?;
        Ok(is_decided)
    })?;
    if decided { Ok(()) } else { Err(other_tokens()) }
}

/// Carries it out. If this fails, a server does, which looks for what was left behind.
fn carry_out(job: &Job, id: i64) {
    let length = job.store.change_length();
    loop {
        let now = job.store.now();
        match job.write(move |connection| pending::carry_out(connection, id, length, now)) {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                tracing::warn!(%error, "an import is decided and not carried out yet; a server will go on with it");
                return;
            }
        }
    }
}
