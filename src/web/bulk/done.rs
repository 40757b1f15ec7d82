//! What a change of many tokens did, in one sentence, and who may undo it.

use crate::access::{Permission, Role};
use crate::store::actions::past::PastAction;
use crate::token::Micros;
use crate::token::action::Action;
use crate::web::notice::Notice;
use crate::web::words::bulk as words;

/// Undoing needs the permission of the action.
pub(crate) fn may_undo(role: Role, action: Option<&Action>) -> bool {
    role.may(action.map_or(Permission::Edit, Action::permission))
}

/// What an action has done, with the way to undo it for who may; nothing of one that is under way or undone.
pub(crate) fn changed_notice(done: &PastAction, role: Role, now: Micros) -> Option<Notice> {
    if done.progress.is_some() || done.undone.is_some() {
        return None;
    }
    let verb = done.action.as_ref().map_or(words::CHANGING, words::verb);
    let can_undo = may_undo(role, done.action.as_ref()) && done.can_be_undone(now);
    let undo = can_undo.then(|| format!("/actions/{}/undo", done.uid));
    Some(Notice::done(verb.done(done.count, done.refused)).with_undo(undo))
}
