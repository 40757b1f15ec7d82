//! Actions: what is done to many tokens at once, in one transaction, and undone as one.

pub mod undo;

use diesel::prelude::*;

use super::audit;
use super::connection::Connection;
use super::error::{Error, taken};
use super::schema::{action_tokens, actions};
use super::tokens::row::stamp;
use super::tokens::selection::{Selection, SelectionDigest};
use super::tokens::{bulk, selection};
use crate::access::Principal;
use crate::token::action::Action;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, UNLIMITED, Uid};

/// Tokens that a plan shows before and after.
const EXAMPLES: usize = 5;
/// Tokens of one reason that a plan names.
const NAMED: usize = 5;

/// What an action would do, or has done.
#[derive(Clone, Debug)]
pub struct ActionPlan {
    /// Tokens of the selection.
    pub selected: usize,
    /// Tokens that would be changed.
    pub changed: usize,
    /// Tokens that are so already.
    pub same: usize,
    /// Tokens that the action is refused for, by the reason.
    pub refused: Vec<RefusedTokens>,
    /// Some tokens before and after.
    pub examples: Vec<(Token, Token)>,
    /// What was looked at.
    pub seal: SelectionDigest,
}

impl ActionPlan {
    /// How many tokens are refused.
    pub fn refused_count(&self) -> usize {
        self.refused.iter().map(|refused| refused.count).sum()
    }
}

/// Tokens that an action is refused for, for one reason.
#[derive(Clone, Debug)]
pub struct RefusedTokens {
    /// Why.
    pub(crate) why: TokenError,
    /// How many.
    pub count: usize,
    /// Some of them.
    pub(crate) tokens: Vec<Token>,
}

/// A token that is to be changed, before and after.
struct Changed {
    id: TokenId,
    before: Token,
    after: Token,
}

fn plan_of(
    selected: Vec<(TokenId, Token)>,
    action: &Action,
    by: &Principal,
    now: Micros,
) -> (ActionPlan, Vec<Changed>) {
    let seal = SelectionDigest::of(&selected);
    let mut plan =
        ActionPlan { selected: selected.len(), changed: 0, same: 0, refused: Vec::new(), examples: Vec::new(), seal };
    let mut changed = Vec::new();
    for (n, (id, before)) in selected.into_iter().enumerate() {
        match action.apply(&before, n + 1, by, now) {
            Ok(after) if after == before && *action != Action::Delete => plan.same += 1,
            Ok(after) => {
                if plan.examples.len() < EXAMPLES {
                    plan.examples.push((before.clone(), after.clone()));
                }
                changed.push(Changed { id, before, after });
            }
            Err(mistakes) => refuse(&mut plan.refused, mistakes.into(), before),
        }
    }
    plan.changed = changed.len();
    (plan, changed)
}

/// Reasons with a token's own numbers in them are one reason.
fn refuse(refused: &mut Vec<RefusedTokens>, why: TokenError, token: Token) {
    let is_unlimited = |token: &Token| token.usage_count == UNLIMITED;
    let alike = |known: &&mut RefusedTokens| {
        known.why.param() == why.param() && known.tokens.iter().all(|other| is_unlimited(other) == is_unlimited(&token))
    };
    match refused.iter_mut().find(alike) {
        Some(known) => {
            known.count += 1;
            if known.tokens.len() < NAMED {
                known.tokens.push(token);
            }
        }
        None => refused.push(RefusedTokens { why, count: 1, tokens: vec![token] }),
    }
}

/// What `action` would do to a selection as it is now, if `by` did it.
///
/// # Errors
/// A value error when the action would be refused for every token, or is for too many.
pub fn plan(
    connection: &mut Connection,
    selection: &Selection,
    action: &Action,
    by: &Principal,
    now: Micros,
) -> Result<ActionPlan, Error> {
    action.check()?;
    Ok(plan_of(selection::load(connection, selection, now)?, action, by, now).0)
}

/// What became of an action.
#[derive(Debug)]
pub enum ActionResult {
    /// It is done, and can be undone by this uid.
    Done(Uid),
    /// Nothing was done: the selection is not what it was when it was looked at.
    Stale(ActionPlan),
    /// Nothing was done: no token would be changed.
    Nothing(ActionPlan),
}

/// An action that is wanted.
#[derive(Clone, Debug)]
pub struct ActionRequest {
    /// The uid that the action will have: sent twice, it is done once.
    pub uid: Uid,
    /// To which tokens.
    pub selection: Selection,
    /// What.
    pub action: Action,
    /// Only if the selection is still what it was when it was looked at.
    pub seal: Option<SelectionDigest>,
}

impl ActionRequest {
    /// An action on one token, as it is.
    pub fn one(token: Uid, action: Action) -> Self {
        Self { uid: Uid::random(), selection: Selection::Uids(vec![token]), action, seal: None }
    }
}

