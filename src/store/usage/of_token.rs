//! The log of one token, whose entries lead from the newest to the oldest.

use std::ops::ControlFlow;

use diesel::prelude::*;

use super::chain::{FEW, PIECE, Piece};
use super::conditions::{Source, UsageFilter, between};
use super::entries::EntryRow;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::token::settle::TokenId;

/// A token's chain leads from its newest entry: the oldest ones are found by it only where it is short.
pub(super) fn from_the_oldest(connection: &mut Connection, token: TokenId) -> QueryResult<Source> {
    let all = Piece::newest(token, FEW);
    Ok(if all.next(connection)?.is_none() { Source::Piece(all) } else { Source::TokenInLog(token) })
}

/// The newest entries of a token whose ids are within these bounds, behind the entry `after`.
pub(super) fn newest(
    connection: &mut Connection,
    (token, filter): (TokenId, &UsageFilter),
    bounds: (i64, i64),
    (after, at_most): (Option<i64>, i64),
    limit: &SearchLimit,
) -> Result<Vec<EntryRow>, Error> {
    // A page of a chain that is not filtered costs no more than its rows.
    let is_all = UsageFilter { token_uid: None, ..filter.clone() }.matches_all();
    let length = if is_all { at_most } else { PIECE };
    let first = match after {
        Some(after) => Piece::behind(connection, token, after, length)?,
        None => Some(Piece::newest(token, length)),
    };
    let first = first.unwrap_or_else(|| Piece::newest(token, PIECE));
    let mut rows = Vec::new();
    first.walk(connection, limit, |connection, piece| {
        let wanted = |rows: &Vec<EntryRow>| at_most - i64::try_from(rows.len()).unwrap_or(at_most);
        rows.extend(between(connection, (Source::Piece(piece), filter), bounds, false, wanted(&rows))?);
        Ok(if wanted(&rows) > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(rows)
}
