//! Moves tokens and their log in from a database of cone.tokens.
//!
//! The source is read several times, in one snapshot: once to find what is wrong, once to write, and once more to look up each
//! token by its value. All of it is one transaction of the target, which nobody else may use meanwhile.

pub(crate) mod source;
mod target;

use super::audit;
use super::connection::Connection;
use super::error::Error;
use super::tokens::lookup_all;
use crate::access::Principal;
use crate::token::cone::findings::Findings;
use crate::token::cone::{Inspection, Mapping, MovedToken, Plan, Tally};
use crate::token::settle::Lookup;
pub(crate) use source::Source;
pub(crate) use target::check_empty;

/// Rows written by one statement, and tokens looked up by one.
const PIECE: usize = 2_000;

/// Reads every row: what is wrong, and what each becomes.
///
/// # Errors
/// The source's.
pub(crate) fn inspect(source: &mut Source, mapping: Mapping) -> Result<(Findings, Plan), Error> {
    let mut inspection = Inspection::new(mapping);
    source.tokens(|cells| {
        inspection.token(&cells);
        Ok(())
    })?;
    inspection.end_tokens();
    let has_log = source.entries(|cells| {
        inspection.entry(&cells);
        Ok(())
    })?;
    if !has_log {
        inspection.no_log();
    }
    Ok(inspection.end())
}

/// Writes what the plan says, looks every token up by its value, and returns the counts of what then stands in the database.
/// The caller's transaction rolls back if this fails.
///
/// # Errors
/// Refused when there is something in the target; failed when what stands there is not what was read.
pub(crate) fn import(
    source: &mut Source,
    target: &mut Connection,
    plan: &mut Plan,
    by: &Principal,
    from: &str,
) -> Result<Tally, Error> {
    check_empty(target)?;
    target::prepare(target)?;
    let now = plan.now();
    write(source, target, plan)?;
    let mut found = Tally::default();
    let mut piece: Vec<MovedToken> = Vec::with_capacity(PIECE);
    source.tokens(|cells| {
        piece.extend(plan.token(&cells));
        if piece.len() < PIECE { Ok(()) } else { look_up(target, &mut piece, plan, &mut found) }
    })?;
    look_up(target, &mut piece, plan, &mut found)?;
    target::count_entries(target, &mut found)?;
    target::check_sums(target, &found)?;
    if found != plan.tally {
        return Err(Error::Failed("what was written is not what was read".into()));
    }
    let entries: i64 = found.entries.values().sum();
    let detail = format!("{} tokens, {entries} log entries", found.tokens);
    audit::record(target, by, "import cone", from, &detail, now)?;
    Ok(found)
}

fn write(source: &mut Source, target: &mut Connection, plan: &mut Plan) -> Result<(), Error> {
    let mut piece = Vec::with_capacity(PIECE);
    source.tokens(|cells| {
        piece.extend(plan.token(&cells));
        if piece.len() < PIECE { Ok(()) } else { target::add_tokens(target, std::mem::take(&mut piece)) }
    })?;
    target::add_tokens(target, std::mem::take(&mut piece))?;
    let mut piece = Vec::with_capacity(PIECE);
    source.entries(|cells| {
        piece.extend(plan.entry(&cells));
        if piece.len() < PIECE { Ok(()) } else { target::add_entries(target, std::mem::take(&mut piece)) }
    })?;
    target::add_entries(target, std::mem::take(&mut piece))?;
    target::finish(target)
}

/// Looks these tokens up as a door does, and compares all that is known of each.
fn look_up(target: &mut Connection, piece: &mut Vec<MovedToken>, plan: &Plan, found: &mut Tally) -> Result<(), Error> {
    let by_value = |token: &MovedToken| Lookup { value: Some(token.token.value.clone()), ..Lookup::default() };
    let names: Vec<Lookup> = piece.iter().map(by_value).collect();
    for (moved, token) in piece.drain(..).zip(lookup_all(target, &names)?) {
        match token? {
            Some(token) if token == moved.token => found.count(&token, plan.now()),
            _ => {
                let uid = moved.token.uid;
                return Err(Error::Failed(format!("the token {uid} is not found by its value as it was written")));
            }
        }
    }
    Ok(())
}