/// Does an action to every token of its selection that it is not refused for.
///
/// # Errors
/// A value error when the action would be refused for every token, or is for too many.
pub fn perform(
    connection: &mut Connection,
    wanted: &ActionRequest,
    by: &Principal,
    now: Micros,
) -> Result<ActionResult, Error> {
    let ActionRequest { uid, selection, action, seal } = wanted;
    if self::undo::is_done(connection, *uid)? {
        return Ok(ActionResult::Done(*uid));
    }
    action.check()?;
    let (plan, mut changed) = plan_of(selection::lock(connection, selection, now)?, action, by, now);
    if seal.as_ref().is_some_and(|seal| *seal != plan.seal) {
        // Sent twice at once, the second has waited for the first one's locks.
        return Ok(if self::undo::is_done(connection, *uid)? {
            ActionResult::Done(*uid)
        } else {
            ActionResult::Stale(plan)
        });
    }
    if changed.is_empty() {
        return Ok(ActionResult::Nothing(plan));
    }
    for token in &mut changed {
        token.after.modified = stamp(token.before.modified, now);
    }
    let only = changed.first().map(|token| token.before.uid);
    let id = begin(connection, *uid, action, &plan, by, now)?;
    keep(connection, id, action, &changed, now)?;
    if *action == Action::Delete {
        let ids: Vec<TokenId> = changed.iter().map(|token| token.id).collect();
        bulk::delete(connection, &ids, by, now)?;
    } else {
        let rows: Vec<(TokenId, Token)> = changed.into_iter().map(|token| (token.id, token.after)).collect();
        bulk::put(connection, action, &rows)?;
    }
    record(connection, wanted, &plan, only, by, now)?;
    Ok(ActionResult::Done(*uid))
}

/// Records in the audit what was done to many, and of one what takes more than to edit it.
fn record(
    connection: &mut Connection,
    wanted: &ActionRequest,
    plan: &ActionPlan,
    only: Option<Uid>,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let is_one = plan.selected == 1;
    let (name, reason) = match &wanted.action {
        Action::Delete => ("bulk delete", None),
        Action::Void { reason } => (if is_one { "token void" } else { "bulk void" }, reason.as_deref()),
        Action::Unvoid => (if is_one { "token unvoid" } else { "bulk unvoid" }, None),
        _ if is_one => return Ok(()),
        _ => ("bulk change", None),
    };
    if let Some(token) = only.filter(|_| name.starts_with("token")) {
        return audit::record(connection, by, name, &token.to_string(), reason.unwrap_or_default(), now);
    }
    let tokens = if plan.changed == 1 { "1 token".to_owned() } else { format!("{} tokens", plan.changed) };
    let detail = reason.map_or_else(|| tokens.clone(), |reason| format!("{tokens}: {reason}"));
    audit::record(connection, by, name, &wanted.uid.to_string(), &detail, now)
}

fn begin(
    connection: &mut Connection,
    uid: Uid,
    action: &Action,
    plan: &ActionPlan,
    by: &Principal,
    now: Micros,
) -> Result<i64, Error> {
    let what = serde_json::to_string(action).map_err(|error| Error::Failed(error.to_string()))?;
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let row = (
        actions::uid.eq(uid.to_string()),
        actions::what.eq(what),
        actions::principal.eq(by.as_str()),
        actions::timestamp.eq(now.get()),
        actions::count.eq(count(plan.changed)),
        actions::refused.eq(count(plan.refused_count())),
    );
    let inserted = diesel::insert_into(actions::table).values(row).returning(actions::id).get_result(connection);
    inserted.map_err(|error| {
        // The same form, sent twice at once: the next look finds it done.
        if taken(&error, "actions", "uid") { Error::Again("it was done a moment ago".into()) } else { error.into() }
    })
}

/// What is kept of a token.
#[derive(Insertable)]
#[diesel(table_name = action_tokens, treat_none_as_default_value = false)]
struct KeptRow {
    action: i64,
    token: TokenId,
    stamp: i64,
    modified: i64,
    label: Option<String>,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    usage_count: i32,
    lock_time: i32,
    used: i64,
    voided_at: Option<i64>,
    voided_by: Option<String>,
    void_reason: Option<String>,
}

fn keep(connection: &mut Connection, id: i64, action: &Action, changed: &[Changed], now: Micros) -> QueryResult<()> {
    let stamp = |token: &Changed| if *action == Action::Delete { now } else { token.after.modified };
    let rows = changed.iter().map(|token| {
        let (voided_at, voided_by, void_reason) = super::tokens::row::void_columns(token.before.voided.as_ref());
        KeptRow {
            action: id,
            token: token.id,
            stamp: stamp(token).get(),
            modified: token.before.modified.get(),
            label: token.before.label.clone(),
            valid_from: token.before.valid_from.map(Micros::get),
            valid_to: token.before.valid_to.map(Micros::get),
            usage_count: token.before.usage_count,
            lock_time: token.before.lock_time,
            used: token.before.used,
            voided_at,
            voided_by,
            void_reason,
        }
    });
    match connection {
        Connection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(action_tokens::table).values(row).execute(connection)?;
            }
        }
        Connection::Postgres(connection) => {
            let rows: Vec<KeptRow> = rows.collect();
            diesel::copy_from(action_tokens::table).from_insertable(rows).execute(connection)?;
        }
    }
    Ok(())
}
