//! Actions in words.

use crate::token::action::{Action, Bound};
use crate::token::{Micros, UNLIMITED};
use crate::web::format::{TimeFormatter, duration};
use crate::web::words::bulk as words;

/// What an action does, in words.
pub(crate) fn describe(action: &Action, clock: TimeFormatter) -> String {
    let start = |bound| of(bound, words::NO_START, |moment| words::start(&clock.day_and_time(moment)));
    let end = |bound| of(bound, words::NO_END, |moment| words::end(&clock.day_and_time(moment)));
    match action {
        Action::SetValidity { from, to } => {
            let both: Vec<String> = start(*from).into_iter().chain(end(*to)).collect();
            words::validity_set(&both.join(", "))
        }
        Action::SetUses(UNLIMITED) => words::USES_UNLIMITED.into(),
        Action::SetUses(uses) => words::uses_set(*uses),
        Action::AddUses(uses) => words::uses_added(*uses),
        Action::SetLock(0) => words::LOCK_REMOVED.into(),
        Action::SetLock(seconds) => words::lock_set(&duration(*seconds)),
        Action::SetLabel(Some(label)) => words::label_set(label),
        Action::SetLabel(None) => words::LABEL_REMOVED.into(),
        Action::Delete => words::DELETED.into(),
        Action::Void { reason: Some(reason) } => words::voided_for(reason),
        Action::Void { reason: None } => words::VOIDED.into(),
        Action::Unvoid => words::RESTORED.into(),
        Action::Update { .. } => words::BY_A_PROGRAM.into(),
        Action::Import { file, .. } => words::by_import(file),
    }
}

/// What becomes of one end of the validity, if it changes.
fn of(bound: Bound, open: &str, at: impl Fn(Micros) -> String) -> Option<String> {
    match bound {
        Bound::Keep => None,
        Bound::Open => Some(open.to_owned()),
        Bound::At(moment) => Some(at(moment)),
    }
}
