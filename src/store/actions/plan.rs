//! What an action would do, and to which tokens.

use super::rows::Chosen;
use crate::access::Principal;
use crate::store::connection::Connection;
use crate::store::error::Error;
use crate::store::search::SearchLimit;
use crate::store::tokens::selection;
use crate::store::tokens::selection::{Selection, SelectionDigest};
use crate::token::action::{Action, Place};
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, UNLIMITED};

/// How many tokens a plan shows before and after the action.
const EXAMPLES: usize = 5;
/// How many tokens a plan names for each refusal.
const NAMED_PER_REASON: usize = 5;

/// What an action would do.
#[derive(Clone, Debug)]
pub struct ActionPlan {
    /// Tokens in the selection.
    pub selected: usize,
    /// Tokens that would be changed.
    pub changed: usize,
    /// Tokens that already are as the action would make them.
    pub same: usize,
    /// Tokens for which the action is refused, grouped by reason.
    pub refused: Vec<RefusedTokens>,
    /// Some tokens before and after.
    pub examples: Vec<(Token, Token)>,
    /// The digest of the selection.
    pub digest: SelectionDigest,
}

impl ActionPlan {
    /// How many tokens are refused.
    pub fn refused_count(&self) -> usize {
        self.refused.iter().map(|refused| refused.count).sum()
    }
}

/// Tokens for which an action is refused for the same reason.
#[derive(Clone, Debug)]
pub struct RefusedTokens {
    /// The reason.
    pub(crate) why: TokenError,
    /// How many tokens.
    pub count: usize,
    /// Some of them.
    pub(crate) tokens: Vec<Token>,
}

/// What `action` would do to these tokens, and what is to be `kept` of each that it would change: they may be many.
pub(super) fn make_plan<T>(
    selected: Vec<(TokenId, Token)>,
    action: &Action,
    by: &Principal,
    now: Micros,
    kept: impl Fn(Chosen) -> T,
) -> (ActionPlan, Vec<T>) {
    let digest = SelectionDigest::of(&selected);
    let mut plan =
        ActionPlan { selected: selected.len(), changed: 0, same: 0, refused: Vec::new(), examples: Vec::new(), digest };
    let mut changed = Vec::new();
    for (n, (id, before)) in selected.into_iter().enumerate() {
        match action.apply(&before, Place::numbered(n + 1), by, now) {
            Ok(after) if after == before && *action != Action::Delete => plan.same += 1,
            Ok(after) => {
                if plan.examples.len() < EXAMPLES {
                    plan.examples.push((before.clone(), after.clone()));
                }
                changed.push(kept(Chosen { id, number: n + 1, before, target: None }));
            }
            Err(mistakes) => refuse(&mut plan.refused, mistakes.into(), before),
        }
    }
    plan.changed = changed.len();
    (plan, changed)
}

/// Reasons that differ only in a token's own numbers count as the same reason.
fn refuse(refused: &mut Vec<RefusedTokens>, why: TokenError, token: Token) {
    let is_unlimited = |token: &Token| token.usage_count == UNLIMITED;
    let is_same_reason = |group: &&mut RefusedTokens| {
        group.why.param() == why.param() && group.tokens.iter().all(|other| is_unlimited(other) == is_unlimited(&token))
    };
    match refused.iter_mut().find(is_same_reason) {
        Some(group) => {
            group.count += 1;
            if group.tokens.len() < NAMED_PER_REASON {
                group.tokens.push(token);
            }
        }
        None => refused.push(RefusedTokens { why, count: 1, tokens: vec![token] }),
    }
}

/// What `action` would do to a selection now, if `by` did it.
///
/// # Errors
/// A value error when the action would be refused for every token, or the selection is too large; too slow, when finding
/// its tokens takes longer than it may.
pub fn plan(
    connection: &mut Connection,
    selection: &Selection,
    action: &Action,
    by: &Principal,
    (now, limit): (Micros, &SearchLimit),
) -> Result<ActionPlan, Error> {
    action.check()?;
    Ok(make_plan(selection::load(connection, selection, now, limit)?, action, by, now, drop).0)
}
