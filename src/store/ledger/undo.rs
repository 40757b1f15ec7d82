//! Finds the uses that are to be undone in the log. Rare beside consuming, so it takes a few statements for each.

use diesel::prelude::*;

use super::replies;
use crate::access::Principal;
use crate::store::actions;
use crate::store::connection::Connection;
use crate::store::gates;
use crate::store::schema::usage;
use crate::store::usage::{Piece, undone_by};
use crate::token::gate::{GateId, GateRules};
use crate::token::settle::{Answer, Ask, Held, NamedUse, Reply, TokenId};
use crate::token::undo::{LockAfterUndo, LoggedUse};
use crate::token::{EntryId, Micros, TokenError, Uid};

/// Entries of a token that are looked at by one statement for its lock, and how many statements there are at most.
const STEP: i64 = 100;
const STEPS: usize = 50;

/// The uids of the tokens of the uses that are to be undone: they are to be locked, before the rest is looked at.
pub(super) fn tokens_of(connection: &mut Connection, asks: &[Ask]) -> QueryResult<Vec<Uid>> {
    let mut uids = Vec::new();
    for (_, named) in undone_uses(asks) {
        if let Some(row) = find(connection, named)? {
            uids.push(uid(&row.token_uid)?);
        }
    }
    Ok(uids)
}

/// Adds the uses that are to be undone. The tokens of those that were there when `looked_for` was made are locked, unless
/// somebody else has locked them; a use that was committed since then is only named.
pub(super) fn hold(connection: &mut Connection, asks: &[Ask], looked_for: &[Uid], held: &mut Held) -> QueryResult<()> {
    for (who, named) in undone_uses(asks) {
        let Some(row) = find(connection, named)? else { continue };
        let logged = logged_use(connection, &row)?;
        if looked_for.contains(&logged.token_uid) {
            held.insert_use(who.clone(), named.clone(), logged);
        } else {
            held.insert_late_use(who.clone(), named.clone());
        }
    }
    Ok(())
}

/// Makes the actions since an undone use know that the token was used less often, where the token's count does not say so.
pub(super) fn keep(
    connection: &mut Connection,
    held: &Held,
    asks: &[Ask],
    answers: &[Option<Answer>],
) -> QueryResult<()> {
    for (ask, answer) in asks.iter().zip(answers) {
        let (Some(Answer::Done(..)), Some(named)) = (answer, ask.undone_use()) else { continue };
        let Some(logged) = held.named_use(&ask.who, named).filter(|logged| logged.untaken() != 0) else { continue };
        if let Some(token) = held.id_of(logged.token_uid) {
            actions::counters::lower(connection, token, logged.at, logged.untaken())?;
        }
    }
    Ok(())
}

fn undone_uses(asks: &[Ask]) -> impl Iterator<Item = (&Principal, &NamedUse)> {
    asks.iter().filter_map(|ask| Some((&ask.who, ask.undone_use()?)))
}

/// The log's entry of a use.
#[derive(Queryable, Selectable)]
#[diesel(table_name = usage)]
struct UseRow {
    id: i64,
    uid: String,
    #[diesel(select_expression = usage::token.assume_not_null())]
    token: TokenId,
    #[diesel(select_expression = usage::token_uid.assume_not_null())]
    token_uid: String,
    timestamp: i64,
    principal: String,
    uses: i32,
    taken: i32,
    gate: Option<GateId>,
    lock_before: Option<i64>,
}

/// Finds a use by the moment that its uid begins with: there is no index of uids, which would be half of what a consume
/// writes.
fn find(connection: &mut Connection, named: &NamedUse) -> QueryResult<Option<UseRow>> {
    let uid = match named {
        NamedUse::Entry(uid) => Some(*uid),
        NamedUse::Key(key) => match replies::find(connection, key, Micros::now())? {
            Some(Reply::Use { receipt, .. }) if receipt.uses > 0 => Some(receipt.usage_uid),
            _ => None,
        },
    };
    let Some((uid, millisecond)) = uid.and_then(|uid| Some((uid, uid.millisecond()?))) else { return Ok(None) };
    let first = millisecond * 1_000;
    let row = usage::table
        .filter(usage::timestamp.between(first, first + 999))
        .filter(usage::uid.eq(uid.to_string()))
        .filter(usage::error_code.is_null())
        .filter(usage::uses.gt(0))
        .filter(usage::token.is_not_null());
    row.select(UseRow::as_select()).get_result(connection).optional()
}

fn logged_use(connection: &mut Connection, row: &UseRow) -> QueryResult<LoggedUse> {
    let rules = match row.gate {
        Some(gate) => gates::rules(connection, gate)?,
        None => GateRules::default(),
    };
    Ok(LoggedUse {
        uid: uid(&row.uid)?,
        token_uid: uid(&row.token_uid)?,
        by: Principal::stored(&row.principal),
        at: Micros::stored(row.timestamp),
        uses: row.uses,
        taken: row.taken,
        gate: row.gate,
        rules,
        undone_by: undone_by(connection, &row.uid)?.map(|text| uid(&text)).transpose()?,
        lock: lock_after_undo(connection, row)?,
    })
}

fn uid(text: &str) -> QueryResult<Uid> {
    text.parse().map_err(|error: TokenError| diesel::result::Error::DeserializationError(error.into()))
}

/// From when the token's lock ran before this use, and before all undone ones right before it, unless a later use has set
/// it. Where so many attempts came later that looking through them would make a door wait, it stays as it is.
fn lock_after_undo(connection: &mut Connection, this: &UseRow) -> QueryResult<LockAfterUndo> {
    let (mut piece, mut pieces) = (Some(Piece::newest(this.token, STEP)), 0);
    while let Some(here) = piece.filter(|here| here.may_reach_beyond(this.id)) {
        pieces += 1;
        for (id, uid, _) in uses(connection, here)? {
            if id > this.id && undone_by(connection, &uid)?.is_none() {
                return Ok(LockAfterUndo::Stays);
            }
        }
        piece = here.next(connection)?;
        if pieces == STEPS && piece.is_some() {
            return Ok(LockAfterUndo::Stays);
        }
    }
    let mut lock = this.lock_before;
    let mut piece = Piece::behind(connection, this.token, this.id, STEP)?;
    for _ in 0..STEPS {
        let Some(here) = piece else { break };
        for (_, uid, before) in uses(connection, here)? {
            if undone_by(connection, &uid)?.is_none() {
                return Ok(LockAfterUndo::RunsFrom(lock.map(Micros::stored)));
            }
            lock = before;
        }
        piece = here.next(connection)?;
    }
    Ok(LockAfterUndo::RunsFrom(lock.map(Micros::stored)))
}

/// The uses among a token's entries, newest first: id, uid, and from when the lock ran before.
fn uses(connection: &mut Connection, piece: Piece) -> QueryResult<Vec<(EntryId, String, Option<i64>)>> {
    let rows = usage::table.filter(piece.entries(connection)).filter(usage::error_code.is_null());
    let rows = rows.filter(usage::uses.gt(0)).order(usage::id.desc());
    rows.select((usage::id, usage::uid, usage::lock_before)).load(connection)
}
