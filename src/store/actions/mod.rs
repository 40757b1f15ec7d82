//! Actions: changes of many tokens at once, each done in one transaction and undone as one.

pub mod undo;

use diesel::prelude::*;

use super::audit;
use super::connection::Connection;
use super::error::{Error, is_duplicate};
use super::schema::{action_tokens, actions};
use super::tokens::row::stamp;
use super::tokens::selection::{Selection, SelectionDigest};
use super::tokens::{bulk, selection};
use crate::access::Principal;
use crate::token::action::Action;
use crate::token::settle::TokenId;
use crate::token::{Micros, Token, TokenError, UNLIMITED, Uid};

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

/// A token to be changed, before and after.
struct Changed {
    id: TokenId,
    before: Token,
    after: Token,
}

fn make_plan(
    selected: Vec<(TokenId, Token)>,
    action: &Action,
    by: &Principal,
    now: Micros,
) -> (ActionPlan, Vec<Changed>) {
    let digest = SelectionDigest::of(&selected);
    let mut plan =
        ActionPlan { selected: selected.len(), changed: 0, same: 0, refused: Vec::new(), examples: Vec::new(), digest };
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
/// A value error when the action would be refused for every token, or the selection is too large.
pub fn plan(
    connection: &mut Connection,
    selection: &Selection,
    action: &Action,
    by: &Principal,
    now: Micros,
) -> Result<ActionPlan, Error> {
    action.check()?;
    Ok(make_plan(selection::load(connection, selection, now)?, action, by, now).0)
}

/// The result of an action.
#[derive(Debug)]
pub enum ActionResult {
    /// It is done, and can be undone by this uid.
    Done(Uid),
    /// Nothing was done: the selection has changed since somebody looked at it.
    Stale(ActionPlan),
    /// Nothing was done: no token would change.
    Nothing(ActionPlan),
}

/// An action to perform.
#[derive(Clone, Debug)]
pub struct ActionRequest {
    /// The uid that the action will have: a request sent twice is done once.
    pub uid: Uid,
    /// The tokens.
    pub selection: Selection,
    /// The action.
    pub action: Action,
    /// If given, the action is done only if the selection still has this digest.
    pub digest: Option<SelectionDigest>,
}

impl ActionRequest {
    /// An action on one token, whatever its state.
    pub fn one(token: Uid, action: Action) -> Self {
        Self { uid: Uid::random(), selection: Selection::Uids(vec![token]), action, digest: None }
    }
}

/// Performs an action on every token of its selection for which it is not refused.
///
/// # Errors
/// A value error when the action would be refused for every token, or the selection is too large.
pub fn perform(
    connection: &mut Connection,
    request: &ActionRequest,
    by: &Principal,
    now: Micros,
) -> Result<ActionResult, Error> {
    let ActionRequest { uid, selection, action, digest } = request;
    if undo::is_done(connection, *uid)? {
        return Ok(ActionResult::Done(*uid));
    }
    action.check()?;
    let (plan, mut changed) = make_plan(selection::lock(connection, selection, now)?, action, by, now);
    if digest.as_ref().is_some_and(|digest| *digest != plan.digest) {
        // When a form is sent twice at the same time, the second request has waited for the first one's locks.
        return Ok(if undo::is_done(connection, *uid)? { ActionResult::Done(*uid) } else { ActionResult::Stale(plan) });
    }
    if changed.is_empty() {
        return Ok(ActionResult::Nothing(plan));
    }
    for token in &mut changed {
        token.after.modified = stamp(token.before.modified, now);
    }
    let first_uid = changed.first().map(|token| token.before.uid);
    let id = insert_action(connection, *uid, action, &plan, by, now)?;
    save_before(connection, id, action, &changed, now)?;
    if *action == Action::Delete {
        let ids: Vec<TokenId> = changed.iter().map(|token| token.id).collect();
        bulk::delete(connection, &ids, by, now)?;
    } else {
        let rows: Vec<(TokenId, Token)> = changed.into_iter().map(|token| (token.id, token.after)).collect();
        bulk::update(connection, action, &rows)?;
    }
    record(connection, request, &plan, first_uid, by, now)?;
    Ok(ActionResult::Done(*uid))
}

/// Records in the audit log every change of many tokens, and those of a single token that need more than the right to
/// edit.
fn record(
    connection: &mut Connection,
    request: &ActionRequest,
    plan: &ActionPlan,
    first_uid: Option<Uid>,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let is_one = plan.selected == 1;
    let (name, reason) = match &request.action {
        Action::Delete => ("bulk delete", None),
        Action::Void { reason } => (if is_one { "token void" } else { "bulk void" }, reason.as_deref()),
        Action::Unvoid => (if is_one { "token unvoid" } else { "bulk unvoid" }, None),
        _ if is_one => return Ok(()),
        _ => ("bulk change", None),
    };
    if let Some(token) = first_uid.filter(|_| name.starts_with("token")) {
        return audit::record(connection, by, name, &token.to_string(), reason.unwrap_or_default(), now);
    }
    let tokens = if plan.changed == 1 { "1 token".to_owned() } else { format!("{} tokens", plan.changed) };
    let detail = reason.map_or_else(|| tokens.clone(), |reason| format!("{tokens}: {reason}"));
    audit::record(connection, by, name, &request.uid.to_string(), &detail, now)
}

fn insert_action(
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
        // The same form was sent twice at the same time: the retry finds the action done.
        if is_duplicate(&error, "actions", "uid") {
            Error::Conflict("it was done a moment ago".into())
        } else {
            error.into()
        }
    })
}

/// A token as it was before an action, for undo.
#[derive(Insertable)]
#[diesel(table_name = action_tokens, treat_none_as_default_value = false)]
struct ActionTokenRow {
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

fn save_before(
    connection: &mut Connection,
    id: i64,
    action: &Action,
    changed: &[Changed],
    now: Micros,
) -> QueryResult<()> {
    let stamp = |token: &Changed| if *action == Action::Delete { now } else { token.after.modified };
    let rows = changed.iter().map(|token| {
        let (voided_at, voided_by, void_reason) = super::tokens::row::void_columns(token.before.voided.as_ref());
        ActionTokenRow {
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
            let rows: Vec<ActionTokenRow> = rows.collect();
            diesel::copy_from(action_tokens::table).from_insertable(rows).execute(connection)?;
        }
    }
    Ok(())
}
