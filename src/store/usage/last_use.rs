//! The last use of a token: what a refusal tells beside its reason.

use diesel::prelude::*;

use super::chain::Piece;
use crate::store::connection::Connection;
use crate::store::gates;
use crate::store::schema::{tokens, usage};
use crate::token::gate::GateId;
use crate::token::settle::TokenId;
use crate::token::{Micros, Uid};

/// How many of a token's latest entries are looked at where the time of the last use leads to none.
pub(super) const LATEST: i64 = 100;

/// The last use that was not undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastUse {
    /// When.
    pub(crate) timestamp: Micros,
    /// At which gate.
    pub(crate) gate: Option<String>,
    /// Who used it.
    pub(crate) user: String,
}

type Row = (String, i64, Option<GateId>, String);

/// The last use of the token with this uid; none if it was never used, or the log does not have it any more.
pub(super) fn last_use(connection: &mut Connection, uid: Uid) -> QueryResult<Option<LastUse>> {
    let token = tokens::table.filter(tokens::uid.eq(uid.to_string())).select((tokens::id, tokens::last_used));
    let Some((id, Some(last_used))) = token.get_result::<(TokenId, Option<i64>)>(connection).optional()? else {
        return Ok(None);
    };
    let Some((_, timestamp, gate, user)) = find(connection, id, last_used)? else { return Ok(None) };
    let gate = gate.map_or(Ok(None), |gate| gates::name(connection, gate));
    gate.map(|gate| Some(LastUse { timestamp: Micros::stored(timestamp), gate, user }))
}

/// By its moment, which the token has: somebody may have tried it a thousand times since. If that use was undone, or the
/// clock has jumped back, among the token's latest entries.
fn find(connection: &mut Connection, token: TokenId, last_used: i64) -> QueryResult<Option<Row>> {
    let uses = || usage::table.filter(usage::error_code.is_null()).filter(usage::uses.gt(0)).into_boxed();
    let columns = (usage::uid, usage::timestamp, usage::gate, usage::principal);
    let then = uses().filter(usage::timestamp.eq(last_used)).order(usage::id.desc()).select((usage::token, columns));
    let then: Vec<(Option<TokenId>, Row)> = then.load(connection)?;
    if let Some((_, row)) = then.into_iter().find(|(of, _)| *of == Some(token))
        && !is_undone(connection, &row.0)?
    {
        return Ok(Some(row));
    }
    let latest = Piece::newest(token, LATEST).entries(connection);
    let latest = usage::table.filter(latest).order(usage::id.desc());
    let latest = latest.select((usage::error_code, usage::uses, columns)).load(connection)?;
    for (error_code, uses, row) in latest as Vec<(Option<i16>, i32, Row)> {
        if error_code.is_none() && uses > 0 && !is_undone(connection, &row.0)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn is_undone(connection: &mut Connection, uid: &str) -> QueryResult<bool> {
    Ok(undone_by(connection, uid)?.is_some())
}

/// The uid of the entry that undoes the use with this uid.
pub(crate) fn undone_by(connection: &mut Connection, uid: &str) -> QueryResult<Option<String>> {
    usage::table.filter(usage::undoes.eq(uid)).select(usage::uid).get_result(connection).optional()
}
