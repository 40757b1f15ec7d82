//! Writes down what an import makes of tokens that there are.

use std::collections::HashMap;

use super::pending::{Listings, is_staged_before};
use super::perform::{ActionRequest, begin, decide, write_down};
use super::plan::ActionPlan;
use super::rows::Chosen;
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::tokens::selection::{Selection, SelectionDigest, lock_by_ids};
use crate::token::action::{Action, Target};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, Uid};

/// A token, as it was when its line was checked, and what the line makes of it.
#[derive(Clone, Debug)]
pub(crate) struct TokenTarget {
    /// Its id.
    pub(crate) id: TokenId,
    /// The line's number.
    pub(crate) number: usize,
    /// When it was last changed.
    pub(crate) modified: Micros,
    /// What it is to be.
    pub(crate) target: Target,
}

/// An import of changes: the action that it becomes.
#[derive(Clone, Debug)]
pub(crate) struct ImportAction {
    request: ActionRequest,
    plan: ActionPlan,
}

impl ImportAction {
    /// Of so many tokens.
    pub(crate) fn new(uid: Uid, action: Action, changed: usize, same: usize) -> Self {
        let (digest, selected) = (SelectionDigest::of(&[]), changed + same);
        let plan = ActionPlan { selected, changed, same, refused: Vec::new(), examples: Vec::new(), digest };
        Self { request: ActionRequest { uid, selection: Selection::Uids(Vec::new()), action, digest: None }, plan }
    }

    /// Begins to write it down, and returns its id; none, if it was begun before.
    pub(crate) fn begin(&self, connection: &mut Connection, by: &Principal, now: Micros) -> Result<Option<i64>, Error> {
        begin(connection, &self.request, &self.plan, by, now)
    }

    /// Decides it, and returns whether it did: not if somebody has changed one of its tokens since.
    pub(crate) fn decide(
        &self,
        connection: &mut Connection,
        (id, first): (i64, Uid),
        by: &Principal,
        now: Micros,
    ) -> Result<bool, Error> {
        decide(connection, id, &self.request, (&self.plan, first), by, now)
    }
}

/// Writes down a piece of the tokens, and returns whether it can still be decided: not if somebody has changed one of them
/// since, or is writing it down for another action, which came first.
pub(crate) fn stage(
    connection: &mut Connection,
    action: i64,
    piece: &[TokenTarget],
    now: Micros,
) -> Result<bool, Error> {
    let ids: Vec<TokenId> = piece.iter().map(|token| token.id).collect();
    if is_staged_before(connection, action, &ids, now)? {
        return Ok(false);
    }
    let locked = lock_by_ids(connection, &ids, now, Listings::GiveWay)?;
    let mut there: HashMap<TokenId, Token> = locked.into_iter().collect();
    let mut chosen = Vec::with_capacity(piece.len());
    for TokenTarget { id, number, modified, target } in piece {
        match there.remove(id) {
            Some(before) if before.modified == *modified => {
                chosen.push(Chosen { id: *id, number: *number, before, target: Some(target.clone()) });
            }
            _ => return Ok(false),
        }
    }
    write_down(connection, action, &chosen, now)
}
