//! Actions in words.

use crate::token::UNLIMITED;
use crate::token::action::{Action, Bound};
use crate::web::format::{TimeFormatter, duration, grouped};

/// What an action does, in words.
pub(crate) fn describe(action: &Action, clock: TimeFormatter) -> String {
    let bound = |name: &str, bound: Bound| match bound {
        Bound::Keep => None,
        Bound::Open => Some(format!("no {name}")),
        Bound::At(moment) => Some(format!("{name} {}", clock.day_and_time(moment))),
    };
    match action {
        Action::SetValidity { from, to } => {
            let both: Vec<String> = bound("start", *from).into_iter().chain(bound("end", *to)).collect();
            format!("Validity set to {}", both.join(", "))
        }
        Action::SetUses(UNLIMITED) => "Uses set to unlimited".into(),
        Action::SetUses(uses) => format!("Uses set to {}", grouped(*uses)),
        Action::AddUses(1) => "One use added".into(),
        Action::AddUses(-1) => "One use taken away".into(),
        Action::AddUses(uses) if *uses < 0 => format!("{} uses taken away", grouped(-i64::from(*uses))),
        Action::AddUses(uses) => format!("{} uses added", grouped(*uses)),
        Action::SetLock(0) => "Lock removed".into(),
        Action::SetLock(seconds) => format!("Lock set to {}", duration(*seconds)),
        Action::SetLabel(Some(label)) => format!("Label set to “{label}”"),
        Action::SetLabel(None) => "Label removed".into(),
        Action::Delete => "Deleted".into(),
        Action::Void { reason: Some(reason) } => format!("Voided as “{reason}”"),
        Action::Void { reason: None } => "Voided".into(),
        Action::Unvoid => "Restored".into(),
        Action::Update { .. } => "Changed by a program".into(),
        Action::Import { file, .. } => format!("Changed by importing {file}"),
    }
}
